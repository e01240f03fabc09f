/* One clock while the events of its ticket are walked: what ran, what rested, when it is due. Knows calendars; nothing of events, verdicts
 * or what was decided before. Instants and spans in µs. */
#ifndef DOCKET_CLOCK_RUN_H
#define DOCKET_CLOCK_RUN_H

#include "clocks.h"

struct clock_run {
    enum clock_kind kind;
    const struct clock_promise *promise;
    int64_t cycle;
    int64_t started_at;
    int64_t since; /* begin of the running stretch, or of the pause */
    bool open, paused;
    int64_t worked_us, paused_us; /* before `since` */
    int64_t used_up_at;           /* when the promise was used up in an earlier stretch */
    int64_t met_at;
    struct clock_log *log; /* or NULL */
};

/* A new cycle from an instant on; open if anything is promised. */
void clock_run_start(struct clock_run *run, int64_t at);

/* Nothing when it is not open, or paused, or running, already. */
void clock_run_pause(struct clock_run *run, int64_t at);
void clock_run_resume(struct clock_run *run, int64_t at);

/* Back to work after a rejection, in a new cycle: the time with the customer is a pause, the rest was used. */
void clock_run_on(struct clock_run *run, int64_t at);

/* Ends a stretch, for those who want to know how it came about. */
void clock_run_log(const struct clock_run *run, int64_t until);

/* What counts of the time between, by the promise's calendar. */
int64_t clock_run_time(const struct clock_run *run, int64_t from, int64_t until);

/* The instant at which work_us are used up from an instant on; never beyond the calendar's years. */
int64_t clock_run_after(const struct clock_run *run, int64_t from, int64_t work_us);

/* When it is due if it runs from an instant on. A promise of 0 is judged by its grace, in real time from then. */
int64_t clock_run_due_from(const struct clock_run *run, int64_t from);

/* The clock as it is at an instant, without warnings. */
struct clock clock_run_show(const struct clock_run *run, int64_t at);

#endif
