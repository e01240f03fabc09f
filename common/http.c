/* A small HTTP server on the program's loop; see http.h. */
#include "http.h"
#include "clock.h"
#include "http_internal.h"
#include "log.h"
#include "mem.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <microhttpd.h>

/* Splits "host:port" or "[v6]:port"; writes host without brackets. */
static bool http_bind_parse(const char *bind, char *host, size_t host_size, char *port, size_t port_size)
{
    const char *colon = strrchr(bind, ':');
    if (colon == NULL || colon == bind || colon[1] == '\0' ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    const char *from = bind;
    size_t len = (size_t)(colon - bind);
    if (bind[0] == '[' && len > 2 && colon[-1] == ']') {
        from++;
        len -= 2;
    }
    if (len >= host_size || strlen(colon + 1) >= port_size)
        return false;
    (void)snprintf(host, host_size, "%.*s", (int)len, from);
    (void)snprintf(port, port_size, "%s", colon + 1);
    return strtol(port, NULL, 10) <= 65535;
}

bool http_bind_check(const char *bind, struct err *err)
{
    char host[256], port[8];
    return http_bind_parse(bind, host, sizeof host, port, sizeof port) ||
           err_set(err, ERR_INVALID, "\"%.60s\" is not HOST:PORT", bind);
}

bool http_bind_is_loopback(const char *bind)
{
    char host[256], port[8];
    struct in_addr v4;

    if (!http_bind_parse(bind, host, sizeof host, port, sizeof port))
        return false;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

void http_serve_metrics(void *metrics, struct http_answer *answer)
{
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(metrics, &answer->body);
}

void http_serve_alive(void *unused, struct http_answer *answer)
{
    (void)unused;
    buf_add_text(&answer->body, "ok\n");
}

void http_answer_ready(struct http_answer *answer, const char *why)
{
    answer->status = why == NULL ? 200 : 503;
    if (why == NULL)
        (void)buf_add_text(&answer->body, "ready\n");
    else
        (void)buf_printf(&answer->body, "cannot serve: %s\n", why);
}

enum MHD_Result http_send(struct MHD_Connection *connection, struct http_answer *answer)
{
    size_t len;
    char *bytes = buf_take(&answer->body, &len);
    if (bytes == NULL) {
        bytes = mem_strdup("the answer is too large\n");
        len = strlen(bytes);
        answer->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(bytes);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, "Content-Type", answer->type);
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < answer->header_count; i++)
        (void)MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    if (answer->location[0] != '\0')
        (void)MHD_add_response_header(response, "Location", answer->location);
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

struct http_heads {
    int hosts, lengths, codings, strange;
};

/* A name is a token: "Content-Length :" would be another header to us than to who is lenient. A value has no line end nor NUL in it, where
 * others may cut it. */
static bool http_head_is_plain(const char *name, size_t name_len, const char *value, size_t value_len)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < name_len; i++)
        if (!isalnum((unsigned char)name[i]) && (name[i] == '\0' || strchr(marks, name[i]) == NULL))
            return false;
    for (size_t i = 0; i < value_len; i++)
        if (value[i] == '\0' || value[i] == '\r' || value[i] == '\n')
            return false;
    return name_len != 0;
}

static enum MHD_Result http_count_head(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                       const char *value, size_t value_len)
{
    struct http_heads *heads = arg;
    bool is_coding = strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    (void)kind;

    heads->hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    heads->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    heads->codings += is_coding;
    heads->strange += !http_head_is_plain(name, name_len, value, value_len) ||
                      (is_coding && strcasecmp(value, "chunked") != 0);
    return MHD_YES;
}

bool http_is_one_request(struct MHD_Connection *connection)
{
    struct http_heads heads = {0, 0, 0, 0};

    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, http_count_head, &heads);
    return heads.strange == 0 && heads.hosts <= 1 && heads.lengths + heads.codings <= 1;
}

static enum MHD_Result http_on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                       const char *method, const char *version, const char *upload,
                                       size_t *upload_len, void **state)
{
    static const struct http_header allow = {"Allow", "GET, HEAD"};
    struct http *http = arg;
    struct http_answer answer = {.status = MHD_HTTP_OK, .type = "text/plain; charset=utf-8"};
    (void)version, (void)upload, (void)state;

    if (*upload_len != 0)
        return MHD_NO; /* nothing here takes a body: cut the connection */
    buf_init(&answer.body, HTTP_BODY_BYTES_MAX);
    if (!http_is_one_request(connection)) {
        answer.status = MHD_HTTP_BAD_REQUEST;
        buf_add_text(&answer.body, HTTP_NOT_ONE_REQUEST);
        return http_send(connection, &answer);
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        answer.status = MHD_HTTP_METHOD_NOT_ALLOWED;
        answer.headers = &allow;
        answer.header_count = 1;
        buf_add_text(&answer.body, "only GET and HEAD are allowed\n");
        return http_send(connection, &answer);
    }
    for (size_t i = 0; i < http->route_count; i++)
        if (strcmp(http->routes[i].path, url) == 0) {
            http->routes[i].handler(http->routes[i].arg, &answer);
            return http_send(connection, &answer);
        }
    answer.status = MHD_HTTP_NOT_FOUND;
    buf_add_text(&answer.body, "there is nothing under this path\n");
    return http_send(connection, &answer);
}

static void http_schedule(struct http *http);

/* At its limit the daemon no longer looks for who wants to connect, and looks again only when it is run once more after a connection
 * ended: no event tells. */
static void http_look_for_room(struct http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    bool is_full = info != NULL && info->num_connections >= HTTP_CONNECTIONS_MAX;

    if (http->is_full && !is_full)
        http->turn_again = true;
    http->is_full = is_full;
}

void http_turn(struct http *http)
{
    if (http->is_turning) { /* an answer given from inside a handler of another request */
        http->turn_again = true;
        return;
    }
    http->is_turning = true;
    http_slow_end(http);
    do {
        http->turn_again = false;
        if (MHD_run(http->daemon) != MHD_YES)
            log_event(LOG_WARN, "http_run_failed", "connections=%d", HTTP_CONNECTIONS_MAX);
        http_look_for_room(http);
    } while (http->turn_again);
    http->is_turning = false;
    http_schedule(http);
}

static int http_on_timer(zloop_t *loop, int timer, void *arg)
{
    struct http *http = arg;
    (void)loop, (void)timer;
    http->timer = -1; /* it ran its one time */
    http_turn(http);
    return 0;
}

static int http_on_ready(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop, (void)item;
    http_turn(arg);
    return 0;
}

/* libmicrohttpd says when it wants to run without an event (work left over, time-outs of connections). */
static void http_schedule(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;

    if (http->timer >= 0)
        zloop_timer_end(http->loop, http->timer);
    http->timer = -1;
    const size_t most_ms = http->is_full ? HTTP_CROWDED_MS / 2 : 1000;
    if (MHD_get_timeout(http->daemon, &wait_ms) == MHD_YES)
        http->timer =
            zloop_timer(http->loop, wait_ms > most_ms ? most_ms : (size_t)wait_ms, 1, http_on_timer, http);
}

static bool http_resolve(const char *bind, struct addrinfo **ret, struct err *err)
{
    char host[256], port[8];
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};

    if (!http_bind_parse(bind, host, sizeof host, port, sizeof port))
        return err_set(err, ERR_INVALID, "http: \"%s\" is not HOST:PORT", bind);
    int status = getaddrinfo(host, port, &hints, ret);
    return status == 0 || err_set(err, ERR_IO, "http: cannot resolve \"%s\": %s", bind, gai_strerror(status));
}

/* Ends the poller and the timer, then the daemon that they serve. */
void http_free(struct http *http)
{
    if (http == NULL)
        return;
    if (http->poll.fd > 0)
        zloop_poller_end(http->loop, &http->poll);
    if (http->timer >= 0)
        zloop_timer_end(http->loop, http->timer);
    if (http->daemon != NULL) {
        http_pages_end(http);
        MHD_stop_daemon(http->daemon);
    }
    free(http->routes);
    free(http);
}

bool http_start(struct http *http, const char *bind, MHD_AccessHandlerCallback on_request,
                MHD_RequestCompletedCallback on_completed, struct err *err)
{
    struct addrinfo *at;
    if (!http_resolve(bind, &at, err))
        return false;
    unsigned flags =
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (at->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    http->request_us = HTTP_REQUEST_S * US_PER_S;
    errno = 0;
    http->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, http, MHD_OPTION_SOCK_ADDR, at->ai_addr,
                         MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
                         MHD_OPTION_NOTIFY_CONNECTION, http_slow_on_connection, http,
                         MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_END);
    freeaddrinfo(at);
    if (http->daemon == NULL)
        return err_set(err, ERR_IO, "http: cannot bind %s: %s", bind, strerror(errno));
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL || info->epoll_fd <= 0)
        return err_set(err, ERR_IO, "http: libmicrohttpd gives no epoll descriptor");
    http->poll = (zmq_pollitem_t){.fd = info->epoll_fd, .events = ZMQ_POLLIN};
    if (zloop_poller(http->loop, &http->poll, http_on_ready, http) != 0)
        return err_set(err, ERR_IO, "http: cannot poll: %s", strerror(errno));
    zloop_poller_set_tolerant(http->loop, &http->poll);
    http_schedule(http);
    return true;
}

bool http_new(zloop_t *loop, const char *bind, const struct http_route *routes, size_t count,
              struct http **ret_http, struct err *err)
{
    struct http *http = mem_new(1, sizeof *http);
    http->loop = loop;
    http->timer = -1;
    http->routes = mem_dup(routes, count * sizeof *routes);
    http->route_count = count;
    if (!http_start(http, bind, http_on_request, http_slow_on_completed, err)) {
        http_free(http);
        return false;
    }
    *ret_http = http;
    return true;
}

int http_port(const struct http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info == NULL ? 0 : (int)info->port;
}
