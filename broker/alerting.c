/* What people do with an alert; see alerting.h. */
#include "alerting.h"
#include "broker.h"
#include "calls.h"
#include "listing.h"
#include "mem.h"
#include "op_unit.h"
#include "param_put.h"
#include "pg.h"
#include "read_alerts.h"
#include "statements.h"
#include "tracking.h"
#include "words.h"
#include "writer.h"

#include <stdlib.h>

/* As $5 of alert_change.sql. */
enum alert_do { ALERT_ACK, ALERT_UNACK, ALERT_RESOLVE };

struct alerting {
    struct op_unit op;
    enum alert_do what;

    /* what the row said: believed after the commit only */
    bool changed, is_there;
    int old_state;
    int32_t old_generation, generation;
    int64_t ticket;
};

static void alerting_on_rows(void *arg, PGresult *rows)
{
    enum {
        CHANGED,
        IS_THERE,
        OLD_STATE,
        OLD_GENERATION,
        GENERATION,
        TICKET,
        ACKED_BY,
        KEY_TAKEN,
        KEY_CONTENT,
        KEY_REQUEST
    };
    struct alerting *a = arg;

    a->changed = pg_bool(rows, 0, CHANGED);
    a->is_there = pg_bool(rows, 0, IS_THERE);
    a->old_state = (int)pg_int(rows, 0, OLD_STATE);
    a->old_generation = (int32_t)pg_int(rows, 0, OLD_GENERATION);
    a->generation = (int32_t)pg_int(rows, 0, GENERATION);
    a->ticket = pg_int(rows, 0, TICKET);
    op_unit_read_key(&a->op, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void alerting_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct alerting *a = (struct alerting *)unit;
    const struct request *req = &a->op.call->req;

    op_unit_put_key(&a->op, params);
    pg_put_int8(params, a->op.unit.alert);
    pg_put_int2(params, (int16_t)a->what);
    pg_put_text(params, req->actor);
    param_put_int4(params, req, F_GENERATION);
    (void)pg_send(pg, W_ALERT_CHANGE, params, alerting_on_rows, a);
    pg_params_reset(params);
    pg_put_int8(params, a->op.unit.alert);
    (void)pg_send(pg, W_ALERT_WITHDRAW, params, NULL, NULL);
}

static void alerting_answer(const struct alerting *a)
{
    static const int after[] = {[ALERT_ACK] = ALERT_IS_ACKNOWLEDGED,
                                [ALERT_UNACK] = ALERT_IS_OPEN,
                                [ALERT_RESOLVE] = ALERT_IS_RESOLVED};
    /* What is resolved stays so, whatever was asked. */
    int state = a->changed || a->op.key.is_there ? after[a->what] : a->old_state;
    char tracking[TRACKING_TEXT_BYTES];
    struct buf out;

    buf_init(&out, 512);
    wire_put_map(&out, 5);
    wire_put_key_int(&out, "alert", a->op.unit.alert);
    wire_put_key_text(&out, "state", words_name(&words_alert_states, state));
    wire_put_key_int(&out, "generation", a->generation);
    wire_put_text(&out, "tracking");
    if (a->ticket != 0)
        tracking_format(a->ticket, a->op.broker->settings.tracking_prefix, tracking);
    wire_put_text(&out, a->ticket != 0 ? tracking : NULL);
    wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&a->op.key));
    call_answer(a->op.call, buf_span(&out));
    buf_clear(&out);
}

/* Whether it was refused, and why. A resolved alert is no refusal: there is nothing left to be done. */
static bool alerting_is_refused(const struct alerting *a, struct err *err)
{
    if (!op_key_check(&a->op.key, err))
        return true;
    if (a->changed || a->op.key.is_there)
        return false;
    if (!a->is_there)
        return !err_field(err, ERR_NOT_FOUND, "alert", "no alert has the number %lld",
                          (long long)a->op.unit.alert);
    if (a->old_state == ALERT_IS_RESOLVED)
        return false;
    if (request_has(&a->op.call->req, F_GENERATION) &&
        request_int(&a->op.call->req, F_GENERATION, 0) != a->old_generation)
        return !err_field(err, ERR_CONFLICT, "generation",
                          "the alert was opened again since: this is for generation %lld, it is at %d",
                          (long long)request_int(&a->op.call->req, F_GENERATION, 0), (int)a->old_generation);
    return !err_field(err, ERR_CONFLICT, "state",
                      "the alert is open; alert.unack is possible when it is acknowledged");
}

static void alerting_done(struct unit *unit, const struct err *err)
{
    struct alerting *a = (struct alerting *)unit;
    struct err why;

    if (err != NULL) {
        call_refuse(a->op.call, err);
    } else if (alerting_is_refused(a, &why)) {
        call_refuse(a->op.call, &why);
    } else {
        a->op.broker->outbox_written = a->op.broker->outbox_written || a->changed;
        alerting_answer(a);
    }
    free(a);
}

static void alerting_start(struct broker *broker, struct call *call, enum alert_do what)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = alerting_send,
                                          .done = alerting_done};
    struct alerting *a = mem_new(1, sizeof *a);

    a->what = what;
    a->op.unit.alert = request_int(&call->req, F_ALERT, 0);
    op_unit_start(&a->op, &type, broker, call);
}

void alerting_ack(struct broker *broker, struct call *call)
{
    alerting_start(broker, call, ALERT_ACK);
}

void alerting_unack(struct broker *broker, struct call *call)
{
    alerting_start(broker, call, ALERT_UNACK);
}

void alerting_resolve(struct broker *broker, struct call *call)
{
    alerting_start(broker, call, ALERT_RESOLVE);
}

/* ---- reading ---- */

void alerting_list(struct broker *broker, struct call *call)
{
    const struct request *req = &call->req;
    struct read_alerts_query query = {.priority = (int)request_int(req, F_PRIORITY, 0),
                                      .kind = request_text(req, F_KIND),
                                      .ticket = req->ticket,
                                      .limit = (int)request_int(req, F_LIMIT, 0)};
    struct err err;

    /* Nothing asked for: what is not resolved. */
    enum {
        NOT_RESOLVED = 1 << ALERT_IS_OPEN | 1 << ALERT_IS_ACKNOWLEDGED,
        ALL = NOT_RESOLVED | 1 << ALERT_IS_RESOLVED
    };
    static const struct listing_sets sets = {&words_alert_states, {{"all", ALL}}, NOT_RESOLVED};
    if (!listing_states(request_text(req, F_STATE), &sets, &query.states, &err) ||
        !listing_cursor(request_text(req, F_CURSOR), "alert.list", &query.before, &err)) {
        call_refuse(call, &err);
        return;
    }
    read_alerts_list_send(broker->reader_pg, broker->params, &query, broker->settings.tracking_prefix,
                          listing_done, call);
}

void alerting_show(struct broker *broker, struct call *call)
{
    read_alerts_show_send(broker->reader_pg, broker->params, request_int(&call->req, F_ALERT, 0),
                          broker->settings.tracking_prefix, listing_done, call);
}
