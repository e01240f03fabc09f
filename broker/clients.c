/* The clients' endpoint; see clients.h. */
#include "clients.h"
#include "broker.h"
#include "calls.h"
#include "key_known.h"
#include "op_whole.h"
#include "mem.h"
#include "off_form.h"
#include "ops.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    TURN_MESSAGES = 512,
    SEND_HWM = 20000, /* answers kept for one client that does not read */
    RECEIVE_HWM = 5000,
    FRAME_BYTES_MAX = 4 << 20,
    HANDSHAKE_MS = 5000,
    IPC_MODE = 0660,
};

struct clients {
    struct broker *broker;
    void (*on_read)(void *broker);
    zsock_t *sock;
    struct calls *calls;
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

/* ---- requests ---- */

/* Whether the request that was taken last is one too many. */
static bool clients_is_full(const struct clients *clients)
{
    return calls_open(clients->calls) > (size_t)clients->broker->settings.requests_max;
}

static bool clients_check(const struct clients *clients, const struct op *op, struct request *req,
                          const struct wire_val *body, struct err *err)
{
    const struct broker *broker = clients->broker;

    return request_check(req, op, body, broker->client_name, broker->settings.tracking_prefix,
                         &broker->limits, err);
}

static bool clients_check_whole(const struct request *req, struct err *err)
{
    const struct op_whole whole = {.form = req->op->form,
                                   .has_as = req->has_as,
                                   .role = req->role,
                                   .vals = req->vals};
    return op_whole_check(&whole, err);
}

/* Whether what has the form of a request of this op may be done, now. */
static bool clients_may(const struct clients *clients, const struct op *op, const struct request *req,
                        struct err *err)
{
    return ops_may(op, req, err) && clients_check_whole(req, err) &&
           (op->check == NULL || op->check(req, err)) &&
           (!op->changes || broker_may_write(clients->broker, err));
}

/* Its key was used before: then more was allowed, and its statement finds what was done. */
static void clients_on_known(void *arg, struct call *call, const struct err *err)
{
    if (err != NULL)
        call_refuse(call, err);
    else
        call->req.op->handle(arg, call);
}

/* Refuses what is off its form, unless it repeats what was taken before that was asked. */
static void clients_refuse(const struct clients *clients, struct call *call, const struct err *refusal)
{
    const struct broker *broker = clients->broker;
    struct off_form *off = NULL;
    struct err err = {0}, why = *refusal;

    bool may = call->req.is_off_form && clients_may(clients, call->req.op, &call->req, &err);
    if (may)
        off = off_form_new(&call->req, broker->settings.tracking_prefix, &broker->limits, &why);
    if (off != NULL) /* its statement knows its key, and whether the ticket has that already */
        call->req.op->handle(clients->broker, call);
    else if (may)
        key_known_or(clients->broker, call, &why, clients_on_known, clients->broker);
    else if (call->req.is_off_form && err.code == ERR_UNAVAILABLE) /* nobody can tell by now: it may be in */
        call_refuse(call, &err);
    else
        call_refuse(call, refusal);
    free(off);
}

static void clients_handle(struct clients *clients, struct call *call, struct span bytes)
{
    const struct wire_val *body;
    struct span name;
    struct err err = {0};

    if (!request_parse(bytes, &clients->broker->limits, &call->req, &name, &body, &err)) {
        call_refuse(call, &err);
        return;
    }
    const struct op *op = ops_find(name);
    /* The id is read by now, so that the client knows which of its requests it was. */
    if (clients_is_full(clients) && (op == NULL || !op->always)) {
        (void)err_set(&err, ERR_BUSY, "%zu requests are under way here, which is the limit: repeat later",
                      calls_open(clients->calls) - 1);
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
    if (!clients_check(clients, op, &call->req, body, &err)) {
        clients_refuse(clients, call, &err);
        return;
    }
    if (!clients_may(clients, op, &call->req, &err)) {
        call_refuse(call, &err);
        return;
    }
    if (op->turn != TURN_NONE)
        calls_wait(call);
    else
        op->handle(clients->broker, call);
}

/* A request that the broker makes itself out of a call's and of what is stored, whose form is not judged again; its op is one of the table.
 * The call's request is replaced, whole or not at all. */
static void clients_again(void *arg, struct call *call, struct span bytes)
{
    const struct clients *clients = arg;
    const struct wire_val *body = NULL;
    struct request req = {0};
    struct span name = SPAN_NONE;
    struct err err;

    if (!request_parse(bytes, &clients->broker->limits, &req, &name, &body, &err) ||
        !(clients_check(clients, ops_find(name), &req, body, &err) || req.is_off_form) ||
        !clients_may(clients, req.op, &req, &err)) {
        request_clear(&req);
        call_refuse(call, &err);
        return;
    }
    request_clear(&call->req);
    call->req = req;
    req.op->handle(clients->broker, call);
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
    struct call *call =
        calls_begin(clients->calls, (struct span){(const char *)f->peer, f->peer_len}, f->delimiter);
    struct err err = {0};

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
    clients->on_read(clients->broker);
    return 0;
}

/* ---- life ---- */

bool clients_new(struct broker *broker, void (*on_read)(void *broker), struct clients **ret_clients,
                 struct err *err)
{
    const char *endpoint = broker->settings.clients;
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
    clients->on_read = on_read;
    clients->sock = sock;
    clients->calls = calls_new(zsock_resolve(sock), broker->metrics, clients_again, clients);
    (void)zloop_reader(broker->loop, sock, clients_on_readable, clients);
    zloop_reader_set_tolerant(broker->loop, sock);
    *ret_clients = clients;
    return true;
}

bool clients_serve(struct clients *clients)
{
    bool more = false;

    for (enum turn turn = TURN_NONE + 1; turn < TURN_KINDS; turn++) {
        size_t left = calls_at_once(turn);
        for (struct call *call; left != 0 && (call = calls_next(clients->calls, turn)) != NULL; left--)
            call->req.op->handle(clients->broker, call);
        more = more || left == 0;
    }
    return more;
}

void clients_free(struct clients *clients)
{
    struct err err;

    if (clients == NULL)
        return;
    (void)err_set(&err, ERR_UNAVAILABLE, "the broker ends: ask another one");
    for (enum turn turn = TURN_NONE + 1; turn < TURN_KINDS; turn++)
        for (struct call *call; (call = calls_next(clients->calls, turn)) != NULL;)
            call_refuse(call, &err);
    zloop_reader_end(clients->broker->loop, clients->sock);
    zsock_destroy(&clients->sock);
    calls_free(clients->calls);
    free(clients);
}

struct calls *clients_calls(const struct clients *clients)
{
    return clients->calls;
}
