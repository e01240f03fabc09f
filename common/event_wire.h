/* An event as others see it: from a row to the wire's map. One encoder for events.since, ticket.show and the
 * feed, so that equal events are equal bytes.
 *
 *     {cursor, tracking, customer, version, at, kind, as: {name, role, unverified?} or nil, public, body:
 * map}
 *
 * The posting is event 1: kind posted, its body {title, problem, package} and what stands in tickets.extra.
 * Knows no SQL text; the columns below are its contract with the statements. */
#ifndef DOCKET_EVENT_WIRE_H
#define DOCKET_EVENT_WIRE_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

/* Spans belong to the caller (or to the PGresult). */
struct event_row {
    int64_t seq;
    int64_t ticket;
    int64_t at;
    int32_t version;
    int kind; /* enum desk_event */
    int role; /* enum desk_role; -1: the desk itself */
    bool public;
    bool verified;
    struct span customer;
    struct span actor; /* p == NULL: none */
    struct span body;  /* MessagePack map; p == NULL: empty */
    /* of the posting only; p == NULL elsewhere */
    struct span title;
    struct span problem;
    struct span package;
    struct span extra; /* MessagePack map */
};

/* The columns, in this order, all binary:
 *   0 seq int8, 1 ticket int8, 2 at int8, 3 version int4, 4 kind int2, 5 role int2, 6 public bool, 7 verified
 * bool, 8 customer text, 9 actor text, 10 body bytea, 11 title text, 12 problem bytea, 13 package text, 14
 * extra bytea. A posting is: SELECT seq, id, posted_at, 1, 1::smallint, NULL::smallint, true, false,
 * customer, NULL::text, NULL::bytea, title, problem, package, extra FROM tickets; an event: SELECT e.seq,
 * e.ticket, e.at, e.version, e.kind, e.role, e.public, e.verified, t.customer, e.actor, e.body, NULL, NULL,
 * NULL, NULL FROM events e JOIN tickets t ON t.id = e.ticket. notifier/sql/feed_page.sql merges both by seq.
 */
enum { EVENT_ROW_COLUMNS = 15 };
void event_row_from_pg(const PGresult *rows, int row, struct event_row *ret);

/* Appends the map. prefix: of tracking numbers. cursor: text, or NULL: then cursor, tracking and customer are
 * left out (events inside a ticket). */
void event_wire_put(struct buf *out, const struct event_row *row, const char *prefix, const char *cursor);

#endif
