/* The invariants that no statement can check, because they need the life cycle's table or a look into a ticket's clocks. */
#ifndef DOCKET_VERIFY_WALK_H
#define DOCKET_VERIFY_WALK_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

struct verify_count {
    int64_t looked, bad;
    int64_t first; /* ticket of the first that is bad; 0: none */
};

/* S4: the state of each ticket is the one that its events lead to by the life cycle's table. Adds to *count.
 * err: ERR_INTERNAL  a statement failed. Inside a transaction; blocks. */
bool verify_walk_states(PGconn *conn, struct verify_count *count, struct err *err)
    __attribute__((warn_unused_result));

/* S6: each ticket with a running clock has a wake not later than the next due or warning time. The same contract. */
bool verify_walk_wakes(PGconn *conn, struct verify_count *count, struct err *err)
    __attribute__((warn_unused_result));

#endif
