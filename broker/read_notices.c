/* Messages to people, for people; see read_notices.h. */
#include "read_notices.h"

#include "param_put.h"
#include "read_messages.h"
#include "read_one.h"
#include "row_put.h"
#include "statements_reader.h"
#include "tracking.h"
#include "words.h"

/* Columns of notice_list.sql and notice_show.sql. */
enum column {
    N_ID,
    N_TICKET,
    N_KIND,
    N_AUDIENCE,
    N_CHANNEL,
    N_RECIPIENT,
    N_ADDRESS,
    N_STATE,
    N_ATTEMPTS,
    N_CREATED_AT,
    N_NEXT_AT,
    N_ENDED_AT,
    N_MESSAGE_ID,
    N_REASON,
    N_REPLY,
    N_BUNDLE
};

/* ---- rows ---- */

static void put_notice(struct buf *out, const PGresult *rows, int row, const char *prefix)
{
    static const struct row_field fields[] = {
        {"notification", N_ID, true},        {"kind", N_KIND, false},       {"channel", N_CHANNEL, false},
        {"recipient", N_RECIPIENT, false},   {"address", N_ADDRESS, false}, {"attempts", N_ATTEMPTS, true},
        {"created_at", N_CREATED_AT, true},  {"next_at", N_NEXT_AT, true},  {"ended_at", N_ENDED_AT, true},
        {"message_id", N_MESSAGE_ID, false}, {"reason", N_REASON, false},   {"reply", N_REPLY, false},
        {"within", N_BUNDLE, true}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };

    wire_put_map(out, FIELDS + 3);
    wire_put_key_text(out, "to", words_name(&words_audiences, pg_int(rows, row, N_AUDIENCE)));
    wire_put_key_text(out, "state", words_name(&words_delivery_states, pg_int(rows, row, N_STATE)));
    row_put_tracking(out, rows, row, N_TICKET, prefix);
    row_put_fields(out, rows, row, fields, FIELDS);
}

static void list_on_rows(void *arg, PGresult *rows)
{
    struct read_one *r = arg;
    int count = PQntuples(rows);

    wire_put_map(&r->out, 5);
    wire_put_text(&r->out, "notifications");
    wire_put_list(&r->out, (size_t)count);
    for (int i = 0; i < count; i++)
        put_notice(&r->out, rows, i, r->prefix);
    row_put_cursor(&r->out, rows, N_ID, r->limit);
    r->found = true;
}

static void list_on_telling(void *arg, PGresult *rows)
{
    enum { HELD, REASON, WAITING };
    struct read_one *r = arg;

    wire_put_key_bool(&r->out, "held", pg_bool(rows, 0, HELD));
    row_put_text(&r->out, "held_reason", rows, 0, REASON);
    wire_put_key_int(&r->out, "waiting", pg_int(rows, 0, WAITING));
}

static void show_on_notice(void *arg, PGresult *rows)
{
    struct read_one *r = arg;

    r->found = PQntuples(rows) == 1;
    if (!r->found)
        return;
    wire_put_map(&r->out, 2);
    wire_put_text(&r->out, "notification");
    put_notice(&r->out, rows, 0, r->prefix);
}

static void show_on_attempts(void *arg, PGresult *rows)
{
    static const struct row_field fields[] = {{"n", 0, true},        {"started_at", 1, true},
                                              {"ended_at", 2, true}, {"notifier", 3, false},
                                              {"result", 4, false},  {"reply", 5, false}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };
    struct read_one *r = arg;

    if (!r->found)
        return;
    wire_put_text(&r->out, "attempts");
    wire_put_list(&r->out, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++) {
        wire_put_map(&r->out, FIELDS);
        row_put_fields(&r->out, rows, i, fields, FIELDS);
    }
}

static void why_on_messages(void *arg, PGresult *rows)
{
    struct read_one *r = arg;
    char tracking[TRACKING_TEXT_BYTES];

    tracking_format(r->ticket, r->prefix, tracking);
    r->found = PQntuples(rows) > 0; /* each ticket has at least its receipt */
    wire_put_map(&r->out, 4);
    wire_put_key_text(&r->out, "tracking", tracking);
    wire_put_text(&r->out, "messages");
    read_messages_put(&r->out, rows);
}

/* Who was not paged, for there was no step. */
static void why_on_quiet(void *arg, PGresult *rows)
{
    enum { ID, STATE, PRIORITY, OPENED_AT, BODY, QUIET };
    static const struct row_field fields[] = {{"alert", ID, true},
                                              {"priority", PRIORITY, true},
                                              {"opened_at", OPENED_AT, true},
                                              {"text", BODY, false},
                                              {"quiet", QUIET, false}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };
    struct read_one *r = arg;

    wire_put_text(&r->out, "quiet");
    wire_put_list(&r->out, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++) {
        wire_put_map(&r->out, FIELDS + 1);
        wire_put_key_text(&r->out, "state", words_name(&words_alert_states, pg_int(rows, i, STATE)));
        row_put_fields(&r->out, rows, i, fields, FIELDS);
    }
}

static void why_on_waits(void *arg, PGresult *rows)
{
    static const struct row_field fields[] = {{"notification", 0, true}, {"kind", 1, false},
                                              {"channel", 2, false},     {"address", 3, false},
                                              {"next_at", 4, true},      {"why", 5, false}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };
    struct read_one *r = arg;

    wire_put_text(&r->out, "waits");
    wire_put_list(&r->out, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++) {
        wire_put_map(&r->out, FIELDS);
        row_put_fields(&r->out, rows, i, fields, FIELDS);
    }
}

/* ---- asking ---- */

static struct read_one *reading_new(const char *prefix, read_answer_fn *fn, void *arg)
{
    struct read_one *r = read_one_new("notices", prefix, fn, arg);
    (void)err_field(&r->missing, ERR_NOT_FOUND, "notification", "no notification has this number");
    return r;
}

void read_notices_list_send(struct pg *reader, struct pg_params *params,
                            const struct read_notices_query *query, const char *prefix, read_answer_fn *fn,
                            void *arg)
{
    struct read_one *r = reading_new(prefix, fn, arg);

    r->limit = query->limit == 0 ? READ_NOTICES_LIMIT : query->limit;
    pg_params_reset(params);
    param_put_bits(params, query->states);
    param_put_int8_not_0(params, query->ticket);
    pg_put_bytes(params, query->channel);
    pg_put_bytes(params, query->address);
    param_put_int8_not_0(params, query->before);
    pg_put_int4(params, (int32_t)r->limit);
    (void)pg_send(reader, READER_NOTICE_LIST, params, list_on_rows, r);
    (void)pg_send(reader, READER_NOTICE_TELLING, NULL, list_on_telling, r);
    pg_sync(reader, read_one_on_end, r);
}

void read_notices_show_send(struct pg *reader, struct pg_params *params, int64_t notification,
                            const char *prefix, read_answer_fn *fn, void *arg)
{
    struct read_one *r = reading_new(prefix, fn, arg);

    pg_params_reset(params);
    pg_put_int8(params, notification);
    (void)pg_send(reader, READER_NOTICE_SHOW, params, show_on_notice, r);
    (void)pg_send(reader, READER_NOTICE_ATTEMPTS, params, show_on_attempts, r);
    pg_sync(reader, read_one_on_end, r);
}

void read_notices_why_send(struct pg *reader, struct pg_params *params, int64_t ticket, const char *prefix,
                           read_answer_fn *fn, void *arg)
{
    struct read_one *r = reading_new(prefix, fn, arg);

    r->ticket = ticket;
    (void)err_field(&r->missing, ERR_NOT_FOUND, "tracking", "no ticket has this number");
    pg_params_reset(params);
    pg_put_int8(params, ticket);
    (void)pg_send(reader, READER_READ_MESSAGES, params, why_on_messages, r);
    (void)pg_send(reader, READER_ALERTS_QUIET, params, why_on_quiet, r);
    (void)pg_send(reader, READER_NOTICE_WAITS, params, why_on_waits, r);
    pg_sync(reader, read_one_on_end, r);
}
