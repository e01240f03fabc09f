/* What the two kinds of HTTP server share: the daemon on the loop. */
#ifndef DOCKET_HTTP_INTERNAL_H
#define DOCKET_HTTP_INTERNAL_H

#include "http.h"
#include "http_pages.h"

#include <microhttpd.h>

struct http_line;

struct http {
    zloop_t *loop;
    struct MHD_Daemon *daemon;
    struct http_route *routes; /* NULL: it serves pages */
    size_t route_count;
    http_page_fn *page_fn;
    void *page_arg;
    struct http_request *requests; /* under way, of pages */
    struct http_line *lines;       /* connections (http_slow.c) */
    int64_t request_us;            /* so long a request may take to come and its answer to be read */
    zmq_pollitem_t poll;
    int timer; /* -1: none */
    bool is_turning, turn_again;
    bool is_full; /* no connection more can be accepted */
};

/* Binds, and polls on the loop. err: ERR_INVALID, ERR_IO. */
bool http_start(struct http *http, const char *bind, MHD_AccessHandlerCallback on_request,
                MHD_RequestCompletedCallback on_completed, struct err *err)
    __attribute__((warn_unused_result));

/* Lets the daemon do what it can now; from inside its own callbacks: once they returned. */
void http_turn(struct http *http);

/* Whether everybody who reads the head sees the same request in it (RFC 9112, 3.2, 5.1, 6.1, 6.3): one Host at most, one length at most, no
 * length beside chunks, no coding but those, no name or value that is none. A proxy before us may have chosen the other one, and take what we think is a body for the next request. */
#define HTTP_NOT_ONE_REQUEST                                                                             \
    "Host, Content-Length or Transfer-Encoding is there twice, or both of the last two; or a header is " \
    "none\n"
bool http_is_one_request(struct MHD_Connection *connection);

/* Queues the answer and takes its body. */
enum MHD_Result http_send(struct MHD_Connection *connection, struct http_answer *answer);

/* Callbacks of the daemon that keep http->lines. */
void http_slow_on_connection(void *arg, struct MHD_Connection *connection, void **context,
                             enum MHD_ConnectionNotificationCode what);
void http_slow_on_completed(void *arg, struct MHD_Connection *connection, void **state,
                            enum MHD_RequestTerminationCode why);

/* The time begins again; waits: it stands still until the next mark, for the answer is ours to give. */
void http_slow_mark(struct MHD_Connection *connection, bool waits);

/* Hangs up on those that take longer than request_us, or than HTTP_CROWDED_MS while there is no room. */
void http_slow_end(struct http *http);

/* Answers what still waits, so that the daemon can stop. */
void http_pages_end(struct http *http);

#endif
