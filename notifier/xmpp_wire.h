/* What the notifier and docket-xmpp, its child, say to one another: MessagePack maps, one a packet, over a socket pair that is the
 * child's standard input.
 *
 * to the child   {op: "open", jid, password, server, ca_file, nick, rooms: […]}   once, first
 *                {op: "send", id, to, room: bool, text}                           id "": nobody waits for how it went
 * from it        {op: "up"}; {op: "down", reason}
 *                {op: "taken", id}     the server has it        {op: "receipt", id}  the other side's client, or the room, has it
 *                {op: "error", id, reason, permanent: bool}     {op: "said", from, nick, room: bool, text} */
#ifndef DOCKET_XMPP_WIRE_H
#define DOCKET_XMPP_WIRE_H

#include "wire.h"

enum {
    XMPP_PACKET_BYTES_MAX = 64 << 10,
    XMPP_TEXT_BYTES_MAX = 16 << 10,
    XMPP_SAID_BYTES_MAX = 1000,
    XMPP_ID_BYTES = 200
};

/* Sends one packet whole. False when the other side is gone or does not read. */
bool xmpp_wire_send(int fd, const struct buf *packet) __attribute__((warn_unused_result));

/* Takes one packet, if there is one now. 1: ret_doc is the caller's; 0: none; -1: the other side is gone, or no map came. */
int xmpp_wire_receive(int fd, struct wire_doc **ret_doc);

#endif
