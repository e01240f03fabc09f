/* Rooms; see xmpp_rooms.h. */
#include "xmpp_rooms.h"
#include "clock.h"
#include "log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Who is put out and comes back at once is put out again. */
static const int64_t pauses_s[] = {0, 2, 5, 10, 30};

static struct xmpp_room *find(const struct xmpp_rooms *rooms, const char *jid)
{
    size_t len = strcspn(jid, "/");

    for (size_t i = 0; i < rooms->count; i++)
        if (strlen(rooms->items[i].jid) == len && strncasecmp(rooms->items[i].jid, jid, len) == 0)
            return (struct xmpp_room *)(uintptr_t)&rooms->items[i];
    return NULL;
}

bool xmpp_rooms_has(const struct xmpp_rooms *rooms, const char *jid)
{
    return find(rooms, jid) != NULL;
}

bool xmpp_rooms_is_out(const struct xmpp_rooms *rooms, const char *jid)
{
    const struct xmpp_room *room = find(rooms, jid);
    return room != NULL && room->enter_at != 0;
}

static xmpp_stanza_t *element(const struct xmpp_rooms *rooms, const char *name)
{
    xmpp_stanza_t *stanza = xmpp_stanza_new(rooms->ctx);
    (void)xmpp_stanza_set_name(stanza, name);
    return stanza;
}

static void enter(const struct xmpp_rooms *rooms, struct xmpp_room *room, xmpp_conn_t *conn)
{
    char to[2 * XMPP_JID_BYTES];
    xmpp_stanza_t *presence = xmpp_presence_new(rooms->ctx), *x = element(rooms, "x"),
                  *history = element(rooms, "history");

    (void)xmpp_stanza_set_ns(x, "http://jabber.org/protocol/muc");
    (void)xmpp_stanza_set_attribute(history, "maxstanzas", "0");
    (void)xmpp_stanza_add_child(x, history);
    (void)xmpp_stanza_add_child(presence, x);
    (void)snprintf(to, sizeof to, "%s/%s", room->jid, rooms->nick);
    (void)xmpp_stanza_set_to(presence, to);
    xmpp_send(conn, presence);
    (void)xmpp_stanza_release(history);
    (void)xmpp_stanza_release(x);
    (void)xmpp_stanza_release(presence);
    room->enter_at = 0;
}

void xmpp_rooms_enter(struct xmpp_rooms *rooms, xmpp_conn_t *conn)
{
    for (size_t i = 0; i < rooms->count; i++) {
        rooms->items[i].tries = 0;
        enter(rooms, &rooms->items[i], conn);
    }
}

void xmpp_rooms_tick(struct xmpp_rooms *rooms, xmpp_conn_t *conn, int64_t now)
{
    for (size_t i = 0; i < rooms->count; i++)
        if (rooms->items[i].enter_at != 0 && now >= rooms->items[i].enter_at)
            enter(rooms, &rooms->items[i], conn);
}

static void leave(struct xmpp_room *room, const char *why, int64_t now)
{
    size_t steps = sizeof pauses_s / sizeof pauses_s[0];

    if (room->enter_at != 0)
        return;
    room->enter_at = now + pauses_s[(size_t)room->tries < steps ? (size_t)room->tries : steps - 1] * US_PER_S;
    room->tries++;
    log_event(LOG_WARN, "xmpp_room_left", "room=%s reason=%s", log_quote(room->jid), log_quote(why));
}

void xmpp_rooms_put_out(struct xmpp_rooms *rooms, const char *jid, const char *why, int64_t now)
{
    struct xmpp_room *room = find(rooms, jid);
    if (room != NULL)
        leave(room, why, now);
}

/* The condition of an error: the name of its first child. */
static const char *error_of(xmpp_stanza_t *stanza)
{
    xmpp_stanza_t *error = xmpp_stanza_get_child_by_name(stanza, "error");
    xmpp_stanza_t *condition = error == NULL ? NULL : xmpp_stanza_get_children(error);
    const char *name = condition == NULL ? NULL : xmpp_stanza_get_name(condition);
    return name == NULL ? "refused" : name;
}

void xmpp_rooms_on_presence(struct xmpp_rooms *rooms, xmpp_stanza_t *stanza, int64_t now)
{
    const char *from = xmpp_stanza_get_from(stanza), *type = xmpp_stanza_get_type(stanza);
    const char *slash = from == NULL ? NULL : strchr(from, '/');
    struct xmpp_room *room = from == NULL ? NULL : find(rooms, from);
    bool is_error = type != NULL && strcmp(type, "error") == 0;

    if (room == NULL || (!is_error && (slash == NULL || strcmp(slash + 1, rooms->nick) != 0)))
        return; /* of somebody else */
    if (is_error)
        leave(room, error_of(stanza), now);
    else if (type != NULL && strcmp(type, "unavailable") == 0)
        leave(room, "put out", now);
    else if (type == NULL && room->tries != 0 && room->enter_at == 0) {
        room->tries = 1; /* being in for a moment is no reason to come back faster */
        log_event(LOG_INFO, "xmpp_room_entered", "room=%s", log_quote(room->jid));
    }
}
