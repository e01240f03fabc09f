/* Mutes; see mutes.h. */
#include "mutes.h"
#include "broker.h"
#include "calls.h"
#include "listing.h"
#include "mem.h"
#include "op_unit.h"
#include "param_put.h"
#include "pg.h"
#include "read_one.h"
#include "row_put.h"
#include "statements.h"
#include "template_names.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct muting {
    struct op_unit op;

    /* what the row said: believed after the commit only */
    int64_t mute;  /* 0: nothing was done */
    bool is_there; /* the ticket, when one was given */
};

static void muting_on_rows(void *arg, PGresult *rows)
{
    enum { MUTE, IS_THERE, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST };
    struct muting *m = arg;

    m->mute = pg_int(rows, 0, MUTE);
    m->is_there = pg_bool(rows, 0, IS_THERE);
    op_unit_read_key(&m->op, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void muting_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct muting *m = (struct muting *)unit;
    const struct request *req = &m->op.call->req;

    op_unit_put_key(&m->op, params);
    param_put_int8(params, req, F_MUTE);
    pg_put_text(params, req->actor);
    pg_put_bytes(params, request_text(req, F_REASON));
    param_put_int8(params, req, F_SPAN_FROM_AT);
    param_put_int8(params, req, F_UNTIL_AT);
    pg_put_bytes(params, request_text(req, F_CUSTOMER));
    param_put_int8_not_0(params, req->ticket);
    pg_put_bytes(params, request_text(req, F_NOTICE_KIND));
    param_put_int2(params, req, F_PRIORITY);
    pg_put_bytes(params, request_text(req, F_QUEUE));
    pg_put_bytes(params, request_text(req, F_TAG));
    (void)pg_send(pg, W_MUTE_CHANGE, params, muting_on_rows, m);
}

static bool muting_is_refused(const struct muting *m, struct err *err)
{
    const struct request *req = &m->op.call->req;

    if (!op_key_check(&m->op.key, err))
        return true;
    if (m->mute != 0)
        return false;
    if (request_has(req, F_MUTE))
        return !err_field(err, ERR_NOT_FOUND, "mute", "no mute that goes on has the number %lld",
                          (long long)request_int(req, F_MUTE, 0));
    if (!m->is_there)
        return !err_field(err, ERR_NOT_FOUND, "tracking", "no ticket has this tracking number");
    return !err_field(err, ERR_INVALID, "until_at",
                      "until_at: want an instant after the beginning, at most 7 days later");
}

static void muting_done(struct unit *unit, const struct err *err)
{
    struct muting *m = (struct muting *)unit;
    struct err why;
    struct buf out;

    if (err != NULL) {
        call_refuse(m->op.call, err);
    } else if (muting_is_refused(m, &why)) {
        call_refuse(m->op.call, &why);
    } else {
        buf_init(&out, 256);
        wire_put_map(&out, 2);
        wire_put_key_int(&out, "mute", m->mute);
        wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&m->op.key));
        call_answer(m->op.call, buf_span(&out));
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

    op_unit_start(&m->op, &type, broker, call);
}

/* Of alerts, or of messages to people: one that is spelt wrongly would hold nothing back, and nobody would know. */
static bool kind_is_known(struct span kind)
{
    static const char *const alerts[] = {"alert", "missed", "dead", "ops"};
    char text[64];

    (void)snprintf(text, sizeof text, "%.*s", (int)kind.len, kind.p);
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++)
        if (strcmp(text, alerts[i]) == 0)
            return true;
    return template_kind_is_known(text);
}

bool mutes_check_mute(const struct request *req, struct err *err)
{
    static const enum field what[] = {F_CUSTOMER, F_NOTICE_KIND, F_PRIORITY, F_QUEUE, F_TAG, F_TRACKING};
    struct span kind = request_text(req, F_NOTICE_KIND);

    if (kind.p != NULL && !kind_is_known(kind))
        return err_field(
            err, ERR_INVALID, "kind",
            "kind: \"%.*s\" is not known; allowed are alert, missed, dead, ops, and messages such "
            "as warning, task, tell",
            (int)kind.len, kind.p);
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

/* The columns of mute_list.sql. */
static void put_row(struct read_one *r, const PGresult *rows, int row)
{
    enum {
        MUTE,
        OWNER,
        REASON,
        FROM_AT,
        UNTIL_AT,
        ENDED_BY,
        CUSTOMER,
        TICKET,
        KIND,
        PRIORITY,
        QUEUE,
        TAG,
        COUNT,
        MESSAGES
    };
    static const struct row_field fields[] = {{"mute", MUTE, true},          {"owner", OWNER, false},
                                              {"reason", REASON, false},     {"from_at", FROM_AT, true},
                                              {"until_at", UNTIL_AT, true},  {"ended_by", ENDED_BY, false},
                                              {"customer", CUSTOMER, false}, {"kind", KIND, false},
                                              {"priority", PRIORITY, true},  {"queue", QUEUE, false},
                                              {"tag", TAG, false},           {"count", COUNT, true},
                                              {"messages", MESSAGES, true}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };

    wire_put_map(&r->out, FIELDS + 1);
    row_put_tracking(&r->out, rows, row, TICKET, r->prefix);
    row_put_fields(&r->out, rows, row, fields, FIELDS);
}

static void list_on_rows(void *arg, PGresult *rows)
{
    struct read_one *r = arg;

    r->found = true;
    wire_put_map(&r->out, 1);
    wire_put_text(&r->out, "mutes");
    wire_put_list(&r->out, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++)
        put_row(r, rows, i);
}

void mutes_list(struct broker *broker, struct call *call)
{
    struct read_one *r = read_one_new("mutes", broker->settings.tracking_prefix, listing_done, call);

    (void)pg_send(broker->reader_pg, READER_MUTE_LIST, NULL, list_on_rows, r);
    pg_sync(broker->reader_pg, read_one_on_end, r);
}
