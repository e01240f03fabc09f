/* Verdicts on promises: rows of deadline_list.sql and read_deadlines.sql to the entries of deadline.list and ticket.show. */
#ifndef DOCKET_READ_DEADLINES_H
#define DOCKET_READ_DEADLINES_H

#include "buf.h"

#include <libpq-fe.h>

/* The columns of both statements. */
enum deadline_column {
    DEADLINE_TICKET,
    DEADLINE_CUSTOMER,
    DEADLINE_PACKAGE,
    DEADLINE_CLOCK,
    DEADLINE_CYCLE,
    DEADLINE_VERDICT,
    DEADLINE_CAUSE,
    DEADLINE_PRIORITY,
    DEADLINE_PROMISE_S,
    DEADLINE_DUE_AT,
    DEADLINE_MET_AT,
    DEADLINE_WORKED_S,
    DEADLINE_PAUSED_S,
    DEADLINE_JUDGED_AT,
    DEADLINE_PROCESS,
    DEADLINE_ZONES,
    DEADLINE_EXCUSE_BY,
    DEADLINE_EXCUSE_AT,
    DEADLINE_EXCUSE_REASON
};

/* Appends the list of all rows. prefix: of tracking numbers. */
void read_deadlines_put(struct buf *out, const PGresult *rows, const char *prefix);

#endif
