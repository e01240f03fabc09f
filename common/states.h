/* The life cycle of a ticket as one table: op × state → state. Pure. */
#ifndef DOCKET_STATES_H
#define DOCKET_STATES_H

#include "desk.h"

#include <stdbool.h>
#include <stdint.h>

/* What can be done to a ticket, as the table's rows. */
enum states_op {
    DO_TAKE,
    DO_ASSIGN,
    DO_RELEASE,
    DO_WAIT_CUSTOMER,
    DO_WAIT_VENDOR,
    DO_CANNOT_RESOLVE,
    DO_RESUME, /* whatever it waits for */
    DO_RESUME_CUSTOMER,
    DO_RESUME_VENDOR,
    DO_RESOLVE,
    DO_APPROVE,
    DO_REJECT,
    DO_CLOSE,
    DO_REOPEN,
    DO_COMMENT,
    DO_REPLY, /* a comment by the customer */
    DO_UPDATE,
    DO_PRIORITIZE,
    DO_LINK,
    DO_AGREE,
    DO_DECLINE,
    DO_MEETING,
    DO_REPEAT, /* submitted again, by its correlation */
    STATES_OPS
};

enum { STATE_REFUSED = -1 };

/* The state that follows, or STATE_REFUSED. */
int states_next(enum states_op op, enum desk_state from);

/* The row of waiting, and of going on after it. on: "customer", "vendor"; of going on also SPAN_NONE: whatever it waits for. */
enum states_op states_wait(struct span on);
enum states_op states_resume(struct span on);

/* The whole row, as the SQL takes it: ret[from] is the state that follows. */
void states_row(enum states_op op, int16_t ret[STATES]);

/* Whether a decision may lead from one state to another: time, a customer's words, the triage itself. */
bool states_may_decide(enum desk_state from, enum desk_state to);

/* "new, triaged, in_progress": the states that allow op, for an error's words.
 * out: ret  at least 128 bytes */
void states_allowed(enum states_op op, char *ret, unsigned long size);

#endif
