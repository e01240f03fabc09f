/* A worker's connection to one broker; see link.h. */
#include "link.h"

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "sending.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <czmq.h>

enum {
    SILENCE_AGAIN_S = 60,
    TURN_MESSAGES = 256,         /* taken from one broker before another has its turn */
    BROKEN_MAX = 5,              /* messages not of this form in a row end the session */
    MESSAGE_BYTES_MAX = 8 << 20, /* a process has at most 3 MiB; a work a ticket and its events */
    DEPTH_MAX = 32,
    HASH_BYTES = 129,
    MISSED_BEATS = 3,
    RETRY_MS_LEAST = 50,
    RETRY_MS_MOST = 2000
};

enum link_state { LINK_GREETING, LINK_WELCOMED, LINK_READY, LINK_LEAVING, LINK_LEFT };

struct link {
    struct link_config config;
    const struct link_calls *calls;
    zsock_t *socket;
    unsigned generation;
    enum link_state state;
    int64_t beat_us;
    int64_t heard_at, sent_at;
    int64_t silent_at,
        silence_said_at; /* since when no broker answers there, and when that was said last; 0: one does */
    unsigned broken;
    uint64_t decisions;
    char hash[HASH_BYTES];
    void *version;
    struct buf body, out;
    struct sending *sending;
};

/* ---- sending ---- */

/* Never waits: what is out is bounded by the credits, so the socket has no limit of its own. */
static void link_send(struct link *link, const char *op, const int64_t *id, int64_t now_us)
{
    struct buf *out = &link->out;
    int reason;

    buf_reset(out);
    wire_put_map(out, id == NULL ? 3 : 4);
    wire_put_key_int(out, "dkt", 1);
    wire_put_key_text(out, "op", op);
    if (id != NULL)
        wire_put_key_int(out, "id", *id);
    wire_put_text(out, "body");
    wire_put_raw(out, buf_span(&link->body));
    if (out->failed || link->body.failed) {
        log_event(LOG_ERROR, "message_too_large", "op=%s broker=%s", op, link->config.endpoint);
        return;
    }
    link->sent_at = now_us;
    int64_t failed = sending_failed(link->sending, &reason);
    sending_frame(link->sending, buf_span(out), false);
    if (sending_failed(link->sending, &reason) != failed)
        log_event(LOG_WARN, "send_failed", "op=%s broker=%s reason=%s", op, link->config.endpoint,
                  log_quote(zmq_strerror(reason)));
}

static void link_send_empty(struct link *link, const char *op, int64_t now_us)
{
    buf_reset(&link->body);
    wire_put_map(&link->body, 0);
    link_send(link, op, NULL, now_us);
}

static void link_hello(struct link *link, int64_t now_us)
{
    buf_reset(&link->body);
    wire_put_map(&link->body, 3);
    wire_put_key_text(&link->body, "name", link->config.name);
    wire_put_key_text(&link->body, "version", DOCKET_VERSION);
    wire_put_key_text(&link->body, "zones", link->config.zones);
    link_send(link, "hello", NULL, now_us);
    link->state = LINK_GREETING;
}

static void link_ready(struct link *link, int64_t now_us)
{
    buf_reset(&link->body);
    wire_put_map(&link->body, 2);
    wire_put_key_int(&link->body, "credits", link->config.credits);
    wire_put_key_text(&link->body, "process", link->hash);
    link_send(link, "ready", NULL, now_us);
    link->state = LINK_READY;
}

/* ---- connecting ---- */

static void link_open(struct link *link, int64_t now_us)
{
    zsock_destroy(&link->socket);
    link->socket = zsock_new(ZMQ_DEALER);
    if (link->socket == NULL) {
        log_event(LOG_ERROR, "socket_failed", "reason=%s", log_quote(zmq_strerror(errno)));
        abort();
    }
    sending_set_socket(link->sending, zsock_resolve(link->socket));
    zsock_set_linger(link->socket, 0);
    zsock_set_sndhwm(link->socket, 0);
    zsock_set_rcvhwm(link->socket, 0);
    zsock_set_maxmsgsize(link->socket, MESSAGE_BYTES_MAX);
    zsock_set_reconnect_ivl(link->socket, RETRY_MS_LEAST);
    zsock_set_reconnect_ivl_max(link->socket, RETRY_MS_MOST);
    if (zsock_connect(link->socket, "%s", link->config.endpoint) != 0)
        log_event(LOG_ERROR, "connect_failed", "broker=%s reason=%s", link->config.endpoint,
                  log_quote(zmq_strerror(errno)));
    link->generation++;
    link->broken = 0;
    link->heard_at = now_us;
    link->beat_us = US_PER_S;
    link_hello(link, now_us);
}

struct link *link_new(const struct link_config *config, const struct link_calls *calls, int64_t now_us)
{
    struct link *link = mem_new(1, sizeof *link);

    link->config = *config;
    link->calls = calls;
    buf_init(&link->body, MESSAGE_BYTES_MAX);
    buf_init(&link->out, MESSAGE_BYTES_MAX + 1024);
    link->sending = sending_new(NULL);
    link_open(link, now_us);
    return link;
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    zsock_destroy(&link->socket);
    buf_clear(&link->body);
    buf_clear(&link->out);
    sending_free(link->sending);
    free(link);
}

/* ---- receiving ---- */

static void on_process(struct link *link, const struct wire_val *process, int64_t now_us)
{
    bool leaving = link->state == LINK_LEAVING;

    buf_reset(&link->body);
    if (!link->calls->on_process(link->calls->self, link, process, &link->body))
        link_send(link, "refused", NULL, now_us);
    if (link->version != NULL && !leaving)
        link_ready(link, now_us);
}

static bool on_welcome(struct link *link, const struct wire_val *body, const int64_t *id, int64_t now_us)
{
    const struct wire_val *process = wire_find(body, "process");
    int64_t beat_s = wire_find_int(body, "heartbeat_s", 1);
    struct span broker = wire_find_str(body, "broker");
    (void)id;

    link->beat_us = (beat_s < 1 ? 1 : beat_s > 60 ? 60 : beat_s) * US_PER_S;
    link->silent_at = link->silence_said_at = 0;
    log_event(LOG_INFO, "broker_welcome", "broker=%s name=%.*s", link->config.endpoint, (int)broker.len,
              broker.len == 0 ? "" : broker.p);
    if (link->state == LINK_GREETING)
        link->state = LINK_WELCOMED;
    if (wire_type(process) == WIRE_MAP)
        on_process(link, process, now_us);
    return true;
}

static bool on_new_process(struct link *link, const struct wire_val *body, const int64_t *id, int64_t now_us)
{
    (void)id;
    on_process(link, body, now_us);
    return true;
}

static void link_put_error(struct link *link, const struct err *err, bool answer)
{
    char code[64];

    (void)snprintf(code, sizeof code, "%s", err_code_name(err->code));
    buf_reset(&link->body);
    if (answer) {
        wire_put_map(&link->body, 2);
        wire_put_key_bool(&link->body, "ok", false);
        wire_put_text(&link->body, "error");
    }
    wire_put_map(&link->body, answer && err->field[0] != '\0' ? 3 : 2);
    wire_put_key_text(&link->body, "code", code);
    wire_put_key_text(&link->body, "message", err->msg);
    if (answer && err->field[0] != '\0')
        wire_put_key_text(&link->body, "field", err->field);
}

static bool on_work(struct link *link, const struct wire_val *body, const int64_t *id, int64_t now_us)
{
    struct err err = {0};

    if (id == NULL || wire_type(body) != WIRE_MAP)
        return false;
    buf_reset(&link->body);
    if (link->calls->on_work(link->calls->self, link, body, &link->body, &err) && !link->body.failed) {
        link->decisions++;
        link_send(link, "decision", id, now_us);
        return true;
    }
    if (err.code == ERR_NONE)
        (void)err_set(&err, ERR_TOO_LARGE, "the decision is too large");
    link_put_error(link, &err, false);
    link_send(link, "fail", id, now_us);
    return true;
}

static bool on_ask(struct link *link, const struct wire_val *body, const int64_t *id, int64_t now_us)
{
    struct err err = {0};

    if (id == NULL || wire_type(body) != WIRE_MAP)
        return false;
    buf_reset(&link->body);
    if (!link->calls->on_ask(link->calls->self, link, body, &link->body, &err) || link->body.failed) {
        if (err.code == ERR_NONE)
            (void)err_set(&err, ERR_TOO_LARGE, "the answer is too large");
        link_put_error(link, &err, true);
    }
    link_send(link, "answer", id, now_us);
    return true;
}

static bool on_heartbeat(struct link *link, const struct wire_val *body, const int64_t *id, int64_t now_us)
{
    (void)link, (void)body, (void)id, (void)now_us;
    return true;
}

/* Answer to our bye: nothing is out any more. Unasked for, the broker leaves: look for it again when it is silent. Both come when
 * both leave at once. */
static bool on_bye(struct link *link, const struct wire_val *body, const int64_t *id, int64_t now_us)
{
    (void)body, (void)id, (void)now_us;
    log_event(LOG_INFO, "broker_bye", "broker=%s", link->config.endpoint);
    link->state = link->state == LINK_LEAVING || link->state == LINK_LEFT ? LINK_LEFT : LINK_GREETING;
    return true;
}

/* The broker does not know us: greet again; a worker that is leaving has nothing out there any more. */
static bool on_stranger(struct link *link, const struct wire_val *body, const int64_t *id, int64_t now_us)
{
    (void)body, (void)id;
    log_event(LOG_INFO, "broker_forgot", "broker=%s", link->config.endpoint);
    if (link->state == LINK_LEAVING)
        link->state = LINK_LEFT;
    else if (link->state != LINK_LEFT)
        link_hello(link, now_us);
    return true;
}

static const struct op {
    const char *name;
    bool (*handle)(struct link *link, const struct wire_val *body, const int64_t *id, int64_t now_us);
} ops[] = {
    {"work", on_work},           {"heartbeat", on_heartbeat}, {"welcome", on_welcome}, {"ask", on_ask},
    {"process", on_new_process}, {"hello?", on_stranger},     {"bye", on_bye},
};

/* True when the message was of the protocol's form. An op of a newer broker is ignored, not broken. */
static bool link_handle(struct link *link, const struct wire_val *root, int64_t now_us)
{
    struct span op = wire_find_str(root, "op");
    int64_t id;
    bool has_id = wire_get_int(wire_find(root, "id"), &id);

    if (wire_find_int(root, "dkt", 0) != 1 || op.len == 0)
        return false;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (span_is(op, ops[i].name))
            return ops[i].handle(link, wire_find(root, "body"), has_id ? &id : NULL, now_us);
    log_event(LOG_INFO, "op_unknown", "broker=%s op=%.*s", link->config.endpoint,
              (int)(op.len > 40 ? 40 : op.len), op.p);
    return true;
}

static void link_take(struct link *link, zmq_msg_t *msg, int64_t now_us)
{
    struct wire_doc *doc = NULL;
    struct err err = {0};

    link->heard_at = now_us;
    bool ok = wire_parse(zmq_msg_data(msg), zmq_msg_size(msg), DEPTH_MAX, &doc, &err) &&
              link_handle(link, wire_root(doc), now_us);
    wire_doc_free(doc);
    link->broken = ok ? 0 : link->broken + 1;
    if (!ok)
        log_event(LOG_WARN, "message_broken", "broker=%s count=%u reason=%s", link->config.endpoint,
                  link->broken, log_quote(err.msg));
}

bool link_receive(struct link *link, int64_t now_us)
{
    void *socket = zsock_resolve(link->socket);
    bool more = true;

    sending_hold(link->sending);
    for (int i = 0; i < TURN_MESSAGES && more && link->broken < BROKEN_MAX; i++) {
        zmq_msg_t msg;
        zmq_msg_init(&msg);
        more = zmq_msg_recv(&msg, socket, ZMQ_DONTWAIT) >= 0;
        if (more)
            link_take(link, &msg, now_us);
        zmq_msg_close(&msg);
    }
    sending_release(link->sending);
    if (link->broken >= BROKEN_MAX) {
        log_event(LOG_WARN, "session_ended", "broker=%s reason=broken", link->config.endpoint);
        link_open(link, now_us);
        return false;
    }
    return more;
}

/* ---- time ---- */

/* At once, then once a minute: each silence is a new try. */
static void link_say_silent(struct link *link, int64_t now_us)
{
    if (link->silent_at == 0)
        link->silent_at = link->heard_at;
    else if (now_us - link->silence_said_at < SILENCE_AGAIN_S * US_PER_S)
        return;
    link->silence_said_at = now_us;
    log_event(LOG_WARN, "broker_silent", "broker=%s since_s=%lld", link->config.endpoint,
              (long long)((now_us - link->silent_at) / US_PER_S));
}

void link_tick(struct link *link, int64_t now_us, bool late)
{
    if (link->state == LINK_LEFT)
        return;
    if (late)
        link->heard_at = now_us;
    if (now_us - link->heard_at > MISSED_BEATS * link->beat_us) {
        link_say_silent(link, now_us);
        if (link->state == LINK_LEAVING)
            link->state = LINK_LEFT;
        else
            link_open(link, now_us);
        return;
    }
    if (now_us - link->sent_at >= link->beat_us)
        link_send_empty(link, "heartbeat", now_us);
}

void link_leave(struct link *link, int64_t now_us)
{
    if (link->state == LINK_LEAVING || link->state == LINK_LEFT)
        return;
    bool greeted = link->state != LINK_GREETING;
    link->state = greeted ? LINK_LEAVING : LINK_LEFT;
    if (greeted)
        link_send_empty(link, "bye", now_us);
}

bool link_is_ready(const struct link *link)
{
    return link->state == LINK_READY;
}

bool link_has_left(const struct link *link)
{
    return link->state == LINK_LEFT;
}

void *link_socket(struct link *link)
{
    return link->socket;
}

unsigned link_generation(const struct link *link)
{
    return link->generation;
}

const char *link_hash(const struct link *link)
{
    return link->hash;
}

void link_set_version(struct link *link, const char *hash, void *version)
{
    (void)snprintf(link->hash, sizeof link->hash, "%s", hash);
    link->version = version;
}

void *link_version(const struct link *link)
{
    return link->version;
}

const char *link_endpoint(const struct link *link)
{
    return link->config.endpoint;
}

uint64_t link_decisions(const struct link *link)
{
    return link->decisions;
}
