/* Connections that take too long over one request: libmicrohttpd ends those that are silent, and a byte now and then is enough for it to
 * wait for ever. Some dozens of them would leave no place for anybody else. */
#include "http_internal.h"
#include "clock.h"
#include "mem.h"

#include <stdlib.h>
#include <sys/socket.h>

struct http_line {
    struct http_line *next, *previous;
    struct MHD_Connection *connection;
    int64_t since_us; /* it was accepted, or its last answer was sent */
    bool waits;       /* for us */
};

void http_slow_on_connection(void *arg, struct MHD_Connection *connection, void **context,
                             enum MHD_ConnectionNotificationCode what)
{
    struct http *http = arg;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        struct http_line *line = mem_new(1, sizeof *line);
        *line =
            (struct http_line){.next = http->lines, .connection = connection, .since_us = clock_mono_us()};
        if (line->next != NULL)
            line->next->previous = line;
        http->lines = line;
        *context = line;
        return;
    }
    struct http_line *line = *context;
    if (line->previous != NULL)
        line->previous->next = line->next;
    else
        http->lines = line->next;
    if (line->next != NULL)
        line->next->previous = line->previous;
    free(line);
}

void http_slow_mark(struct MHD_Connection *connection, bool waits)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_line *line = info == NULL ? NULL : info->socket_context;

    if (line == NULL)
        return;
    line->waits = waits;
    line->since_us = clock_mono_us();
}

void http_slow_on_completed(void *arg, struct MHD_Connection *connection, void **state,
                            enum MHD_RequestTerminationCode why)
{
    (void)arg, (void)state, (void)why;
    http_slow_mark(connection, false);
}

void http_slow_end(struct http *http)
{
    int64_t now = clock_mono_us();
    int64_t may_us = http->is_full && http->request_us > HTTP_CROWDED_MS * US_PER_MS
                         ? HTTP_CROWDED_MS * US_PER_MS
                         : http->request_us;

    for (struct http_line *line = http->lines; line != NULL; line = line->next) {
        if (line->waits || now - line->since_us < may_us)
            continue;
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(line->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info != NULL)
            (void)shutdown(info->connect_fd, SHUT_RDWR); /* the daemon reads its end, and closes it */
    }
}
