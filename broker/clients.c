/* The clients' endpoint; see clients.h. */
#include "clients.h"
#include "broker.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "ops.h"
#include "sending.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    TURN_MESSAGES = 512,
    SEND_HWM = 20000, /* answers kept for one client that does not read */
    RECEIVE_HWM = 5000,
    FRAME_BYTES_MAX = 4 << 20,
    ANSWER_BYTES_MAX = 8 << 20,
    HANDSHAKE_MS = 5000,
    IPC_MODE = 0660,
};

struct clients {
    struct broker *broker;
    zloop_t *loop;
    zsock_t *sock;
    struct buf answer; /* reused */
    struct sending *sending;
    size_t open_calls;
};

/* Frames of one message as far as they belong to a request. */
struct frames {
    unsigned char peer[256];
    size_t peer_len;
    bool delimiter;
    zmq_msg_t payload;
    bool has_payload;
    bool too_many;
};

/* ---- answers ---- */

/* A client that is gone or does not read: its retry with the same key finds the answer. */
static void clients_send(struct clients *clients, const struct call *call)
{
    sending_frame(clients->sending, (struct span){(const char *)call->peer, call->peer_len}, true);
    if (call->delimiter)
        sending_frame(clients->sending, SPAN_NONE, true);
    sending_frame(clients->sending, buf_span(&clients->answer), false);
}

static void call_begin_answer(struct call *call, bool ok)
{
    struct buf *out = &call->clients->answer;
    buf_reset(out);
    wire_put_map(out, 4);
    wire_put_key_int(out, "dkt", 1);
    wire_put_text(out, "id");
    if (call->req.id.p == NULL)
        wire_put_nil(out);
    else
        wire_put_raw(out, call->req.id);
    wire_put_key_bool(out, "ok", ok);
}

static void call_end(struct call *call)
{
    struct clients *clients = call->clients;
    clients_send(clients, call);
    clients->open_calls--;
    request_clear(&call->req);
    free(call);
}

void call_answer(struct call *call, struct span body)
{
    struct buf *out = &call->clients->answer;
    call_begin_answer(call, true);
    wire_put_text(out, "body");
    wire_put_raw(out, body);
    broker_count_answer(call->clients->broker, call, ERR_NONE);
    call_end(call);
}

void call_refuse(struct call *call, const struct err *err)
{
    call_refuse_long(call, err, span_of(err->msg));
}

void call_refuse_long(struct call *call, const struct err *err, struct span message)
{
    struct buf *out = &call->clients->answer;
    bool retry = err_is_retry(err->code);

    call_begin_answer(call, false);
    wire_put_text(out, "error");
    struct wire_map map = wire_map_open(out);
    wire_put_key_text(out, "code", err_code_name(err->code)), map.count++;
    wire_put_key_str(out, "message", message), map.count++;
    if (err->field[0] != '\0')
        wire_put_key_text(out, "field", err->field), map.count++;
    wire_put_key_bool(out, "retry", retry), map.count++;
    if (retry)
        wire_put_key_int(out, "retry_after_ms", 500), map.count++;
    wire_map_close(out, &map);
    broker_count_answer(call->clients->broker, call, err->code);
    call_end(call);
}

/* ---- requests ---- */

/* Whether the request that was taken last is one too many. */
static bool clients_is_full(const struct clients *clients)
{
    return clients->open_calls > (size_t)clients->broker->settings.requests_max;
}

static void clients_handle(struct clients *clients, struct call *call, struct span bytes)
{
    struct broker *broker = clients->broker;
    const struct wire_val *body;
    struct span name;
    struct err err = {0};

    if (!request_parse(bytes, &broker->limits, &call->req, &name, &body, &err)) {
        call_refuse(call, &err);
        return;
    }
    const struct op *op = ops_find(name);
    /* The id is read by now, so that the client knows which of its requests it was. */
    if (clients_is_full(clients) && (op == NULL || !op->always)) {
        (void)err_set(&err, ERR_BUSY, "%zu requests are under way here, which is the limit: repeat later",
                      clients->open_calls - 1);
        call_refuse(call, &err);
        return;
    }
    if (op == NULL) {
        char hint[FAULTS_HINT_BYTES];
        op_form_hint(name, hint);
        (void)err_field(&err, ERR_UNSUPPORTED, "op", "no op is called \"%.*s\"%s",
                        (int)(name.len > 60 ? 60 : name.len), name.p, hint);
        call_refuse(call, &err);
        return;
    }
    if (!request_check(&call->req, op, body, broker->client_name, broker->settings.tracking_prefix,
                       &broker->limits, &err) ||
        !ops_may(op, &call->req, &err) || (op->check != NULL && !op->check(&call->req, &err)) ||
        (op->changes && !broker_may_write(broker, &err))) {
        call_refuse(call, &err);
        return;
    }
    op->handle(broker, call);
}

/* Reads one message. False when none waits. */
static bool clients_receive(void *sock, struct frames *f)
{
    memset(f, 0, sizeof *f);
    for (int i = 0;; i++) {
        zmq_msg_t msg;
        zmq_msg_init(&msg);
        if (zmq_msg_recv(&msg, sock, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&msg);
            return false;
        }
        bool more = zmq_msg_more(&msg) != 0;
        size_t size = zmq_msg_size(&msg);
        if (i == 0) {
            f->peer_len = size > 255 ? 0 : size;
            memcpy(f->peer, zmq_msg_data(&msg), f->peer_len);
            zmq_msg_close(&msg);
        } else if (i == 1 && size == 0 && more) {
            f->delimiter = true;
            zmq_msg_close(&msg);
        } else if (!f->has_payload) {
            f->payload = msg; /* moved: libzmq allows a message to be copied as bytes until it is closed */
            f->has_payload = true;
        } else {
            f->too_many = true;
            zmq_msg_close(&msg);
        }
        if (!more)
            return true;
    }
}

static void clients_take(struct clients *clients, struct frames *f)
{
    struct call *call = mem_new(1, sizeof *call);
    struct err err = {0};

    call->clients = clients;
    memcpy(call->peer, f->peer, f->peer_len);
    call->peer_len = (unsigned char)f->peer_len;
    call->delimiter = f->delimiter;
    call->began_us = clock_mono_us();
    clients->open_calls++;
    if (!f->has_payload || f->too_many) {
        (void)err_set(&err, ERR_MALFORMED, "not a request: want one frame");
        call_refuse(call, &err);
    } else {
        struct span bytes = {zmq_msg_data(&f->payload), zmq_msg_size(&f->payload)};
        clients_handle(clients, call, bytes);
    }
    if (f->has_payload)
        zmq_msg_close(&f->payload);
}

static int clients_on_readable(zloop_t *loop, zsock_t *reader, void *arg)
{
    struct clients *clients = arg;
    struct frames f;
    (void)loop;
    for (int i = 0; i < TURN_MESSAGES && clients_receive(zsock_resolve(reader), &f); i++)
        clients_take(clients, &f);
    broker_turn(clients->broker);
    return 0;
}

/* ---- life ---- */

bool clients_new(struct broker *broker, zloop_t *loop, const char *endpoint, struct clients **ret_clients,
                 struct err *err)
{
    zsock_t *sock = zsock_new(ZMQ_ROUTER);

    zsock_set_router_mandatory(sock, 1);
    zsock_set_maxmsgsize(sock, FRAME_BYTES_MAX);
    zsock_set_sndhwm(sock, SEND_HWM);
    zsock_set_rcvhwm(sock, RECEIVE_HWM);
    zsock_set_handshake_ivl(sock, HANDSHAKE_MS);
    zsock_set_heartbeat_ivl(sock, 5000);
    zsock_set_heartbeat_timeout(sock, 15000);
    zsock_set_linger(sock, 1000);
    zsock_set_backlog(sock, 1024);
    if (zsock_bind(sock, "%s", endpoint) < 0) {
        (void)err_set(err, ERR_IO, "clients: cannot bind %s: %s", endpoint, zmq_strerror(zmq_errno()));
        zsock_destroy(&sock);
        return false;
    }
    if (strncmp(endpoint, "ipc://", 6) == 0 && endpoint[6] != '@')
        (void)chmod(endpoint + 6, IPC_MODE);
    struct clients *clients = mem_new(1, sizeof *clients);
    clients->broker = broker;
    clients->loop = loop;
    clients->sock = sock;
    clients->sending = sending_new(zsock_resolve(sock));
    buf_init(&clients->answer, ANSWER_BYTES_MAX);
    (void)zloop_reader(loop, sock, clients_on_readable, clients);
    zloop_reader_set_tolerant(loop, sock);
    *ret_clients = clients;
    return true;
}

void clients_stop(struct clients *clients)
{
    zloop_reader_end(clients->loop, clients->sock);
}

void clients_free(struct clients *clients)
{
    if (clients == NULL)
        return;
    zloop_reader_end(clients->loop, clients->sock);
    zsock_destroy(&clients->sock);
    sending_free(clients->sending);
    buf_clear(&clients->answer);
    free(clients);
}

void clients_hold(struct clients *clients)
{
    sending_hold(clients->sending);
}

void clients_release(struct clients *clients)
{
    sending_release(clients->sending);
}

int64_t clients_answers_dropped(const struct clients *clients)
{
    int reason;
    return sending_failed(clients->sending, &reason);
}

size_t clients_open_calls(const struct clients *clients)
{
    return clients->open_calls;
}
