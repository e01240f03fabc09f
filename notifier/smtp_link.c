/* One connection to a mail relay; see smtp_link.h. */
#include "smtp_link.h"
#include "channel.h"
#include "clock.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES_MAX = 4096, READ_BYTES = 4096, COMMAND_BYTES = 600, SMTP_GOODBYE = 421 };

enum link_state { LINK_CONNECTING, LINK_IDLE, LINK_BUSY, LINK_RESETTING, LINK_DEAD };

struct smtp_link {
    const struct smtp_relay *relay;
    struct curl_transfer transfer;
    enum link_state state;
    curl_socket_t fd; /* watched; CURL_SOCKET_BAD: not yet */
    short events;
    char error[CURL_ERROR_SIZE];
    int64_t idle_since, deadline;
    bool used;         /* a transaction was begun before this one */
    bool is_logged_in; /* the relay said so */

    /* what goes out and what came in */
    struct buf out;
    size_t out_done;
    bool is_body; /* out is the message, which may be refused before it is whole */
    char line[LINE_BYTES_MAX];
    size_t line_len;
    char reply[CHANNEL_REPLY_BYTES_MAX + 1];

    /* the transaction */
    enum smtp_stage stage;
    bool answered; /* the relay said something in it */
    char from[COMMAND_BYTES], to[COMMAND_BYTES];
    struct span bytes;
    smtp_end_fn *end_fn; /* NULL: none under way */
    void *arg;
};

static int on_socket(zloop_t *loop, zmq_pollitem_t *item, void *arg);
static void link_pump(struct smtp_link *link);

/* ---- ending ---- */

static void link_unwatch(struct smtp_link *link)
{
    zmq_pollitem_t item = {.fd = link->fd};
    if (link->events != 0)
        zloop_poller_end(link->relay->loop, &item);
    link->events = 0;
}

static void link_watch(struct smtp_link *link, short events)
{
    zmq_pollitem_t item = {.fd = link->fd, .events = events};
    if (events == link->events)
        return;
    link_unwatch(link);
    (void)zloop_poller(link->relay->loop, &item, on_socket, link);
    zloop_poller_set_tolerant(link->relay->loop, &item);
    link->events = events;
}

/* Relays say goodbye to a connection that was idle for long, or that carried as many messages as they want over one. */
static void transaction_end(struct smtp_link *link, int status, const char *reply)
{
    bool is_goodbye = status == SMTP_GOODBYE && link->stage == SMTP_MAIL;
    bool is_heard = link->answered && !is_goodbye;
    smtp_end_fn *end_fn = link->end_fn;
    const struct smtp_end end = {.stage = link->stage,
                                 .status = status,
                                 .reply = reply,
                                 .fresh = !link->used || is_heard};
    link->end_fn = NULL;
    link->used = true;
    link->idle_since = clock_mono_us();
    if (end_fn != NULL)
        end_fn(link->arg, &end);
}

static void link_die(struct smtp_link *link, const char *why)
{
    if (link->state == LINK_DEAD)
        return;
    link_unwatch(link);
    link->state = LINK_DEAD;
    transaction_end(link, 0, why);
}

/* ---- the transaction ---- */

static void link_say(struct smtp_link *link, const char *before, const char *what, const char *after)
{
    buf_reset(&link->out);
    link->out_done = 0;
    link->is_body = false;
    (void)buf_printf(&link->out, "%s%s%s\r\n", before, what, after);
}

/* Lines that begin with a dot get another, and the dot alone that ends it all. */
static void link_say_body(struct smtp_link *link)
{
    struct span bytes = link->bytes;

    buf_reset(&link->out);
    link->out_done = 0;
    link->is_body = true;
    for (size_t from = 0; from < bytes.len;) {
        const char *stop = memchr(bytes.p + from, '\n', bytes.len - from);
        size_t to = stop == NULL ? bytes.len : (size_t)(stop - bytes.p) + 1;
        if (bytes.p[from] == '.')
            (void)buf_add(&link->out, ".", 1);
        (void)buf_add(&link->out, bytes.p + from, to - from);
        from = to;
    }
    if (bytes.len < 2 || bytes.p[bytes.len - 1] != '\n')
        (void)buf_add_text(&link->out, "\r\n");
    (void)buf_add_text(&link->out, ".\r\n");
}

static void link_begin(struct smtp_link *link)
{
    link->state = LINK_BUSY;
    link->stage = SMTP_MAIL;
    link->answered = false;
    link->reply[0] = '\0';
    link_say(link, "MAIL FROM:", link->from, "");
}

/* The connection may be used again after a refusal, but for one that says goodbye, or that comes in the middle of the message. */
static void link_refused(struct smtp_link *link, int status)
{
    bool is_over = status == SMTP_GOODBYE || link->out_done < link->out.len;

    if (is_over || link->stage == SMTP_END) {
        link->state = is_over ? LINK_DEAD : LINK_IDLE;
        if (is_over)
            link_unwatch(link);
        transaction_end(link, status, link->reply);
        return;
    }
    link->state = LINK_RESETTING;
    link_say(link, "RSET", "", "");
    transaction_end(link, status, link->reply);
}

/* Before all is said a relay may refuse a message that it does not want to the end, or say goodbye. */
static bool may_come_early(const struct smtp_link *link, int status)
{
    return (link->is_body && status >= 400) || (link->state == LINK_BUSY && status == SMTP_GOODBYE);
}

static void on_reply(struct smtp_link *link, int status)
{
    bool go_on = status / 100 == 2, is_early = link->out_done < link->out.len;

    link->answered = link->state == LINK_BUSY;
    if (is_early && !may_come_early(link, status)) { /* an answer to what was not said yet is none */
        link_die(link, "the relay speaks out of turn");
        return;
    }
    if (link->state == LINK_RESETTING) {
        if (!go_on) {
            link_die(link, "RSET was refused");
            return;
        }
        link->state = LINK_IDLE;
        if (link->end_fn != NULL)
            link_begin(link);
        return;
    }
    if (link->state != LINK_BUSY) { /* it speaks unasked: a goodbye */
        link_die(link, link->reply);
        return;
    }
    if (link->stage == SMTP_DATA)
        go_on = status == 354;
    if (!go_on) {
        link_refused(link, status);
        return;
    }
    switch (link->stage) {
    case SMTP_MAIL:
        link->stage = SMTP_RCPT;
        link_say(link, "RCPT TO:", link->to, "");
        break;
    case SMTP_RCPT:
        link->stage = SMTP_DATA;
        link_say(link, "DATA", "", "");
        break;
    case SMTP_DATA: /* SMTP_END begins when the last byte is out */
        link_say_body(link);
        break;
    case SMTP_END:
    case SMTP_CONNECT:
        link->state = LINK_IDLE;
        transaction_end(link, status, link->reply);
        break;
    }
}

/* ---- bytes ---- */

/* False: the line is no answer. */
static bool on_line(struct smtp_link *link)
{
    const char *line = link->line;
    size_t len = link->line_len;

    if (len < 4 || line[0] < '2' || line[0] > '5' || line[1] < '0' || line[1] > '9' || line[2] < '0' ||
        line[2] > '9')
        return false;
    channel_reply_copy(line, len, link->reply);
    if (line[3] != '-')
        on_reply(link, (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0');
    return true;
}

static void on_bytes(struct smtp_link *link, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && link->state != LINK_DEAD; i++) {
        if (bytes[i] == '\n') {
            bool ok = on_line(link);
            link->line_len = 0;
            if (!ok) {
                link_die(link, "the relay does not speak SMTP");
                return;
            }
        } else if (link->line_len == LINE_BYTES_MAX) {
            link_die(link, "the relay's answer is longer than a line may be");
        } else {
            link->line[link->line_len++] = bytes[i];
        }
    }
}

static void link_read(struct smtp_link *link)
{
    char bytes[READ_BYTES];
    size_t n = 0;

    while (link->state != LINK_DEAD && link->state != LINK_CONNECTING) {
        CURLcode code = curl_easy_recv(link->transfer.easy, bytes, sizeof bytes, &n);
        if (code == CURLE_AGAIN)
            return;
        if (code != CURLE_OK || n == 0) {
            link_die(link, code != CURLE_OK ? curl_easy_strerror(code) : "the relay hung up");
            return;
        }
        on_bytes(link, bytes, n);
    }
}

static void link_write(struct smtp_link *link)
{
    while (link->state != LINK_DEAD && link->out_done < link->out.len) {
        size_t n = 0;
        CURLcode code = curl_easy_send(link->transfer.easy, link->out.p + link->out_done,
                                       link->out.len - link->out_done, &n);
        if (code == CURLE_AGAIN)
            return;
        if (code != CURLE_OK) {
            link_die(link, curl_easy_strerror(code));
            return;
        }
        link->out_done += n;
        if (link->out_done == link->out.len && link->out.len > 3 && link->stage == SMTP_DATA &&
            memcmp(link->out.p + link->out.len - 3, ".\r\n", 3) == 0)
            link->stage = SMTP_END;
    }
}

/* Reads what is there, writes what may be written; answers make new words, so until nothing moves. */
static void link_pump(struct smtp_link *link)
{
    size_t before;

    do {
        link_write(link);
        before = link->out_done;
        link_read(link);
    } while (link->state != LINK_DEAD && link->out_done < link->out.len && link->out_done != before);
    if (link->state != LINK_DEAD)
        link_watch(link, link->out_done < link->out.len ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN);
}

static int on_socket(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop, (void)item;
    link_pump(arg);
    return 0;
}

/* ---- life ---- */

/* Connected, TLS and login done; or not. libcurl goes on without a login that it was told of where the relay offers none it knows:
 * what such a relay then refuses for good would be its own fault, not that of the messages. */
static void on_connected(void *arg, CURLcode code)
{
    struct smtp_link *link = arg;

    if (code == CURLE_OK && link->relay->user[0] != '\0' && !link->is_logged_in) {
        link_die(link, "the relay offers no login that is known here, and smtp_user is set");
        return;
    }
    if (code == CURLE_OK)
        code = curl_easy_getinfo(link->transfer.easy, CURLINFO_ACTIVESOCKET, &link->fd);
    if (code != CURLE_OK || link->fd == CURL_SOCKET_BAD) {
        char why[CURL_ERROR_SIZE + CHANNEL_REPLY_BYTES_MAX];
        (void)snprintf(why, sizeof why, "%.250s%s%.1000s",
                       link->error[0] != '\0' ? link->error : curl_easy_strerror(code),
                       link->reply[0] == '\0' ? "" : ": ", link->reply);
        link_die(link, why);
        return;
    }
    link->state = LINK_IDLE;
    if (link->end_fn != NULL)
        link_begin(link);
    link_pump(link);
}

/* The relay's answers while libcurl speaks: whether it took the login; the last refusal is worth telling. */
static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct smtp_link *link = arg;
    size_t len = size * count;

    if (len >= 3 && memcmp(line, "235", 3) == 0)
        link->is_logged_in = true;
    if (len > 0 && (line[0] == '4' || line[0] == '5'))
        channel_reply_copy(line, len, link->reply);
    return len;
}

static void link_set_options(struct smtp_link *link)
{
    const struct smtp_relay *relay = link->relay;
    CURL *easy = link->transfer.easy;

    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, link->error);
    curl_easy_setopt(easy, CURLOPT_URL, relay->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(relay->timeout_us / US_PER_MS / 2));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(relay->timeout_us / US_PER_MS));
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_USE_SSL, relay->use_ssl);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, link);
    if (relay->ca_file[0] != '\0')
        curl_easy_setopt(easy, CURLOPT_CAINFO, relay->ca_file);
    if (relay->user[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_USERNAME, relay->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, relay->password);
    }
}

struct smtp_link *smtp_link_new(const struct smtp_relay *relay)
{
    struct smtp_link *link = mem_new(1, sizeof *link);

    link->relay = relay;
    link->fd = CURL_SOCKET_BAD;
    link->idle_since = clock_mono_us();
    buf_init(&link->out, SIZE_MAX / 4);
    link->transfer =
        (struct curl_transfer){.easy = curl_easy_init(), .end_fn = on_connected, .arg = link, .keep = true};
    link_set_options(link);
    curl_loop_add(relay->curl, &link->transfer);
    return link;
}

void smtp_link_free(struct smtp_link *link)
{
    size_t n;

    if (link == NULL)
        return;
    if (link->state == LINK_IDLE)
        (void)curl_easy_send(link->transfer.easy, "QUIT\r\n", 6, &n);
    link_unwatch(link);
    curl_loop_drop(link->relay->curl, &link->transfer);
    curl_easy_cleanup(link->transfer.easy);
    buf_clear(&link->out);
    free(link);
}

bool smtp_link_is_idle(const struct smtp_link *link)
{
    return link->end_fn == NULL && (link->state == LINK_IDLE || link->state == LINK_RESETTING);
}

bool smtp_link_is_dead(const struct smtp_link *link)
{
    return link->state == LINK_DEAD;
}

int64_t smtp_link_idle_since(const struct smtp_link *link)
{
    return link->idle_since;
}

void smtp_link_send(struct smtp_link *link, const char *from, const char *to, struct span bytes,
                    smtp_end_fn *end_fn, void *arg)
{
    (void)snprintf(link->from, sizeof link->from, "<%s>", from);
    (void)snprintf(link->to, sizeof link->to, "<%s>", to);
    link->bytes = bytes;
    link->end_fn = end_fn;
    link->arg = arg;
    link->stage = SMTP_CONNECT;
    link->answered = false;
    link->deadline = clock_mono_us() + link->relay->timeout_us;
    if (link->state != LINK_IDLE)
        return; /* begins once connected, or once RSET was answered */
    link_begin(link);
    link_watch(link,
               ZMQ_POLLIN | ZMQ_POLLOUT); /* the loop goes on from here: the end is never inside this call */
}

void smtp_link_tick(struct smtp_link *link, int64_t now)
{
    if (link->end_fn != NULL && link->state != LINK_CONNECTING && now > link->deadline)
        link_die(link, "no answer in time");
}
