/* A past ticket replayed step by step, as in life, against the one decision of a simulation: both must give the same verdicts, and
 * what is stored in the end must follow from the events. For docket-worker simulate --verify, and tests. */
#ifndef DOCKET_REPLAY_H
#define DOCKET_REPLAY_H

#include "decide.h"
#include "simulate.h"

/* in:  line  of a history; one  what the simulation made of it
 * err: ERR_INVALID   it cannot be replayed: an event its state does not allow, or of no kind that people make
 *      ERR_INTERNAL  it came out otherwise; says what */
bool replay_verify(const struct engine *engine, struct decider *decider, const struct wire_val *line,
                   const struct simulated *one, struct err *err) __attribute__((warn_unused_result));

#endif
