/* A work as the broker sends it (docs/protocol-workers.md, "Work"), checked and read into what decide needs.
 * Knows the fields of the wire, nothing of what is decided. */
#ifndef DOCKET_WORK_H
#define DOCKET_WORK_H

#include "clocks.h"
#include "desk.h"
#include "err.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

/* One event: the facts clocks need, and the whole map for rules. */
struct work_event {
    const struct wire_val *map;
    int64_t version;
    int priority; /* as it stood after the event, 0: not known; choice_make's to fill */
    bool is_new;  /* after the last decision */
};

/* What is kept from one decision to the next, with the clocks. */
struct work_kept {
    struct span forced_calendar; /* a rule's choice */
    int64_t approvals_asked;     /* how often approval was asked for again */
    int64_t approvals_for_at;    /* the resolving they were asked for */
    int64_t wake_in_at;          /* when rules `on: [due]` run, or CLOCK_NO_INSTANT */
    struct span by;              /* versions the clocks were computed by: "HASH ZONES", see engine_by */
};

/* Spans and values point into the message. The two growing lists are kept from one work to the next. */
struct work {
    const struct wire_val *root, *ticket, *customer;
    int64_t now, posted_at, version;
    enum desk_state state;
    int priority; /* 0: not triaged */
    struct span tracking, package, queue, assignee;
    struct span posted_package; /* of a ticket that was moved to another since; p == NULL: it was not */
    unsigned held;              /* enum desk_held */
    bool reply_pending;
    bool is_first; /* never decided */
    struct clock old[CLOCKS_MAX];
    size_t old_count;
    struct work_kept kept;
    struct clock_event *facts;
    struct work_event *events;
    size_t event_count, event_room;
};

/* A verdict as it travels: in a decision's `deadlines`, and stored, in what explain is given (then with when and by which versions). */
struct work_verdict {
    enum clock_kind kind;
    int64_t cycle, priority, promise_s, due_at, met_at, worked_s, paused_s, judged_at;
    bool missed;
    struct span cause, process, zones; /* without p: not said */
};

/* What is not said is 0, met_at CLOCK_NO_INSTANT. The spans point into the message. False: it is of no clock. */
bool work_verdict_parse(const struct wire_val *map, struct work_verdict *ret)
    __attribute__((warn_unused_result));

/* Whether a ticket's field tells what life made of it, not what was posted: its number, its state, its clocks. */
bool work_is_made_by_life(struct span key);

/* Reads body into work, which was zeroed once or used before.
 * err: ERR_INVALID  names the field that is missing or wrong */
bool work_parse(const struct wire_val *body, struct work *work, struct err *err)
    __attribute__((warn_unused_result));

/* The priority that the ticket got by an event, of staff or of a decision, as its body tells; 0: it got none. */
int work_event_priority(const struct work *work, size_t i);

/* Appends a fact that no event has yet; take it away again by lowering event_count. */
void work_add_fact(struct work *work, const struct clock_event *fact);

/* Gives the lists back. */
void work_clear(struct work *work);

/* Writes a clock as the wire has it. kept: with the first of a list, else NULL; work_parse reads it back. */
void work_put_clock(struct buf *out, const struct clock *clock, const struct work_kept *kept);

/* An instant, or nil for CLOCK_NO_INSTANT. */
void work_put_instant(struct buf *out, const char *key, int64_t at);

#endif
