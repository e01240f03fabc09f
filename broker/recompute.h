/* Open tickets computed again under a new version of the process (process.apply with recompute): claimed bit by bit, in the background,
 * by whichever broker takes the next step, at the pace of pace.h. How far it is stands in the database. */
#ifndef DOCKET_RECOMPUTE_H
#define DOCKET_RECOMPUTE_H

#include <stdint.h>

struct broker;

/* Once a turn: the next step, when there is one to take and it is time for it. Gives the µs after which it wants to be called again; -1: only
 * when something was committed. */
int64_t recompute_turn(struct broker *broker);

#endif
