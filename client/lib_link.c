/* One connection to one broker: a DEALER, and its monitor that tells at once when the peer is gone.
 * Knows nothing of messages or of other brokers. */
#include "lib_internal.h"

#include <errno.h>
#include <stdio.h>

enum {
    BROKEN_EVENTS = ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_DISCONNECTED |
                    ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                    ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
};

static bool link_configure(void *socket)
{
    static const struct {
        int option, value;
    } options[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_SNDHWM, 0}, /* what is sent is bounded by DOCKET_OUTSTANDING_MAX */
        {ZMQ_RCVHWM, 0},
        {ZMQ_HEARTBEAT_IVL, 1000}, /* ms; a host that vanished is noticed like one that refuses */
        {ZMQ_HEARTBEAT_TIMEOUT, 3000},
        {ZMQ_HANDSHAKE_IVL, 3000},
        {ZMQ_IPV6, 1},
    };
    int64_t max = LIB_MESSAGE_BYTES_MAX;

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (zmq_setsockopt(socket, options[i].option, &options[i].value, sizeof options[i].value) != 0)
            return false;
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max, sizeof max) == 0;
}

static bool link_monitor(void *ctx, struct lib_link *link, uint64_t serial)
{
    char address[64];
    int linger = 0;

    (void)snprintf(address, sizeof address, "inproc://docket-monitor-%llu", (unsigned long long)serial);
    if (zmq_socket_monitor(link->socket, address, BROKEN_EVENTS) != 0)
        return false;
    link->monitor = zmq_socket(ctx, ZMQ_PAIR);
    return link->monitor != NULL && zmq_setsockopt(link->monitor, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
           zmq_connect(link->monitor, address) == 0;
}

bool lib_link_open(void *ctx, const char *endpoint, uint64_t serial, struct lib_link *ret, struct err *err)
{
    struct lib_link link = {zmq_socket(ctx, ZMQ_DEALER), NULL};

    if (link.socket == NULL || !link_configure(link.socket) || !link_monitor(ctx, &link, serial)) {
        err_set(err, ERR_IO, "cannot make a ZeroMQ socket: %s", zmq_strerror(zmq_errno()));
        lib_link_close(&link);
        return false;
    }
    if (zmq_connect(link.socket, endpoint) != 0) {
        err_field(err, ERR_INVALID, "broker",
                  "cannot connect to '%s': %s, want tcp://HOST:PORT or ipc://PATH", endpoint,
                  zmq_strerror(zmq_errno()));
        lib_link_close(&link);
        return false;
    }
    *ret = link;
    return true;
}

void lib_link_close(struct lib_link *link)
{
    if (link->socket != NULL) {
        (void)zmq_socket_monitor(link->socket, NULL, 0);
        (void)zmq_close(link->socket);
    }
    if (link->monitor != NULL)
        (void)zmq_close(link->monitor);
    *link = (struct lib_link){NULL, NULL};
}

bool lib_link_send(struct lib_link *link, struct span frame)
{
    int rc;

    do
        rc = zmq_send(link->socket, frame.p, frame.len, ZMQ_DONTWAIT);
    while (rc < 0 && zmq_errno() == EINTR);
    return rc >= 0;
}

/* One message of the socket, its last frame; false when there is none now. */
static bool link_take_frame(void *socket, zmq_msg_t *msg)
{
    int rc;

    do
        rc = zmq_msg_recv(msg, socket, ZMQ_DONTWAIT);
    while ((rc < 0 && zmq_errno() == EINTR) || (rc >= 0 && zmq_msg_more(msg)));
    return rc >= 0;
}

static void link_drain(void *monitor)
{
    zmq_msg_t msg;

    (void)zmq_msg_init(&msg);
    while (zmq_msg_recv(&msg, monitor, ZMQ_DONTWAIT) >= 0)
        ;
    (void)zmq_msg_close(&msg);
}

enum lib_link_event lib_link_wait(struct lib_link *link, long wait_ms, zmq_msg_t *msg)
{
    zmq_pollitem_t items[] = {{link->socket, 0, ZMQ_POLLIN, 0}, {link->monitor, 0, ZMQ_POLLIN, 0}};

    if (link_take_frame(link->socket, msg))
        return LIB_LINK_FRAME;
    int rc = zmq_poll(items, 2, wait_ms);
    if (rc < 0)
        return zmq_errno() == EINTR ? LIB_LINK_INTERRUPTED : LIB_LINK_BROKEN;
    /* What arrived before the connection was cut still counts. */
    if (link_take_frame(link->socket, msg))
        return LIB_LINK_FRAME;
    if (items[1].revents != 0) {
        link_drain(link->monitor);
        return LIB_LINK_BROKEN;
    }
    return LIB_LINK_QUIET;
}
