/* Alerts for people; see read_alerts.h. */
#include "read_alerts.h"

#include "param_put.h"
#include "read_messages.h"
#include "read_one.h"
#include "row_put.h"
#include "statements_reader.h"
#include "words.h"

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
    A_NEXT_AT,
    A_QUIET
};

/* ---- rows ---- */

static void put_alert(struct buf *out, const PGresult *rows, int row, const char *prefix)
{
    static const struct row_field fields[] = {{"cause", A_CAUSE, false},
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
                                              {"next_at", A_NEXT_AT, true},
                                              {"quiet", A_QUIET, false}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };

    wire_put_map(out, FIELDS + 3);
    row_put_int(out, "alert", rows, row, A_ID);
    wire_put_key_text(out, "state", words_name(&words_alert_states, pg_int(rows, row, A_STATE)));
    row_put_tracking(out, rows, row, A_TICKET, prefix);
    row_put_fields(out, rows, row, fields, FIELDS);
}

static void list_on_rows(void *arg, PGresult *rows)
{
    struct read_one *r = arg;
    int count = PQntuples(rows);

    wire_put_map(&r->out, 2);
    wire_put_text(&r->out, "alerts");
    wire_put_list(&r->out, (size_t)count);
    for (int i = 0; i < count; i++)
        put_alert(&r->out, rows, i, r->prefix);
    row_put_cursor(&r->out, rows, A_ID, r->limit);
    r->found = true;
}

static void show_on_alert(void *arg, PGresult *rows)
{
    struct read_one *r = arg;

    r->found = PQntuples(rows) == 1;
    if (!r->found)
        return;
    wire_put_map(&r->out, 3);
    wire_put_text(&r->out, "alert");
    put_alert(&r->out, rows, 0, r->prefix);
}

static void show_on_steps(void *arg, PGresult *rows)
{
    enum { WHAT, GENERATION, ROUND, LEVEL, AT, TOLD, NOTE };
    struct read_one *r = arg;

    if (!r->found)
        return;
    wire_put_text(&r->out, "steps");
    wire_put_list(&r->out, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++) {
        wire_put_map(&r->out, 7);
        wire_put_key_text(&r->out, "what", words_name(&words_alert_steps, pg_int(rows, i, WHAT)));
        row_put_int(&r->out, "generation", rows, i, GENERATION);
        row_put_int(&r->out, "round", rows, i, ROUND);
        wire_put_key_int(&r->out, "level", pg_int(rows, i, LEVEL) + 1);
        row_put_int(&r->out, "at", rows, i, AT);
        row_put_int(&r->out, "told", rows, i, TOLD);
        row_put_text(&r->out, "note", rows, i, NOTE);
    }
}

static void show_on_messages(void *arg, PGresult *rows)
{
    struct read_one *r = arg;
    if (!r->found)
        return;
    wire_put_text(&r->out, "messages");
    read_messages_put(&r->out, rows);
}

/* ---- asking ---- */

static struct read_one *reading_new(const char *prefix, read_answer_fn *fn, void *arg)
{
    struct read_one *r = read_one_new("alerts", prefix, fn, arg);
    (void)err_field(&r->missing, ERR_NOT_FOUND, "alert", "no alert has this number");
    return r;
}

void read_alerts_list_send(struct pg *reader, struct pg_params *params, const struct read_alerts_query *query,
                           const char *prefix, read_answer_fn *fn, void *arg)
{
    struct read_one *r = reading_new(prefix, fn, arg);

    r->limit = query->limit == 0 ? READ_ALERTS_LIMIT : query->limit;
    pg_params_reset(params);
    param_put_bits(params, query->states);
    param_put_int2_not_0(params, (int16_t)query->priority);
    pg_put_bytes(params, query->kind);
    param_put_int8_not_0(params, query->ticket);
    param_put_int8_not_0(params, query->before);
    pg_put_int4(params, (int32_t)r->limit);
    (void)pg_send(reader, READER_ALERT_LIST, params, list_on_rows, r);
    pg_sync(reader, read_one_on_end, r);
}

void read_alerts_show_send(struct pg *reader, struct pg_params *params, int64_t alert, const char *prefix,
                           read_answer_fn *fn, void *arg)
{
    struct read_one *r = reading_new(prefix, fn, arg);

    pg_params_reset(params);
    pg_put_int8(params, alert);
    (void)pg_send(reader, READER_ALERT_SHOW, params, show_on_alert, r);
    (void)pg_send(reader, READER_ALERT_STEPS, params, show_on_steps, r);
    (void)pg_send(reader, READER_ALERT_MESSAGES, params, show_on_messages, r);
    pg_sync(reader, read_one_on_end, r);
}
