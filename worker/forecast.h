/* Which open tickets will miss their promise, and how many more people would prevent it: a simulation of so many people who take
 * tickets one after the other, in the order of ticket.next. Pure; what it assumes is part of its answer. */
#ifndef DOCKET_FORECAST_H
#define DOCKET_FORECAST_H

#include "engine.h"
#include "err.h"
#include "wire.h"

enum { FORECAST_PEOPLE_MAX = 1000, FORECAST_MORE_MAX = 50 };

/* Appends {staff, wanted, misses, unavoidable, handling_s: [4], samples: [4], tickets: [{tracking, priority, clock, due_at,
 * expected_at, late_s}], text}.
 * in:  ask  {now, staff, tickets: [{tracking, priority, state, assignee, clocks}], handled: [{priority, from_at, until_at}],
 *            open (how many there are; tickets may be fewer)}
 * out:      tickets: those that will miss, the earliest due first; wanted: people with whom only those are left that nobody could
 *           help (0: not even FORECAST_MORE_MAX more suffice)
 * err: ERR_INVALID  now is missing */
bool forecast_put(const struct engine *engine, const struct wire_val *ask, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
