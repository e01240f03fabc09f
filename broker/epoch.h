/* The epoch: this broker's membership, tied to one session of the writer.
 *
 * A new session is a new epoch: the old one is buried first (marked dead, its backend ended), then the new one is
 * registered on a slot, then the lease is renewed every second over the control session. When the lease cannot be renewed in time,
 * the session is dropped and everything in memory with it. */
#ifndef DOCKET_EPOCH_H
#define DOCKET_EPOCH_H

#include <stdbool.h>

struct broker;

/* The writer's session came up, or went down. */
void epoch_on_writer_up(struct broker *broker);
void epoch_on_writer_down(struct broker *broker, const char *why);

/* Several times a second: renews, or gives up. */
void epoch_tick(struct broker *broker);

/* A broker that ends in order says so, that others need not wait. */
void epoch_farewell(struct broker *broker);

#endif
