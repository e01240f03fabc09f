/* Packets between the notifier and docket-xmpp; see xmpp_wire.h. */
#include "xmpp_wire.h"

#include <errno.h>
#include <sys/socket.h>

bool xmpp_wire_send(int fd, const struct buf *packet)
{
    ssize_t n;

    if (packet->failed)
        return false;
    do
        n = send(fd, packet->p, packet->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)packet->len;
}

int xmpp_wire_receive(int fd, struct wire_doc **ret_doc)
{
    char bytes[XMPP_PACKET_BYTES_MAX];
    struct err ignored;
    ssize_t n;

    do
        n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    return n > 0 && wire_parse(bytes, (size_t)n, WIRE_DEPTH_MAX, ret_doc, &ignored) ? 1 : -1;
}
