/* ticket.next; see taking.h. */
#include "taking.h"
#include "broker.h"
#include "calls.h"
#include "mem.h"
#include "op_unit.h"
#include "param_put.h"
#include "pg.h"
#include "read_show.h"
#include "reading.h"
#include "statements.h"
#include "states.h"
#include "wakes.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_BYTES = 65 };

struct next {
    struct op_unit op;

    /* what the row said: believed after the commit only */
    bool changed;
    int64_t ticket, key_ticket, at; /* key_ticket: that the key took before; 0: none */
    int32_t attempt, version;
    int priority;
    char customer[NAME_BYTES];
};

bool taking_check_next(const struct request *req, struct err *err)
{
    if (!request_bool(req, F_PEEK, false) && req->role != ROLE_STAFF)
        return err_field(err, ERR_FORBIDDEN, "as", "as: only staff take tickets");
    return true;
}

static void next_on_rows(void *arg, PGresult *rows)
{
    struct next *next = arg;
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

    next->ticket = pg_int(rows, 0, TICKET);
    next->changed = next->ticket != 0;
    next->version = (int32_t)pg_int(rows, 0, VERSION);
    next->attempt = (int32_t)pg_int(rows, 0, ATTEMPT);
    next->priority = (int)pg_int(rows, 0, PRIORITY);
    next->key_ticket = pg_int(rows, 0, KEY_TICKET);
    next->at = pg_int(rows, 0, AT);
    (void)snprintf(next->customer, sizeof next->customer, "%.*s", (int)customer.len,
                   customer.p == NULL ? "" : customer.p);
    op_unit_read_key(&next->op, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void next_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct next *next = (struct next *)unit;
    const struct request *req = &next->op.call->req;
    struct buf body;

    op_unit_put_key(&next->op, params);
    pg_put_int8(params, next->op.broker->epoch);
    param_put_states(params, DO_TAKE);
    pg_put_text(params, req->actor);
    param_put_texts_or_null(params, req->vals[F_QUEUES]);
    pg_put_bytes(params, (struct span){"\x80", 1}); /* an empty map: the event tells who, that is all */
    buf_init(&body, 256);
    wire_put_map(&body, 1);
    wire_put_key_text(&body, "staff", req->actor);
    pg_put_bytes(params, buf_span(&body));
    buf_clear(&body);
    (void)pg_send(pg, W_NEXT, params, next_on_rows, next);
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
    struct next *next = (struct next *)unit;
    struct broker *broker = next->op.broker;
    int64_t ticket = next->changed ? next->ticket : next->key_ticket;

    if (err != NULL) {
        call_refuse(next->op.call, err);
    } else if (!op_unit_conflicts(&next->op)) {
        if (next->changed)
            wakes_changed(broker, ticket, next->attempt, next->version, next->priority,
                          span_of(next->customer), next->at, REASON_EVENT);
        if (ticket == 0)
            reading_no_ticket(next->op.call);
        else
            read_ticket_send(broker->reader_pg, broker->params, ticket, broker->settings.tracking_prefix,
                             op_key_is_duplicate(&next->op.key) ? TAKEN_BEFORE : TAKEN_NOW, next_on_ticket,
                             next->op.call);
    }
    free(next);
}

void taking_next(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = next_send,
                                          .done = next_done};

    if (request_bool(&call->req, F_PEEK, false)) {
        reading_peek(broker, call);
        return;
    }
    struct next *next = mem_new(1, sizeof *next);
    op_unit_start(&next->op, &type, broker, call);
}
