/* A reading whose answer is one map: begun, filled by the rows of its statements, ended once. */
#ifndef DOCKET_READ_ONE_H
#define DOCKET_READ_ONE_H

#include "buf.h"
#include "pg.h"
#include "read_end.h"

#include <stdbool.h>
#include <stdint.h>

enum { READ_ONE_BYTES_MAX = 6 << 20 }; /* larger: ERR_TOO_LARGE */

/* Made by read_one_new; the statements' rows_fn fill out and set found. */
struct read_one {
    struct buf out;
    bool found;
    const char *prefix; /* of tracking numbers */
    struct err missing; /* what is said when nothing was found: "there is none yet" at first */
    int64_t limit;      /* rows that were asked for, for row_put_cursor */
    int64_t ticket;     /* that was asked about; 0: none */
    const void *of;     /* the caller's own, for its rows_fn */
    const char *what;
    read_answer_fn *fn;
    void *arg;
};

/* what: the reader, for the log. prefix and all texts live until fn was called.
 * err given to fn: ERR_NOT_FOUND, ERR_TOO_LARGE, and those of read_end.h */
struct read_one *read_one_new(const char *what, const char *prefix, read_answer_fn *fn, void *arg);

/* A pg_end_fn, arg the reading: answers and frees it. */
void read_one_on_end(void *arg, const struct pg_end *end);

#endif
