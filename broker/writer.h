/* The writer: every write to tickets, in batches over one session.
 *
 * Units gather while a commit is in flight and go as the next one (group commit without a timer: low load means a batch of one). One at a
 * time: the next is sent before the last one's ends are told, so the server hardly waits, and batches are half as large again as with two in
 * flight (submit with 256 in flight: 48,000 against 60,000 a second). Of one ticket at most one unit is in flight; more wait behind it in order
 * of arrival, also while a batch is split. A row that the server refuses is found by halving; a batch whose commit is unknown is repeated under a new epoch in
 * the form that finds what is there.
 * Knows how to batch; what is written is known by the units (posting.c, deciding.c, put_back.c, change.c). */
#ifndef DOCKET_WRITER_H
#define DOCKET_WRITER_H

#include "err.h"
#include "pg.h"

#include <stdbool.h>
#include <stdint.h>

struct writer;
struct unit;

/* Units of one group go into set-based statements together; singles bring a statement each. The order is that of the statements in a batch. */
enum unit_group { GROUP_POST, GROUP_DECIDE, GROUP_PUT_BACK, GROUP_SINGLE, GROUPS };

struct unit_type {
    enum unit_group group;
    /* may be repeated when its commit is unknown; others end then, for their guard is gone with the epoch */
    bool repeatable;
    bool makes_desk; /* its ticket gets a desk row first (ensure) */
    bool locks;      /* its ticket's desk row is locked first */
    /* GROUP_SINGLE: sends its statement. */
    void (*send)(struct unit *unit, struct pg *pg, struct pg_params *params);
    /* The end of a unit; frees it. err NULL: committed, and what the rows said was kept in the unit. */
    void (*done)(struct unit *unit, const struct err *err);
};

struct unit {
    const struct unit_type *type;
    struct unit *next;
    int64_t ticket;   /* its changes happen one after another; 0: none */
    int64_t alert;    /* its row of alerts and its pages are locked first; 0: none */
    size_t bytes;     /* about what it adds to a batch */
    bool repeat;      /* it may be committed already */
    int64_t since_us; /* monotonic, when it became unknown */
};

struct writer_config {
    struct pg *pg;
    /* How each group's set goes into the batch: count units, to be kept in the order given. */
    void (*send_group[GROUPS])(void *arg, struct unit **units, size_t count, bool repeat);
    /* Desk rows made for tickets that a unit of the batch changes (rows of ensure.sql); after the commit. */
    void (*on_made)(void *arg, int64_t ticket, int32_t attempt, int32_t version, int64_t wake_at);
    void (*on_ends)(void *arg, bool begins); /* around the ends of a batch's units: answers may gather */
    void (*on_batch)(void *arg, size_t units, int64_t took_us); /* committed: for metrics and pokes */
    void (*on_full)(void *arg, const char *sqlstate, const char *message); /* a batch was refused: no room */
    void *arg;
    int64_t pending_max;
};

struct writer *writer_new(const struct writer_config *config);
void writer_free(struct writer *writer); /* all units end with ERR_UNAVAILABLE */

/* Takes the unit. When it cannot be taken (no epoch, too many) it ends at once through done. */
void writer_add(struct writer *writer, struct unit *unit);

/* Sends what may be sent now. Once a turn, after all sockets were read. */
void writer_kick(struct writer *writer);

/* An epoch began (units whose commit is unknown go first) or ended (what waits ends ERR_UNAVAILABLE). */
void writer_begin(struct writer *writer, int64_t epoch);
void writer_end(struct writer *writer);

/* Ends units that stayed unknown for longer than settle_us. */
void writer_expire(struct writer *writer, int64_t settle_us);

/* The unit of a ticket that is under way, or NULL. */
struct unit *writer_in_flight(const struct writer *writer, int64_t ticket);

bool writer_is_idle(const struct writer *writer); /* nothing waits, nothing is in flight */
size_t writer_pending(const struct writer *writer);
size_t writer_unknown(const struct writer *writer);

#endif
