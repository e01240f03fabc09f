/* What all readers share: how they answer, and what they tell when their batch did not come back. */
#ifndef DOCKET_READ_END_H
#define DOCKET_READ_END_H

#include "buf.h"
#include "err.h"
#include "pg.h"

#include <stdbool.h>

/* How a reader answers: once, from the loop, or from inside the asking call when the session is down.
 * in:  body  a MessagePack map, the body of an answer; valid during the call; SPAN_NONE on failure
 *      err   NULL on success */
typedef void read_answer_fn(void *arg, struct span body, const struct err *err);

/* True for PG_OK. Else sets err: ERR_UNAVAILABLE when repeating can help, ERR_INTERNAL (and a line in the
 * log) when the statement is wrong. what: the reader, for the log. */
bool read_end_is_ok(const struct pg_end *end, const char *what, struct err *err);

#endif
