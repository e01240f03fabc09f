/* What staff do with messages to people; see notices.h. */
#include "notices.h"
#include "broker.h"
#include "calls.h"
#include "channels.h"
#include "listing.h"
#include "mem.h"
#include "op_unit.h"
#include "param_put.h"
#include "pg.h"
#include "read_notices.h"
#include "statements.h"
#include "words.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>

/* As $4 of notice_change.sql. */
enum notice_do { NOTICE_RETRY, NOTICE_DISCARD, NOTICE_RELEASE };

struct noticing {
    struct op_unit op;
    enum notice_do what;

    /* what the row said: believed after the commit only */
    int64_t count;
    int old_state; /* -1: there is no such message */
};

static void noticing_on_rows(void *arg, PGresult *rows)
{
    enum { COUNT, KEY_TAKEN, OLD_STATE, KEY_CONTENT, KEY_REQUEST };
    struct noticing *n = arg;

    n->count = pg_int(rows, 0, COUNT);
    n->old_state = pg_is_null(rows, 0, OLD_STATE) ? -1 : (int)pg_int(rows, 0, OLD_STATE);
    op_unit_read_key(&n->op, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void noticing_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct noticing *n = (struct noticing *)unit;
    const struct request *req = &n->op.call->req;

    op_unit_put_key(&n->op, params);
    pg_put_int2(params, (int16_t)n->what);
    param_put_int8(params, req, F_NOTIFICATION);
    pg_put_text(params, req->actor);
    pg_put_bytes(params, request_text(req, F_REASON));
    param_put_int8(params, req, F_SINCE_AT);
    param_put_int8(params, req, F_DISCARD_BEFORE_AT);
    (void)pg_send(pg, W_NOTICE_CHANGE, params, noticing_on_rows, n);
}

/* True when it was refused; err says why. */
static bool noticing_is_refused(const struct noticing *n, struct err *err)
{
    static const char *const possible[] = {[NOTICE_RETRY] = "failed, dead, suppressed, cancelled or held",
                                           [NOTICE_DISCARD] = "pending, failed, dead, suppressed or held"};

    if (!op_key_check(&n->op.key, err))
        return true;
    if (n->op.key.is_there || n->count > 0 || n->what == NOTICE_RELEASE ||
        !request_has(&n->op.call->req, F_NOTIFICATION))
        return false;
    if (n->old_state < 0)
        return !err_field(err, ERR_NOT_FOUND, "notification", "no notification has the number %lld",
                          (long long)request_int(&n->op.call->req, F_NOTIFICATION, 0));
    return !err_field(err, ERR_CONFLICT, "state", "the notification is %s; this is possible when it is %s",
                      words_name(&words_delivery_states, n->old_state), possible[n->what]);
}

static void noticing_done(struct unit *unit, const struct err *err)
{
    static const char *const names[] = {
        [NOTICE_RETRY] = "retried", [NOTICE_DISCARD] = "discarded", [NOTICE_RELEASE] = "kept_back"};
    struct noticing *n = (struct noticing *)unit;
    struct err why;
    struct buf out;

    if (err != NULL) {
        call_refuse(n->op.call, err);
    } else if (noticing_is_refused(n, &why)) {
        call_refuse(n->op.call, &why);
    } else {
        n->op.broker->outbox_written = true; /* a notifier looks at once */
        buf_init(&out, 256);
        wire_put_map(&out, 2);
        wire_put_key_int(&out, names[n->what], n->count);
        wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&n->op.key));
        call_answer(n->op.call, buf_span(&out));
        buf_clear(&out);
    }
    free(n);
}

static void noticing_start(struct broker *broker, struct call *call, enum notice_do what)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = noticing_send,
                                          .done = noticing_done};
    struct noticing *n = mem_new(1, sizeof *n);

    n->what = what;
    op_unit_start(&n->op, &type, broker, call);
}

bool notices_check_retry(const struct request *req, struct err *err)
{
    if (request_has(req, F_NOTIFICATION) == request_bool(req, F_ALL, false))
        return err_field(err, ERR_INVALID, "notification", "want either notification or all: true");
    return true;
}

void notices_retry(struct broker *broker, struct call *call)
{
    noticing_start(broker, call, NOTICE_RETRY);
}

void notices_discard(struct broker *broker, struct call *call)
{
    noticing_start(broker, call, NOTICE_DISCARD);
}

void notices_release(struct broker *broker, struct call *call)
{
    noticing_start(broker, call, NOTICE_RELEASE);
}

/* ---- reading ---- */

static bool channel_is_known(struct span channel, struct err *err)
{
    char text[64];

    (void)snprintf(text, sizeof text, "%.*s", (int)channel.len, channel.p == NULL ? "" : channel.p);
    return channel.p == NULL || channel_name_find(text) != NULL ||
           err_field(err, ERR_INVALID, "channel", "channel: \"%s\" is none of %s", text, channel_names + 2);
}

void notices_list(struct broker *broker, struct call *call)
{
    const struct request *req = &call->req;
    struct read_notices_query query = {.ticket = req->ticket,
                                       .channel = request_text(req, F_OVER_CHANNEL),
                                       .address = request_text(req, F_ADDRESS),
                                       .limit = (int)request_int(req, F_LIMIT, 0)};
    struct err err;

    /* Nothing asked for: what staff should look at. */
    enum {
        ALL = (1 << DELIVERY_STATES) - 1,
        NOT_TOLD = 1 << DELIVERY_FAILED | 1 << DELIVERY_DEAD | 1 << DELIVERY_HELD
    };
    static const struct listing_sets sets = {&words_delivery_states, {{"all", ALL}}, NOT_TOLD};
    if (!listing_states(request_text(req, F_STATE), &sets, &query.states, &err) ||
        !channel_is_known(query.channel, &err) ||
        !listing_cursor(request_text(req, F_CURSOR), "notification.list", &query.before, &err)) {
        call_refuse(call, &err);
        return;
    }
    read_notices_list_send(broker->reader_pg, broker->params, &query, broker->settings.tracking_prefix,
                           listing_done, call);
}

void notices_show(struct broker *broker, struct call *call)
{
    read_notices_show_send(broker->reader_pg, broker->params, request_int(&call->req, F_NOTIFICATION, 0),
                           broker->settings.tracking_prefix, listing_done, call);
}

void notices_why(struct broker *broker, struct call *call)
{
    read_notices_why_send(broker->reader_pg, broker->params, call->req.ticket,
                          broker->settings.tracking_prefix, listing_done, call);
}
