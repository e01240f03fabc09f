/* Verdicts on promises, as they are shown; see read_deadlines.h. */
#include "read_deadlines.h"

#include "row_put.h"

static void put_excuse(struct buf *out, const PGresult *rows, int row)
{
    wire_put_text(out, "excused");
    if (pg_is_null(rows, row, DEADLINE_EXCUSE_AT)) {
        wire_put_nil(out);
        return;
    }
    wire_put_map(out, 3);
    row_put_text(out, "by", rows, row, DEADLINE_EXCUSE_BY);
    row_put_int(out, "at", rows, row, DEADLINE_EXCUSE_AT);
    row_put_text(out, "reason", rows, row, DEADLINE_EXCUSE_REASON);
}

static void put_deadline(struct buf *out, const PGresult *rows, int row, const char *prefix)
{
    static const struct row_field fields[] = {
        {"customer", DEADLINE_CUSTOMER, false},  {"package", DEADLINE_PACKAGE, false},
        {"clock", DEADLINE_CLOCK, false},        {"cycle", DEADLINE_CYCLE, true},
        {"verdict", DEADLINE_VERDICT, false},    {"cause", DEADLINE_CAUSE, false},
        {"priority", DEADLINE_PRIORITY, true},   {"promise_s", DEADLINE_PROMISE_S, true},
        {"due_at", DEADLINE_DUE_AT, true},       {"met_at", DEADLINE_MET_AT, true},
        {"worked_s", DEADLINE_WORKED_S, true},   {"paused_s", DEADLINE_PAUSED_S, true},
        {"judged_at", DEADLINE_JUDGED_AT, true}, {"process", DEADLINE_PROCESS, false},
        {"zones", DEADLINE_ZONES, false}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };

    wire_put_map(out, FIELDS + 2);
    row_put_tracking(out, rows, row, DEADLINE_TICKET, prefix);
    row_put_fields(out, rows, row, fields, FIELDS);
    put_excuse(out, rows, row);
}

void read_deadlines_put(struct buf *out, const PGresult *rows, const char *prefix)
{
    int count = PQntuples(rows);

    wire_put_list(out, (size_t)count);
    for (int i = 0; i < count; i++)
        put_deadline(out, rows, i, prefix);
}
