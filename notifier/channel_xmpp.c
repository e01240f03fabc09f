/* XMPP, to people and rooms: texts go to docket-xmpp, a child that keeps the connection; what it says about them comes back.
 * Delivered is what the other side's client or the room has confirmed; what only the server has taken is enough for a message, not
 * for a page: whether somebody's device has it is not known then, and the next channel is needed. */
#include "channel_xmpp.h"
#include "address.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "secret.h"
#include "settings_notifier.h"
#include "xmpp_wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SLOTS = 32,
    ADDRESS_SLOTS = 4,
    TEXT_CHARS_MAX = 2000,
    TICK_MS = 250,
    TAKEN_MS = 3000, /* how long a receipt is waited for once the server has it; a page waits to the end */
    RESTART_MS = 1000,
    PASSWORD_BYTES = 512
};

/* One that waits for how it went. */
struct pending {
    struct pending *next;
    char id[XMPP_ID_BYTES], to[CHANNEL_ADDRESS_BYTES];
    bool is_page, is_taken, is_refused;
    int64_t end_by_us;
    channel_end_fn *end_fn;
    void *arg;
};

struct room {
    const struct channel_host *host;
    char password[PASSWORD_BYTES + 1];
    pid_t child; /* 0: none */
    zmq_pollitem_t poll;
    bool is_up;
    char reason[200]; /* why it is not up */
    struct pending *pending;
    int timer;
    int64_t start_at_us; /* when the child is started (again); 0: it runs */
};

/* ---- the ends ---- */

static void pending_end(struct room *room, struct pending *pending, enum send_result result,
                        const char *reply)
{
    char words[CHANNEL_REPLY_BYTES_MAX + 1];

    for (struct pending **at = &room->pending; *at != NULL; at = &(*at)->next)
        if (*at == pending) {
            *at = pending->next;
            break;
        }
    channel_reply_copy(reply, strlen(reply), words);
    const struct outcome outcome = {.result = result, .reply = words};
    channel_end_fn *end_fn = pending->end_fn;
    void *arg = pending->arg;
    free(pending);
    end_fn(arg, &outcome);
}

static struct pending *pending_find(struct room *room, struct span id)
{
    for (struct pending *p = room->pending; p != NULL; p = p->next)
        if (span_is(id, p->id))
            return p;
    return NULL;
}

/* Ids can be guessed: of a message only who it was sent to speaks, or our own server. */
static bool may_speak_of(const struct pending *pending, struct span from)
{
    return from.len == 0 ||
           (from.len == strlen(pending->to) && strncasecmp(from.p, pending->to, from.len) == 0);
}

/* The connection or the child is gone: what had been given to it may have arrived. */
static void end_all(struct room *room, const char *reply)
{
    while (room->pending != NULL)
        pending_end(room, room->pending, SEND_UNKNOWN, reply);
}

/* ---- the child ---- */

/* Returns how it ended, as waitpid tells; 0 when there was none. */
static int child_stop(struct room *room)
{
    int status = 0;

    if (room->child == 0)
        return 0;
    zloop_poller_end(room->host->loop, &room->poll);
    close(room->poll.fd);
    (void)kill(room->child, SIGKILL);
    while (waitpid(room->child, &status, 0) < 0 && errno == EINTR)
        ;
    room->child = 0;
    room->is_up = false;
    return status;
}

static void child_lost(struct room *room)
{
    int status = child_stop(room);
    bool is_stuck = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;

    room->start_at_us = clock_mono_us() + RESTART_MS * US_PER_MS;
    (void)snprintf(room->reason, sizeof room->reason,
                   is_stuck ? "the server (or a name server) kept docket-xmpp waiting: it is started again"
                            : "docket-xmpp ended, and is started again");
    log_event(LOG_ERROR, "xmpp_ended", "jid=%s reason=%s", log_quote(room->host->settings->xmpp_jid),
              log_quote(room->reason));
    end_all(room, room->reason);
}

static void on_said(struct room *room, const struct wire_val *map)
{
    const struct channel_host *host = room->host;
    struct channel_said said = {.channel = CHANNEL_XMPP, .is_room = wire_find_bool(map, "room", false)};
    struct span from = wire_find_str(map, "from"), nick = wire_find_str(map, "nick"),
                text = wire_find_str(map, "text");

    if (host->said_fn == NULL || from.p == NULL || from.len >= sizeof said.from ||
        nick.len >= sizeof said.nick)
        return;
    (void)snprintf(said.from, sizeof said.from, "%.*s", (int)from.len, from.p);
    (void)snprintf(said.nick, sizeof said.nick, "%.*s", (int)nick.len, nick.p == NULL ? "" : nick.p);
    said.text = text.p == NULL ? span_of("") : text;
    host->said_fn(host->said_arg, &said);
}

static void on_packet(struct room *room, const struct wire_val *map)
{
    struct span op = wire_find_str(map, "op"), reason = wire_find_str(map, "reason");
    struct pending *pending = pending_find(room, wire_find_str(map, "id"));
    char words[300];

    if (pending != NULL && !may_speak_of(pending, wire_find_str(map, "from"))) {
        log_event(LOG_DEBUG, "xmpp_stranger_ignored", "id=%s", log_quote(pending->id));
        return;
    }
    (void)snprintf(words, sizeof words, "%.*s", (int)(reason.len < 250 ? reason.len : 250),
                   reason.p == NULL ? "" : reason.p);
    if (span_is(op, "up")) {
        room->is_up = true;
        log_event(LOG_INFO, "xmpp_up", "jid=%s", log_quote(room->host->settings->xmpp_jid));
    } else if (span_is(op, "down")) {
        if (room->is_up || strcmp(room->reason, words) != 0)
            log_event(LOG_WARN, "xmpp_down", "reason=%s", log_quote(words));
        room->is_up = false;
        (void)snprintf(room->reason, sizeof room->reason, "%.190s", words);
        end_all(room, words);
    } else if (span_is(op, "said")) {
        on_said(room, map);
    } else if (pending != NULL && span_is(op, "receipt")) {
        pending_end(room, pending, SEND_DELIVERED, "receipt");
    } else if (pending != NULL && span_is(op, "error")) {
        pending_end(room, pending, wire_find_bool(map, "permanent", true) ? SEND_PERMANENT : SEND_TEMPORARY,
                    words);
    } else if (pending != NULL && span_is(op, "taken")) {
        pending->is_taken = true;
        if (!pending->is_page)
            pending->end_by_us = clock_mono_us() + TAKEN_MS * US_PER_MS;
    }
}

static int on_ready(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    struct room *room = arg;
    struct wire_doc *doc = NULL;
    (void)loop;

    int got = xmpp_wire_receive(item->fd, &doc);
    if (got < 0) {
        child_lost(room);
    } else if (got > 0) {
        on_packet(room, wire_root(doc));
        wire_doc_free(doc);
    }
    return 0;
}

/* Beside our own program. */
static bool child_path(char *ret, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", ret, size - 1);
    char *slash;

    if (n <= 0)
        return false;
    ret[n] = '\0';
    slash = strrchr(ret, '/');
    return slash != NULL && snprintf(slash + 1, size - (size_t)(slash + 1 - ret), "docket-xmpp") > 0;
}

static void child_open(struct room *room)
{
    const struct settings_notifier *s = room->host->settings;
    struct buf packet;

    buf_init(&packet, XMPP_PACKET_BYTES_MAX);
    wire_put_map(&packet, 7);
    wire_put_key_text(&packet, "op", "open");
    wire_put_key_text(&packet, "jid", s->xmpp_jid);
    wire_put_key_text(&packet, "password", room->password);
    wire_put_key_text(&packet, "server", s->xmpp_server);
    wire_put_key_text(&packet, "ca_file", s->xmpp_ca_file);
    wire_put_key_text(&packet, "nick", s->xmpp_nick);
    wire_put_text(&packet, "rooms");
    wire_put_list(&packet, s->xmpp_rooms.count);
    for (size_t i = 0; i < s->xmpp_rooms.count; i++)
        wire_put_text(&packet, s->xmpp_rooms.items[i]);
    if (!xmpp_wire_send(room->poll.fd, &packet))
        log_event(LOG_ERROR, "xmpp_unopened", "jid=%s", log_quote(s->xmpp_jid));
    buf_clear(&packet);
}

static bool child_start(struct room *room, struct err *err)
{
    char path[1024];
    char *argv[] = {path, NULL};
    int ends[2];

    room->start_at_us = 0;
    if (!child_path(path, sizeof path) || access(path, X_OK) != 0)
        return err_set(err, ERR_IO, "docket-xmpp is not beside docket-notifier");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(err, ERR_IO, "cannot make a socket pair: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        if (dup2(ends[1], STDIN_FILENO) == STDIN_FILENO)
            (void)execv(path, argv);
        _exit(127);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return err_set(err, ERR_IO, "cannot start docket-xmpp: %s", strerror(errno));
    }
    room->child = child;
    room->poll = (zmq_pollitem_t){.fd = ends[0], .events = ZMQ_POLLIN};
    (void)zloop_poller(room->host->loop, &room->poll, on_ready, room);
    zloop_poller_set_tolerant(room->host->loop, &room->poll);
    (void)snprintf(room->reason, sizeof room->reason, "not connected yet");
    child_open(room);
    return true;
}

/* ---- attempts ---- */

static void end_late(struct room *room, struct pending *pending)
{
    if (pending->is_refused)
        pending_end(room, pending, SEND_CONNECTION, room->reason);
    else if (!pending->is_taken)
        pending_end(room, pending, SEND_UNKNOWN, "no answer from the server");
    else if (pending->is_page)
        pending_end(room, pending, SEND_UNKNOWN, "the server has it, no device said so");
    else
        pending_end(room, pending, SEND_DELIVERED, "the server has it");
}

static int on_tick(zloop_t *loop, int timer, void *arg)
{
    struct room *room = arg;
    int64_t now = clock_mono_us();
    struct pending *next;
    struct err err;
    (void)loop, (void)timer;

    if (room->start_at_us != 0 && now >= room->start_at_us && !child_start(room, &err)) {
        room->start_at_us = now + RESTART_MS * US_PER_MS;
        log_event(LOG_ERROR, "xmpp_unstarted", "reason=%s", log_quote(err.msg));
    }
    for (struct pending *p = room->pending; p != NULL; p = next) {
        next = p->next;
        if (now >= p->end_by_us)
            end_late(room, p);
    }
    return 0;
}

static bool room_send(struct room *room, const char *id, const char *to, struct span text)
{
    struct buf packet;

    buf_init(&packet, XMPP_PACKET_BYTES_MAX);
    wire_put_map(&packet, 4);
    wire_put_key_text(&packet, "op", "send");
    wire_put_key_text(&packet, "id", id);
    wire_put_key_text(&packet, "to", to);
    wire_put_key_str(&packet, "text", text);
    bool ok = room->child != 0 && xmpp_wire_send(room->poll.fd, &packet);
    buf_clear(&packet);
    return ok;
}

static void xmpp_start(void *arg, const struct outgoing *out, channel_end_fn *end_fn, void *end_arg)
{
    struct room *room = arg;
    struct pending *pending = mem_new(1, sizeof *pending);
    int64_t now = clock_mono_us();

    (void)snprintf(pending->id, sizeof pending->id, "%s", out->id);
    (void)snprintf(pending->to, sizeof pending->to, "%s", out->address);
    pending->is_page = out->is_page;
    pending->end_by_us = now + room->host->settings->smtp_timeout_us;
    pending->end_fn = end_fn;
    pending->arg = end_arg;
    pending->next = room->pending;
    room->pending = pending;
    pending->is_refused = !room->is_up || !room_send(room, pending->id, out->address, out->bytes);
    if (pending->is_refused)
        pending->end_by_us = now; /* told by the next tick: never from inside start */
}

void channel_xmpp_say(void *arg, const char *to, const char *text)
{
    struct room *room = arg;
    if (room == NULL || !room->is_up || !room_send(room, "", to, span_of(text)))
        log_event(LOG_WARN, "xmpp_unsaid", "to=%s", log_quote(to));
}

/* ---- bytes ---- */

/* Text of XML: no controls but line ends and tabs. */
static bool xmpp_build(void *room, const struct letter *letter, struct buf *out, struct err *err)
{
    (void)room, (void)err;

    for (const char *p = letter->text; *p != '\0' && out->len < XMPP_TEXT_BYTES_MAX; p++) {
        unsigned char byte = (unsigned char)*p;
        bool is_noncharacter =
            byte == 0xef && (unsigned char)p[1] == 0xbf && ((unsigned char)p[2] & 0xfe) == 0xbe;
        if (is_noncharacter)
            p += 2;
        else if (byte >= 0x20 || byte == '\n' || byte == '\t')
            buf_add(out, p, 1);
    }
    return true;
}

/* ---- life ---- */

static bool xmpp_open(const struct channel_host *host, void **ret_room, struct err *err)
{
    const struct settings_notifier *s = host->settings;

    *ret_room = NULL;
    if (s->xmpp_jid[0] == '\0')
        return true;
    struct room *room = mem_new(1, sizeof *room);
    room->host = host;
    room->timer = -1;
    bool ok =
        secret_read("xmpp_password_file", s->xmpp_password_file, room->password, sizeof room->password, err);
    room->password[strcspn(room->password, "\r\n")] = '\0'; /* zeros when it could not be read */
    if (!ok || !child_start(room, err)) {
        free(room);
        return false;
    }
    room->timer = zloop_timer(host->loop, TICK_MS, 0, on_tick, room);
    *ret_room = room;
    return true;
}

static void xmpp_close(void *arg)
{
    struct room *room = arg;

    zloop_timer_end(room->host->loop, room->timer);
    (void)child_stop(room);
    while (room->pending != NULL) {
        struct pending *first = room->pending;
        room->pending = first->next;
        free(first);
    }
    free(room);
}

const struct channel channel_xmpp = {
    .text_chars_max = TEXT_CHARS_MAX,
    .slots = SLOTS,
    .address_slots = ADDRESS_SLOTS,
    .limit = POLICY_LIMIT_CHAT,
    .to_customers = true,
    .schedules = {[SCHEDULE_MESSAGE] = &schedule_mail, [SCHEDULE_PAGE] = &schedule_page},
    .open = xmpp_open,
    .close = xmpp_close,
    .address_check = address_check_xmpp,
    .build = xmpp_build,
    .start = xmpp_start,
};
