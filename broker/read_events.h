/* events.since: the feed's events after a cursor, with a filter, waiting for new ones if there are none.
 *
 * Who waits costs nothing: one cycle for all of them finds out what is settled (common/feed.h), and only when
 * that moved on is each waiter's page read, few at a time (fair.h). Knows no request and no socket. */
#ifndef DOCKET_READ_EVENTS_H
#define DOCKET_READ_EVENTS_H

#include "feed.h"
#include "pg.h"
#include "read_end.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <czmq.h>

enum {
    READ_EVENTS_LIMIT_MAX = 500,
    READ_EVENTS_WAITERS_MAX = 10000, /* more are refused: ERR_BUSY */
    READ_EVENTS_BYTES = 1024 * 1024, /* of one page; a single event always fits */
    READ_EVENTS_SPAN = 10000,        /* numbers looked at by one statement, with a filter */
    READ_EVENTS_SPAN_MAX = 100000,   /* … by one page: then it is answered, its cursor goes on */
    READ_EVENTS_TICKETS_FEW = 200,   /* a customer with no more: its events are read ticket by ticket … */
    READ_EVENTS_TICKETS_MAX = 2000,  /* … and with no more than these, once a span held none of them */
    READ_EVENTS_AT_ONCE = 4,         /* pages read at the same time, connections in turn */
    READ_EVENTS_TICK_MS = 20         /* pause of the cycle while somebody waits */
};

struct read_events;

/* in:  prefix  of tracking numbers; lives as long as this does */
struct read_events *read_events_new(zloop_t *loop, struct pg *reader, const char *prefix);

/* Who still waits is answered ERR_UNAVAILABLE. Accepts NULL. The reader's session must be freed before. */
void read_events_free(struct read_events *events);

/* The reader's session came up, or went down (then all waiters are answered ERR_UNAVAILABLE). */
void read_events_on_up(struct read_events *events);
void read_events_on_down(struct read_events *events);

/* Optional fields: zeroed means no filter. */
struct read_events_query {
    struct span peer;     /* tells connections apart; lives until it is answered */
    struct span cursor;   /* empty: the beginning */
    int limit;            /* 1..READ_EVENTS_LIMIT_MAX; 0: 100 */
    int64_t wait_ms;      /* 0: answer at once */
    struct span customer; /* p == NULL: any; copied */
    int64_t ticket;       /* 0: any */
    uint32_t kinds;       /* a bit each, 1 << enum desk_event; 0: any */
    bool has_public, public;
    int64_t from_at; /* 0: any */
};

/* Asks for {events, cursor}, and more: true on a page without events that is not the end. err given to fn: ERR_INVALID, ERR_CONFLICT (cursor of another history),
 * ERR_BUSY, ERR_UNAVAILABLE, ERR_INTERNAL. */
void read_events_send(struct read_events *events, const struct read_events_query *query, read_answer_fn *fn,
                      void *arg);

#endif
