/* The ops with a key that are no change of one known ticket; see keyed.h. */
#include "keyed.h"
#include "broker.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "op_key.h"
#include "move.h"
#include "ops.h"
#include "process_room.h"
#include "read_show.h"
#include "reading.h"
#include "statements.h"
#include "states.h"
#include "tracking.h"
#include "wakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_BYTES_MAX = 256 << 10, FILES_BYTES_MAX = 4 << 20, RETRY_MAX = 500, NAME_BYTES = 65 };

struct keyed {
    struct unit unit;
    struct broker *broker;
    struct call *call;
    struct op_key key;
    struct span bytes;    /* encoded record or files; owned */
    struct span warnings; /* of a process: encoded list; owned */
    char hash[PROCESS_HASH_BYTES];

    /* what the rows said: believed after the commit only */
    bool changed;
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
    call_refuse(keyed->call, &err);
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
    wire_put_key_bool(&out, "duplicate", !keyed->changed && !keyed->key.ours);
    call_answer(keyed->call, buf_span(&out));
    buf_clear(&out);
}

/* True when the key decides: a conflict was answered. A duplicate with the same content goes on. */
static bool keyed_conflicts(struct keyed *keyed)
{
    struct err err;

    if (op_key_check(&keyed->key, &err))
        return false;
    call_refuse(keyed->call, &err);
    return true;
}

/* The columns about the key, which all of these statements give. */
static void keyed_read_key(struct keyed *keyed, const PGresult *rows, int taken, int content, int request)
{
    op_key_read(&keyed->key, rows, taken, content, request, keyed->call->req.content_digest);
}

static void keyed_put_key(const struct keyed *keyed, struct pg_params *params)
{
    op_key_put(&keyed->key, keyed->call->req.key_digest, keyed->call->req.content_digest, params);
}

static struct keyed *keyed_new(struct broker *broker, struct call *call, const struct unit_type *type,
                               struct span bytes, const char *hash)
{
    struct keyed *keyed = mem_new(1, sizeof *keyed);

    keyed->unit.type = type;
    keyed->unit.bytes = wire_doc_bytes(call->req.doc).len + 256;
    keyed->broker = broker;
    keyed->call = call;
    keyed->bytes = bytes;
    (void)snprintf(keyed->hash, sizeof keyed->hash, "%s", hash);
    op_key_begin(&keyed->key);
    return keyed;
}

static void keyed_start(struct broker *broker, struct call *call, const struct unit_type *type,
                        struct span bytes, const char *hash)
{
    struct keyed *keyed = keyed_new(broker, call, type, bytes, hash);
    writer_add(broker->writer, &keyed->unit);
}

/* ---- ticket.find ---- */

static void find_on_rows(void *arg, PGresult *rows)
{
    struct keyed *keyed = arg;
    keyed->ticket = PQntuples(rows) == 0 ? 0 : pg_int(rows, 0, 0);
    keyed->posted_at = PQntuples(rows) == 0 ? 0 : pg_int(rows, 0, 1);
}

static void find_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct keyed *keyed = (struct keyed *)unit;
    pg_put_bytes(params, (struct span){(const char *)keyed->call->req.key_digest, 16});
    (void)pg_send(pg, W_FIND, params, find_on_rows, keyed);
}

static void find_done(struct unit *unit, const struct err *err)
{
    struct keyed *keyed = (struct keyed *)unit;
    char tracking[TRACKING_TEXT_BYTES];
    struct buf out;

    if (err != NULL) {
        call_refuse(keyed->call, err);
    } else if (keyed->ticket == 0) {
        keyed_refuse(keyed, ERR_NOT_FOUND, "key", "no ticket was posted with this key");
    } else {
        buf_init(&out, 256);
        tracking_format(keyed->ticket, keyed->broker->settings.tracking_prefix, tracking);
        wire_put_map(&out, 2);
        wire_put_key_text(&out, "tracking", tracking);
        wire_put_key_int(&out, "posted_at", keyed->posted_at);
        call_answer(keyed->call, buf_span(&out));
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
    keyed_start(broker, call, &type, SPAN_NONE, "");
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
    keyed_read_key(keyed, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void next_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct keyed *keyed = (struct keyed *)unit;
    const struct request *req = &keyed->call->req;
    const struct wire_val *queues = req->vals[F_QUEUES];
    int16_t states[STATES];
    struct span queue;
    struct buf body;

    keyed_put_key(keyed, params);
    pg_put_int8(params, keyed->broker->epoch);
    states_row(DO_TAKE, states);
    pg_array_open(params, PG_INT2);
    for (int i = 0; i < STATES; i++)
        pg_array_int(params, states[i]);
    pg_array_close(params);
    pg_put_text(params, req->actor);
    if (queues == NULL) {
        pg_put_null(params);
    } else {
        pg_array_open(params, PG_TEXT);
        for (size_t i = 0; i < wire_count(queues); i++)
            if (wire_get_str(wire_at(queues, i), &queue))
                pg_array_bytes(params, queue);
        pg_array_close(params);
    }
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
    struct broker *broker = keyed->broker;
    int64_t ticket = keyed->changed ? keyed->ticket : keyed->key_ticket;

    if (err != NULL) {
        call_refuse(keyed->call, err);
    } else if (!keyed_conflicts(keyed)) {
        if (keyed->changed)
            wakes_changed(broker, ticket, keyed->woken[0].attempt, keyed->woken[0].version,
                          keyed->woken[0].priority, span_of(keyed->customer), keyed->at, REASON_EVENT);
        if (ticket == 0)
            reading_no_ticket(keyed->call);
        else
            read_ticket_send(broker->reader_pg, broker->params, ticket, broker->settings.tracking_prefix,
                             next_on_ticket, keyed->call);
    }
    keyed_free(keyed);
}

void keyed_next(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = next_send,
                                          .done = next_done};
    keyed_start(broker, call, &type, SPAN_NONE, "");
}

/* ---- customer.put ---- */

static void put_on_rows(void *arg, PGresult *rows)
{
    struct keyed *keyed = arg;
    keyed->changed = pg_bool(rows, 0, 0);
    keyed_read_key(keyed, rows, 1, 2, 3);
}

static void customer_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct keyed *keyed = (struct keyed *)unit;
    const struct wire_val *record = keyed->call->req.vals[F_CUSTOMER_RECORD];

    keyed_put_key(keyed, params);
    pg_put_bytes(params, wire_find_str(record, "id"));
    pg_put_bytes(params, wire_find_str(record, "name"));
    pg_put_bytes(params, wire_find_str(record, "package"));
    pg_put_bytes(params, keyed->bytes);
    if (request_bool(&keyed->call->req, F_OPEN_TICKETS, false))
        pg_put_int8(params, keyed->broker->epoch);
    else
        pg_put_null(params);
    pg_put_int2(params, (int16_t)keyed->call->req.role);
    pg_put_text(params, keyed->call->req.actor);
    (void)pg_send(pg, W_CUSTOMER_PUT, params, put_on_rows, keyed);
}

static void customer_done(struct unit *unit, const struct err *err)
{
    struct keyed *keyed = (struct keyed *)unit;
    char id[NAME_BYTES];
    struct span name = wire_find_str(keyed->call->req.vals[F_CUSTOMER_RECORD], "id");

    (void)snprintf(id, sizeof id, "%.*s", (int)name.len, name.p);
    if (err != NULL)
        call_refuse(keyed->call, err);
    else if (keyed_conflicts(keyed))
        ; /* answered */
    else if (request_bool(&keyed->call->req, F_OPEN_TICKETS, false))
        move_open_tickets(keyed->broker, keyed->call, !keyed->changed && !keyed->key.ours);
    else
        keyed_answer_map(keyed, "customer", id, 0);
    keyed_free(keyed);
}

void keyed_customer_put(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = customer_send,
                                          .done = customer_done};
    struct span package = wire_find_str(call->req.vals[F_CUSTOMER_RECORD], "package");
    struct buf out;
    struct err err;
    size_t len;

    if (broker->process.parsed != NULL && !process_package_known(broker->process.parsed, package)) {
        (void)err_field(&err, ERR_INVALID, "customer.package",
                        "customer.package: the current process has no package \"%.*s\"", (int)package.len,
                        package.p);
        call_refuse(call, &err);
        return;
    }
    buf_init(&out, RECORD_BYTES_MAX);
    wire_put_val(&out, call->req.vals[F_CUSTOMER_RECORD]);
    char *bytes = buf_take(&out, &len);
    keyed_start(broker, call, &type, (struct span){bytes, len}, "");
}

/* ---- process.apply ---- */

static void apply_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct keyed *keyed = (struct keyed *)unit;
    const struct request *req = &keyed->call->req;
    struct span comment = request_text(req, F_COMMENT);

    keyed_put_key(keyed, params);
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
    wire_put_key_bool(&out, "duplicate", !keyed->changed && !keyed->key.ours);
    wire_put_text(&out, "warnings");
    wire_put_raw(&out, keyed->warnings);
    call_answer(keyed->call, buf_span(&out));
    buf_clear(&out);
}

static void apply_done(struct unit *unit, const struct err *err)
{
    struct keyed *keyed = (struct keyed *)unit;

    if (err != NULL) {
        call_refuse(keyed->call, err);
    } else if (!keyed_conflicts(keyed)) {
        keyed->broker->process_checked_us =
            0; /* look at once: the workers get it without waiting for the next look */
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
    size_t len;

    buf_init(&out, FILES_BYTES_MAX);
    process_files_encode(files, &out);
    char *bytes = buf_take(&out, &len);
    struct keyed *keyed = keyed_new(broker, call, &type, (struct span){bytes, len}, hash);
    keyed->warnings = (struct span){mem_dup(warnings.p, warnings.len), warnings.len};
    writer_add(broker->writer, &keyed->unit);
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
    keyed_read_key(keyed, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void retry_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct keyed *keyed = (struct keyed *)unit;

    keyed_put_key(keyed, params);
    if (keyed->call->req.ticket == 0)
        pg_put_null(params);
    else
        pg_put_int8(params, keyed->call->req.ticket);
    pg_put_int8(params, keyed->broker->epoch);
    (void)pg_send(pg, W_DEAD_RETRY, params, retry_on_rows, keyed);
}

static void retry_done(struct unit *unit, const struct err *err)
{
    struct keyed *keyed = (struct keyed *)unit;

    if (err != NULL) {
        call_refuse(keyed->call, err);
    } else if (!keyed_conflicts(keyed)) {
        for (int i = 0; i < keyed->woken_count; i++)
            wakes_changed(keyed->broker, keyed->woken[i].ticket, keyed->woken[i].attempt,
                          keyed->woken[i].version, keyed->woken[i].priority, SPAN_NONE, keyed->at,
                          REASON_RETRY);
        if (keyed->woken_count == 0 && !keyed->key.is_there && keyed->call->req.ticket != 0)
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
    keyed_start(broker, call, &type, SPAN_NONE, "");
}
