/* S7b, the one invariant that a database alone cannot show: each wake owned by a living epoch is in that broker's memory. One that is not would
 * wait for ever, for nobody else claims what has an owner. */
#ifndef DOCKET_VERIFY_MEMORY_H
#define DOCKET_VERIFY_MEMORY_H

#include "err.h"
#include "verify_walk.h"

#include <libpq-fe.h>

/* Compares what the broker at the endpoint says of itself (stats) with the rows that its epoch owns. Looks again while both move; blocks for five
 * seconds at most.
 * in:  conn  no transaction open: each look wants a snapshot of its own
 * out: ret_why_not  NULL: judged; else a static sentence that tells why it could not be
 * err: ERR_INTERNAL  a statement failed */
bool verify_memory(PGconn *conn, const char *endpoint, struct verify_count *count, const char **ret_why_not,
                   struct err *err) __attribute__((warn_unused_result));

#endif
