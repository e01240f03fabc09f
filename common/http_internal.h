/* What the two kinds of HTTP server share: the daemon on the loop. */
#ifndef DOCKET_HTTP_INTERNAL_H
#define DOCKET_HTTP_INTERNAL_H

#include "http.h"
#include "http_pages.h"

#include <microhttpd.h>

struct http {
    zloop_t *loop;
    struct MHD_Daemon *daemon;
    struct http_route *routes; /* NULL: it serves pages */
    size_t route_count;
    http_page_fn *page_fn;
    void *page_arg;
    struct http_request *requests; /* under way, of pages */
    zmq_pollitem_t poll;
    int timer; /* -1: none */
    bool is_turning, turn_again;
};

/* Binds, and polls on the loop. err: ERR_INVALID, ERR_IO. */
bool http_start(struct http *http, const char *bind, MHD_AccessHandlerCallback on_request,
                MHD_RequestCompletedCallback on_completed, struct err *err)
    __attribute__((warn_unused_result));

/* Lets the daemon do what it can now; from inside its own callbacks: once they returned. */
void http_turn(struct http *http);

/* Queues the answer and takes its body. */
enum MHD_Result http_send(struct MHD_Connection *connection, struct http_answer *answer);

/* Answers what still waits, so that the daemon can stop. */
void http_pages_end(struct http *http);

#endif
