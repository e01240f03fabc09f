/* Columns of a row as fields of an answer; see row_put.h. */
#include "row_put.h"

#include "tracking.h"

#include <inttypes.h>

void row_put_text(struct buf *out, const char *key, const PGresult *rows, int row, int column)
{
    wire_put_text(out, key);
    if (pg_is_null(rows, row, column))
        wire_put_nil(out);
    else
        wire_put_str(out, pg_span(rows, row, column));
}

void row_put_int(struct buf *out, const char *key, const PGresult *rows, int row, int column)
{
    wire_put_text(out, key);
    if (pg_is_null(rows, row, column))
        wire_put_nil(out);
    else
        wire_put_int(out, pg_int(rows, row, column));
}

void row_put_tracking(struct buf *out, const PGresult *rows, int row, int column, const char *prefix)
{
    int64_t ticket = pg_is_null(rows, row, column) ? 0 : pg_int(rows, row, column);
    char tracking[TRACKING_TEXT_BYTES];

    if (ticket != 0)
        tracking_format(ticket, prefix, tracking);
    wire_put_key_text(out, "tracking", ticket == 0 ? NULL : tracking);
}

void row_put_fields(struct buf *out, const PGresult *rows, int row, const struct row_field *fields,
                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].is_int)
            row_put_int(out, fields[i].key, rows, row, fields[i].column);
        else
            row_put_text(out, fields[i].key, rows, row, fields[i].column);
}

void row_put_cursor(struct buf *out, const PGresult *rows, int column, int64_t limit)
{
    int count = PQntuples(rows);
    char cursor[24];

    if (count != 0)
        (void)snprintf(cursor, sizeof cursor, "%" PRId64, pg_int(rows, count - 1, column));
    wire_put_key_text(out, "cursor", count != 0 && count == limit ? cursor : NULL);
}
