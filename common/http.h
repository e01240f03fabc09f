/* A small HTTP server on the program's own loop: libmicrohttpd without a thread, its epoll descriptor a
 * poller of the zloop.
 *
 * Two kinds. With routes, for /metrics, /healthz, /readyz: GET and HEAD of exact paths only; anything else is 404 or 405; a
 * request's body is refused; handlers answer at once from memory. With pages (http_pages.h), for people outside: any path,
 * small forms, answers that may come later. Knows nothing of what it serves. */
#ifndef DOCKET_HTTP_H
#define DOCKET_HTTP_H

#include "buf.h"
#include "err.h"
#include "metrics.h"

#include <stdbool.h>
#include <stddef.h>

#include <czmq.h>

enum { HTTP_BODY_BYTES_MAX = 4 << 20, HTTP_CONNECTIONS_MAX = 64, HTTP_IDLE_S = 10, HTTP_REQUEST_S = 10 };

/* While all connections are taken a request may take only so long: who holds them open, by intent or not, keeps nobody else out for long. */
enum { HTTP_CROWDED_MS = 250 };

/* A header of an answer; both texts static. */
struct http_header {
    const char *name, *value;
};

/* What a handler fills: it starts as 200, text/plain, an empty body. */
struct http_answer {
    unsigned status;
    const char *type; /* static text */
    const struct http_header *headers;
    size_t header_count;
    char location[256]; /* of a redirect; "" is none */
    struct buf body;
};

typedef void http_handler(void *arg, struct http_answer *answer);

struct http_route {
    const char *path; /* "/metrics" */
    http_handler *handler;
    void *arg;
};

struct http;

/* Binds and serves.
 * in:  bind    "127.0.0.1:7413", "[::1]:7413"; port 0 takes any
 *      routes  count of them; copied, the texts kept
 * err: ERR_INVALID  the address is not of that form
 *      ERR_IO       it cannot be bound */
bool http_new(zloop_t *loop, const char *bind, const struct http_route *routes, size_t count,
              struct http **ret_http, struct err *err) __attribute__((warn_unused_result));
void http_free(struct http *http);      /* accepts NULL; before the loop is destroyed */
int http_port(const struct http *http); /* that was taken; for tests */

/* Whether it is of the form that http_new takes: HOST:PORT, [V6]:PORT; resolves nothing. err: ERR_INVALID */
bool http_bind_check(const char *bind, struct err *err) __attribute__((warn_unused_result));

/* Whether "127.0.0.1:7413" names the loopback: 127.0.0.0/8, ::1, localhost. */
bool http_bind_is_loopback(const char *bind);

/* Ready-made handlers. */
void http_serve_metrics(void *metrics, struct http_answer *answer); /* arg: struct metrics */
void http_serve_alive(void *unused, struct http_answer *answer);    /* 200 "ok": the loop turns */

/* Fills the answer of a /readyz: why NULL is 200 "ready", else 503 with the reason. */
void http_answer_ready(struct http_answer *answer, const char *why);

#endif
