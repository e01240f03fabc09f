/* What staff do with messages to people; see notices.h. */
#include "notices.h"
#include "broker.h"
#include "mem.h"
#include "ops.h"
#include "read_notices.h"
#include "statements.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* As $4 of notice_change.sql. */
enum notice_do { NOTICE_RETRY, NOTICE_DISCARD, NOTICE_RELEASE };

struct noticing {
    struct unit unit;
    struct broker *broker;
    struct call *call;
    enum notice_do what;
    int64_t request; /* random: tells our own repeat from a duplicate */

    /* what the row said: believed after the commit only */
    int64_t count;
    int old_state; /* -1: there is no such message */
    bool key_taken, has_key, key_same, key_ours;
};

static void noticing_on_rows(void *arg, PGresult *rows)
{
    enum { COUNT, KEY_TAKEN, OLD_STATE, KEY_CONTENT, KEY_REQUEST };
    struct noticing *n = arg;
    struct span content = pg_span(rows, 0, KEY_CONTENT);

    n->count = pg_int(rows, 0, COUNT);
    n->key_taken = pg_bool(rows, 0, KEY_TAKEN);
    n->old_state = pg_is_null(rows, 0, OLD_STATE) ? -1 : (int)pg_int(rows, 0, OLD_STATE);
    n->has_key = content.p != NULL;
    n->key_same = content.len == 16 && memcmp(content.p, n->call->req.content_digest, 16) == 0;
    n->key_ours = pg_int(rows, 0, KEY_REQUEST) == n->request;
}

static void put_int_or_null(struct pg_params *params, const struct request *req, enum field field)
{
    if (request_has(req, field))
        pg_put_int8(params, request_int(req, field, 0));
    else
        pg_put_null(params);
}

static void noticing_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct noticing *n = (struct noticing *)unit;
    const struct request *req = &n->call->req;

    pg_put_bytes(params, (struct span){(const char *)req->key_digest, 16});
    pg_put_bytes(params, (struct span){(const char *)req->content_digest, 16});
    pg_put_int8(params, n->request);
    pg_put_int2(params, (int16_t)n->what);
    put_int_or_null(params, req, F_NOTIFICATION);
    pg_put_text(params, req->actor);
    pg_put_bytes(params, request_text(req, F_REASON));
    put_int_or_null(params, req, F_SINCE_AT);
    put_int_or_null(params, req, F_DISCARD_BEFORE_AT);
    (void)pg_send(pg, W_NOTICE_CHANGE, params, noticing_on_rows, n);
}

/* True when it was refused; err says why. */
static bool noticing_is_refused(const struct noticing *n, struct err *err)
{
    static const char *const possible[] = {[NOTICE_RETRY] = "failed, dead, suppressed, cancelled or held",
                                           [NOTICE_DISCARD] = "pending, failed, dead, suppressed or held"};

    if (n->key_taken || (n->has_key && !n->key_same))
        return !err_field(err, ERR_CONFLICT, "key",
                          "key: it was used before with another op or other content");
    if (n->has_key || n->count > 0 || n->what == NOTICE_RELEASE ||
        !request_has(&n->call->req, F_NOTIFICATION))
        return false;
    if (n->old_state < 0)
        return !err_field(err, ERR_NOT_FOUND, "notification", "no notification has the number %lld",
                          (long long)request_int(&n->call->req, F_NOTIFICATION, 0));
    return !err_field(err, ERR_CONFLICT, "state", "the notification is %s; this is possible when it is %s",
                      read_notices_state_name(n->old_state), possible[n->what]);
}

static void noticing_done(struct unit *unit, const struct err *err)
{
    static const char *const names[] = {
        [NOTICE_RETRY] = "retried", [NOTICE_DISCARD] = "discarded", [NOTICE_RELEASE] = "kept_back"};
    struct noticing *n = (struct noticing *)unit;
    struct err why;
    struct buf out;

    if (err != NULL) {
        call_refuse(n->call, err);
    } else if (noticing_is_refused(n, &why)) {
        call_refuse(n->call, &why);
    } else {
        n->broker->outbox_written = true; /* a notifier looks at once */
        buf_init(&out, 256);
        wire_put_map(&out, 2);
        wire_put_key_int(&out, names[n->what], n->count);
        wire_put_key_bool(&out, "duplicate", n->has_key && !n->key_ours);
        call_answer(n->call, buf_span(&out));
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

    n->unit.type = &type;
    n->unit.bytes = wire_doc_bytes(call->req.doc).len + 256;
    n->broker = broker;
    n->call = call;
    n->what = what;
    randombytes_buf(&n->request, sizeof n->request);
    writer_add(broker->writer, &n->unit);
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

static void reading_done(void *arg, struct span body, const struct err *err)
{
    struct call *call = arg;
    if (err != NULL)
        call_refuse(call, err);
    else
        call_answer(call, body);
}

/* "failed", "failed,dead", "all"; nothing: what staff should look at. */
static bool list_states(struct span text, unsigned *ret, struct err *err)
{
    enum { ALL = (1 << 10) - 1, FAILED = 1 << 4 | 1 << 5 | 1 << 9 };
    unsigned states = 0;

    for (size_t i = 0, len = 0; i < text.len; i += len + 1) {
        int state = 0;
        for (len = 0; i + len < text.len && text.p[i + len] != ',';)
            len++;
        struct span word = {text.p + i, len};
        if (span_is(word, "all"))
            states = ALL;
        else if (read_notices_state_parse(word, &state))
            states |= 1u << state;
        else
            return err_field(
                err, ERR_INVALID, "state",
                "state: \"%.*s\" is none of pending, leased, sent, delivered, failed, dead, suppressed, "
                "merged, cancelled, held, all",
                (int)(len > 40 ? 40 : len), word.p);
    }
    *ret = states == 0 ? FAILED : states;
    return true;
}

static bool list_cursor(struct span text, int64_t *ret, struct err *err)
{
    char digits[20];

    *ret = 0;
    if (text.len == 0)
        return true;
    if (text.len >= sizeof digits)
        return err_field(err, ERR_INVALID, "cursor", "cursor: not one of notification.list");
    memcpy(digits, text.p, text.len);
    digits[text.len] = '\0';
    if (strspn(digits, "0123456789") != text.len)
        return err_field(err, ERR_INVALID, "cursor", "cursor: not one of notification.list");
    *ret = strtoll(digits, NULL, 10);
    return true;
}

void notices_list(struct broker *broker, struct call *call)
{
    const struct request *req = &call->req;
    struct read_notices_query query = {.ticket = req->ticket,
                                       .channel = request_text(req, F_OVER_CHANNEL),
                                       .address = request_text(req, F_ADDRESS),
                                       .limit = (int)request_int(req, F_LIMIT, 0)};
    struct err err;

    if (!list_states(request_text(req, F_STATE), &query.states, &err) ||
        !list_cursor(request_text(req, F_CURSOR), &query.before, &err)) {
        call_refuse(call, &err);
        return;
    }
    read_notices_list_send(broker->reader_pg, broker->params, &query, broker->settings.tracking_prefix,
                           reading_done, call);
}

void notices_show(struct broker *broker, struct call *call)
{
    read_notices_show_send(broker->reader_pg, broker->params, request_int(&call->req, F_NOTIFICATION, 0),
                           broker->settings.tracking_prefix, reading_done, call);
}

void notices_why(struct broker *broker, struct call *call)
{
    read_notices_why_send(broker->reader_pg, broker->params, call->req.ticket,
                          broker->settings.tracking_prefix, reading_done, call);
}
