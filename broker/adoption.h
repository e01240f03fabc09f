/* Adoption: what dead epochs of other brokers left is set free in the table, where claims.h finds it.
 *
 * A dead epoch is buried first (its backend ended: a statement of it could land later), then swept until nothing of it is found, then
 * settled, which frees its slot. Each step is right to repeat, by any broker. Runs on the control session, one epoch at a time. */
#ifndef DOCKET_ADOPTION_H
#define DOCKET_ADOPTION_H

struct broker;

/* A few times a second: looks for the next one, unless one is under way. */
void adoption_tick(struct broker *broker);

#endif
