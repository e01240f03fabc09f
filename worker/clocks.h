/* The clocks of a ticket: what was promised, how much of it is used, when it is due, and the verdicts that fall.
 *
 * A pure function of the ticket's events, the promises of its priority and package, and now: computed whole each time, so a
 * changed priority, package or calendar needs no case of its own. What was told already (verdicts, warnings) comes with the
 * clocks of the last decision and is never taken back. One table says what each event does to each clock.
 * Knows nothing of messages, YAML or MessagePack. */
#ifndef DOCKET_CLOCKS_H
#define DOCKET_CLOCKS_H

#include "calendar.h"
#include "desk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_NO_INSTANT INT64_MIN /* a due time, warning or end that there is not (yet) */

enum clock_kind { CLOCK_RESPONSE, CLOCK_UPDATE, CLOCK_RESOLUTION, CLOCK_KINDS };
enum clock_state { CLOCK_RUNNING, CLOCK_PAUSED, CLOCK_MET, CLOCK_MISSED, CLOCK_STATES };
enum { CLOCKS_MAX = 16, CLOCK_VERDICTS_MAX = 64, CLOCK_WARNINGS_MAX = 8 };

/* A warning, by the time of the clock that is used then. */
struct clock_warning {
    int64_t used_us;
    bool quiet; /* for boards and the feed only; else the assignee is told */
};

/* What a priority promises of one clock. */
struct clock_promise {
    bool promised;
    int64_t promise_us;
    bool working;                                      /* opening time of the calendar; else real time */
    const struct calendar *calendar;                   /* used when working */
    const char *calendar_name;                         /* for people: "24x7" when not working */
    int64_t grace_us;                                  /* of a promise of 0: that is its due time */
    struct clock_warning warnings[CLOCK_WARNINGS_MAX]; /* in order of time; none of a promise of 0 */
    size_t warning_count;
};

struct clock_terms {
    int priority;        /* 1..4; of 4 the response is met by public words only */
    const char *package; /* whose promises they are */
    struct clock_promise promises[CLOCK_KINDS];
    int64_t reopen_within_us; /* a customer's words on a closed ticket reopen it until then */
    bool reply_reopens;       /* policy for words on a resolved ticket: reject (else it stays resolved) */
    bool reply_is_kept;       /* keep: they mean nothing there, and nobody is asked to look */
    bool decided;             /* there was a decision before, whose clocks are the old ones */
    int64_t changed_at; /* when the terms became what they are, as far as known: for the cause `moved` */
};

enum clock_on { CLOCK_ON_NOBODY, CLOCK_ON_CUSTOMER, CLOCK_ON_VENDOR };

/* The short facts of an event. */
struct clock_event {
    int64_t at;
    enum desk_event kind;
    bool by_person;   /* staff, admin: of the desk */
    bool by_customer; /* neither: a machine */
    bool is_public;
    bool is_self;     /* an assignment to oneself */
    enum clock_on on; /* of `waiting` */
    int64_t until_at; /* of `waiting`, or CLOCK_NO_INSTANT */
};

struct clock {
    enum clock_kind kind;
    int64_t cycle; /* from 1 */
    enum clock_state state;
    int64_t promise_s;
    bool working;
    int64_t started_at, due_at, warn_at, met_at; /* CLOCK_NO_INSTANT where there is none */
    int64_t warned;                              /* warnings given in this cycle */
    struct span calendar;
    int64_t as_of_at, worked_s, paused_s, left_s;
    bool ended; /* over without having been kept */
    /* so, because the promise itself went away: without a verdict, unless it was missed before */
    bool unpromised;
};

/* A miss that is met after all comes a second time, with the time at which: the verdict stays. */
struct clock_verdict {
    struct clock clock;
    bool missed;
    const char *cause;   /* NULL, "moved", "closed", "approved", "reopened" */
    int priority;        /* of the ticket, when it fell */
    const char *package; /* that it was judged for */
};

/* A warning or a miss that is to be told now, once. */
struct clock_notice {
    struct clock clock;
    int percent; /* of the promise that is used; 100: missed */
    bool quiet;
    int priority; /* as a verdict's */
};

/* What became of one clock since the last decision, for the ticket's history. */
enum clock_step {
    CLOCK_STARTED,
    CLOCK_PAUSED_NOW,
    CLOCK_RESUMED,
    CLOCK_MOVED, /* the promise, or the calendar, is another one */
    CLOCK_MET_NOW,
    CLOCK_MISSED_NOW,
    CLOCK_ENDED, /* without having been kept: closed, reopened, not promised any more */
    CLOCK_STEPS
};

struct clock_change {
    enum clock_step step;
    const struct clock *clock;
};

struct clocks {
    struct clock items[CLOCKS_MAX];
    size_t count;
    struct clock_verdict
        verdicts[CLOCK_VERDICTS_MAX]; /* oldest first; when more fall at once, the newest are kept */
    size_t verdict_count;
    struct clock_notice notices[CLOCK_VERDICTS_MAX];
    size_t notice_count;
    /* as the events leave it */
    bool wait_ended; /* by the customer's words or its time, not by an op */
    bool is_resolved, is_closed, reopened_by_reply, reply_pending;
    int64_t resolved_at; /* or CLOCK_NO_INSTANT */
    int64_t wake_at;     /* the earliest thing to happen by itself, or CLOCK_NO_INSTANT */
};

/* Computes the clocks at an instant.
 * in:  events    in order, without the posting; those after now count as at now
 *      old       the clocks of the last decision, NULL and 0 before the first
 * out: ret       filled whole; calendar spans point into terms or old */
void clocks_compute(const struct clock_terms *terms, int64_t posted_at, const struct clock_event *events,
                    size_t event_count, const struct clock *old, size_t old_count, int64_t now,
                    struct clocks *ret);

/* Adds a verdict; when there is no room, the oldest is given up. */
void clocks_add_verdict(struct clocks *clocks, const struct clock_verdict *verdict);

/* A stretch of one cycle in which its clock ran, or rested because the customer owed an answer. */
struct clock_stretch {
    enum clock_kind kind;
    int64_t cycle, from, until;
    bool paused;
};

/* Grows; the caller frees items. */
struct clock_log {
    struct clock_stretch *items;
    size_t count;
};

/* The same, and how it came about: all stretches of all cycles, in order of their ends. log: empty before. */
void clocks_compute_logged(const struct clock_terms *terms, int64_t posted_at,
                           const struct clock_event *events, size_t event_count, const struct clock *old,
                           size_t old_count, int64_t now, struct clocks *ret, struct clock_log *log);

/* The steps from the clocks of the last decision to those of this one: at most two a clock (met and started are of two
 * cycles). ret: room for 2 * CLOCKS_MAX; it points into clocks. */
size_t clocks_changes(const struct clocks *clocks, const struct clock *old, size_t old_count,
                      struct clock_change *ret);

const char *clock_kind_name(enum clock_kind kind);
const char *clock_step_name(enum clock_step step);
const char *clock_state_name(enum clock_state state);
bool clock_kind_parse(struct span name, enum clock_kind *ret);
bool clock_state_parse(struct span name, enum clock_state *ret);

#endif
