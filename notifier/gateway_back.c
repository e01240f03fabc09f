/* What a gateway of telephones says about a call; see gateway_back.h. */
#include "gateway_back.h"
#include "broker_ask.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "statements.h"
#include "token.h"
#include "tracking.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 129, SAY_BYTES = 256 };

/* What may have become of a call; reached: somebody took it. */
static const struct {
    const char *name;
    bool reached;
} results[] = {{"answered", true}, {"sent", true},      {"no_answer", false},
               {"busy", false},    {"rejected", false}, {"failed", false}};

struct call {
    struct notifier *notifier;
    struct http_request *request;
    int64_t delivery;
    uint32_t who;
    const char *result; /* static */
    bool reached, takes, has_key;
    /* of the delivery */
    bool is_found;
    char name[NAME_BYTES], tracking[TRACKING_TEXT_BYTES];
    int64_t ticket;
    struct call_alert {
        int64_t id;
        int32_t generation;
    } * alerts; /* several: they were joined into one call, and are answered together */
    size_t alert_count;
    size_t asked, acked,
        over; /* answers that are still to come; alerts that are acknowledged; of them those that had been resolved */
    enum err_code fault; /* of one that was not */
};

bool gateway_back_is(const char *path)
{
    return strstr(path, "/g/") != NULL;
}

static void answer(struct http_request *request, unsigned status, const char *say)
{
    struct http_answer answer = {.status = status, .type = "application/json"};
    struct buf bytes;
    struct wire_doc *doc = NULL;
    struct err ignored;

    buf_init(&bytes, 1024);
    buf_init(&answer.body, 2048);
    wire_put_map(&bytes, 1);
    wire_put_key_text(&bytes, "say", say);
    if (wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &ignored))
        wire_to_json(&answer.body, wire_root(doc));
    wire_doc_free(doc);
    buf_clear(&bytes);
    http_request_answer(request, &answer);
}

static void call_end(struct call *call, unsigned status, const char *say)
{
    struct http_request *request = call->request;
    bool is_served = call->notifier->links != NULL; /* else the server was closed, and the request with it */
    free(call->alerts);
    free(call);
    if (is_served)
        answer(request, status, say);
}

/* ---- acting ---- */

/* What is said at last, by what became of the ticket. */
enum taking { TAKING_NOT_ASKED, TAKING_DONE, TAKING_REFUSED, TAKINGS };

static void say_acked(struct call *call, enum taking taking)
{
    static const char *const words[2][TAKINGS] = {
        {"Acknowledged. Thank you.", "Acknowledged, and the ticket is yours.",
         "Acknowledged, but the ticket cannot be taken."},
        {"It is resolved already. Thank you.", "It is resolved already, and the ticket is yours.",
         "It is resolved already, and the ticket cannot be taken."}};
    call_end(call, 200, words[call->over == call->acked][taking]);
}

static void on_taken(void *arg, const struct wire_val *body, const struct err *err)
{
    (void)body;
    say_acked(arg, err == NULL ? TAKING_DONE : TAKING_REFUSED);
}

/* Of several that were joined it may be that somebody else was quicker with one. */
static void on_acked(void *arg, const struct wire_val *body, const struct err *err)
{
    struct call *call = arg;

    if (err == NULL) {
        call->acked++;
        call->over += span_is(wire_find_str(body, "state"), "resolved");
    } else {
        call->fault = err->code;
        log_event(LOG_WARN, "call_not_acked", "delivery=%lld reason=%s", (long long)call->delivery,
                  log_quote(err->msg));
    }
    if (--call->asked != 0)
        return;
    if (call->acked == 0) {
        call_end(call, err_is_retry(call->fault) || call->fault == ERR_TIMEOUT ? 503 : 409,
                 "That was not possible.");
        return;
    }
    log_event(LOG_INFO, "call_acked", "delivery=%lld alerts=%zu by=%s", (long long)call->delivery,
              call->acked, log_quote(call->name));
    if (call->takes && call->ticket != 0)
        broker_ask_of_ticket(call->notifier->ask, "ticket.take", call->name, call->tracking, on_taken, call);
    else
        say_acked(call, TAKING_NOT_ASKED);
}

static void ask_ack(struct call *call)
{
    call->asked = call->alert_count;
    for (size_t i = 0, count = call->alert_count; i < count; i++) {
        struct buf body;
        buf_init(&body, ASK_BODY_BYTES_MAX);
        wire_put_map(&body, 3);
        broker_ask_put_staff(&body, call->name);
        wire_put_key_int(&body, "alert", call->alerts[i].id);
        wire_put_key_int(&body, "generation", call->alerts[i].generation);
        broker_ask_send(call->notifier->ask, "alert.ack", buf_span(&body), on_acked, call);
        buf_clear(&body);
    }
}

/* ---- looking ---- */

static void on_rows(void *arg, PGresult *rows)
{
    struct call *call = arg;
    char address[CHANNEL_ADDRESS_BYTES];

    if (PQntuples(rows) == 0)
        return;
    struct span at = pg_span(rows, 0, 0), name = pg_span(rows, 0, 1);
    (void)snprintf(address, sizeof address, "%.*s", (int)at.len, at.p);
    call->is_found = token_is_for(call->who, address);
    (void)snprintf(call->name, sizeof call->name, "%.*s", (int)(name.len < NAME_BYTES ? name.len : 0),
                   name.p);
    call->alerts = mem_new((size_t)PQntuples(rows), sizeof *call->alerts);
    for (int i = 0; i < PQntuples(rows); i++)
        if (pg_int(rows, i, 2) != 0)
            call->alerts[call->alert_count++] =
                (struct call_alert){pg_int(rows, i, 2), (int32_t)pg_int(rows, i, 3)};
    call->ticket = pg_int(rows, 0, 4);
    if (call->ticket != 0)
        tracking_format(call->ticket, call->notifier->settings.tracking_prefix, call->tracking);
}

static void on_looked(void *arg, const struct pg_end *end)
{
    struct call *call = arg;

    if (end->outcome != PG_OK)
        call_end(call, 503, "Please try again.");
    else if (!call->is_found)
        call_end(call, 404, "There is no such call.");
    else if (call->has_key && call->alert_count != 0)
        ask_ack(call);
    else
        call_end(call, 200, call->has_key ? "Thank you." : "Noted.");
}

/* ---- requests ---- */

static bool read_result(struct call *call, struct span name)
{
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
        if (span_is(name, results[i].name)) {
            call->result = results[i].name;
            call->reached = results[i].reached;
            return true;
        }
    return false;
}

static bool read_body(struct call *call)
{
    struct span json = http_request_body(call->request);
    struct wire_doc *doc = NULL;
    struct err ignored;
    struct buf bytes;

    buf_init(&bytes, HTTP_FORM_BYTES_MAX * 2);
    bool ok = json.len != 0 && wire_from_json(&bytes, json.p, json.len, &ignored) &&
              wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &ignored);
    if (ok) {
        const struct wire_val *pressed = wire_find(wire_root(doc), "key");
        struct span key = SPAN_NONE;
        /* A key that is a number would be none at all, and who pressed it would be called again. */
        ok = (wire_type(pressed) == WIRE_NIL || wire_get_str(pressed, &key)) &&
             read_result(call, wire_find_str(wire_root(doc), "result"));
        call->takes = span_is(key, "2");
        call->has_key = call->reached && (span_is(key, "1") || call->takes);
    }
    wire_doc_free(doc);
    buf_clear(&bytes);
    return ok;
}

static bool read_token(struct call *call)
{
    const char *at = strstr(http_request_path(call->request), "/g/");
    return at != NULL && token_mail_parse(&call->notifier->link_key, TOKEN_RESULT, span_of(at + 3),
                                          &call->delivery, &call->who);
}

void gateway_back_take(struct notifier *notifier, struct http_request *request)
{
    struct call *call = mem_new(1, sizeof *call);
    struct pg_params *params = notifier->params;

    call->notifier = notifier;
    call->request = request;
    if (!read_token(call)) {
        call_end(call, 404, "There is no such call.");
    } else if (!http_request_is_post(request)) {
        call_end(call, 405, "Want a POST.");
    } else if (!read_body(call)) {
        call_end(call, 400,
                 "Want {\"result\": answered, sent, no_answer, busy, rejected or failed, \"key\": \"1\"}.");
    } else {
        pg_params_reset(params);
        pg_put_int8(params, call->delivery);
        pg_put_text(params, call->result);
        pg_put_bool(params, call->reached);
        (void)pg_send(notifier->tell, TELL_GATEWAY_RESULT, params, on_rows, call);
        pg_sync(notifier->tell, on_looked, call);
    }
}
