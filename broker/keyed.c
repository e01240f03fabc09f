/* The ops with a key that are no change of one known ticket; see keyed.h. */
#include "keyed.h"
#include "broker.h"
#include "calls.h"
#include "key_known.h"
#include "mem.h"
#include "move.h"
#include "op_unit.h"
#include "param_put.h"
#include "pg.h"
#include "process_room.h"
#include "read_show.h"
#include "reading.h"
#include "statements.h"
#include "states.h"
#include "tracking.h"
#include "wakes.h"
#include "writer.h"
#include "zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_BYTES_MAX = 256 << 10, FILES_BYTES_MAX = 4 << 20, RETRY_MAX = 500, NAME_BYTES = 65 };

struct keyed {
    struct op_unit op;
    struct span bytes;    /* encoded record or files; owned */
    struct span warnings; /* of a process: encoded list; owned */
    char hash[PROCESS_HASH_BYTES];

    /* what the rows said: believed after the commit only */
    bool changed, merged;
    int64_t ticket, key_ticket, at, posted_at;
    int key_count;
    struct {
        int64_t ticket;
        int32_t attempt, version;
        int priority;
    } woken[RETRY_MAX];
    int woken_count;
    char customer[NAME_BYTES];
};

static void keyed_free(struct keyed *keyed)
{
    free((void *)(uintptr_t)keyed->bytes.p);
    free((void *)(uintptr_t)keyed->warnings.p);
    free(keyed);
}

static void keyed_refuse(struct keyed *keyed, enum err_code code, const char *field, const char *msg)
{
    struct err err;
    (void)err_field(&err, code, field, "%s", msg);
    call_refuse(keyed->op.call, &err);
}

static void keyed_answer_map(struct keyed *keyed, const char *name, const char *text, int64_t number)
{
    struct buf out;
    buf_init(&out, 1024);
    wire_put_map(&out, 2);
    if (text != NULL)
        wire_put_key_text(&out, name, text);
    else
        wire_put_key_int(&out, name, number);
    wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&keyed->op.key));
    call_answer(keyed->op.call, buf_span(&out));
    buf_clear(&out);
}

/* True when the key decides: a conflict was answered. A duplicate with the same content goes on. */
static bool keyed_conflicts(struct keyed *keyed)
{
    struct err err;

    if (op_key_check(&keyed->op.key, &err))
        return false;
    call_refuse(keyed->op.call, &err);
    return true;
}

/* ---- ticket.find ---- */

static void find_on_rows(void *arg, PGresult *rows)
{
    struct keyed *keyed = arg;
    keyed->ticket = PQntuples(rows) == 0 ? 0 : pg_int(rows, 0, 0);
    keyed->posted_at = PQntuples(rows) == 0 ? 0 : pg_int(rows, 0, 1);
    keyed->merged = PQntuples(rows) != 0 && pg_bool(rows, 0, 2);
}

static void find_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct keyed *keyed = (struct keyed *)unit;
    pg_put_bytes(params, (struct span){(const char *)keyed->op.call->req.key_digest, 16});
    (void)pg_send(pg, W_FIND, params, find_on_rows, keyed);
}

static void find_done(struct unit *unit, const struct err *err)
{
    struct keyed *keyed = (struct keyed *)unit;
    char tracking[TRACKING_TEXT_BYTES];
    struct buf out;

    if (err != NULL) {
        call_refuse(keyed->op.call, err);
    } else if (keyed->ticket == 0) {
        keyed_refuse(keyed, ERR_NOT_FOUND, "key", "no ticket was posted with this key");
    } else {
        buf_init(&out, 256);
        tracking_format(keyed->ticket, keyed->op.broker->settings.tracking_prefix, tracking);
        wire_put_map(&out, keyed->merged ? 3 : 2);
        wire_put_key_text(&out, "tracking", tracking);
        wire_put_key_int(&out, "posted_at", keyed->posted_at);
        if (keyed->merged)
            wire_put_key_bool(&out, "merged", true);
        call_answer(keyed->op.call, buf_span(&out));
        buf_clear(&out);
    }
    keyed_free(keyed);
}

void keyed_find(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = find_send,
                                          .done = find_done};
    struct keyed *keyed = mem_new(1, sizeof *keyed);
    op_unit_start(&keyed->op, &type, broker, call);
}

/* ---- ticket.next ---- */

bool keyed_check_next(const struct request *req, struct err *err)
{
    if (!request_bool(req, F_PEEK, false) && req->role != ROLE_STAFF)
        return err_field(err, ERR_FORBIDDEN, "as", "as: only staff take tickets");
    return true;
}

static void next_on_rows(void *arg, PGresult *rows)
{
    struct keyed *keyed = arg;
    enum {
        TICKET,
        VERSION,
        ATTEMPT,
        PRIORITY,
        CUSTOMER,
        KEY_TAKEN,
        KEY_CONTENT,
        KEY_REQUEST,
        KEY_TICKET,
        AT
    };
    struct span customer = pg_span(rows, 0, CUSTOMER);

    keyed->ticket = pg_int(rows, 0, TICKET);
    keyed->changed = keyed->ticket != 0;
    keyed->woken[0].ticket = keyed->ticket;
    keyed->woken[0].version = (int32_t)pg_int(rows, 0, VERSION);
    keyed->woken[0].attempt = (int32_t)pg_int(rows, 0, ATTEMPT);
    keyed->woken[0].priority = (int)pg_int(rows, 0, PRIORITY);
    keyed->key_ticket = pg_int(rows, 0, KEY_TICKET);
    keyed->at = pg_int(rows, 0, AT);
    (void)snprintf(keyed->customer, sizeof keyed->customer, "%.*s", (int)customer.len,
                   customer.p == NULL ? "" : customer.p);
    op_unit_read_key(&keyed->op, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void next_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct keyed *keyed = (struct keyed *)unit;
    const struct request *req = &keyed->op.call->req;
    struct buf body;

    op_unit_put_key(&keyed->op, params);
    pg_put_int8(params, keyed->op.broker->epoch);
    param_put_states(params, DO_TAKE);
    pg_put_text(params, req->actor);
    param_put_texts_or_null(params, req->vals[F_QUEUES]);
    pg_put_bytes(params, (struct span){"\x80", 1}); /* an empty map: the event tells who, that is all */
    buf_init(&body, 256);
    wire_put_map(&body, 1);
    wire_put_key_text(&body, "staff", req->actor);
    pg_put_bytes(params, buf_span(&body));
    buf_clear(&body);
    (void)pg_send(pg, W_NEXT, params, next_on_rows, keyed);
}

static void next_on_ticket(void *arg, struct span body, const struct err *err)
{
    struct call *call = arg;
    if (err != NULL)
        call_refuse(call, err);
    else
        call_answer(call, body);
}

static void next_done(struct unit *unit, const struct err *err)
{
    struct keyed *keyed = (struct keyed *)unit;
    struct broker *broker = keyed->op.broker;
    int64_t ticket = keyed->changed ? keyed->ticket : keyed->key_ticket;

    if (err != NULL) {
        call_refuse(keyed->op.call, err);
    } else if (!keyed_conflicts(keyed)) {
        if (keyed->changed)
            wakes_changed(broker, ticket, keyed->woken[0].attempt, keyed->woken[0].version,
                          keyed->woken[0].priority, span_of(keyed->customer), keyed->at, REASON_EVENT);
        if (ticket == 0)
            reading_no_ticket(keyed->op.call);
        else
            read_ticket_send(broker->reader_pg, broker->params, ticket, broker->settings.tracking_prefix,
                             op_key_is_duplicate(&keyed->op.key) ? TAKEN_BEFORE : TAKEN_NOW, next_on_ticket,
                             keyed->op.call);
    }
    keyed_free(keyed);
}

void keyed_next(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = next_send,
                                          .done = next_done};
    struct keyed *keyed = mem_new(1, sizeof *keyed);
    op_unit_start(&keyed->op, &type, broker, call);
}

/* ---- customer.put ---- */

/* Whether this machine has the zone of that name. */
static bool zone_is_there(const char *name, struct err *err)
{
    struct zone *zone = NULL;

    if (!zone_open("/usr/share/zoneinfo", name, &zone, err))
        return false;
    zone_free(zone);
    return true;
}

/* A mistyped zone would be found by the first customer who is told times in another one. Where no zones are installed nothing is known. */
bool keyed_check_customer(const struct request *req, struct err *err)
{
    struct span text = wire_find_str(req->vals[F_CUSTOMER_RECORD], "zone");
    char name[ZONE_NAME_MAX + 1];
    struct err ignored;

    (void)snprintf(name, sizeof name, "%.*s", (int)text.len, text.p == NULL ? "" : text.p);
    if (text.p == NULL || zone_is_there(name, &ignored) || !zone_is_there("UTC", &ignored))
        return true;
    return err_field(err, ERR_INVALID, "customer.zone",
                     "customer.zone: there is no time zone \"%s\" here: want one as Europe/Berlin", name);
}

static void put_on_rows(void *arg, PGresult *rows)
{
    struct keyed *keyed = arg;
    keyed->changed = pg_bool(rows, 0, 0);
    op_unit_read_key(&keyed->op, rows, 1, 2, 3);
}

static void customer_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct keyed *keyed = (struct keyed *)unit;
    const struct wire_val *record = keyed->op.call->req.vals[F_CUSTOMER_RECORD];

    op_unit_put_key(&keyed->op, params);
    pg_put_bytes(params, wire_find_str(record, "id"));
    pg_put_bytes(params, wire_find_str(record, "name"));
    pg_put_bytes(params, wire_find_str(record, "package"));
    pg_put_bytes(params, keyed->bytes);
    if (request_bool(&keyed->op.call->req, F_OPEN_TICKETS, false))
        pg_put_int8(params, keyed->op.broker->epoch);
    else
        pg_put_null(params);
    pg_put_int2(params, (int16_t)keyed->op.call->req.role);
    pg_put_text(params, keyed->op.call->req.actor);
    (void)pg_send(pg, W_CUSTOMER_PUT, params, put_on_rows, keyed);
}

static void customer_done(struct unit *unit, const struct err *err)
{
    struct keyed *keyed = (struct keyed *)unit;
    char id[NAME_BYTES];
    struct span name = wire_find_str(keyed->op.call->req.vals[F_CUSTOMER_RECORD], "id");

    (void)snprintf(id, sizeof id, "%.*s", (int)name.len, name.p);
    if (err != NULL)
        call_refuse(keyed->op.call, err);
    else if (keyed_conflicts(keyed))
        ; /* answered */
    else if (request_bool(&keyed->op.call->req, F_OPEN_TICKETS, false))
        move_open_tickets(keyed->op.broker, keyed->op.call, op_key_is_duplicate(&keyed->op.key));
    else
        keyed_answer_map(keyed, "customer", id, 0);
    keyed_free(keyed);
}

static void customer_put_go(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = customer_send,
                                          .done = customer_done};
    struct keyed *keyed = mem_new(1, sizeof *keyed);
    struct buf out;

    buf_init(&out, RECORD_BYTES_MAX);
    wire_put_val(&out, call->req.vals[F_CUSTOMER_RECORD]);
    keyed->bytes.p = buf_take(&out, &keyed->bytes.len);
    op_unit_start(&keyed->op, &type, broker, call);
}

/* A package that there was when the record was put first. */
static void customer_put_on_known(void *arg, struct call *call, const struct err *err)
{
    if (err != NULL)
        call_refuse(call, err);
    else
        customer_put_go(arg, call);
}

void keyed_customer_put(struct broker *broker, struct call *call)
{
    struct span package = wire_find_str(call->req.vals[F_CUSTOMER_RECORD], "package");
    struct err err;

    if (broker->process.parsed == NULL || process_package_known(broker->process.parsed, package)) {
        customer_put_go(broker, call);
        return;
    }
    (void)err_field(&err, ERR_INVALID, "customer.package",
                    "customer.package: the current process has no package \"%.*s\"", (int)package.len,
                    package.p);
    key_known_or(broker, call, &err, customer_put_on_known, broker);
}

/* ---- process.apply ---- */

static void apply_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct keyed *keyed = (struct keyed *)unit;
    const struct request *req = &keyed->op.call->req;
    struct span comment = request_text(req, F_COMMENT);

    op_unit_put_key(&keyed->op, params);
    pg_put_text(params, keyed->hash);
    pg_put_bytes(params, keyed->bytes);
    pg_put_text(params, req->actor);
    pg_put_text(params, desk_role_name(req->role));
    pg_put_bytes(params, comment.p == NULL ? span_of("") : comment);
    pg_put_bool(params, request_bool(req, F_RECOMPUTE, false));
    (void)pg_send(pg, W_PROCESS_APPLY, params, put_on_rows, keyed);
}

static void apply_answer(struct keyed *keyed)
{
    struct buf out;

    buf_init(&out, keyed->warnings.len + 1024);
    wire_put_map(&out, 3);
    wire_put_key_text(&out, "hash", keyed->hash);
    wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&keyed->op.key));
    wire_put_text(&out, "warnings");
    wire_put_raw(&out, keyed->warnings);
    call_answer(keyed->op.call, buf_span(&out));
    buf_clear(&out);
}

static void apply_done(struct unit *unit, const struct err *err)
{
    struct keyed *keyed = (struct keyed *)unit;

    if (err != NULL) {
        call_refuse(keyed->op.call, err);
    } else if (!keyed_conflicts(keyed)) {
        keyed->op.broker->process_checked_us = 0; /* look at once, for the workers */
        apply_answer(keyed);
    }
    keyed_free(keyed);
}

/* Every worker that was asked took it, or there was none. */
static void apply_write(struct broker *broker, struct call *call, const struct process_files *files,
                        const char *hash, struct span warnings)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = apply_send,
                                          .done = apply_done};
    struct buf out;

    buf_init(&out, FILES_BYTES_MAX);
    process_files_encode(files, &out);
    struct keyed *keyed = mem_new(1, sizeof *keyed);
    keyed->bytes.p = buf_take(&out, &keyed->bytes.len);
    keyed->warnings = (struct span){mem_dup(warnings.p, warnings.len), warnings.len};
    (void)snprintf(keyed->hash, sizeof keyed->hash, "%s", hash);
    op_unit_start(&keyed->op, &type, broker, call);
}

void keyed_process_apply(struct broker *broker, struct call *call)
{
    process_room_check(broker, call, apply_write);
}

/* ---- dead.retry ---- */

bool keyed_check_retry(const struct request *req, struct err *err)
{
    if (request_has(req, F_TRACKING) == request_bool(req, F_ALL, false))
        return err_field(err, ERR_INVALID, "tracking", "tracking: want a tracking number, or all: true");
    return true;
}

static void retry_on_rows(void *arg, PGresult *rows)
{
    struct keyed *keyed = arg;
    enum { TICKET, ATTEMPT, VERSION, PRIORITY, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST, KEY_VERSION, AT };

    keyed->woken_count = 0;
    for (int i = 0; i < PQntuples(rows) && i < RETRY_MAX; i++) {
        if (pg_is_null(rows, i, TICKET))
            continue;
        keyed->woken[keyed->woken_count].ticket = pg_int(rows, i, TICKET);
        keyed->woken[keyed->woken_count].attempt = (int32_t)pg_int(rows, i, ATTEMPT);
        keyed->woken[keyed->woken_count].version = (int32_t)pg_int(rows, i, VERSION);
        keyed->woken[keyed->woken_count++].priority = (int)pg_int(rows, i, PRIORITY);
    }
    keyed->changed = keyed->woken_count != 0;
    keyed->key_count = (int)pg_int(rows, 0, KEY_VERSION);
    keyed->at = pg_int(rows, 0, AT);
    op_unit_read_key(&keyed->op, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void retry_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct keyed *keyed = (struct keyed *)unit;

    op_unit_put_key(&keyed->op, params);
    param_put_int8_not_0(params, keyed->op.call->req.ticket);
    pg_put_int8(params, keyed->op.broker->epoch);
    (void)pg_send(pg, W_DEAD_RETRY, params, retry_on_rows, keyed);
}

static void retry_done(struct unit *unit, const struct err *err)
{
    struct keyed *keyed = (struct keyed *)unit;

    if (err != NULL) {
        call_refuse(keyed->op.call, err);
    } else if (!keyed_conflicts(keyed)) {
        for (int i = 0; i < keyed->woken_count; i++)
            wakes_changed(keyed->op.broker, keyed->woken[i].ticket, keyed->woken[i].attempt,
                          keyed->woken[i].version, keyed->woken[i].priority, SPAN_NONE, keyed->at,
                          REASON_RETRY);
        if (keyed->woken_count == 0 && !keyed->op.key.is_there && keyed->op.call->req.ticket != 0)
            keyed_refuse(keyed, ERR_NOT_FOUND, "tracking", "this ticket is no dead letter");
        else
            keyed_answer_map(keyed, "retried", NULL, keyed->changed ? keyed->woken_count : keyed->key_count);
    }
    keyed_free(keyed);
}

void keyed_dead_retry(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = retry_send,
                                          .done = retry_done};
    struct keyed *keyed = mem_new(1, sizeof *keyed);
    op_unit_start(&keyed->op, &type, broker, call);
}
