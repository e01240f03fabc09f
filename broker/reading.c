/* The ops that read; see reading.h. */
#include "reading.h"
#include "broker.h"
#include "broker_stats.h"
#include "calls.h"
#include "clock.h"
#include "listing.h"
#include "mem.h"
#include "param_put.h"
#include "pg.h"
#include "process_room.h"
#include "read_events.h"
#include "read_list.h"
#include "read_one.h"
#include "read_show.h"
#include "statements.h"
#include "tracking.h"
#include "workers.h"

#include <stdlib.h>

enum { LIST_LIMIT = 100 };

/* ---- tickets and events ---- */

void reading_show(struct broker *broker, struct call *call)
{
    read_show_send(broker->reader_pg, broker->params, call->req.ticket,
                   (int32_t)request_int(&call->req, F_EVENTS_AFTER, 0), process_room_reminder_s(broker),
                   broker->settings.tracking_prefix, listing_done, call);
}

/* "triaged", "new,triaged", "open" and "all"; 0 for these: no filter. */
static bool reading_states(struct span text, unsigned *ret, struct err *err)
{
    enum { ALL = (1 << STATES) - 1 };
    const char *names[STATES];
    const struct words words = {names, STATES};
    const struct listing_sets sets = {&words, {{"open", ALL & ~(1u << STATE_CLOSED)}, {"all", ALL}}, ALL};
    unsigned states;

    for (int i = 0; i < STATES; i++)
        names[i] = desk_state_name((enum desk_state)i);
    if (!listing_states(text, &sets, &states, err))
        return false;
    *ret = states == ALL ? 0 : states;
    return true;
}

void reading_list(struct broker *broker, struct call *call)
{
    const struct request *req = &call->req;
    struct err err;
    struct read_list_query query = {.priority = (int)request_int(req, F_PRIORITY, 0),
                                    .customer = request_text(req, F_CUSTOMER),
                                    .assignee = request_text(req, F_ASSIGNEE),
                                    .queue = request_text(req, F_QUEUE),
                                    .tag = request_text(req, F_TAG),
                                    .text = request_text(req, F_TEXT),
                                    .overdue = request_bool(req, F_OVERDUE, false),
                                    .now_at = broker_now(broker),
                                    .due_before_at = request_int(req, F_DUE_BEFORE_AT, 0),
                                    .posted_from_at = request_int(req, F_POSTED_FROM_AT, 0),
                                    .posted_until_at = request_int(req, F_POSTED_UNTIL_AT, 0),
                                    .posted_late_us = broker->settings.posted_at_us,
                                    .limit = (int)request_int(req, F_LIMIT, 0),
                                    .cursor = request_text(req, F_CURSOR)};

    query.oldest_first = span_is(request_text(req, F_ORDER), "oldest");
    if (!reading_states(request_text(req, F_STATE), &query.states, &err)) {
        call_refuse(call, &err);
        return;
    }
    read_list_send(broker->reader_pg, broker->list_params, &query, broker->settings.tracking_prefix,
                   listing_done, call);
}

void reading_events(struct broker *broker, struct call *call)
{
    const struct request *req = &call->req;
    const struct wire_val *filter = req->vals[F_FILTER], *kinds = wire_find(filter, "kinds");
    struct read_events_query query = {.peer = call_peer(call),
                                      .cursor = request_text(req, F_CURSOR),
                                      .limit = (int)request_int(req, F_LIMIT, 0),
                                      .wait_ms = request_int(req, F_WAIT_MS, 0),
                                      .customer = wire_find_str(filter, "customer"),
                                      .from_at = wire_find_int(filter, "from_at", 0)};
    struct span text;

    query.ticket = request_tracking(wire_find(filter, "tracking"), broker->settings.tracking_prefix);
    query.has_public = wire_get_bool(wire_find(filter, "public"), &query.public);
    for (size_t i = 0; i < wire_count(kinds); i++) {
        enum desk_event kind;
        if (wire_get_str(wire_at(kinds, i), &text) && desk_event_parse(text, &kind))
            query.kinds |= 1u << kind;
    }
    read_events_send(broker->read_events, &query, listing_done, call);
}

/* What ticket.next would give: its id first, then the ticket. */
struct peek {
    struct broker *broker;
    struct call *call;
    int64_t ticket;
};

static void peek_on_rows(void *arg, PGresult *rows)
{
    struct peek *peek = arg;
    peek->ticket = PQntuples(rows) == 0 ? 0 : pg_int(rows, 0, 0);
}

static void peek_on_end(void *arg, const struct pg_end *end)
{
    struct peek *peek = arg;
    struct broker *broker = peek->broker;
    struct err err;

    if (!read_end_is_ok(end, "next_peek", &err))
        call_refuse(peek->call, &err);
    else if (peek->ticket == 0)
        reading_no_ticket(peek->call);
    else
        read_ticket_send(broker->reader_pg, broker->params, peek->ticket, broker->settings.tracking_prefix,
                         TAKEN_NOT, listing_done, peek->call);
    free(peek);
}

void reading_no_ticket(struct call *call)
{
    struct buf out;
    buf_init(&out, 64);
    wire_put_map(&out, 1);
    wire_put_text(&out, "ticket");
    wire_put_nil(&out);
    call_answer(call, buf_span(&out));
    buf_clear(&out);
}

void reading_peek(struct broker *broker, struct call *call)
{
    struct peek *peek = mem_new(1, sizeof *peek);

    peek->broker = broker;
    peek->call = call;
    pg_params_reset(broker->params);
    param_put_texts_or_null(broker->params, call->req.vals[F_QUEUES]);
    pg_put_text(broker->params, call->req.actor);
    (void)pg_send(broker->reader_pg, READER_NEXT_PEEK, broker->params, peek_on_rows, peek);
    pg_sync(broker->reader_pg, peek_on_end, peek);
}

/* ---- small tables ---- */

/* Names what was asked for. */
static void table_not_found(const struct request *req, struct err *err)
{
    struct span hash = request_text(req, F_HASH), id = request_text(req, F_ID);

    if (hash.p != NULL)
        (void)
            err_field(err, ERR_NOT_FOUND, "hash",
                      "hash: no version of the process begins with %.*s; process.list tells which there are",
                      (int)hash.len, hash.p);
    else if (id.p != NULL)
        (void)err_field(err, ERR_NOT_FOUND, "id", "id: there is no customer \"%.*s\"", (int)id.len, id.p);
}

/* For one statement, whose rows become the answer. */
static struct read_one *table_new(const struct broker *broker, struct call *call)
{
    struct read_one *table = read_one_new("table", broker->settings.tracking_prefix, listing_done, call);

    table->limit = request_int(&call->req, F_LIMIT, LIST_LIMIT);
    table_not_found(&call->req, &table->missing);
    return table;
}

static void table_send(struct broker *broker, struct read_one *table, enum reader_statement statement,
                       pg_rows_fn *rows_fn)
{
    (void)pg_send(broker->reader_pg, statement, broker->params, rows_fn, table);
    pg_sync(broker->reader_pg, read_one_on_end, table);
}

static void customer_on_rows(void *arg, PGresult *rows)
{
    struct read_one *table = arg;
    if (PQntuples(rows) == 0)
        return;
    table->found = true;
    wire_put_map(&table->out, 1);
    wire_put_text(&table->out, "customer");
    wire_put_raw(&table->out, pg_span(rows, 0, 1));
}

static void customers_on_rows(void *arg, PGresult *rows)
{
    struct read_one *table = arg;
    int count = PQntuples(rows);
    table->found = true;
    wire_put_map(&table->out, 2);
    wire_put_text(&table->out, "customers");
    wire_put_list(&table->out, (size_t)count);
    for (int i = 0; i < count; i++)
        wire_put_raw(&table->out, pg_span(rows, i, 1));
    wire_put_text(&table->out, "cursor");
    if (count == table->limit)
        wire_put_str(&table->out, pg_span(rows, count - 1, 0));
    else
        wire_put_nil(&table->out);
}

static void customers_send(struct broker *broker, struct call *call, struct span id, pg_rows_fn *rows_fn)
{
    struct span after = request_text(&call->req, F_CURSOR);
    pg_params_reset(broker->params);
    pg_put_bytes(broker->params, id);
    pg_put_bytes(broker->params, after.p == NULL ? span_of("") : after);
    pg_put_bytes(broker->params, request_text(&call->req, F_PACKAGE));
    pg_put_int4(broker->params, (int32_t)request_int(&call->req, F_LIMIT, LIST_LIMIT));
    pg_put_bytes(broker->params, request_text(&call->req, F_EMAIL));
    table_send(broker, table_new(broker, call), READER_CUSTOMER_GET, rows_fn);
}

void reading_customer_get(struct broker *broker, struct call *call)
{
    customers_send(broker, call, request_text(&call->req, F_ID), customer_on_rows);
}

void reading_customer_list(struct broker *broker, struct call *call)
{
    struct span after = request_text(&call->req, F_CURSOR);
    struct err err;

    if (!text_is_name(after)) {
        (void)err_field(&err, ERR_INVALID, "cursor", "cursor: not one of customer.list");
        call_refuse(call, &err);
        return;
    }
    customers_send(broker, call, SPAN_NONE, customers_on_rows);
}

static void process_on_rows(void *arg, PGresult *rows)
{
    struct read_one *table = arg;
    if (PQntuples(rows) == 0)
        return;
    table->found = true;
    wire_put_map(&table->out, 2);
    wire_put_key_str(&table->out, "hash", pg_span(rows, 0, 0));
    wire_put_text(&table->out, "files");
    wire_put_raw(&table->out, pg_span(rows, 0, 1));
}

void reading_process_get(struct broker *broker, struct call *call)
{
    pg_params_reset(broker->params);
    pg_put_bytes(broker->params, request_text(&call->req, F_HASH));
    table_send(broker, table_new(broker, call), READER_PROCESS_GET, process_on_rows);
}

static void put_running(void *arg, const struct workers_view *view)
{
    struct buf *out = arg;
    wire_put_map(out, 4);
    wire_put_key_text(out, "worker", view->name);
    wire_put_key_text(out, "version", view->version);
    wire_put_key_text(out, "zones", view->zones);
    wire_put_key_text(out, "process", view->process);
}

static void versions_on_rows(void *arg, PGresult *rows)
{
    struct read_one *table = arg;
    const struct workers *workers = table->of;
    int count = PQntuples(rows);
    char hash[PROCESS_HASH_BYTES];

    table->found = true;
    wire_put_map(&table->out, 2);
    wire_put_text(&table->out, "running"); /* the workers of this broker */
    wire_put_list(&table->out, workers_count(workers));
    workers_each(workers, put_running, &table->out);
    wire_put_text(&table->out, "versions");
    wire_put_list(&table->out, (size_t)count);
    for (int i = 0; i < count; i++) {
        struct span text = pg_span(rows, i, 1);
        (void)snprintf(hash, sizeof hash, "%.*s", (int)text.len, text.p);
        wire_put_map(&table->out, 10);
        wire_put_key_bool(&table->out, "recomputing", pg_bool(rows, i, 6));
        wire_put_key_int(&table->out, "recomputed", pg_int(rows, i, 7));
        wire_put_key_int(&table->out, "n", pg_int(rows, i, 0));
        wire_put_key_str(&table->out, "hash", text);
        wire_put_key_int(&table->out, "applied_at", pg_int(rows, i, 2));
        wire_put_key_str(&table->out, "by", pg_span(rows, i, 3));
        wire_put_key_str(&table->out, "role", pg_span(rows, i, 4));
        wire_put_key_str(&table->out, "comment", pg_span(rows, i, 5));
        wire_put_key_bool(&table->out, "current", i == 0);
        wire_put_key_int(&table->out, "workers", (int64_t)workers_count_hash(workers, hash));
    }
}

void reading_process_list(struct broker *broker, struct call *call)
{
    struct read_one *table = table_new(broker, call);

    table->of = broker->workers;
    pg_params_reset(broker->params);
    table_send(broker, table, READER_PROCESS_LIST, versions_on_rows);
}

static void dead_on_rows(void *arg, PGresult *rows)
{
    struct read_one *table = arg;
    static const char *const names[] = {"tracking", "at", "attempt", "failures", "code", "message", "worker"};
    int count = PQntuples(rows);
    char tracking[TRACKING_TEXT_BYTES];

    table->found = true;
    wire_put_map(&table->out, 2);
    wire_put_text(&table->out, "dead");
    wire_put_list(&table->out, (size_t)count);
    for (int i = 0; i < count; i++) {
        tracking_format(pg_int(rows, i, 0), table->prefix, tracking);
        wire_put_map(&table->out, 7);
        wire_put_key_text(&table->out, names[0], tracking);
        for (int k = 1; k < 4; k++)
            wire_put_key_int(&table->out, names[k], pg_int(rows, i, k));
        for (int k = 4; k < 7; k++)
            wire_put_key_str(&table->out, names[k],
                             pg_is_null(rows, i, k) ? span_of("") : pg_span(rows, i, k));
    }
    wire_put_text(&table->out, "cursor");
    if (count == table->limit)
        wire_put_text(&table->out, tracking);
    else
        wire_put_nil(&table->out);
}

void reading_dead_list(struct broker *broker, struct call *call)
{
    int64_t after = 0;
    struct err err;
    struct span cursor = request_text(&call->req, F_CURSOR);

    if (cursor.len != 0 && !tracking_parse(cursor, broker->settings.tracking_prefix, &after, &err)) {
        (void)err_field(&err, ERR_INVALID, "cursor", "cursor: not one of dead.list");
        call_refuse(call, &err);
        return;
    }
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, after);
    pg_put_int4(broker->params, (int32_t)request_int(&call->req, F_LIMIT, LIST_LIMIT));
    table_send(broker, table_new(broker, call), READER_DEAD_LIST, dead_on_rows);
}

/* ---- from memory ---- */

void reading_ping(struct broker *broker, struct call *call)
{
    struct buf out;
    buf_init(&out, 512);
    wire_put_map(&out, 4);
    wire_put_key_int(&out, "now_at", broker->epoch != 0 ? broker_now(broker) : clock_wall_us());
    wire_put_key_text(&out, "version", DOCKET_VERSION);
    wire_put_key_text(&out, "broker", broker->settings.name);
    wire_put_key_bool(&out, "ready", broker_why_not_ready(broker) == NULL);
    call_answer(call, buf_span(&out));
    buf_clear(&out);
}

void reading_stats(struct broker *broker, struct call *call)
{
    struct buf out;
    buf_init(&out, 64 << 10);
    broker_stats_put(broker, &out);
    call_answer(call, buf_span(&out));
    buf_clear(&out);
}
