/* Columns of a database's row as fields of an answer's open map: what is NULL there is nil here. */
#ifndef DOCKET_ROW_PUT_H
#define DOCKET_ROW_PUT_H

#include "pg.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>

void row_put_text(struct buf *out, const char *key, const PGresult *rows, int row, int column);
void row_put_int(struct buf *out, const char *key, const PGresult *rows, int row, int column);

/* "tracking", of the ticket's id in that column; nil also for 0: about no ticket. */
void row_put_tracking(struct buf *out, const PGresult *rows, int row, int column, const char *prefix);

/* Where more than a few stand together. */
struct row_field {
    const char *key;
    int column;
    bool is_int;
};
void row_put_fields(struct buf *out, const PGresult *rows, int row, const struct row_field *fields,
                    size_t count);

/* "cursor": the number in that column of the last row when there are as many rows as were asked for, so that there may be
 * more; else nil. */
void row_put_cursor(struct buf *out, const PGresult *rows, int column, int64_t limit);

#endif
