/* A ticket as it is now, from a row to the maps that others see: in answers to clients (docs/protocol.md) and
 * in a worker's work (docs/protocol-workers.md). Knows no statement; the columns below are its contract with
 * them. */
#ifndef DOCKET_TICKET_ROW_H
#define DOCKET_TICKET_ROW_H

#include "buf.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

/* The first columns of load_work.sql, read_show.sql and read_list_*.sql, all binary, in this order. Those of
 * desk and amendments are NULL while the ticket has no such row. */
enum ticket_column {
    TICKET_ID,
    TICKET_POSTED_AT,
    TICKET_CUSTOMER,
    TICKET_PACKAGE,
    TICKET_TITLE, /* as amended */
    TICKET_PROBLEM,
    TICKET_EXTRA,
    TICKET_EQUIPMENT,     /* amended; NULL: what stands in extra */
    TICKET_CONFIGURATION, /* the same */
    TICKET_ATTRIBUTES,    /* the same */
    TICKET_VERSION,
    TICKET_STATE,
    TICKET_PRIORITY,
    TICKET_ASSIGNEE,
    TICKET_QUEUE,
    TICKET_KIND,
    TICKET_TAGS,
    TICKET_REPLY_PENDING,
    TICKET_HELD,
    TICKET_CLOCKS,
    TICKET_UPDATED_AT,
    TICKET_COLUMNS
};

/* Spans belong to the PGresult or to the caller; p == NULL: none. A zeroed struct with id, posted_at, version
 * 1 and the spans of a posting is a new ticket. */
struct ticket_row {
    int64_t id;
    int64_t posted_at;
    int64_t updated_at; /* 0: posted_at */
    int32_t version;
    int32_t decided; /* version at the last decision; 0: not told */
    int state;       /* enum desk_state */
    int priority;    /* 1–4; 0: none yet */
    int held;        /* enum desk_held */
    bool reply_pending;
    struct span customer, package, title, problem, assignee, queue, kind;
    struct span posted_package; /* of a ticket that was moved to another since: "" is none */
    struct span extra, equipment, configuration, attributes; /* MessagePack maps */
    struct span clocks;                                      /* MessagePack list */
    struct span tags;                                        /* text[] as PostgreSQL sends it in binary */
};

/* Texts lie in rows and live as long. rows: of a statement with the columns above. */
void ticket_row_from_pg(const PGresult *rows, int row, struct ticket_row *ret);

/* Appends the whole map "ticket" of a work. prefix: of tracking numbers. */
void ticket_put_work(struct buf *out, const struct ticket_row *row, const char *prefix);

/* Opens the map of a ticket in an answer and puts its fields; the caller may add more (counting them), and
 * closes it. whole: with problem, maps and what the next decision goes by; else the short form of lists. */
struct wire_map ticket_open_answer(struct buf *out, const struct ticket_row *row, const char *prefix,
                                   bool whole);

#endif
