/* What a reader tells when its batch did not come back. */
#ifndef DOCKET_READ_END_H
#define DOCKET_READ_END_H

#include "err.h"
#include "pg.h"

#include <stdbool.h>

/* True for PG_OK. Else sets err: ERR_UNAVAILABLE when repeating can help, ERR_INTERNAL (and a line in the
 * log) when the statement is wrong. what: the reader, for the log. */
bool read_end_is_ok(const struct pg_end *end, const char *what, struct err *err);

#endif
