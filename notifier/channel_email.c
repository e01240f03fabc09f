/* E-mail: built by mail_build, carried to the relay by smtp_link, one recipient a transaction, several transactions at once
 * over connections that are reused. */
#include "address.h"
#include "channel.h"
#include "clock.h"
#include "endpoint.h"
#include "mail_build.h"
#include "mail_calendar.h"
#include "mem.h"
#include "secret.h"
#include "settings_notifier.h"
#include "smtp_link.h"
#include "token.h"

#include <stdlib.h>
#include <string.h>

enum {
    PASSWORD_BYTES_MAX = 512,
    SLOTS = 64,
    ADDRESS_SLOTS = 4,
    PATH_BYTES = ADDRESS_BYTES_MAX + 3,
    TICK_MS = 100,
    CALENDAR_BYTES_MAX = 64 << 10,
    SUMMARY_BYTES = 1024
};
#define IDLE_US (10 * US_PER_S) /* then a connection is closed */

struct room {
    const struct channel_host *host;
    char from[ADDRESS_BYTES_MAX + 1];
    char password[PASSWORD_BYTES_MAX + 1];
    struct token_key key;
    bool has_key;
    struct smtp_relay relay;
    struct line *lines;
    int timer;
};

/* A connection, and the attempt that uses it. */
struct line {
    struct room *room;
    struct line *next;
    struct smtp_link *link;
    const struct outgoing *out; /* NULL: free */
    bool broken;                /* to be sent again over a new connection */
    channel_end_fn *end_fn;
    void *arg;
};

/* ---- one transaction ---- */

/* What the end of a transaction says about the message. Connecting, TLS, login, a refused sender and a relay that says
 * goodbye are the relay's faults, not the message's. */
static enum send_result judge(const struct smtp_end *end)
{
    if (end->status == 0)
        return end->stage == SMTP_END ? SEND_UNKNOWN : SEND_CONNECTION;
    if (end->stage == SMTP_CONNECT || end->stage == SMTP_MAIL || end->status == 421 || end->status == 530 ||
        end->status == 535)
        return SEND_CONNECTION;
    if (end->status / 100 == 5)
        return SEND_PERMANENT;
    if (end->status / 100 == 4)
        return SEND_TEMPORARY;
    if (end->stage == SMTP_END)
        return end->status / 100 == 2 ? SEND_DELIVERED : SEND_UNKNOWN;
    return SEND_CONNECTION; /* an answer that has no meaning there */
}

/* "550 5.1.1 …", "550-5.1.10 …": there is no such mailbox. */
static bool reply_is_dead(const char *reply)
{
    return strlen(reply) > 7 && reply[0] == '5' && (reply[3] == ' ' || reply[3] == '-') &&
           strncmp(reply + 4, "5.1.", 4) == 0;
}

/* "local@domain" and a token to "local+token@domain". False when that is no address any more. */
static bool address_with_token(const char *base, const char *token, char ret[PATH_BYTES])
{
    const char *at = strchr(base, '@');
    struct err ignored;
    int n = snprintf(ret, PATH_BYTES, "%.*s+%s%s", (int)(at - base), base, token, at);
    return n > 0 && n <= ADDRESS_BYTES_MAX && address_check(ret, &ignored);
}

/* The envelope's sender: VERP where bounces are read, so that one tells which delivery it is about. */
static void return_path(const struct room *room, const struct outgoing *out, char ret[PATH_BYTES])
{
    const char *base = room->host->settings->bounce_address;
    char token[TOKEN_MAIL_BYTES], path[PATH_BYTES];

    (void)snprintf(ret, PATH_BYTES, "%s", room->from);
    if (base[0] == '\0' || !room->has_key)
        return;
    token_mail_format(&room->key, TOKEN_BOUNCE, out->delivery, out->address, token);
    if (address_with_token(base, token, path))
        (void)snprintf(ret, PATH_BYTES, "%.*s", ADDRESS_BYTES_MAX, path);
}

static void on_end(void *arg, const struct smtp_end *end);

static void line_send(struct line *line)
{
    char from[PATH_BYTES];
    return_path(line->room, line->out, from);
    smtp_link_send(line->link, from, line->out->address, line->out->bytes, on_end, line);
}

static void on_end(void *arg, const struct smtp_end *end)
{
    struct line *line = arg;
    struct outcome outcome = {.result = judge(end), .reply = end->reply};
    channel_end_fn *end_fn = line->end_fn;

    if (!end->fresh && end->stage <= SMTP_MAIL) { /* it hung up on a used connection: nobody's fault */
        line->broken = true;
        return;
    }
    outcome.address_is_dead = outcome.result == SEND_PERMANENT && reply_is_dead(end->reply);
    line->out = NULL;
    end_fn(line->arg, &outcome);
}

/* ---- connections ---- */

static struct line *line_free_one(struct room *room)
{
    for (struct line *line = room->lines; line != NULL; line = line->next)
        if (line->out == NULL && smtp_link_is_idle(line->link))
            return line;
    struct line *line = mem_new(1, sizeof *line);
    line->room = room;
    line->link = smtp_link_new(&room->relay);
    line->next = room->lines;
    room->lines = line;
    return line;
}

static void email_start(void *arg, const struct outgoing *out, channel_end_fn *end_fn, void *end_arg)
{
    struct line *line = line_free_one(arg);

    line->out = out;
    line->end_fn = end_fn;
    line->arg = end_arg;
    line_send(line);
}

/* Gives up what takes too long, closes what is idle or dead, and connects anew where a connection broke under a message
 * that the relay had not heard of. */
static int on_tick(zloop_t *loop, int timer, void *arg)
{
    struct room *room = arg;
    int64_t now = clock_mono_us();
    (void)loop, (void)timer;

    for (struct line **at = &room->lines; *at != NULL;) {
        struct line *line = *at;
        smtp_link_tick(line->link, now);
        if (line->broken) {
            smtp_link_free(line->link);
            line->link = smtp_link_new(&room->relay);
            line->broken = false;
            line_send(line);
        }
        bool over = line->out == NULL &&
                    (smtp_link_is_dead(line->link) || now - smtp_link_idle_since(line->link) > IDLE_US);
        if (!over) {
            at = &line->next;
            continue;
        }
        *at = line->next;
        smtp_link_free(line->link);
        free(line);
    }
    return 0;
}

/* ---- bytes ---- */

static bool email_build(void *arg, const struct letter *letter, struct buf *out, struct err *err)
{
    const struct room *room = arg;
    const struct settings_notifier *s = room->host->settings;
    char reply_to[PATH_BYTES] = "", token[TOKEN_MAIL_BYTES], mark[TOKEN_MAIL_BYTES];

    if (room->has_key)
        token_mail_format(&room->key, TOKEN_BOUNCE, letter->delivery, letter->address, mark);
    bool is_alert = letter_alert(letter) != 0;
    bool is_ticket = letter->to_customer != NULL && letter->ticket != 0 && !letter->is_guest;
    if ((is_alert || is_ticket) && s->reply_address[0] != '\0' && room->has_key) {
        token_mail_format(&room->key, is_alert ? TOKEN_ACKNOWLEDGE : TOKEN_REPLY,
                          is_alert ? token_alert_join(letter->to_staff->alert_id,
                                                      letter->to_staff->alert_generation)
                                   : letter->ticket,
                          letter->address, token);
        if (!address_with_token(s->reply_address, token, reply_to))
            reply_to[0] = '\0';
    }
    struct buf calendar;
    bool cancels = false, has_calendar = false;
    char summary[SUMMARY_BYTES];
    (void)snprintf(summary, sizeof summary, "[%s] %.*s", letter->tracking, (int)letter->title.len,
                   letter->title.p == NULL ? "" : letter->title.p);
    const struct mail_meeting meeting = {.body = letter_body(letter),
                                         .organizer = reply_to[0] == '\0' ? room->from : reply_to,
                                         .sender = room->from,
                                         .summary = summary,
                                         .now = letter->date_at,
                                         .version = letter->version};

    buf_init(&calendar, CALENDAR_BYTES_MAX);
    if (strcmp(letter->kind, "meeting") == 0)
        has_calendar = mail_calendar_put(&meeting, &calendar, &cancels);
    const struct mail mail = {.from = s->mail_from,
                              .reply_to = reply_to[0] == '\0' ? NULL : reply_to,
                              .to_name = letter->recipient,
                              .to = letter->address,
                              .subject = letter->subject,
                              .message_id = letter->id,
                              .root_id = letter->root_id[0] == '\0' ? NULL : letter->root_id,
                              .previous_id = letter->previous_id[0] == '\0' ? NULL : letter->previous_id,
                              .tracking = letter->tracking[0] == '\0' ? NULL : letter->tracking,
                              .kind = letter->kind,
                              .mark = room->has_key ? mark : NULL,
                              .is_receipt = strcmp(letter->kind, "received") == 0 ||
                                            strcmp(letter->kind, "receipts") == 0,
                              .date_at = letter->date_at,
                              .text = letter->text,
                              .html = letter->html,
                              .calendar = has_calendar ? buf_text(&calendar) : NULL,
                              .calendar_cancels = cancels};
    bool ok = mail_build(&mail, out, err);
    buf_clear(&calendar);
    return ok;
}

/* ---- life ---- */

static void email_relay(const struct settings_notifier *settings, struct channel_relay *ret)
{
    *ret = (struct channel_relay){.name = settings->smtp_url, .per_second = settings->smtp_rate};
}

static long choose_tls(const struct settings_notifier *s)
{
    if (strncmp(s->smtp_url, "smtps://", 8) == 0)
        return (long)CURLUSESSL_ALL;
    if (s->smtp_tls[0] == '\0')
        return url_is_loopback(s->smtp_url) ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL;
    return strcmp(s->smtp_tls, "none") == 0 ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL;
}

static bool read_secrets(struct room *room, struct err *err)
{
    const struct settings_notifier *s = room->host->settings;

    if (s->smtp_user[0] != '\0') {
        if (!secret_read("smtp_password_file", s->smtp_password_file, room->password, sizeof room->password,
                         err))
            return false;
        room->password[strcspn(room->password, "\r\n")] = '\0';
    }
    room->has_key = s->token_key_file[0] != '\0';
    return !room->has_key || token_key_read(s->token_key_file, &room->key, err);
}

static bool email_open(const struct channel_host *host, void **ret_room, struct err *err)
{
    struct room *room = mem_new(1, sizeof *room);

    room->host = host;
    if (!address_bare(host->settings->mail_from, room->from, err) || !read_secrets(room, err)) {
        free(room);
        return false;
    }
    const struct settings_notifier *s = host->settings;
    room->relay = (struct smtp_relay){.loop = host->loop,
                                      .curl = host->curl,
                                      .url = s->smtp_url,
                                      .ca_file = s->smtp_ca_file,
                                      .user = s->smtp_user,
                                      .password = room->password,
                                      .use_ssl = choose_tls(s),
                                      .timeout_us = s->smtp_timeout_us};
    room->timer = zloop_timer(host->loop, TICK_MS, 0, on_tick, room);
    *ret_room = room;
    return true;
}

static void email_close(void *arg)
{
    struct room *room = arg;

    zloop_timer_end(room->host->loop, room->timer);
    while (room->lines != NULL) {
        struct line *line = room->lines;
        room->lines = line->next;
        smtp_link_free(line->link);
        free(line);
    }
    free(room);
}

const struct channel channel_email = {
    .slots = SLOTS,
    .address_slots = ADDRESS_SLOTS,
    .relay = email_relay,
    .to_customers = true,
    .schedules = {[SCHEDULE_MESSAGE] = &schedule_mail, [SCHEDULE_PAGE] = &schedule_page},
    .open = email_open,
    .close = email_close,
    .address_check = address_check,
    .build = email_build,
    .start = email_start,
};
