/* Reads what a worker must know of woken tickets: the parts "ticket", "customer" and "events" of a work
 * (docs/protocol-workers.md, "Work"), encoded, and what the dispatcher must know of the desk. Hands nothing
 * out and judges nothing: the guard of the decision's statement does. */
#ifndef DOCKET_LOAD_WORK_H
#define DOCKET_LOAD_WORK_H

#include "buf.h"
#include "err.h"
#include "pg.h"
#include "ticket_row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOAD_WORK_MAX = 500,                   /* tickets in one load */
    LOAD_WORK_BYTES_MAX = 3 * 1024 * 1024, /* of one ticket's content; a frame holds 4 MiB */
    LOAD_WORK_EVENTS_BYTES =
        2 * 1024 * 1024 /* of whole events; later ones become heads, so that the work still fits */
};

struct load_work_item {
    int64_t ticket;
    bool has_desk; /* false: new, version 1, attempt 1, owned by the broker whose slot is in the id */
    int64_t owner; /* epoch; 0: nobody */
    int32_t attempt;
    int32_t version;
    int32_t decided; /* version at the last decision; 1: none yet */
    int state;       /* enum desk_state */
    int priority;    /* 0: none yet */
    int failures;
    bool dead;
    bool parent_speaks;   /* words of its parent are on their way to it */
    int64_t wake_at;      /* 0: none */
    int64_t rank;         /* 0: none */
    struct span customer; /* id */
    struct span clocks;   /* encoded list as the last decision gave it; p == NULL: none */
    struct span content;  /* encoded map {ticket, customer, events}; p == NULL: over LOAD_WORK_BYTES_MAX */
};

/* Called once. Items live during the call, in no particular order; a ticket that does not exist has none. err
 * is NULL on success; else count is 0 and err->code ERR_UNAVAILABLE or ERR_INTERNAL. */
typedef void load_work_fn(void *arg, const struct load_work_item *items, size_t count, const struct err *err);

/* Asks; fn is called from the loop, or from inside this call when the session is down.
 * in:  reader   a session with the statements of statements_reader.h
 *      params   scratch, reset here
 *      tickets  1..LOAD_WORK_MAX, none twice; copied
 *      prefix   of tracking numbers; lives until fn was called */
void load_work_send(struct pg *reader, struct pg_params *params, const int64_t *tickets, size_t count,
                    const char *prefix, load_work_fn *fn, void *arg);

/* The same with all events whole, but very long comments of before the last decision: for decisions on trial. */
void load_work_send_whole(struct pg *reader, struct pg_params *params, const int64_t *tickets, size_t count,
                          const char *prefix, load_work_fn *fn, void *arg);

/* Appends the content of a ticket without events: for one that was just posted here, from what was posted.
 * record: the customer's, encoded; SPAN_NONE: unknown. */
void load_work_put_fresh(struct buf *out, const struct ticket_row *row, struct span record,
                         const char *prefix);

#endif
