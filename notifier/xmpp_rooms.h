/* The rooms that docket-xmpp stands in: it enters them when it is connected, and again, after a pause, when it was put out or not let in.
 * Knows nothing of what is said there. */
#ifndef DOCKET_XMPP_ROOMS_H
#define DOCKET_XMPP_ROOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strophe.h>

enum { XMPP_ROOMS_MAX = 64, XMPP_JID_BYTES = 512 };

struct xmpp_room {
    char jid[XMPP_JID_BYTES]; /* bare */
    int64_t enter_at;         /* monotonic; 0: it is in, or has asked to be let in */
    int tries;
};

struct xmpp_rooms {
    xmpp_ctx_t *ctx;
    const char *nick;
    struct xmpp_room items[XMPP_ROOMS_MAX];
    size_t count;
};

/* Whether the address is a room's, or of somebody in it. */
bool xmpp_rooms_has(const struct xmpp_rooms *rooms, const char *jid);

/* Whether it stands outside of that room, and has not asked again yet. */
bool xmpp_rooms_is_out(const struct xmpp_rooms *rooms, const char *jid);

/* A new connection: into all of them. */
void xmpp_rooms_enter(struct xmpp_rooms *rooms, xmpp_conn_t *conn);

/* Into those again whose pause is over. */
void xmpp_rooms_tick(struct xmpp_rooms *rooms, xmpp_conn_t *conn, int64_t now);

/* A presence stanza came: in a room it may say that we are in, or out. */
void xmpp_rooms_on_presence(struct xmpp_rooms *rooms, xmpp_stanza_t *stanza, int64_t now);

/* The room says that we are not in it: enters again at the next tick. */
void xmpp_rooms_put_out(struct xmpp_rooms *rooms, const char *jid, const char *why, int64_t now);

#endif
