/* Messages to people, for people; see read_notices.h. */
#include "read_notices.h"

#include "desk.h"
#include "mem.h"
#include "read_messages.h"
#include "statements_reader.h"
#include "tracking.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

enum { BYTES_MAX = 4 << 20, NOTICE_STATES = 10 };

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

struct reading {
    struct buf out;
    const char *prefix;
    int64_t ticket;
    int limit;
    bool found;
    read_answer_fn *fn;
    void *arg;
};

/* deliveries.state */
static const char *const state_names[NOTICE_STATES] = {"pending",   "leased", "sent",       "delivered",
                                                       "failed",    "dead",   "suppressed", "merged",
                                                       "cancelled", "held"};

const char *read_notices_state_name(int state)
{
    return state >= 0 && state < NOTICE_STATES ? state_names[state] : "unknown";
}

bool read_notices_state_parse(struct span name, int *ret)
{
    for (int i = 0; i < NOTICE_STATES; i++)
        if (span_is(name, state_names[i])) {
            *ret = i;
            return true;
        }
    return false;
}

/* ---- rows ---- */

static void put_value(struct buf *out, const char *key, const PGresult *rows, int row, int column,
                      bool is_int)
{
    wire_put_text(out, key);
    if (pg_is_null(rows, row, column))
        wire_put_nil(out);
    else if (is_int)
        wire_put_int(out, pg_int(rows, row, column));
    else
        wire_put_str(out, pg_span(rows, row, column));
}

static const char *audience_name(int64_t audience)
{
    return audience == AUDIENCE_CUSTOMER ? "customer" : audience == AUDIENCE_STAFF ? "staff" : "ops";
}

static void put_notice(struct buf *out, const PGresult *rows, int row, const char *prefix)
{
    static const struct {
        const char *key;
        enum column column;
        bool is_int;
    } fields[] = {{"notification", N_ID, true},       {"kind", N_KIND, false},
                  {"channel", N_CHANNEL, false},      {"recipient", N_RECIPIENT, false},
                  {"address", N_ADDRESS, false},      {"attempts", N_ATTEMPTS, true},
                  {"created_at", N_CREATED_AT, true}, {"next_at", N_NEXT_AT, true},
                  {"ended_at", N_ENDED_AT, true},     {"message_id", N_MESSAGE_ID, false},
                  {"reason", N_REASON, false},        {"reply", N_REPLY, false},
                  {"within", N_BUNDLE, true}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };
    char tracking[TRACKING_TEXT_BYTES];
    int64_t ticket = pg_int(rows, row, N_TICKET);

    wire_put_map(out, FIELDS + 3);
    wire_put_key_text(out, "to", audience_name(pg_int(rows, row, N_AUDIENCE)));
    wire_put_key_text(out, "state", read_notices_state_name((int)pg_int(rows, row, N_STATE)));
    if (ticket != 0)
        tracking_format(ticket, prefix, tracking);
    wire_put_key_text(out, "tracking", ticket == 0 ? NULL : tracking);
    for (size_t i = 0; i < FIELDS; i++)
        put_value(out, fields[i].key, rows, row, (int)fields[i].column, fields[i].is_int);
}

static void list_on_rows(void *arg, PGresult *rows)
{
    struct reading *r = arg;
    int count = PQntuples(rows);
    char cursor[24];

    wire_put_map(&r->out, 5);
    wire_put_text(&r->out, "notifications");
    wire_put_list(&r->out, (size_t)count);
    for (int i = 0; i < count; i++)
        put_notice(&r->out, rows, i, r->prefix);
    if (count != 0)
        (void)snprintf(cursor, sizeof cursor, "%lld", (long long)pg_int(rows, count - 1, N_ID));
    wire_put_key_text(&r->out, "cursor", count != 0 && count == r->limit ? cursor : NULL);
    r->found = true;
}

static void list_on_telling(void *arg, PGresult *rows)
{
    enum { HELD, REASON, WAITING };
    struct reading *r = arg;

    wire_put_key_bool(&r->out, "held", pg_bool(rows, 0, HELD));
    put_value(&r->out, "held_reason", rows, 0, REASON, false);
    wire_put_key_int(&r->out, "waiting", pg_int(rows, 0, WAITING));
}

static void show_on_notice(void *arg, PGresult *rows)
{
    struct reading *r = arg;

    r->found = PQntuples(rows) == 1;
    if (!r->found)
        return;
    wire_put_map(&r->out, 2);
    wire_put_text(&r->out, "notification");
    put_notice(&r->out, rows, 0, r->prefix);
}

static void show_on_attempts(void *arg, PGresult *rows)
{
    static const struct {
        const char *key;
        bool is_int;
    } fields[] = {{"n", true},         {"started_at", true}, {"ended_at", true},
                  {"notifier", false}, {"result", false},    {"reply", false}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };
    struct reading *r = arg;

    if (!r->found)
        return;
    wire_put_text(&r->out, "attempts");
    wire_put_list(&r->out, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++) {
        wire_put_map(&r->out, FIELDS);
        for (int f = 0; f < (int)FIELDS; f++)
            put_value(&r->out, fields[f].key, rows, i, f, fields[f].is_int);
    }
}

static void why_on_messages(void *arg, PGresult *rows)
{
    struct reading *r = arg;
    char tracking[TRACKING_TEXT_BYTES];

    tracking_format(r->ticket, r->prefix, tracking);
    r->found = PQntuples(rows) > 0; /* each ticket has at least its receipt */
    wire_put_map(&r->out, 2);
    wire_put_key_text(&r->out, "tracking", tracking);
    wire_put_text(&r->out, "messages");
    read_messages_put(&r->out, rows);
}

static void reading_on_end(void *arg, const struct pg_end *end)
{
    struct reading *r = arg;
    struct err err;

    if (r->ticket != 0)
        (void)err_field(&err, ERR_NOT_FOUND, "tracking", "no ticket has this number");
    else
        (void)err_field(&err, ERR_NOT_FOUND, "notification", "no notification has this number");
    read_end_answer(end, "notices", r->found ? NULL : &err, &r->out, r->fn, r->arg);
    buf_clear(&r->out);
    free(r);
}

/* ---- asking ---- */

static struct reading *reading_new(const char *prefix, read_answer_fn *fn, void *arg)
{
    struct reading *r = mem_new(1, sizeof *r);
    *r = (struct reading){.prefix = prefix, .fn = fn, .arg = arg};
    buf_init(&r->out, BYTES_MAX);
    return r;
}

static void put_int8_or_null(struct pg_params *params, int64_t value)
{
    if (value == 0)
        pg_put_null(params);
    else
        pg_put_int8(params, value);
}

void read_notices_list_send(struct pg *reader, struct pg_params *params,
                            const struct read_notices_query *query, const char *prefix, read_answer_fn *fn,
                            void *arg)
{
    struct reading *r = reading_new(prefix, fn, arg);

    r->limit = query->limit == 0 ? READ_NOTICES_LIMIT : query->limit;
    pg_params_reset(params);
    pg_array_open(params, PG_INT2);
    for (int i = 0; i < NOTICE_STATES; i++)
        if ((query->states & 1u << i) != 0)
            pg_array_int(params, i);
    pg_array_close(params);
    put_int8_or_null(params, query->ticket);
    pg_put_bytes(params, query->channel);
    pg_put_bytes(params, query->address);
    put_int8_or_null(params, query->before);
    pg_put_int4(params, r->limit);
    (void)pg_send(reader, READER_NOTICE_LIST, params, list_on_rows, r);
    (void)pg_send(reader, READER_NOTICE_TELLING, NULL, list_on_telling, r);
    pg_sync(reader, reading_on_end, r);
}

void read_notices_show_send(struct pg *reader, struct pg_params *params, int64_t notification,
                            const char *prefix, read_answer_fn *fn, void *arg)
{
    struct reading *r = reading_new(prefix, fn, arg);

    pg_params_reset(params);
    pg_put_int8(params, notification);
    (void)pg_send(reader, READER_NOTICE_SHOW, params, show_on_notice, r);
    (void)pg_send(reader, READER_NOTICE_ATTEMPTS, params, show_on_attempts, r);
    pg_sync(reader, reading_on_end, r);
}

void read_notices_why_send(struct pg *reader, struct pg_params *params, int64_t ticket, const char *prefix,
                           read_answer_fn *fn, void *arg)
{
    struct reading *r = reading_new(prefix, fn, arg);

    r->ticket = ticket;
    pg_params_reset(params);
    pg_put_int8(params, ticket);
    (void)pg_send(reader, READER_READ_MESSAGES, params, why_on_messages, r);
    pg_sync(reader, reading_on_end, r);
}
