/* Alerts for people; see read_alerts.h. */
#include "read_alerts.h"

#include "mem.h"
#include "read_messages.h"
#include "statements_reader.h"
#include "tracking.h"
#include "wire.h"

#include <stdlib.h>

enum { BYTES_MAX = 4 << 20, STATES = 3 };

/* Columns of alert_list.sql and alert_show.sql. */
enum column {
    A_ID,
    A_CAUSE,
    A_TICKET,
    A_KIND,
    A_PRIORITY,
    A_STATE,
    A_BODY,
    A_GENERATION,
    A_OPENED_AT,
    A_ACKED_AT,
    A_ACKED_BY,
    A_RESOLVED_AT,
    A_RESOLVED_BY,
    A_POLICY,
    A_ROUND,
    A_LEVEL,
    A_NEXT_AT
};

struct reading {
    struct buf out;
    const char *prefix;
    int limit;
    bool found;
    read_answer_fn *fn;
    void *arg;
};

static const char *const state_names[STATES] = {"open", "acknowledged", "resolved"};

const char *read_alerts_state_name(int state)
{
    return state >= 0 && state < STATES ? state_names[state] : "unknown";
}

bool read_alerts_state_parse(struct span name, int *ret)
{
    for (int i = 0; i < STATES; i++)
        if (span_is(name, state_names[i])) {
            *ret = i;
            return true;
        }
    return false;
}

/* ---- rows ---- */

static void put_text(struct buf *out, const char *key, const PGresult *rows, int row, int column)
{
    wire_put_text(out, key);
    if (pg_is_null(rows, row, column))
        wire_put_nil(out);
    else
        wire_put_str(out, pg_span(rows, row, column));
}

static void put_int(struct buf *out, const char *key, const PGresult *rows, int row, int column)
{
    wire_put_text(out, key);
    if (pg_is_null(rows, row, column))
        wire_put_nil(out);
    else
        wire_put_int(out, pg_int(rows, row, column));
}

/* The alert as an open map, so that more can follow. */
static struct wire_map put_alert(struct buf *out, const PGresult *rows, int row, const char *prefix)
{
    static const struct {
        const char *key;
        enum column column;
        bool is_int;
    } fields[] = {{"cause", A_CAUSE, false},
                  {"kind", A_KIND, false},
                  {"priority", A_PRIORITY, true},
                  {"text", A_BODY, false},
                  {"generation", A_GENERATION, true},
                  {"opened_at", A_OPENED_AT, true},
                  {"acked_at", A_ACKED_AT, true},
                  {"acked_by", A_ACKED_BY, false},
                  {"resolved_at", A_RESOLVED_AT, true},
                  {"resolved_by", A_RESOLVED_BY, false},
                  {"policy", A_POLICY, false},
                  {"round", A_ROUND, true},
                  {"level", A_LEVEL, true},
                  {"next_at", A_NEXT_AT, true}};
    char tracking[TRACKING_TEXT_BYTES];
    struct wire_map map = wire_map_open(out);

    put_int(out, "alert", rows, row, A_ID), map.count++;
    wire_put_key_text(out, "state", read_alerts_state_name((int)pg_int(rows, row, A_STATE))), map.count++;
    if (!pg_is_null(rows, row, A_TICKET))
        tracking_format(pg_int(rows, row, A_TICKET), prefix, tracking);
    wire_put_key_text(out, "tracking", pg_is_null(rows, row, A_TICKET) ? NULL : tracking), map.count++;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++, map.count++)
        if (fields[i].is_int)
            put_int(out, fields[i].key, rows, row, (int)fields[i].column);
        else
            put_text(out, fields[i].key, rows, row, (int)fields[i].column);
    return map;
}

static void list_on_rows(void *arg, PGresult *rows)
{
    struct reading *r = arg;
    int count = PQntuples(rows);

    wire_put_map(&r->out, 2);
    wire_put_text(&r->out, "alerts");
    wire_put_list(&r->out, (size_t)count);
    for (int i = 0; i < count; i++) {
        struct wire_map map = put_alert(&r->out, rows, i, r->prefix);
        wire_map_close(&r->out, &map);
    }
    wire_put_text(&r->out, "cursor");
    if (count != 0 && count == r->limit) {
        char cursor[24];
        (void)snprintf(cursor, sizeof cursor, "%lld", (long long)pg_int(rows, count - 1, A_ID));
        wire_put_text(&r->out, cursor);
    } else {
        wire_put_nil(&r->out);
    }
    r->found = true;
}

static void show_on_alert(void *arg, PGresult *rows)
{
    struct reading *r = arg;

    r->found = PQntuples(rows) == 1;
    if (!r->found)
        return;
    wire_put_map(&r->out, 3);
    wire_put_text(&r->out, "alert");
    struct wire_map map = put_alert(&r->out, rows, 0, r->prefix);
    wire_map_close(&r->out, &map);
}

static void show_on_steps(void *arg, PGresult *rows)
{
    enum { WHAT, GENERATION, ROUND, LEVEL, AT, TOLD, NOTE };
    static const char *const whats[] = {"page", "last_resort", "reminder", "over"};
    struct reading *r = arg;

    if (!r->found)
        return;
    wire_put_text(&r->out, "steps");
    wire_put_list(&r->out, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++) {
        int64_t what = pg_int(rows, i, WHAT);
        wire_put_map(&r->out, 7);
        wire_put_key_text(&r->out, "what", what >= 0 && what < 4 ? whats[what] : "unknown");
        put_int(&r->out, "generation", rows, i, GENERATION);
        put_int(&r->out, "round", rows, i, ROUND);
        wire_put_key_int(&r->out, "level", pg_int(rows, i, LEVEL) + 1);
        put_int(&r->out, "at", rows, i, AT);
        put_int(&r->out, "told", rows, i, TOLD);
        put_text(&r->out, "note", rows, i, NOTE);
    }
}

static void show_on_messages(void *arg, PGresult *rows)
{
    struct reading *r = arg;
    if (!r->found)
        return;
    wire_put_text(&r->out, "messages");
    read_messages_put(&r->out, rows);
}

static void reading_on_end(void *arg, const struct pg_end *end)
{
    struct reading *r = arg;
    struct err err;

    (void)err_field(&err, ERR_NOT_FOUND, "alert", "no alert has this number");
    read_end_answer(end, "alerts", r->found ? NULL : &err, &r->out, r->fn, r->arg);
    buf_clear(&r->out);
    free(r);
}

static struct reading *reading_new(const char *prefix, read_answer_fn *fn, void *arg)
{
    struct reading *r = mem_new(1, sizeof *r);
    *r = (struct reading){.prefix = prefix, .fn = fn, .arg = arg};
    buf_init(&r->out, BYTES_MAX);
    return r;
}

/* ---- asking ---- */

static void put_int_or_null(struct pg_params *params, int64_t value, int bytes)
{
    if (value == 0)
        pg_put_null(params);
    else if (bytes == 2)
        pg_put_int2(params, (int16_t)value);
    else
        pg_put_int8(params, value);
}

static void put_states(struct pg_params *params, unsigned states)
{
    if (states == 0) {
        pg_put_null(params);
        return;
    }
    pg_array_open(params, PG_INT2);
    for (int i = 0; i < STATES; i++)
        if ((states & 1u << i) != 0)
            pg_array_int(params, i);
    pg_array_close(params);
}

void read_alerts_list_send(struct pg *reader, struct pg_params *params, const struct read_alerts_query *query,
                           const char *prefix, read_answer_fn *fn, void *arg)
{
    struct reading *r = reading_new(prefix, fn, arg);

    r->limit = query->limit == 0 ? READ_ALERTS_LIMIT : query->limit;
    pg_params_reset(params);
    put_states(params, query->states);
    put_int_or_null(params, query->priority, 2);
    pg_put_bytes(params, query->kind);
    put_int_or_null(params, query->ticket, 8);
    put_int_or_null(params, query->before, 8);
    pg_put_int4(params, r->limit);
    (void)pg_send(reader, READER_ALERT_LIST, params, list_on_rows, r);
    pg_sync(reader, reading_on_end, r);
}

void read_alerts_show_send(struct pg *reader, struct pg_params *params, int64_t alert, const char *prefix,
                           read_answer_fn *fn, void *arg)
{
    struct reading *r = reading_new(prefix, fn, arg);

    pg_params_reset(params);
    pg_put_int8(params, alert);
    (void)pg_send(reader, READER_ALERT_SHOW, params, show_on_alert, r);
    (void)pg_send(reader, READER_ALERT_STEPS, params, show_on_steps, r);
    (void)pg_send(reader, READER_ALERT_MESSAGES, params, show_on_messages, r);
    pg_sync(reader, reading_on_end, r);
}
