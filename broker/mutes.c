/* Mutes; see mutes.h. */
#include "mutes.h"
#include "broker.h"
#include "mem.h"
#include "op_key.h"
#include "ops.h"
#include "read_end.h"
#include "statements.h"
#include "tracking.h"

#include <stdlib.h>
#include <string.h>

struct muting {
    struct unit unit;
    struct broker *broker;
    struct call *call;
    struct op_key key;

    /* what the row said: believed after the commit only */
    int64_t mute; /* 0: nothing was done */
};

static void muting_on_rows(void *arg, PGresult *rows)
{
    enum { MUTE, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST };
    struct muting *m = arg;

    m->mute = pg_int(rows, 0, MUTE);
    op_key_read(&m->key, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST, m->call->req.content_digest);
}

static void put_int8(struct pg_params *params, const struct request *req, enum field field)
{
    if (request_has(req, field))
        pg_put_int8(params, request_int(req, field, 0));
    else
        pg_put_null(params);
}

static void muting_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct muting *m = (struct muting *)unit;
    const struct request *req = &m->call->req;

    op_key_put(&m->key, req->key_digest, req->content_digest, params);
    put_int8(params, req, F_MUTE);
    pg_put_text(params, req->actor);
    pg_put_bytes(params, request_text(req, F_REASON));
    put_int8(params, req, F_SPAN_FROM_AT);
    put_int8(params, req, F_UNTIL_AT);
    pg_put_bytes(params, request_text(req, F_CUSTOMER));
    if (req->ticket != 0)
        pg_put_int8(params, req->ticket);
    else
        pg_put_null(params);
    pg_put_bytes(params, request_text(req, F_NOTICE_KIND));
    if (request_has(req, F_PRIORITY))
        pg_put_int2(params, (int16_t)request_int(req, F_PRIORITY, 0));
    else
        pg_put_null(params);
    pg_put_bytes(params, request_text(req, F_QUEUE));
    pg_put_bytes(params, request_text(req, F_TAG));
    (void)pg_send(pg, W_MUTE_CHANGE, params, muting_on_rows, m);
}

static bool muting_is_refused(const struct muting *m, struct err *err)
{
    const struct request *req = &m->call->req;

    if (!op_key_check(&m->key, err))
        return true;
    if (m->mute != 0)
        return false;
    if (request_has(req, F_MUTE))
        return !err_field(err, ERR_NOT_FOUND, "mute", "no mute that goes on has the number %lld",
                          (long long)request_int(req, F_MUTE, 0));
    return !err_field(err, ERR_INVALID, "until_at",
                      "until_at: want an instant after the beginning, at most 7 days later");
}

static void muting_done(struct unit *unit, const struct err *err)
{
    struct muting *m = (struct muting *)unit;
    struct err why;
    struct buf out;

    if (err != NULL) {
        call_refuse(m->call, err);
    } else if (muting_is_refused(m, &why)) {
        call_refuse(m->call, &why);
    } else {
        buf_init(&out, 256);
        wire_put_map(&out, 2);
        wire_put_key_int(&out, "mute", m->mute);
        wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&m->key));
        call_answer(m->call, buf_span(&out));
        buf_clear(&out);
    }
    free(m);
}

static void muting_start(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = muting_send,
                                          .done = muting_done};
    struct muting *m = mem_new(1, sizeof *m);

    m->unit.type = &type;
    m->unit.bytes = wire_doc_bytes(call->req.doc).len + 256;
    m->broker = broker;
    m->call = call;
    op_key_begin(&m->key);
    writer_add(broker->writer, &m->unit);
}

bool mutes_check_mute(const struct request *req, struct err *err)
{
    static const enum field what[] = {F_CUSTOMER, F_NOTICE_KIND, F_PRIORITY, F_QUEUE, F_TAG, F_TRACKING};

    for (size_t i = 0; i < sizeof what / sizeof what[0]; i++)
        if (request_has(req, what[i]))
            return true;
    return err_field(err, ERR_INVALID, "customer",
                     "want at least one of customer, tracking, kind, priority, queue, tag");
}

void mutes_mute(struct broker *broker, struct call *call)
{
    muting_start(broker, call);
}

void mutes_unmute(struct broker *broker, struct call *call)
{
    muting_start(broker, call);
}

/* ---- reading ---- */

struct listing {
    struct call *call;
    const char *prefix;
    struct buf out;
};

static void put_row(struct listing *l, const PGresult *rows, int row)
{
    static const struct {
        const char *key;
        bool is_int;
    } fields[] = {{"mute", true},     {"owner", false},    {"reason", false},   {"from_at", true},
                  {"until_at", true}, {"ended_by", false}, {"customer", false}, {NULL, true},
                  {"kind", false},    {"priority", true},  {"queue", false},    {"tag", false},
                  {"count", true}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };
    char tracking[TRACKING_TEXT_BYTES];

    wire_put_map(&l->out, FIELDS);
    for (int i = 0; i < (int)FIELDS; i++) {
        wire_put_text(&l->out, fields[i].key == NULL ? "tracking" : fields[i].key);
        if (pg_is_null(rows, row, i)) {
            wire_put_nil(&l->out);
        } else if (fields[i].key == NULL) {
            tracking_format(pg_int(rows, row, i), l->prefix, tracking);
            wire_put_text(&l->out, tracking);
        } else if (fields[i].is_int) {
            wire_put_int(&l->out, pg_int(rows, row, i));
        } else {
            wire_put_str(&l->out, pg_span(rows, row, i));
        }
    }
}

static void list_on_rows(void *arg, PGresult *rows)
{
    struct listing *l = arg;

    wire_put_map(&l->out, 1);
    wire_put_text(&l->out, "mutes");
    wire_put_list(&l->out, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++)
        put_row(l, rows, i);
}

static void list_on_end(void *arg, const struct pg_end *end)
{
    struct listing *l = arg;
    struct err err;

    if (!read_end_is_ok(end, "mutes", &err))
        call_refuse(l->call, &err);
    else
        call_answer(l->call, buf_span(&l->out));
    buf_clear(&l->out);
    free(l);
}

void mutes_list(struct broker *broker, struct call *call)
{
    struct listing *l = mem_new(1, sizeof *l);

    *l = (struct listing){.call = call, .prefix = broker->settings.tracking_prefix};
    buf_init(&l->out, 1 << 20);
    (void)pg_send(broker->reader_pg, READER_MUTE_LIST, NULL, list_on_rows, l);
    pg_sync(broker->reader_pg, list_on_end, l);
}
