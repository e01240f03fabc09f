/* ticket.list: tickets by filters, a page at a time. Knows no request and no socket. */
#ifndef DOCKET_READ_LIST_H
#define DOCKET_READ_LIST_H

#include "pg.h"
#include "read_end.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    READ_LIST_LIMIT_MAX = 500,
    READ_LIST_STEP = 5000, /* candidates in one statement, when not all filters stand in an index */
    READ_LIST_CANDIDATES_MAX = 50000, /* in one page: then the page ends and its cursor goes on */
    READ_LIST_BYTES_MAX = 16 * 1024 * 1024
};

/* All optional: zeroed means no filter. Spans are copied. */
struct read_list_query {
    unsigned states;      /* a bit each, 1 << enum desk_state; 0: any */
    int priority;         /* 0: any */
    struct span customer; /* p == NULL: any; the same below */
    struct span assignee;
    struct span queue;
    struct span tag;
    struct span text;       /* in title or problem, in any case */
    bool overdue;           /* a clock that is open and whose due_at has passed */
    int64_t now_at;         /* the database's clock, for overdue */
    int64_t due_before_at;  /* a clock that runs and is due before; 0: any */
    int64_t posted_from_at; /* 0: any */
    int64_t posted_until_at;
    int64_t posted_late_us; /* how long after its posted_at a ticket may have come in */
    bool oldest_first;      /* order "oldest"; else "newest" */
    int limit;              /* 1..READ_LIST_LIMIT_MAX; 0: 50 */
    struct span cursor;     /* of an earlier answer; empty: from the beginning */
};

/* Asks for {tickets, cursor}; cursor is nil at the end. A page may be empty and still have a cursor.
 * in:  params, prefix  as in read_show.h; params is used again later and must live until fn was called
 * err given to fn: ERR_INVALID (cursor), ERR_UNAVAILABLE, ERR_INTERNAL */
void read_list_send(struct pg *reader, struct pg_params *params, const struct read_list_query *query,
                    const char *prefix, read_answer_fn *fn, void *arg);

#endif
