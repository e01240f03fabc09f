/* One clock while the events are walked; see clock_run.h. */
#include "clock_run.h"

#include "clock.h"
#include "mem.h"

int64_t clock_run_time(const struct clock_run *run, int64_t from, int64_t until)
{
    if (until <= from)
        return 0;
    return run->promise->working ? calendar_elapsed(run->promise->calendar, from, until) : until - from;
}

int64_t clock_run_after(const struct clock_run *run, int64_t from, int64_t work_us)
{
    int64_t at;

    if (!run->promise->working)
        return work_us > CALENDAR_END_US - from ? CALENDAR_END_US : from + work_us;
    return calendar_due(run->promise->calendar, from, work_us, &at, NULL) ? at : CALENDAR_END_US;
}

int64_t clock_run_due_from(const struct clock_run *run, int64_t from)
{
    int64_t promise_us = run->promise->promise_us;
    if (promise_us == 0)
        return clock_run_after(run, from, 0) + run->promise->grace_us;
    int64_t left = promise_us - run->worked_us;
    return clock_run_after(run, from, left > 0 ? left : 0);
}

static int64_t run_due(const struct clock_run *run)
{
    return run->used_up_at != CLOCK_NO_INSTANT ? run->used_up_at : clock_run_due_from(run, run->since);
}

void clock_run_log(const struct clock_run *run, int64_t until)
{
    struct clock_log *log = run->log;

    if (log == NULL || until <= run->since)
        return;
    if ((log->count & (log->count + 1)) == 0)
        log->items = mem_grow(log->items, 2 * (log->count + 1), sizeof *log->items);
    log->items[log->count++] = (struct clock_stretch){run->kind, run->cycle, run->since, until, run->paused};
}

void clock_run_pause(struct clock_run *run, int64_t at)
{
    if (!run->open || run->paused)
        return;
    clock_run_log(run, at);
    int64_t due = run_due(run);
    if (due <= at)
        run->used_up_at = due;
    run->worked_us += clock_run_time(run, run->since, at);
    run->paused = true;
    run->since = at;
}

void clock_run_resume(struct clock_run *run, int64_t at)
{
    if (!run->open || !run->paused)
        return;
    clock_run_log(run, at);
    run->paused_us += at - run->since;
    run->paused = false;
    run->since = at;
}

void clock_run_start(struct clock_run *run, int64_t at)
{
    run->open = run->promise->promised;
    run->paused = false;
    run->cycle++;
    run->started_at = run->since = at;
    run->worked_us = run->paused_us = 0;
    run->used_up_at = run->met_at = CLOCK_NO_INSTANT;
}

static int64_t whole_s(int64_t us)
{
    return us / US_PER_S;
}

struct clock clock_run_show(const struct clock_run *run, int64_t at)
{
    const struct clock_promise *p = run->promise;
    int64_t worked = run->worked_us + (run->paused ? 0 : clock_run_time(run, run->since, at));
    int64_t left = p->promise_us - worked;
    struct clock clock = {
        .kind = run->kind,
        .cycle = run->cycle,
        .state = run->paused ? CLOCK_PAUSED : CLOCK_RUNNING,
        .promise_s = whole_s(p->promise_us),
        .working = p->working,
        .started_at = run->started_at,
        .due_at = run->paused && run->used_up_at == CLOCK_NO_INSTANT ? CLOCK_NO_INSTANT : run_due(run),
        .warn_at = CLOCK_NO_INSTANT,
        .met_at = run->met_at,
        .calendar = span_of(p->calendar_name),
        .as_of_at = at,
        .worked_s = whole_s(worked),
        .paused_s = whole_s(run->paused_us + (run->paused && at > run->since ? at - run->since : 0)),
        .left_s = left > 0 ? whole_s(left) : 0,
    };
    return clock;
}

void clock_run_on(struct clock_run *run, int64_t at)
{
    if (run->open || !run->promise->promised || run->met_at == CLOCK_NO_INSTANT)
        return;
    int64_t due = run->paused && run->used_up_at == CLOCK_NO_INSTANT ? INT64_MAX : run_due(run);
    if (due <= run->met_at)
        run->used_up_at = due;
    if (!run->paused)
        run->worked_us += clock_run_time(run, run->since, run->met_at);
    run->paused_us += at - (run->paused ? run->since : run->met_at);
    run->cycle++;
    run->since = run->met_at;
    run->paused = true;
    clock_run_log(run, at);
    run->open = true;
    run->paused = false;
    run->since = at;
    run->met_at = CLOCK_NO_INSTANT;
}
