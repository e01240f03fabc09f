/* notification.list, show and why: messages to people, and how they went. Knows no request and no socket. */
#ifndef DOCKET_READ_NOTICES_H
#define DOCKET_READ_NOTICES_H

#include "pg.h"
#include "read_end.h"

#include <stdbool.h>
#include <stdint.h>

enum { READ_NOTICES_LIMIT = 100 };

struct read_notices_query {
    unsigned states; /* a bit each, 1 << deliveries.state */
    int64_t ticket;  /* 0: any */
    struct span channel, address;
    int64_t before; /* only older ones than this; 0: all */
    int limit;      /* 0: READ_NOTICES_LIMIT */
};

/* Asks for {notifications, cursor, held, held_reason, waiting}. err given to fn: ERR_UNAVAILABLE, ERR_INTERNAL. */
void read_notices_list_send(struct pg *reader, struct pg_params *params,
                            const struct read_notices_query *query, const char *prefix, read_answer_fn *fn,
                            void *arg);

/* Asks for {notification, attempts}. err given to fn: also ERR_NOT_FOUND. */
void read_notices_show_send(struct pg *reader, struct pg_params *params, int64_t notification,
                            const char *prefix, read_answer_fn *fn, void *arg);

/* Asks for {tracking, messages}: every message of a ticket, who was told or not, and what decided it. */
void read_notices_why_send(struct pg *reader, struct pg_params *params, int64_t ticket, const char *prefix,
                           read_answer_fn *fn, void *arg);

#endif
