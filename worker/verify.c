/* The same again; see verify.h. */
#include "verify.h"

#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verifying {
    const struct decision *d;
    size_t event_count; /* of those that are decided */
    int64_t moved_at;   /* when the ticket got another package, or CLOCK_NO_INSTANT */
    int priority;       /* that `again` is computed by, and its instant; 0: not yet */
    int64_t at;
    struct clocks again;
    struct verified *out;
};

static void differ(struct verifying *v, enum clock_kind kind, int64_t cycle, const char *field, int64_t was,
                   int64_t is)
{
    struct verified *out = v->out;

    if (was == is || out->difference_count == VERIFY_DIFFERENCES_MAX)
        return;
    (void)snprintf(out->differences[out->difference_count++], sizeof out->differences[0],
                   "%s %lld: %s is stored as %lld, gives %lld", clock_kind_name(kind), (long long)cycle,
                   field, (long long)was, (long long)is);
}

/* From the events alone, as a ticket of this priority, at an instant. */
static void compute(struct verifying *v, int priority, int64_t at)
{
    const struct work *work = v->d->work;
    struct clock_terms terms;

    if (priority == v->priority && at == v->at)
        return;
    decide_terms(v->d, &terms);
    engine_terms(v->d->engine, v->d->package, priority, v->d->forced_calendar, &terms);
    terms.decided = false;
    clocks_compute(&terms, work->posted_at, work->facts, v->event_count, NULL, 0, at, &v->again);
    v->priority = priority;
    v->at = at;
}

static const struct clock_verdict *verdict_again(const struct verifying *v, enum clock_kind kind,
                                                 int64_t cycle)
{
    for (size_t i = 0; i < v->again.verdict_count; i++)
        if (v->again.verdicts[i].clock.kind == kind && v->again.verdicts[i].clock.cycle == cycle)
            return &v->again.verdicts[i];
    return NULL;
}

static const struct clock *clock_again(const struct verifying *v, const struct clock *stored)
{
    for (size_t i = 0; i < v->again.count; i++)
        if (v->again.items[i].kind == stored->kind && v->again.items[i].cycle == stored->cycle)
            return &v->again.items[i];
    const struct clock_verdict *verdict = verdict_again(v, stored->kind, stored->cycle);
    return verdict == NULL ? NULL : &verdict->clock;
}

/* ---- verdicts ---- */

/* A row of `deadlines`. */
static bool row_read(const struct wire_val *map, struct work_verdict *ret)
{
    return work_verdict_parse(map, ret) && ret->priority >= 1 && ret->priority <= 4;
}

/* When what the verdict tells came to be, whenever a worker came to judge it: of another package before the ticket was moved. */
static int64_t row_falls_at(const struct work_verdict *row)
{
    if (span_is(row->cause, "moved"))
        return row->judged_at;
    return row->missed ? row->due_at : row->met_at;
}

/* Whether what judged then is what is here now. */
static bool row_is_ours(const struct verifying *v, const struct work_verdict *row, const struct clock *again)
{
    const struct engine *engine = v->d->engine;

    return span_is(row->process, engine_process(engine)->hash) && span_is(row->zones, engine_zones(engine)) &&
           row_falls_at(row) > v->moved_at && row->promise_s == again->promise_s &&
           !(again->working && v->d->forced_calendar.len != 0); /* a rule may have chosen another one then */
}

/* Whether the ticket was of one priority from the verdict to its end: what a late meeting cost is counted by that of its time. */
static bool row_keeps_priority(const struct verifying *v, const struct work_verdict *row)
{
    const struct work *work = v->d->work;

    for (size_t i = 0; i < v->event_count; i++)
        if (work->facts[i].kind == EVENT_PRIORITIZED && work->facts[i].at >= row->due_at)
            return false;
    return row->priority == v->d->priority;
}

static void compare_row(struct verifying *v, const struct work_verdict *row)
{
    compute(v, (int)row->priority, v->d->work->now);
    const struct clock_verdict *again = verdict_again(v, row->kind, row->cycle);

    if (again == NULL || !row_is_ours(v, row, &again->clock)) {
        v->out->by_others++;
        return;
    }
    v->out->verdicts++;
    /* Met at the very microsecond at which it was due: the events do not tell which of the two was decided first. */
    if (again->clock.due_at != again->clock.met_at)
        differ(v, row->kind, row->cycle, "missed", row->missed, again->missed);
    differ(v, row->kind, row->cycle, "due_at", row->due_at, again->clock.due_at);
    /* A miss that nobody met: how it stood when it fell is in the history; how it stands is compared as a clock. */
    if (row->missed && (row->met_at == CLOCK_NO_INSTANT || !row_keeps_priority(v, row)))
        return;
    differ(v, row->kind, row->cycle, "met_at", row->met_at, again->clock.met_at);
    differ(v, row->kind, row->cycle, "paused_s", row->paused_s, again->clock.paused_s);
    if (!row->missed) /* what a miss used up until it was met, the version of that later time counted: it is not told */
        differ(v, row->kind, row->cycle, "worked_s", row->worked_s, again->clock.worked_s);
}

static bool row_of(const struct wire_val *deadlines, const struct clock *clock, struct work_verdict *ret)
{
    for (size_t i = 0; i < wire_count(deadlines); i++)
        if (row_read(wire_at(deadlines, i), ret) && ret->kind == clock->kind && ret->cycle == clock->cycle)
            return true;
    return false;
}

/* The clock on the desk and the verdict for the reports tell the same. */
static void compare_with_row(struct verifying *v, const struct clock *stored,
                             const struct wire_val *deadlines)
{
    struct work_verdict row;

    if (!row_of(deadlines, stored, &row))
        return;
    differ(v, stored->kind, stored->cycle, "verdict", row.missed, stored->state == CLOCK_MISSED);
    differ(v, stored->kind, stored->cycle, "verdict's due_at", row.due_at, stored->due_at);
    if (row.missed &&
        row.met_at == CLOCK_NO_INSTANT) /* over without having been kept: only the clock knows when */
        return;
    differ(v, stored->kind, stored->cycle, "verdict's met_at", row.met_at, stored->met_at);
    differ(v, stored->kind, stored->cycle, "verdict's worked_s", row.worked_s, stored->worked_s);
    differ(v, stored->kind, stored->cycle, "verdict's paused_s", row.paused_s, stored->paused_s);
}

/* ---- clocks ---- */

static void compare_clock(struct verifying *v, const struct clock *stored, const struct wire_val *deadlines)
{
    const struct clock *again = clock_again(v, stored);
    bool judged = stored->state == CLOCK_MET || stored->state == CLOCK_MISSED;

    if (stored->unpromised || (again == NULL && judged))
        return;
    v->out->clocks++;
    if (again == NULL) {
        differ(v, stored->kind, stored->cycle, "there", 1, 0);
        return;
    }
    differ(v, stored->kind, stored->cycle, "started_at", stored->started_at, again->started_at);
    if (judged)
        compare_with_row(v, stored, deadlines);
    if (judged && (stored->met_at != CLOCK_NO_INSTANT || again->met_at != CLOCK_NO_INSTANT))
        return;
    differ(v, stored->kind, stored->cycle, "worked_s", stored->worked_s, again->worked_s);
    differ(v, stored->kind, stored->cycle, "paused_s", stored->paused_s, again->paused_s);
    differ(v, stored->kind, stored->cycle, "left_s", stored->left_s, again->left_s);
    if (judged) /* missed and not met: it runs on, under what is promised now; the verdict keeps its due time */
        return;
    differ(v, stored->kind, stored->cycle, "state", (int64_t)stored->state, (int64_t)again->state);
    differ(v, stored->kind, stored->cycle, "due_at", stored->due_at, again->due_at);
    differ(v, stored->kind, stored->cycle, "met_at", stored->met_at, again->met_at);
}

/* ---- the whole ---- */

/* The last decision that moved a clock; one that is over stands as it ended. */
static int64_t stored_at(const struct work *work)
{
    int64_t at = 0;
    for (size_t i = 0; i < work->old_count; i++)
        at = work->old[i].as_of_at > at ? work->old[i].as_of_at : at;
    return at;
}

static size_t decided_count(const struct work *work)
{
    size_t count = 0;
    while (count < work->event_count && !work->events[count].is_new)
        count++;
    return count;
}

static int64_t moved_at(const struct work *work)
{
    int64_t at = CLOCK_NO_INSTANT;
    for (size_t i = 0; i < work->event_count; i++)
        if (work->facts[i].kind == EVENT_UPDATED &&
            wire_find_str(wire_find(work->events[i].map, "body"), "package").len != 0)
            at = work->facts[i].at;
    return at;
}

void verify_stored(const struct decision *d, const struct wire_val *deadlines, struct verified *ret)
{
    const struct work *work = d->work;
    size_t count = decided_count(work);

    memset(ret, 0, sizeof *ret);
    if (work->old_count == 0)
        ret->unknown = "nothing is stored yet";
    else if (!span_is(work->kept.by, engine_by(d->engine)))
        ret->unknown = "stored by another version: it is computed again when the ticket wakes";
    else if (count < work->event_count)
        ret->unknown = "something happened that is not decided yet";
    if (ret->unknown != NULL)
        return;
    struct verifying *v = mem_new(1, sizeof *v); /* large */
    v->d = d;
    v->out = ret;
    v->event_count = count;
    v->moved_at = moved_at(work);
    compute(v, d->priority, stored_at(work));
    for (size_t i = 0; i < work->old_count; i++)
        compare_clock(v, &work->old[i], deadlines);
    for (size_t i = 0; i < wire_count(deadlines); i++) {
        struct work_verdict row;
        if (row_read(wire_at(deadlines, i), &row))
            compare_row(v, &row);
    }
    free(v);
}
