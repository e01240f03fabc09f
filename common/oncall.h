/* Who is on call: schedules of layers, each a rotation in the wall clock of a zone or an imported calendar, and the
 * overrides over them.
 *
 * One rule decides: of a schedule's layers that are on at an instant the last one holds. A turn begins at the first
 * instant that shows its hand-over time and ends at the last instant that shows the next one's, so in a doubled hour both
 * are on call, and a hand-over in a gap is at the first instant after it: nobody's turn ends before the next one begins.
 * Pure: reads no clock; zones are read once, when it is built. Knows nothing of alerts. */
#ifndef DOCKET_ONCALL_H
#define DOCKET_ONCALL_H

#include "buf.h"
#include "faults.h"
#include "process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ONCALL_ZONEINFO "/usr/share/zoneinfo"

enum { ONCALL_SET_MAX = 16, ONCALL_OVERRIDES_MAX = 2000 };

struct oncall;

/* Compiles the schedules of a process, which must outlive it.
 * out: ret     the caller frees it with oncall_free; written only on success
 *      faults  zones the system has not, faults of imported files */
bool oncall_new(const struct process *process, const char *zone_dir, struct oncall **ret,
                struct faults *faults) __attribute__((warn_unused_result));
void oncall_free(struct oncall *oncall); /* accepts NULL */

/* Moves what of its imported files is allowed and hardly meant to the others of its process, which stay sorted. NULL: nothing. */
void oncall_take_warnings(struct oncall *oncall, struct faults *to);

size_t oncall_count(const struct oncall *oncall);
/* i: below oncall_count. */
const struct process_schedule *oncall_schedule(const struct oncall *oncall, size_t i);
/* The index of a name; -1: there is none. */
int oncall_find(const struct oncall *oncall, struct span name);

/* What people changed of the plan, from the database, in the order in which they were made.
 *   schedule, no replaces: staff is on call there, alone
 *   schedule and replaces: staff instead of the one replaced (a swap)
 *   no schedule:           replaces is away: staff instead of them everywhere, or nobody */
struct oncall_override {
    const char *schedule; /* NULL: all, and teams and assignees too */
    const char *replaces; /* NULL: whoever it is */
    const char *staff;    /* NULL: nobody */
    int64_t from_at, until_at;
};

struct oncall_overrides {
    const struct oncall_override *items;
    size_t count;
};

struct oncall_set {
    const char *names[ONCALL_SET_MAX]; /* none twice */
    size_t count;
};

/* Who is on call at an instant (µs). ret: none when nobody is. */
void oncall_at(const struct oncall *oncall, size_t schedule, struct oncall_overrides overrides, int64_t at_us,
               struct oncall_set *ret);

/* Who stands in for somebody at an instant: themselves when they are not away, NULL when they are and nobody does. */
const char *oncall_stand_in(struct oncall_overrides overrides, const char *name, int64_t at_us);

/* The next instant after at_us at which the set may change; INT64_MAX: never. */
int64_t oncall_next_change(const struct oncall *oncall, size_t schedule, struct oncall_overrides overrides,
                           int64_t at_us);

/* Spans of one set, in order and without holes, cut to from and until; neighbours differ. Stops when fn says false. */
typedef bool oncall_span_fn(void *arg, int64_t from_us, int64_t until_us, const struct oncall_set *set);
void oncall_walk(const struct oncall *oncall, size_t schedule, struct oncall_overrides overrides,
                 int64_t from_us, int64_t until_us, oncall_span_fn *fn, void *arg);

/* Since when the set that is on call at an instant has been; at most 512 days before. */
int64_t oncall_since(const struct oncall *oncall, size_t schedule, struct oncall_overrides overrides,
                     int64_t at_us);

/* The first span with nobody on call between two instants. False: there is none. */
bool oncall_gap(const struct oncall *oncall, size_t schedule, struct oncall_overrides overrides,
                int64_t from_us, int64_t until_us, int64_t *ret_from_us, int64_t *ret_until_us);

#endif
