/* Verdicts on promises; see deadlines.h. */
#include "deadlines.h"
#include "broker.h"
#include "calls.h"
#include "key_known.h"
#include "listing.h"
#include "mem.h"
#include "op_unit.h"
#include "param_put.h"
#include "pg.h"
#include "read_deadlines.h"
#include "read_one.h"
#include "statements.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 100, CLOCK_BYTES = 16 };

/* ---- deadline.list ---- */

/* "due:ticket:clock:cycle" of the last one. */
static void put_cursor(struct buf *out, const PGresult *rows, int row)
{
    char cursor[96];
    struct span clock = pg_span(rows, row, DEADLINE_CLOCK);

    (void)snprintf(cursor, sizeof cursor, "%lld:%lld:%.*s:%lld",
                   (long long)pg_int(rows, row, DEADLINE_DUE_AT),
                   (long long)pg_int(rows, row, DEADLINE_TICKET), (int)clock.len, clock.p,
                   (long long)pg_int(rows, row, DEADLINE_CYCLE));
    wire_put_key_text(out, "cursor", cursor);
}

static void list_on_rows(void *arg, PGresult *rows)
{
    struct read_one *r = arg;
    int count = PQntuples(rows);

    r->found = true;
    wire_put_map(&r->out, 2);
    wire_put_text(&r->out, "deadlines");
    read_deadlines_put(&r->out, rows, r->prefix);
    if (count == r->limit)
        put_cursor(&r->out, rows, count - 1);
    else
        wire_put_key_text(&r->out, "cursor", NULL);
}

struct cursor {
    long long due_at, ticket, cycle;
    char clock[CLOCK_BYTES];
};

static bool cursor_parse(struct span text, struct cursor *ret)
{
    char copy[96];
    int end = -1;

    (void)snprintf(copy, sizeof copy, "%.*s", (int)text.len, text.p == NULL ? "" : text.p);
    return sscanf(copy, "%lld:%lld:%15[a-z]:%lld%n", &ret->due_at, &ret->ticket, ret->clock, &ret->cycle,
                  &end) == 4 &&
           end == (int)text.len && ret->cycle > 0 && ret->cycle <= INT32_MAX &&
           (strcmp(ret->clock, "response") == 0 || strcmp(ret->clock, "update") == 0 ||
            strcmp(ret->clock, "resolution") == 0);
}

static void put_after(struct pg_params *params, const struct cursor *after)
{
    if (after == NULL) {
        for (int i = 0; i < 4; i++)
            pg_put_null(params);
        return;
    }
    pg_put_int8(params, after->due_at);
    pg_put_int8(params, after->ticket);
    pg_put_text(params, after->clock);
    pg_put_int4(params, (int32_t)after->cycle);
}

void deadlines_list(struct broker *broker, struct call *call)
{
    const struct request *req = &call->req;
    struct pg_params *params = broker->params;
    struct span text = request_text(req, F_CURSOR);
    struct cursor after;
    struct err err;

    if (text.len != 0 && !cursor_parse(text, &after)) {
        (void)err_field(&err, ERR_INVALID, "cursor", "cursor: not one of deadline.list");
        call_refuse(call, &err);
        return;
    }
    struct read_one *r = read_one_new("deadline_list", broker->settings.tracking_prefix, listing_done, call);
    r->limit = request_int(req, F_LIMIT, LIMIT);
    pg_params_reset(params);
    param_put_int8(params, req, F_SPAN_FROM_AT);
    param_put_int8(params, req, F_UNTIL_AT);
    pg_put_bytes(params, request_text(req, F_CUSTOMER));
    pg_put_bytes(params, request_text(req, F_PACKAGE));
    param_put_int2(params, req, F_PRIORITY);
    pg_put_bytes(params, request_text(req, F_CLOCK));
    pg_put_bytes(params, request_text(req, F_VERDICT));
    put_after(params, text.len == 0 ? NULL : &after);
    pg_put_int4(params, (int32_t)r->limit);
    (void)pg_send(broker->reader_pg, READER_DEADLINE_LIST, params, list_on_rows, r);
    pg_sync(broker->reader_pg, read_one_on_end, r);
}

/* ---- deadline.excuse ---- */

struct excuse {
    struct op_unit op;

    /* what the row said: believed after the commit only */
    bool changed, is_there, is_missed;
};

static void excuse_on_rows(void *arg, PGresult *rows)
{
    enum { CHANGED, OF_VERDICT, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST };
    struct excuse *x = arg;

    x->changed = pg_bool(rows, 0, CHANGED);
    x->is_there = !pg_is_null(rows, 0, OF_VERDICT);
    x->is_missed = span_is(pg_span(rows, 0, OF_VERDICT), "missed");
    op_unit_read_key(&x->op, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void excuse_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct excuse *x = (struct excuse *)unit;
    const struct request *req = &x->op.call->req;

    op_unit_put_key(&x->op, params);
    pg_put_int8(params, req->ticket);
    pg_put_bytes(params, request_text(req, F_CLOCK));
    pg_put_int4(params, (int32_t)request_int(req, F_CYCLE, 1));
    pg_put_text(params, req->actor);
    pg_put_bytes(params, request_text(req, F_REASON));
    (void)pg_send(pg, W_EXCUSE, params, excuse_on_rows, x);
}

static bool excuse_is_refused(const struct excuse *x, struct err *err)
{
    if (!op_key_check(&x->op.key, err))
        return true;
    if (x->changed || x->op.key.is_there)
        return false;
    if (!x->is_there)
        return !err_field(err, ERR_NOT_FOUND, "clock",
                          "the ticket has no verdict of this clock and cycle (by default cycle 1)");
    if (!x->is_missed)
        return !err_field(err, ERR_CONFLICT, "clock",
                          "clock: the promise was met: there is nothing to excuse");
    return !err_field(err, ERR_CONFLICT, "clock", "clock: this miss was excused before");
}

static void excuse_done(struct unit *unit, const struct err *err)
{
    struct excuse *x = (struct excuse *)unit;
    struct buf out;
    struct err why;

    if (err != NULL) {
        call_refuse(x->op.call, err);
    } else if (excuse_is_refused(x, &why)) {
        call_refuse(x->op.call, &why);
    } else {
        buf_init(&out, 256);
        wire_put_map(&out, 1);
        wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&x->op.key));
        call_answer(x->op.call, buf_span(&out));
        buf_clear(&out);
    }
    free(x);
}

/* Leads of the teams of the current process, and admins. */
static bool excuse_may(const struct broker *broker, const struct request *req, struct err *err)
{
    const struct process *process = broker->process.parsed;

    if (req->role == ROLE_ADMIN)
        return true;
    for (size_t i = 0; process != NULL && i < process->people.team_count; i++) {
        const char *lead = process->people.teams[i].lead;
        if (lead != NULL && strcmp(lead, req->actor) == 0)
            return true;
    }
    return err_field(err, ERR_FORBIDDEN, "as",
                     "as: a miss is excused by a lead (staff.yaml: teams: lead) or an admin; %s is neither",
                     req->actor);
}

static void excuse_go(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = excuse_send,
                                          .done = excuse_done};
    struct excuse *x = mem_new(1, sizeof *x);
    op_unit_start(&x->op, &type, broker, call);
}

/* Somebody who was a lead when the miss was excused first. */
static void excuse_on_known(void *arg, struct call *call, const struct err *err)
{
    if (err != NULL)
        call_refuse(call, err);
    else
        excuse_go(arg, call);
}

void deadlines_excuse(struct broker *broker, struct call *call)
{
    struct err err;

    if (excuse_may(broker, &call->req, &err))
        excuse_go(broker, call);
    else
        key_known_or(broker, call, &err, excuse_on_known, broker);
}
