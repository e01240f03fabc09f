/* From docket-xmpp to its notifier; see xmpp_tell.h. */
#include "xmpp_tell.h"
#include "utf8.h"
#include "xmpp_rooms.h"
#include "xmpp_wire.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { REASON_BYTES = 200 };

static bool packet_send(struct buf *packet)
{
    bool ok = xmpp_wire_send(STDIN_FILENO, packet);

    buf_clear(packet);
    return ok;
}

/* Strangers choose what they are called and what ids they write: what does not fit is nobody of ours, and of no message of ours. */
static bool is_ours(const char *id, const char *from)
{
    return strlen(id) < XMPP_ID_BYTES && strcspn(from, "/") < XMPP_JID_BYTES;
}

/* At most so many bytes, whole characters. */
static struct span text_cut(const char *text, size_t max)
{
    struct span cut = {text, strnlen(text, max)};

    while (cut.len != 0 && !utf8_check(cut, NULL))
        cut.len--;
    return cut;
}

static void put_from(struct buf *packet, const char *from)
{
    char bare[XMPP_JID_BYTES];

    (void)snprintf(bare, sizeof bare, "%.*s", (int)strcspn(from, "/"), from);
    wire_put_key_text(packet, "from", bare);
}

bool xmpp_tell(const char *op, const char *key, const char *value)
{
    struct buf packet;

    buf_init(&packet, XMPP_PACKET_BYTES_MAX);
    wire_put_map(&packet, key == NULL ? 1 : 2);
    wire_put_key_text(&packet, "op", op);
    if (key != NULL)
        wire_put_key_str(&packet, key,
                         text_cut(value, REASON_BYTES)); /* a server's words may be cut already */
    return packet_send(&packet);
}

bool xmpp_tell_receipt(const char *id, const char *from)
{
    struct buf packet;

    if (!is_ours(id, from))
        return true;
    buf_init(&packet, XMPP_PACKET_BYTES_MAX);
    wire_put_map(&packet, 3);
    wire_put_key_text(&packet, "op", "receipt");
    wire_put_key_text(&packet, "id", id);
    put_from(&packet, from);
    return packet_send(&packet);
}

bool xmpp_tell_error(const char *id, const char *from, const char *reason, bool permanent)
{
    struct buf packet;

    if (!is_ours(id, from))
        return true;
    buf_init(&packet, XMPP_PACKET_BYTES_MAX);
    wire_put_map(&packet, 5);
    wire_put_key_text(&packet, "op", "error");
    wire_put_key_text(&packet, "id", id);
    put_from(&packet, from);
    wire_put_key_str(&packet, "reason", text_cut(reason, REASON_BYTES));
    wire_put_key_bool(&packet, "permanent", permanent);
    return packet_send(&packet);
}

void xmpp_tell_said(const char *from, bool is_room, const char *text)
{
    const char *slash = strchr(from, '/');
    struct buf packet;

    if (!is_ours("", from))
        return;
    buf_init(&packet, XMPP_PACKET_BYTES_MAX);
    wire_put_map(&packet, 5);
    wire_put_key_text(&packet, "op", "said");
    put_from(&packet, from);
    wire_put_key_text(&packet, "nick", slash == NULL ? "" : slash + 1);
    wire_put_key_bool(&packet, "room", is_room);
    wire_put_key_str(&packet, "text", text_cut(text, XMPP_SAID_BYTES_MAX));
    (void)!packet_send(&packet);
}
