/* What another version of the process would change for a ticket: its priority when it is not decided yet, its due times, and
 * what would be late at once. Pure. */
#ifndef DOCKET_WHATIF_H
#define DOCKET_WHATIF_H

#include "decide.h"

/* Memory that is used again: one decider for each of the two versions. */
struct whatif {
    struct decider *is, *would;
};

void whatif_init(struct whatif *whatif);
void whatif_clear(struct whatif *whatif);

/* Appends {tracking, priority, would_priority, clocks: [{clock, cycle, state, due_at, would_state, would_due_at, late}]} when
 * something would move, nothing otherwise.
 * in:  work  the body of a work; decided as if it woke for nothing
 * out: ret_moves, ret_late  whether it was appended; whether a promise would be missed that is not now
 * err: ERR_INVALID  the work is not of the protocol's form */
bool whatif_put(struct whatif *whatif, const struct engine *is, const struct engine *would,
                const struct wire_val *work, struct buf *out, bool *ret_moves, bool *ret_late,
                struct err *err) __attribute__((warn_unused_result));

#endif
