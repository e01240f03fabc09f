/* What people do with an alert; see alerting.h. */
#include "alerting.h"
#include "broker.h"
#include "mem.h"
#include "ops.h"
#include "read_alerts.h"
#include "statements.h"
#include "tracking.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* As $5 of alert_change.sql. */
enum alert_do { ALERT_ACK, ALERT_UNACK, ALERT_RESOLVE };

struct alerting {
    struct unit unit;
    struct broker *broker;
    struct call *call;
    enum alert_do what;
    int64_t alert;
    int64_t request; /* random: tells our own repeat from a duplicate */

    /* what the row said: believed after the commit only */
    bool changed, is_there, key_taken, has_key, key_same, key_ours;
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
    struct span content = pg_span(rows, 0, KEY_CONTENT);

    a->changed = pg_bool(rows, 0, CHANGED);
    a->is_there = pg_bool(rows, 0, IS_THERE);
    a->old_state = (int)pg_int(rows, 0, OLD_STATE);
    a->old_generation = (int32_t)pg_int(rows, 0, OLD_GENERATION);
    a->generation = (int32_t)pg_int(rows, 0, GENERATION);
    a->ticket = pg_int(rows, 0, TICKET);
    a->key_taken = pg_bool(rows, 0, KEY_TAKEN);
    a->has_key = content.p != NULL;
    a->key_same = content.len == 16 && memcmp(content.p, a->call->req.content_digest, 16) == 0;
    a->key_ours = pg_int(rows, 0, KEY_REQUEST) == a->request;
}

static void alerting_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct alerting *a = (struct alerting *)unit;
    const struct request *req = &a->call->req;

    pg_put_bytes(params, (struct span){(const char *)req->key_digest, 16});
    pg_put_bytes(params, (struct span){(const char *)req->content_digest, 16});
    pg_put_int8(params, a->request);
    pg_put_int8(params, a->alert);
    pg_put_int2(params, (int16_t)a->what);
    pg_put_text(params, req->actor);
    if (request_has(req, F_GENERATION))
        pg_put_int4(params, (int32_t)request_int(req, F_GENERATION, 0));
    else
        pg_put_null(params);
    (void)pg_send(pg, W_ALERT_CHANGE, params, alerting_on_rows, a);
    pg_params_reset(params);
    pg_put_int8(params, a->alert);
    (void)pg_send(pg, W_ALERT_WITHDRAW, params, NULL, NULL);
}

static void alerting_answer(const struct alerting *a)
{
    static const int after[] = {[ALERT_ACK] = 1, [ALERT_UNACK] = 0, [ALERT_RESOLVE] = 2};
    bool duplicate = a->has_key && !a->key_ours;
    /* What is resolved stays so, whatever was asked. */
    int state = a->changed || a->has_key ? after[a->what] : a->old_state;
    char tracking[TRACKING_TEXT_BYTES];
    struct buf out;

    buf_init(&out, 512);
    wire_put_map(&out, 5);
    wire_put_key_int(&out, "alert", a->alert);
    wire_put_key_text(&out, "state", read_alerts_state_name(state));
    wire_put_key_int(&out, "generation", a->generation);
    wire_put_text(&out, "tracking");
    if (a->ticket != 0)
        tracking_format(a->ticket, a->broker->settings.tracking_prefix, tracking);
    wire_put_text(&out, a->ticket != 0 ? tracking : NULL);
    wire_put_key_bool(&out, "duplicate", duplicate);
    call_answer(a->call, buf_span(&out));
    buf_clear(&out);
}

/* Whether it was refused, and why. A resolved alert is no refusal: there is nothing left to be done. */
static bool alerting_is_refused(const struct alerting *a, struct err *err)
{
    if (a->key_taken || (a->has_key && !a->key_same))
        return !err_field(err, ERR_CONFLICT, "key",
                          "key: it was used before with another op or other content");
    if (a->changed || a->has_key)
        return false;
    if (!a->is_there)
        return !err_field(err, ERR_NOT_FOUND, "alert", "no alert has the number %lld", (long long)a->alert);
    if (a->old_state == 2)
        return false;
    if (request_has(&a->call->req, F_GENERATION) &&
        request_int(&a->call->req, F_GENERATION, 0) != a->old_generation)
        return !err_field(err, ERR_CONFLICT, "generation",
                          "the alert was opened again since: this is for generation %lld, it is at %d",
                          (long long)request_int(&a->call->req, F_GENERATION, 0), (int)a->old_generation);
    return !err_field(err, ERR_CONFLICT, "state",
                      "the alert is open; alert.unack is possible when it is acknowledged");
}

static void alerting_done(struct unit *unit, const struct err *err)
{
    struct alerting *a = (struct alerting *)unit;
    struct err why;

    if (err != NULL) {
        call_refuse(a->call, err);
    } else if (alerting_is_refused(a, &why)) {
        call_refuse(a->call, &why);
    } else {
        a->broker->outbox_written = a->broker->outbox_written || a->changed;
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

    a->unit.type = &type;
    a->unit.bytes = wire_doc_bytes(call->req.doc).len + 256;
    a->broker = broker;
    a->call = call;
    a->what = what;
    a->alert = request_int(&call->req, F_ALERT, 0);
    randombytes_buf(&a->request, sizeof a->request);
    writer_add(broker->writer, &a->unit);
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

static void reading_done(void *arg, struct span body, const struct err *err)
{
    struct call *call = arg;
    if (err != NULL)
        call_refuse(call, err);
    else
        call_answer(call, body);
}

/* "open", "open,acknowledged", "all"; nothing: what is not resolved. */
static bool list_states(struct span text, unsigned *ret, struct err *err)
{
    enum { NOT_RESOLVED = 3, ALL = 7 };
    unsigned states = 0;

    for (size_t i = 0; i < text.len;) {
        size_t len = 0;
        int state = 0;
        while (i + len < text.len && text.p[i + len] != ',')
            len++;
        struct span word = {text.p + i, len};
        if (span_is(word, "all"))
            states = ALL;
        else if (read_alerts_state_parse(word, &state))
            states |= 1u << state;
        else
            return err_field(err, ERR_INVALID, "state",
                             "state: \"%.*s\" is none of open, acknowledged, resolved, all",
                             (int)(len > 40 ? 40 : len), word.p);
        i += len + 1;
    }
    *ret = states == 0 ? NOT_RESOLVED : states;
    return true;
}

static bool list_cursor(struct span text, int64_t *ret, struct err *err)
{
    *ret = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || text.len > 18)
            return err_field(err, ERR_INVALID, "cursor", "cursor: not one of alert.list");
        *ret = *ret * 10 + (text.p[i] - '0');
    }
    return true;
}

void alerting_list(struct broker *broker, struct call *call)
{
    const struct request *req = &call->req;
    struct read_alerts_query query = {.priority = (int)request_int(req, F_PRIORITY, 0),
                                      .kind = request_text(req, F_KIND),
                                      .ticket = req->ticket,
                                      .limit = (int)request_int(req, F_LIMIT, 0)};
    struct err err;

    if (!list_states(request_text(req, F_STATE), &query.states, &err) ||
        !list_cursor(request_text(req, F_CURSOR), &query.before, &err)) {
        call_refuse(call, &err);
        return;
    }
    read_alerts_list_send(broker->reader_pg, broker->params, &query, broker->settings.tracking_prefix,
                          reading_done, call);
}

void alerting_show(struct broker *broker, struct call *call)
{
    read_alerts_show_send(broker->reader_pg, broker->params, request_int(&call->req, F_ALERT, 0),
                          broker->settings.tracking_prefix, reading_done, call);
}
