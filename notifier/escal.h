/* One step of one alert's escalation, as a pure function: policy, where it stands, what is known now -> whom to tell, where
 * it stands then, when to look again.
 *
 * A chain of levels is climbed until somebody acknowledges; then rounds of it; then the last resort, again and again:
 * never silence. Acknowledged without progress: a reminder, then it is open again under a new generation. Resolved: those
 * who had been told are told so, once. Reads no clock: every instant is the database's. What is done twice with the same
 * state is the same step, with the same (generation, what, round, level), which is unique in the database. Knows no
 * person, no channel, no SQL. */
#ifndef DOCKET_ESCAL_H
#define DOCKET_ESCAL_H

#include "process_people.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ESCAL_NEVER INT64_MAX
#define ESCAL_LATE_US INT64_C(60000000) /* later than this, delays count from now: an outage makes no storm */

/* As alerts.state. */
enum escal_is { ESCAL_OPEN, ESCAL_ACKED, ESCAL_RESOLVED };

/* As escalations.what. */
enum escal_what { ESCAL_PAGE, ESCAL_LAST_RESORT, ESCAL_REMIND, ESCAL_OVER, ESCAL_WHATS };

/* Where an alert stands. Instants in µs, 0: not yet. */
struct escal_state {
    enum escal_is is;
    int32_t generation;   /* from 1; a new one each time it is opened again */
    int32_t round, level; /* of the next step; level = number of levels: the last resort */
    int32_t reminders;    /* so far, in this generation */
    int64_t since_at;     /* when this generation began */
    int64_t stepped_at;   /* the last step; 0: none in this generation */
    int64_t acked_at;
    int64_t reminded_at;
    int64_t next_at; /* when the next step is planned; ESCAL_NEVER: none */
};

/* due(arg, from, delay): the instant a delay after another, in working time where it says so. */
typedef int64_t escal_due_fn(void *arg, int64_t from_at, struct process_delay delay);

struct escal_now {
    int64_t at;
    int64_t progress_at; /* of a person on the ticket, last; 0: none */
    bool cause_is_gone;  /* the ticket is resolved or closed */
    bool was_told;       /* anybody was told of this alert, in any generation */
    bool must_tell;      /* somebody has to hear of it even when it is over before anybody did (a miss) */
    bool reach[LEVELS_MAX +
               1]; /* whether each level reaches anybody now; [number of levels]: the last resort */
    escal_due_fn *due;
    void *due_arg;
};

struct escal_step {
    enum escal_what what;
    int32_t generation, round, level;
    bool reached; /* anybody; always true for REMIND and OVER */
};

enum { ESCAL_STEPS_MAX = LEVELS_MAX + 2 };

struct escal_result {
    struct escal_state state;
    struct escal_step steps[ESCAL_STEPS_MAX]; /* in order */
    size_t count;
    bool opened_again; /* without progress for too long */
    bool nobody;       /* no level of the policy reaches anybody */
};

/* in: state  as stored; a next_at that lies ahead is only planned anew */
void escal_run(const struct process_escalation *policy, const struct escal_state *state,
               const struct escal_now *now, struct escal_result *ret);

const char *escal_what_name(enum escal_what what); /* "page", "last_resort", "reminder", "over" */

#endif
