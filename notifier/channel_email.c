/* E-mail: built by mail_build, carried to the relay by libcurl, one recipient a transaction, several transactions
 * at once over connections that are reused. */
#include "address.h"
#include "channel.h"
#include "clock.h"
#include "mail_build.h"
#include "mem.h"
#include "secret.h"
#include "token.h"

#include <stdlib.h>
#include <string.h>

enum { PASSWORD_BYTES_MAX = 512, SLOTS = 64, ADDRESS_SLOTS = 4, PATH_BYTES = ADDRESS_BYTES_MAX + 3 };

struct room {
    const struct channel_host *host;
    char from[ADDRESS_BYTES_MAX + 1];
    char password[PASSWORD_BYTES_MAX + 1];
    struct token_key key;
    bool has_key;
    long use_ssl;
    struct transfer *transfers;
};

/* One transaction. */
struct transfer {
    struct curl_transfer curl;
    struct room *room;
    struct transfer *next, *previous;
    const struct outgoing *out;
    struct curl_slist *to;
    size_t sent;
    char reply[CHANNEL_REPLY_BYTES_MAX + 1];
    char error[CURL_ERROR_SIZE];
    channel_end_fn *end_fn;
    void *arg;
};

/* ---- one transaction ---- */

static size_t on_read(char *to, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t n = size * count, left = t->out->bytes.len - t->sent;

    n = n < left ? n : left;
    memcpy(to, t->out->bytes.p + t->sent, n);
    t->sent += n;
    return n;
}

/* The relay's answers, a line each. The last refusal stays, else the last one: after a refusal comes a goodbye. */
static size_t on_line(char *line, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * count;
    bool refused = t->reply[0] == '4' || t->reply[0] == '5';

    if (len > 0 && (!refused || line[0] == '4' || line[0] == '5'))
        channel_reply_copy(line, len, t->reply);
    return len;
}

static void transfer_free(struct transfer *t)
{
    if (t->previous != NULL)
        t->previous->next = t->next;
    else
        t->room->transfers = t->next;
    if (t->next != NULL)
        t->next->previous = t->previous;
    curl_easy_cleanup(t->curl.easy);
    curl_slist_free_all(t->to);
    free(t);
}

/* What the end of a transfer says about the message. The response code decides before curl's, which calls
 * most refusals a failed upload; authentication and TLS are the relay's faults, not the message's. */
static enum send_result transfer_judge(const struct transfer *t, CURLcode code)
{
    long status = 0;
    bool all_sent = t->sent == t->out->bytes.len;

    (void)curl_easy_getinfo(t->curl.easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK)
        return SEND_DELIVERED;
    if (code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED ||
        code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR || status == 421 ||
        status == 530 || status == 535)
        return SEND_CONNECTION;
    if (all_sent && (status == 354 || status == 0))
        return SEND_UNKNOWN;
    if (status >= 500 && status < 600)
        return SEND_PERMANENT;
    if (status >= 400 && status < 500)
        return SEND_TEMPORARY;
    return all_sent ? SEND_UNKNOWN : SEND_CONNECTION;
}

/* "550 5.1.1 …", "550-5.1.10 …": there is no such mailbox. */
static bool reply_is_dead(const char *reply)
{
    return strlen(reply) > 7 && reply[0] == '5' && (reply[3] == ' ' || reply[3] == '-') &&
           strncmp(reply + 4, "5.1.", 4) == 0;
}

static void on_end(void *arg, CURLcode code)
{
    struct transfer *t = arg;
    char reply[CHANNEL_REPLY_BYTES_MAX + 1];
    struct outcome outcome = {.result = transfer_judge(t, code), .reply = reply};
    channel_end_fn *end_fn = t->end_fn;
    void *end_arg = t->arg;

    if (outcome.result == SEND_CONNECTION)
        (void)snprintf(reply, sizeof reply, "%s", t->error[0] != '\0' ? t->error : curl_easy_strerror(code));
    else if (outcome.result == SEND_UNKNOWN)
        (void)snprintf(reply, sizeof reply, "no answer after the message: %s", curl_easy_strerror(code));
    else
        (void)snprintf(reply, sizeof reply, "%s", t->reply);
    outcome.address_is_dead = outcome.result == SEND_PERMANENT && reply_is_dead(reply);
    transfer_free(t);
    end_fn(end_arg, &outcome);
}

static void transfer_set_options(struct transfer *t, const char *from, const char *to)
{
    const struct room *room = t->room;
    const struct settings_notifier *s = room->host->settings;
    CURL *easy = t->curl.easy;

    t->to = curl_slist_append(NULL, to);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(easy, CURLOPT_URL, s->smtp_url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(s->smtp_timeout_us / US_PER_MS / 2));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(s->smtp_timeout_us / US_PER_MS));
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_USE_SSL, room->use_ssl);
    if (s->smtp_ca_file[0] != '\0')
        curl_easy_setopt(easy, CURLOPT_CAINFO, s->smtp_ca_file);
    if (s->smtp_user[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_USERNAME, s->smtp_user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, room->password);
    }
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, t->to);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
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

    (void)snprintf(ret, PATH_BYTES, "<%s>", room->from);
    if (base[0] == '\0' || !room->has_key)
        return;
    token_mail_format(&room->key, TOKEN_BOUNCE, out->delivery, out->address, token);
    if (address_with_token(base, token, path))
        (void)snprintf(ret, PATH_BYTES, "<%.*s>", ADDRESS_BYTES_MAX, path);
}

static void email_start(void *arg, const struct outgoing *out, channel_end_fn *end_fn, void *end_arg)
{
    struct room *room = arg;
    struct transfer *t = mem_new(1, sizeof *t);
    char from[PATH_BYTES], to[PATH_BYTES];

    t->room = room;
    t->next = room->transfers;
    if (t->next != NULL)
        t->next->previous = t;
    room->transfers = t;
    t->out = out;
    t->end_fn = end_fn;
    t->arg = end_arg;
    t->curl = (struct curl_transfer){curl_easy_init(), on_end, t};
    return_path(room, out, from);
    (void)snprintf(to, sizeof to, "<%.*s>", ADDRESS_BYTES_MAX, out->address);
    transfer_set_options(t, from, to);
    curl_loop_add(room->host->curl, &t->curl);
}

/* ---- bytes ---- */

static bool email_build(void *arg, const struct letter *letter, struct buf *out, struct err *err)
{
    const struct room *room = arg;
    const struct settings_notifier *s = room->host->settings;
    char reply_to[PATH_BYTES] = "", token[TOKEN_MAIL_BYTES];

    if (letter->audience == AUDIENCE_CUSTOMER && letter->ticket != 0 && s->reply_address[0] != '\0' &&
        room->has_key) {
        token_mail_format(&room->key, TOKEN_REPLY, letter->ticket, letter->address, token);
        if (!address_with_token(s->reply_address, token, reply_to))
            reply_to[0] = '\0';
    }
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
                              .is_receipt = strcmp(letter->kind, "received") == 0,
                              .date_at = letter->date_at,
                              .text = letter->text,
                              .html = letter->html};
    return mail_build(&mail, out, err);
}

/* ---- life ---- */

static long choose_tls(const struct settings_notifier *s)
{
    if (strncmp(s->smtp_url, "smtps://", 8) == 0)
        return (long)CURLUSESSL_ALL;
    if (s->smtp_tls[0] == '\0')
        return smtp_url_is_loopback(s->smtp_url) ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL;
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
    room->use_ssl = choose_tls(host->settings);
    if (!address_bare(host->settings->mail_from, room->from, err) || !read_secrets(room, err)) {
        free(room);
        return false;
    }
    *ret_room = room;
    return true;
}

static void email_close(void *arg)
{
    struct room *room = arg;

    while (room->transfers != NULL) {
        curl_loop_drop(room->host->curl, &room->transfers->curl);
        transfer_free(room->transfers);
    }
    free(room);
}

const struct channel channel_email = {
    .name = "email",
    .suffix = "txt",
    .slots = SLOTS,
    .address_slots = ADDRESS_SLOTS,
    .to_customers = true,
    .schedules = {[SCHEDULE_MESSAGE] = &schedule_mail, [SCHEDULE_PAGE] = &schedule_page},
    .open = email_open,
    .close = email_close,
    .address_check = address_check,
    .build = email_build,
    .start = email_start,
};
