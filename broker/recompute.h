/* Open tickets computed again under a new version of the process (process.apply with recompute): woken bit by bit, in the background,
 * by whichever broker takes the next step. How far it is stands in the database. */
#ifndef DOCKET_RECOMPUTE_H
#define DOCKET_RECOMPUTE_H

struct broker;

/* Once a tick: the next step, when there is one to take and there is room for it. */
void recompute_tick(struct broker *broker);

#endif
