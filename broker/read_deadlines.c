/* Verdicts on promises, as they are shown; see read_deadlines.h. */
#include "read_deadlines.h"

#include "pg.h"
#include "tracking.h"
#include "wire.h"

static void put_field(struct buf *out, const char *key, const PGresult *rows, int row,
                      enum deadline_column column, bool is_int)
{
    wire_put_text(out, key);
    if (pg_is_null(rows, row, (int)column))
        wire_put_nil(out);
    else if (is_int)
        wire_put_int(out, pg_int(rows, row, (int)column));
    else
        wire_put_str(out, pg_span(rows, row, (int)column));
}

static void put_excuse(struct buf *out, const PGresult *rows, int row)
{
    wire_put_text(out, "excused");
    if (pg_is_null(rows, row, DEADLINE_EXCUSE_AT)) {
        wire_put_nil(out);
        return;
    }
    wire_put_map(out, 3);
    put_field(out, "by", rows, row, DEADLINE_EXCUSE_BY, false);
    put_field(out, "at", rows, row, DEADLINE_EXCUSE_AT, true);
    put_field(out, "reason", rows, row, DEADLINE_EXCUSE_REASON, false);
}

static void put_deadline(struct buf *out, const PGresult *rows, int row, const char *prefix)
{
    static const struct {
        const char *key;
        enum deadline_column column;
        bool is_int;
    } fields[] = {{"customer", DEADLINE_CUSTOMER, false},  {"package", DEADLINE_PACKAGE, false},
                  {"clock", DEADLINE_CLOCK, false},        {"cycle", DEADLINE_CYCLE, true},
                  {"verdict", DEADLINE_VERDICT, false},    {"cause", DEADLINE_CAUSE, false},
                  {"priority", DEADLINE_PRIORITY, true},   {"promise_s", DEADLINE_PROMISE_S, true},
                  {"due_at", DEADLINE_DUE_AT, true},       {"met_at", DEADLINE_MET_AT, true},
                  {"worked_s", DEADLINE_WORKED_S, true},   {"paused_s", DEADLINE_PAUSED_S, true},
                  {"judged_at", DEADLINE_JUDGED_AT, true}, {"process", DEADLINE_PROCESS, false},
                  {"zones", DEADLINE_ZONES, false}};
    char tracking[TRACKING_TEXT_BYTES];

    tracking_format(pg_int(rows, row, DEADLINE_TICKET), prefix, tracking);
    wire_put_map(out, 2 + sizeof fields / sizeof fields[0]);
    wire_put_key_text(out, "tracking", tracking);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        put_field(out, fields[i].key, rows, row, fields[i].column, fields[i].is_int);
    put_excuse(out, rows, row);
}

void read_deadlines_put(struct buf *out, const PGresult *rows, const char *prefix)
{
    int count = PQntuples(rows);

    wire_put_list(out, (size_t)count);
    for (int i = 0; i < count; i++)
        put_deadline(out, rows, i, prefix);
}
