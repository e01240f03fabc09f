/* docket-xmpp: one connection with an XMPP server, for the notifier that started it (libstrophe waits in its own loop). It connects
 * again by itself, with a new connection object each time: libstrophe sends old messages again otherwise, and what is sent again is
 * the outbox's to say. Knows jids, texts and ids; nothing of tickets. Ends when its notifier does. */
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "xmpp_rooms.h"
#include "xmpp_tell.h"
#include "xmpp_wire.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <strophe.h>

enum {
    TURN_MS = 10,
    PING_EVERY_S = 30,
    PING_LATE_S = 15,
    STUCK_S = 60,   /* one turn of the loop: then SIGALRM ends us, and the notifier starts another */
    CONNECT_S = 40, /* libstrophe waits without end for a server that takes the connection and says nothing */
    JID_BYTES = XMPP_JID_BYTES,
    TEXT_BYTES = 1024
};

static const int64_t pauses_s[] = {1, 2, 5, 10, 30};
enum { PAUSES = sizeof pauses_s / sizeof pauses_s[0] };

struct client {
    xmpp_ctx_t *ctx;
    xmpp_conn_t *conn; /* NULL: none */
    char jid[JID_BYTES], password[TEXT_BYTES], server[JID_BYTES], ca_file[TEXT_BYTES], nick[64];
    struct xmpp_rooms rooms;
    bool is_up, is_told;
    int tries;
    int64_t connect_at, connecting_since, ping_at, ponged_at;
    bool ended;
};

/* A notifier that does not take what it is told is gone, or stands still: both end us. */
static void told(struct client *client, bool is_taken)
{
    client->ended = client->ended || !is_taken;
}

/* ---- stanzas that come ---- */

/* Our own server, by no name, its own or that of our account: nobody else can speak so. */
static bool is_own_server(const struct client *client, const char *from)
{
    const char *at = strchr(client->jid, '@'), *domain = at == NULL ? client->jid : at + 1;
    size_t len = strcspn(domain, "/"), bare = strcspn(client->jid, "/");

    return from == NULL || (strlen(from) == len && strncasecmp(from, domain, len) == 0) ||
           (strlen(from) == bare && strncasecmp(from, client->jid, bare) == 0);
}

static bool is_own_nick(const struct client *client, const char *from)
{
    const char *slash = strchr(from, '/');
    return slash != NULL && strcmp(slash + 1, client->nick) == 0;
}

/* "auth", "cancel", "modify": never; "wait", "continue": later. Who is not in a room enters it again, and then it can be said. */
static void on_error_stanza(struct client *client, xmpp_stanza_t *stanza, const char *id)
{
    const char *from = xmpp_stanza_get_from(stanza);
    xmpp_stanza_t *error = xmpp_stanza_get_child_by_name(stanza, "error");
    const char *type = error == NULL ? NULL : xmpp_stanza_get_attribute(error, "type");
    xmpp_stanza_t *condition = error == NULL ? NULL : xmpp_stanza_get_children(error);
    const char *name = condition == NULL ? NULL : xmpp_stanza_get_name(condition);
    bool is_later = type != NULL && (strcmp(type, "wait") == 0 || strcmp(type, "continue") == 0);

    name = name == NULL ? "refused" : name;
    if (from != NULL && xmpp_rooms_has(&client->rooms, from) &&
        (strcmp(name, "not-acceptable") == 0 || strcmp(name, "item-not-found") == 0)) {
        xmpp_rooms_put_out(&client->rooms, from, name, clock_mono_us());
        is_later = true;
    }
    told(client, xmpp_tell_error(id, is_own_server(client, from) ? "" : from, name, !is_later));
}

static int on_message(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *arg)
{
    struct client *client = arg;
    const char *type = xmpp_stanza_get_type(stanza), *id = xmpp_stanza_get_id(stanza),
               *from = xmpp_stanza_get_from(stanza);
    xmpp_stanza_t *received = xmpp_stanza_get_child_by_ns(stanza, "urn:xmpp:receipts");
    (void)conn;

    if (type != NULL && strcmp(type, "error") == 0) {
        if (id != NULL)
            on_error_stanza(client, stanza, id);
        return 1;
    }
    if (received != NULL && strcmp(xmpp_stanza_get_name(received), "received") == 0) {
        const char *of = xmpp_stanza_get_attribute(received, "id");
        if (of != NULL && from != NULL)
            told(client, xmpp_tell_receipt(of, from));
        return 1;
    }
    if (from == NULL || xmpp_stanza_get_child_by_ns(stanza, "urn:xmpp:delay") != NULL)
        return 1; /* what was said before we came is not said to us */
    bool in_room = type != NULL && strcmp(type, "groupchat") == 0;
    if (in_room && is_own_nick(client, from)) {
        if (id != NULL)
            told(client, xmpp_tell_receipt(id, from));
        return 1;
    }
    char *body = xmpp_message_get_body(stanza);
    if (body != NULL) /* who speaks to us out of a room is known by their nick alone, as in it */
        xmpp_tell_said(from, in_room || xmpp_rooms_has(&client->rooms, from), body);
    xmpp_free(client->ctx, body);
    return 1;
}

/* Answers to our pings: "p:ID" behind a message, "alive" alone. Others' pings are answered. */
static int on_iq(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *arg)
{
    struct client *client = arg;
    const char *type = xmpp_stanza_get_type(stanza), *id = xmpp_stanza_get_id(stanza);
    bool is_answer = type != NULL && (strcmp(type, "result") == 0 || strcmp(type, "error") == 0);

    if (is_own_server(client, xmpp_stanza_get_from(stanza)))
        client->ponged_at = clock_mono_us();
    else
        is_answer = false;
    if (is_answer && id != NULL && strncmp(id, "p:", 2) == 0 && strlen(id) < XMPP_ID_BYTES)
        told(client, xmpp_tell("taken", "id", id + 2));
    if (!is_answer && type != NULL && strcmp(type, "get") == 0) {
        bool is_ping = xmpp_stanza_get_child_by_ns(stanza, "urn:xmpp:ping") != NULL;
        xmpp_stanza_t *answer = is_ping
                                    ? xmpp_stanza_reply(stanza)
                                    : xmpp_stanza_reply_error(stanza, "cancel", "service-unavailable", NULL);
        if (is_ping)
            (void)xmpp_stanza_set_type(answer, "result");
        xmpp_send(conn, answer);
        (void)xmpp_stanza_release(answer);
    }
    return 1;
}

/* ---- stanzas that go ---- */

static xmpp_stanza_t *element(struct client *client, const char *name, const char *ns)
{
    xmpp_stanza_t *stanza = xmpp_stanza_new(client->ctx);

    (void)xmpp_stanza_set_name(stanza, name);
    if (ns != NULL)
        (void)xmpp_stanza_set_ns(stanza, ns);
    return stanza;
}

static void add_child(xmpp_stanza_t *parent, xmpp_stanza_t *child)
{
    (void)xmpp_stanza_add_child(parent, child);
    (void)xmpp_stanza_release(child);
}

/* The server answers stanzas in their order: the answer to a ping behind a message says that it has the message. */
static void send_ping(struct client *client, const char *id)
{
    char domain[JID_BYTES];
    const char *at = strchr(client->jid, '@');
    xmpp_stanza_t *iq = xmpp_iq_new(client->ctx, "get", id);

    (void)snprintf(domain, sizeof domain, "%.*s", (int)strcspn(at == NULL ? client->jid : at + 1, "/"),
                   at == NULL ? client->jid : at + 1);
    (void)xmpp_stanza_set_to(iq, domain);
    add_child(iq, element(client, "ping", "urn:xmpp:ping"));
    xmpp_send(client->conn, iq);
    (void)xmpp_stanza_release(iq);
}

static void send_message(struct client *client, const char *id, const char *to, bool room, const char *text)
{
    char ping[XMPP_ID_BYTES + 3];
    xmpp_stanza_t *message =
        xmpp_message_new(client->ctx, room ? "groupchat" : "chat", to, id[0] == '\0' ? NULL : id);

    (void)xmpp_message_set_body(message, text);
    if (!room && id[0] != '\0')
        add_child(message, element(client, "request", "urn:xmpp:receipts"));
    xmpp_send(client->conn, message);
    (void)xmpp_stanza_release(message);
    if (id[0] == '\0')
        return;
    (void)snprintf(ping, sizeof ping, "p:%s", id);
    send_ping(client, ping);
}

static int on_presence(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *arg)
{
    struct client *client = arg;
    (void)conn;

    xmpp_rooms_on_presence(&client->rooms, stanza, clock_mono_us());
    return 1;
}

static void send_presence(struct client *client)
{
    xmpp_stanza_t *presence = xmpp_presence_new(client->ctx);

    xmpp_send(client->conn, presence);
    (void)xmpp_stanza_release(presence);
}

/* ---- the connection ---- */

static void on_lost(struct client *client, const char *reason)
{
    int step = client->tries < PAUSES ? client->tries : PAUSES - 1;

    client->is_up = false;
    client->tries++;
    client->connect_at = clock_mono_us() + pauses_s[step] * US_PER_S;
    told(client, xmpp_tell("down", "reason", reason));
}

static void on_connection(xmpp_conn_t *conn, xmpp_conn_event_t event, int error,
                          xmpp_stream_error_t *stream_error, void *arg)
{
    struct client *client = arg;
    char reason[200];

    if (event == XMPP_CONN_CONNECT) {
        xmpp_handler_add(conn, on_message, NULL, "message", NULL, client);
        xmpp_handler_add(conn, on_iq, NULL, "iq", NULL, client);
        xmpp_handler_add(conn, on_presence, NULL, "presence", NULL, client);
        client->is_up = true;
        client->tries = 0;
        client->ponged_at = clock_mono_us();
        client->ping_at = client->ponged_at + PING_EVERY_S * US_PER_S;
        send_presence(client);
        xmpp_rooms_enter(&client->rooms, conn);
        told(client, xmpp_tell("up", NULL, NULL));
        return;
    }
    (void)snprintf(reason, sizeof reason, "%s%s%s",
                   client->is_up ? "the connection was lost" : "cannot connect, or the server refused",
                   error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
    if (stream_error != NULL && stream_error->type == XMPP_SE_CONFLICT) {
        /* Who came back at once would throw that one out, and be thrown out again: neither got anything said. */
        client->tries = PAUSES - 1;
        (void)snprintf(reason, sizeof reason,
                       "another connection has our resource: xmpp_jid of each notifier wants one of its own");
    } else if (stream_error != NULL && stream_error->text != NULL) {
        (void)snprintf(reason, sizeof reason, "the server says: %.150s", stream_error->text);
    }
    on_lost(client, reason);
}

/* "host:5222", "[::1]:5222" into host, without brackets, and port; "" leaves both to DNS. */
static const char *server_of(const struct client *client, char *host, unsigned short *ret_port)
{
    const char *from = client->server, *colon = strrchr(from, ':');
    size_t len = colon == NULL || strchr(colon, ']') != NULL ? strlen(from) : (size_t)(colon - from);

    *ret_port = 0;
    if (from[0] == '\0')
        return NULL;
    if (from[len] == ':')
        *ret_port = (unsigned short)strtol(from + len + 1, NULL, 10);
    if (len > 2 && from[0] == '[' && from[len - 1] == ']') {
        from++;
        len -= 2;
    }
    (void)snprintf(host, JID_BYTES, "%.*s", (int)len, from);
    return host;
}

static void connect_now(struct client *client)
{
    char host[JID_BYTES];
    unsigned short port = 0;
    const char *server = server_of(client, host, &port);

    if (client->conn != NULL)
        (void)xmpp_conn_release(client->conn);
    client->conn = xmpp_conn_new(client->ctx);
    (void)xmpp_conn_set_flags(client->conn, (long)(XMPP_CONN_FLAG_MANDATORY_TLS | XMPP_CONN_FLAG_DISABLE_SM));
    if (client->ca_file[0] != '\0')
        xmpp_conn_set_cafile(client->conn, client->ca_file);
    xmpp_conn_set_jid(client->conn, client->jid);
    xmpp_conn_set_pass(client->conn, client->password);
    client->connect_at = 0;
    client->connecting_since = clock_mono_us();
    if (xmpp_connect_client(client->conn, server, port, on_connection, client) != XMPP_EOK)
        on_lost(client, "cannot connect");
}

static void give_up(struct client *client)
{
    xmpp_disconnect(client->conn);
    if (client->connect_at == 0) /* it had nothing to say about that */
        on_lost(client, "the server takes the connection and does not answer");
}

/* A connection that is up and silent: asked each PING_EVERY_S, given up when no answer came. */
static void watch(struct client *client)
{
    int64_t now = clock_mono_us();

    if (client->connect_at != 0 && now >= client->connect_at)
        connect_now(client);
    if (!client->is_up && client->connect_at == 0 && client->conn != NULL &&
        now - client->connecting_since > CONNECT_S * US_PER_S)
        give_up(client);
    if (!client->is_up)
        return;
    xmpp_rooms_tick(&client->rooms, client->conn, now);
    if (now < client->ping_at)
        return;
    if (now - client->ponged_at > (PING_EVERY_S + PING_LATE_S) * US_PER_S) {
        xmpp_disconnect(client->conn);
        client->ping_at = now + PING_EVERY_S * US_PER_S;
        return;
    }
    client->ping_at = now + PING_LATE_S * US_PER_S;
    send_ping(client, "alive");
}

/* ---- from the notifier ---- */

static void copy(const struct wire_val *map, const char *key, char *ret, size_t size)
{
    struct span text = wire_find_str(map, key);
    (void)snprintf(ret, size, "%.*s", text.p == NULL || text.len >= size ? 0 : (int)text.len,
                   text.p == NULL ? "" : text.p);
}

static void on_open(struct client *client, const struct wire_val *map)
{
    const struct wire_val *rooms = wire_find(map, "rooms");

    copy(map, "jid", client->jid, sizeof client->jid);
    copy(map, "password", client->password, sizeof client->password);
    copy(map, "server", client->server, sizeof client->server);
    copy(map, "ca_file", client->ca_file, sizeof client->ca_file);
    copy(map, "nick", client->nick, sizeof client->nick);
    for (size_t i = 0; i < wire_count(rooms) && client->rooms.count < XMPP_ROOMS_MAX; i++) {
        struct span room;
        if (wire_get_str(wire_at(rooms, i), &room) && room.len < JID_BYTES)
            (void)snprintf(client->rooms.items[client->rooms.count++].jid, JID_BYTES, "%.*s", (int)room.len,
                           room.p);
    }
    client->connect_at = 1;
}

static void on_send(struct client *client, const struct wire_val *map)
{
    char id[XMPP_ID_BYTES], to[JID_BYTES], text[XMPP_TEXT_BYTES_MAX + 1];

    copy(map, "id", id, sizeof id);
    copy(map, "to", to, sizeof to);
    copy(map, "text", text, sizeof text);
    if (!client->is_up || xmpp_rooms_is_out(&client->rooms, to))
        told(client, xmpp_tell_error(id, "", client->is_up ? "not in the room" : "not connected", false));
    else
        send_message(client, id, to, xmpp_rooms_has(&client->rooms, to), text);
}

/* True while there may be more. */
static bool take_packet(struct client *client)
{
    struct wire_doc *doc = NULL;
    int got = xmpp_wire_receive(STDIN_FILENO, &doc);

    if (got <= 0) {
        client->ended = client->ended || got < 0;
        return false;
    }
    struct span op = wire_find_str(wire_root(doc), "op");
    if (span_is(op, "open"))
        on_open(client, wire_root(doc));
    else if (span_is(op, "send"))
        on_send(client, wire_root(doc));
    wire_doc_free(doc);
    return !client->ended;
}

/* A notifier starts it without arguments; a person who tries it by hand is told what it is. */
static int tell_person(const char *argument)
{
    bool is_help = strcmp(argument, "--help") == 0;

    if (strcmp(argument, "--version") == 0)
        return puts("docket-xmpp " DOCKET_VERSION) < 0;
    (void)fputs(
        "usage: docket-xmpp [--help | --version]   started by docket-notifier, which speaks to it through "
        "standard input\n",
        is_help ? stdout : stderr);
    return is_help ? 0 : 2;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return tell_person(argv[1]);
    struct client *client = mem_new(1, sizeof *client);

    log_open("xmpp", LOG_INFO);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN); /* a terminal's goes to its notifier, which ends us */
    xmpp_initialize();
    client->ctx = xmpp_ctx_new(NULL, NULL);
    client->rooms.ctx = client->ctx;
    client->rooms.nick = client->nick;
    while (!client->ended) {
        (void)alarm(STUCK_S); /* libstrophe waits without end within TLS, and for a name server */
        while (take_packet(client))
            ;
        watch(client);
        xmpp_run_once(client->ctx, TURN_MS);
    }
    if (client->conn != NULL)
        (void)xmpp_conn_release(client->conn);
    xmpp_ctx_free(client->ctx);
    xmpp_shutdown();
    free(client);
    return EXIT_SUCCESS;
}
