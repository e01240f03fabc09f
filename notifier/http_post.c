/* POSTs to somebody else's server; see http_post.h. */
#include "http_post.h"
#include "clock.h"
#include "curl_loop.h"
#include "mem.h"
#include "net_guard.h"
#include "settings_notifier.h"
#include "webhook_sign.h"

#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 5000, TOTAL_MS = 20000, ID_BYTES = 200 };

struct http_poster {
    struct curl_loop *curl;
    const char *ca_file; /* "": those of the system */
    struct net_guard guard;
    struct webhook_secrets *secrets;
    struct post *posts;
};

struct post {
    struct curl_transfer curl;
    struct http_poster *poster;
    struct post *next, *previous;
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
    char reply[HTTP_POST_REPLY_BYTES_MAX];
    size_t reply_len;
    struct http_guarded guarded;
    channel_end_fn *end_fn;
    void *arg;
};

bool http_poster_may(const struct http_poster *poster, const char *url, struct err *err)
{
    char host[256] = "";

    if (webhook_secrets_has(poster->secrets, url))
        return true;
    (void)webhook_host(url, host, sizeof host);
    return err_set(err, ERR_INVALID, "webhook_secrets_file has no secret for %s", host);
}

/* ---- one transfer ---- */

static void post_free(struct post *post)
{
    if (post->previous != NULL)
        post->previous->next = post->next;
    else
        post->poster->posts = post->next;
    if (post->next != NULL)
        post->next->previous = post->previous;
    curl_easy_cleanup(post->curl.easy);
    curl_slist_free_all(post->headers);
    free(post);
}

/* The address that is really connected; what a name meant before does not matter. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_guarded *guarded = arg;
    (void)purpose;

    if (!net_guard_allows(guarded->guard, &address->addr)) {
        guarded->is_blocked = true;
        return CURL_SOCKET_BAD;
    }
    guarded->is_opened = true;
    /* docket-xmpp may be started meanwhile: what it inherited would stay open when we close it. */
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* All addresses of the name are refused: it will not be otherwise by itself. */
static bool is_refused(const struct http_guarded *guarded)
{
    return guarded->is_blocked && !guarded->is_opened;
}

/* Beyond the limit the transfer is ended; its status is known by then. */
static size_t on_reply(char *bytes, size_t size, size_t count, void *arg)
{
    struct post *post = arg;
    size_t n = size * count, room = sizeof post->reply - post->reply_len;

    memcpy(post->reply + post->reply_len, bytes, n < room ? n : room);
    post->reply_len += n < room ? n : room;
    return n <= room ? n : 0;
}

/* Only 2xx is success; all else is worth another try but what says that it will never be. Without a status: whether anything was
 * sent decides whether they may have it. */
static enum send_result judge(const struct post *post, CURLcode code, long status)
{
    curl_off_t sent = 0;

    (void)curl_easy_getinfo(post->curl.easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (status >= 200 && status < 300)
        return SEND_DELIVERED;
    if (status == 410)
        return SEND_PERMANENT;
    if (status >= 300)
        return SEND_TEMPORARY;
    if (is_refused(&post->guarded) && sent == 0)
        return SEND_PERMANENT;
    if (sent == 0 || code == CURLE_COULDNT_CONNECT || code == CURLE_SSL_CONNECT_ERROR ||
        code == CURLE_PEER_FAILED_VERIFICATION)
        return SEND_CONNECTION;
    return SEND_UNKNOWN;
}

static void put_reply(const struct post *post, CURLcode code, long status, char *ret)
{
    char text[HTTP_POST_REPLY_BYTES_MAX + 64];
    int n = 0;

    if (status != 0)
        n = snprintf(text, sizeof text, "%ld %.*s", status, (int)post->reply_len, post->reply);
    else if (is_refused(&post->guarded))
        n = snprintf(text, sizeof text, "its address is private or special, and not in http_allow");
    else
        n = snprintf(text, sizeof text, "%s",
                     post->error[0] != '\0' ? post->error : curl_easy_strerror(code));
    channel_reply_copy(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1, ret);
}

static void on_end(void *arg, CURLcode code)
{
    struct post *post = arg;
    char reply[CHANNEL_REPLY_BYTES_MAX + 1];
    curl_off_t after_s = 0;
    long status = 0;
    channel_end_fn *end_fn = post->end_fn;
    void *end_arg = post->arg;

    (void)curl_easy_getinfo(post->curl.easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(post->curl.easy, CURLINFO_RETRY_AFTER, &after_s);
    /* An answer that broke off in its head, or is none of HTTP's, has not told its status. */
    if (code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_HTTP2)
        status = 0;
    struct outcome outcome = {.result = judge(post, code, status),
                              .reply = reply,
                              .retry_after_us = retry_after_read(after_s),
                              .address_is_dead = status == 410};
    put_reply(post, code, status, reply);
    post_free(post);
    end_fn(end_arg, &outcome);
}

static void add_header(struct post *post, const char *name, const char *value)
{
    char line[512];
    (void)snprintf(line, sizeof line, "%s: %s", name, value);
    post->headers = curl_slist_append(post->headers, line);
}

/* A full stop parts the id from the rest of what is signed, so it has none itself. */
static void id_of(const char *id, char *ret)
{
    (void)snprintf(ret, ID_BYTES, "%s", id);
    for (char *p = ret; *p != '\0'; p++)
        *p = *p == '.' || *p <= ' ' || *p > '~' ? '_' : *p;
}

static void set_headers(struct post *post, const char *url, const struct outgoing *out)
{
    char id[ID_BYTES], signature[WEBHOOK_SIGNATURE_BYTES], timestamp[24];
    int64_t now_s = clock_wall_us() / US_PER_S;

    id_of(out->id, id);
    (void)snprintf(timestamp, sizeof timestamp, "%lld", (long long)now_s);
    add_header(post, "Content-Type", "application/json");
    add_header(post, "User-Agent", "docket-notifier/" DOCKET_VERSION);
    add_header(post, "webhook-id", id);
    add_header(post, "Idempotency-Key", id);
    add_header(post, "webhook-timestamp", timestamp);
    if (webhook_sign(post->poster->secrets, url, id, now_s, out->bytes, signature))
        add_header(post, "webhook-signature", signature);
    add_header(post, "Expect", ""); /* no pause before the body */
}

void http_easy_prepare(CURL *easy, const char *url, const char *ca_file, struct http_guarded *guarded)
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, strncmp(url, "https", 5) == 0 ? "https" : "http");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)TOTAL_MS);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file[0] != '\0')
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, guarded);
}

static void set_options(struct post *post, const char *url, const struct outgoing *out)
{
    CURL *easy = post->curl.easy;

    post->guarded = (struct http_guarded){.guard = &post->poster->guard};
    http_easy_prepare(easy, url, post->poster->ca_file, &post->guarded);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, out->bytes.p);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)out->bytes.len);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, post);
}

void http_post(struct http_poster *poster, const char *url, const struct outgoing *out,
               channel_end_fn *end_fn, void *arg)
{
    struct post *post = mem_new(1, sizeof *post);

    post->poster = poster;
    post->next = poster->posts;
    if (post->next != NULL)
        post->next->previous = post;
    poster->posts = post;
    post->end_fn = end_fn;
    post->arg = arg;
    post->curl = (struct curl_transfer){.easy = curl_easy_init(), .end_fn = on_end, .arg = post};
    set_headers(post, url, out);
    set_options(post, url, out);
    curl_loop_add(poster->curl, &post->curl);
}

/* ---- life ---- */

bool http_poster_new(const struct channel_host *host, struct http_poster **ret, struct err *err)
{
    const struct settings_notifier *settings = host->settings;

    *ret = NULL;
    if (settings->webhook_secrets_file[0] == '\0')
        return true;
    struct http_poster *poster = mem_new(1, sizeof *poster);
    poster->curl = host->curl;
    poster->ca_file = settings->http_ca_file;
    if (!net_guard_parse(&settings->http_allow, &poster->guard, err)) {
        free(poster);
        return err_prefix(err, "http_allow: ");
    }
    if (!webhook_secrets_read(settings->webhook_secrets_file, &poster->secrets, err)) {
        free(poster);
        return false;
    }
    *ret = poster;
    return true;
}

void http_poster_free(struct http_poster *poster)
{
    if (poster == NULL)
        return;
    while (poster->posts != NULL) {
        curl_loop_drop(poster->curl, &poster->posts->curl);
        post_free(poster->posts);
    }
    webhook_secrets_free(poster->secrets);
    free(poster);
}
