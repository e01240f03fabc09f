/* The clocks of a ticket; see clocks.h. */
#include "clocks.h"

#include "clock.h"
#include "mem.h"

#include <string.h>

enum phase { PHASE_OPEN, PHASE_WAITS, PHASE_RESOLVED, PHASE_CLOSED };

/* What an event does to one clock. Met and ended clocks are left alone, whatever the table says. */
enum action {
    NOTHING,
    MEET,
    MEET_BY_TAKING, /* not where a reply was promised (priority 4) */
    MEET_AND_AGAIN, /* met, and the next cycle begins; it rests while the customer owes the answer */
    PAUSE,
    RESUME,
    END,     /* over without having been kept: the ticket is closed */
    RUN_ON,  /* a clock that was met runs on, in a new cycle with what was left */
    RESTART, /* a new cycle from here */
};

enum who { BY_DESK, BY_ANYONE };
enum needs { ALWAYS, IF_PUBLIC, IF_SELF, ON_CUSTOMER, ON_VENDOR };
enum leads { STAYS, TO_OPEN, TO_WAITS, TO_RESOLVED, TO_CLOSED };

/* Event → what starts, meets, pauses, resumes, ends each clock (promises.md, "Clocks of a ticket"). The posting starts all
 * three. What a machine did moves the ticket and no clock, but a closed ticket has no clocks, whoever closed it. A customer's words are looked
 * at again by clocks_reply, for what they mean on resolved and closed tickets. */
static const struct rule_row {
    enum desk_event kind;
    enum who who;
    enum needs needs;
    enum leads leads;
    enum action actions[CLOCK_KINDS]; /* response, update, resolution */
} rows[] = {
    {EVENT_TAKEN, BY_DESK, ALWAYS, TO_OPEN, {MEET_BY_TAKING, RESUME, RESUME}},
    {EVENT_ASSIGNED, BY_DESK, IF_SELF, STAYS, {MEET_BY_TAKING, NOTHING, NOTHING}},
    {EVENT_COMMENTED, BY_DESK, IF_PUBLIC, STAYS, {MEET, MEET_AND_AGAIN, NOTHING}},
    {EVENT_WAITING, BY_DESK, ON_CUSTOMER, TO_WAITS, {MEET, MEET_AND_AGAIN, PAUSE}},
    {EVENT_WAITING, BY_DESK, ON_VENDOR, TO_OPEN, {NOTHING, MEET_AND_AGAIN, RESUME}},
    {EVENT_CANNOT_RESOLVE, BY_DESK, ALWAYS, TO_WAITS, {MEET, MEET_AND_AGAIN, PAUSE}},
    {EVENT_RESUMED, BY_DESK, ALWAYS, TO_OPEN, {NOTHING, RESUME, RESUME}},
    {EVENT_MEETING, BY_DESK, ALWAYS, STAYS, {MEET, MEET_AND_AGAIN, NOTHING}},
    {EVENT_RESOLVED, BY_DESK, ALWAYS, TO_RESOLVED, {MEET, MEET_AND_AGAIN, MEET}},
    {EVENT_REJECTED, BY_ANYONE, ALWAYS, TO_OPEN, {NOTHING, RESUME, RUN_ON}},
    {EVENT_APPROVED, BY_ANYONE, ALWAYS, TO_CLOSED, {END, END, END}},
    {EVENT_CLOSED, BY_ANYONE, ALWAYS, TO_CLOSED, {END, END, END}},
    {EVENT_REOPENED, BY_ANYONE, ALWAYS, TO_OPEN, {RESTART, RESTART, RESTART}},
    {EVENT_AGREED, BY_ANYONE, ALWAYS, TO_OPEN, {NOTHING, RESUME, RESUME}},
    {EVENT_DECLINED, BY_ANYONE, ALWAYS, TO_OPEN, {NOTHING, RESUME, RESUME}},
};

static const char *const kind_names[CLOCK_KINDS] = {"response", "update", "resolution"};
static const char *const state_names[CLOCK_STATES] = {"running", "paused", "met", "missed"};
static const char *const step_names[CLOCK_STEPS] = {"started", "paused", "resumed", "moved",
                                                    "met",     "missed", "ended"};

/* One clock while the events are walked. */
struct run {
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

struct walk {
    const struct clock_terms *terms;
    const struct clock *old;
    size_t old_count;
    struct clocks *out;
    struct run runs[CLOCK_KINDS];
    enum phase phase;
    int64_t phase_at;
    int64_t until_at;
    int64_t at; /* of the last event */
    int64_t now;
};

/* ---- time of one clock ---- */

static int64_t run_time(const struct run *run, int64_t from, int64_t until)
{
    if (until <= from)
        return 0;
    return run->promise->working ? calendar_elapsed(run->promise->calendar, from, until) : until - from;
}

/* The instant at which work_us are used up from an instant on; never beyond the calendar's years. */
static int64_t run_after(const struct run *run, int64_t from, int64_t work_us)
{
    int64_t at;

    if (!run->promise->working)
        return work_us > CALENDAR_END_US - from ? CALENDAR_END_US : from + work_us;
    return calendar_due(run->promise->calendar, from, work_us, &at, NULL) ? at : CALENDAR_END_US;
}

/* A promise of 0 is judged by its grace, in real time from the instant it became due. */
static int64_t run_due_from(const struct run *run, int64_t from)
{
    int64_t promise_us = run->promise->promise_us;
    if (promise_us == 0)
        return run_after(run, from, 0) + run->promise->grace_us;
    int64_t left = promise_us - run->worked_us;
    return run_after(run, from, left > 0 ? left : 0);
}

static int64_t run_due(const struct run *run)
{
    return run->used_up_at != CLOCK_NO_INSTANT ? run->used_up_at : run_due_from(run, run->since);
}

/* Ends a stretch, for those who want to know how it came about. */
static void run_log(const struct run *run, int64_t until)
{
    struct clock_log *log = run->log;

    if (log == NULL || until <= run->since)
        return;
    if ((log->count & (log->count + 1)) == 0)
        log->items = mem_grow(log->items, 2 * (log->count + 1), sizeof *log->items);
    log->items[log->count++] = (struct clock_stretch){run->kind, run->cycle, run->since, until, run->paused};
}

static void run_pause(struct run *run, int64_t at)
{
    if (!run->open || run->paused)
        return;
    run_log(run, at);
    int64_t due = run_due(run);
    if (due <= at)
        run->used_up_at = due;
    run->worked_us += run_time(run, run->since, at);
    run->paused = true;
    run->since = at;
}

static void run_resume(struct run *run, int64_t at)
{
    if (!run->open || !run->paused)
        return;
    run_log(run, at);
    run->paused_us += at - run->since;
    run->paused = false;
    run->since = at;
}

static void run_start(struct run *run, int64_t at)
{
    run->open = run->promise->promised;
    run->paused = false;
    run->cycle++;
    run->started_at = run->since = at;
    run->worked_us = run->paused_us = 0;
    run->used_up_at = run->met_at = CLOCK_NO_INSTANT;
}

/* ---- results ---- */

static const struct clock *walk_old(const struct walk *w, enum clock_kind kind, int64_t cycle)
{
    for (size_t i = 0; i < w->old_count; i++)
        if (w->old[i].kind == kind && w->old[i].cycle == cycle &&
            !(w->old[i].unpromised && w->old[i].state == CLOCK_MET))
            return &w->old[i];
    return NULL;
}

/* Warnings given in this cycle, also under a promise that went away meanwhile. */
static int64_t walk_warned(const struct walk *w, enum clock_kind kind, int64_t cycle)
{
    for (size_t i = 0; i < w->old_count; i++)
        if (w->old[i].kind == kind && w->old[i].cycle == cycle)
            return w->old[i].warned;
    return 0;
}

static bool clock_is_judged(const struct clock *old)
{
    return old != NULL && (old->state == CLOCK_MET || old->state == CLOCK_MISSED);
}

/* Whether the last decision had gone beyond this cycle: then its verdict was given. */
static bool walk_is_past(const struct walk *w, enum clock_kind kind, int64_t cycle)
{
    for (size_t i = 0; i < w->old_count; i++)
        if (w->old[i].kind == kind && w->old[i].cycle > cycle && !w->old[i].unpromised)
            return true;
    return false;
}

static int64_t whole_s(int64_t us)
{
    return us / US_PER_S;
}

/* The clock as it is at an instant, without warnings. */
static struct clock run_clock(const struct run *run, int64_t at)
{
    const struct clock_promise *p = run->promise;
    int64_t worked = run->worked_us + (run->paused ? 0 : run_time(run, run->since, at));
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

static void walk_keep(struct walk *w, const struct clock *clock)
{
    if (w->out->count < CLOCKS_MAX)
        w->out->items[w->out->count++] = *clock;
}

static void walk_notice(struct walk *w, const struct clock *clock, int percent, bool quiet)
{
    if (w->out->notice_count < CLOCK_VERDICTS_MAX)
        w->out->notices[w->out->notice_count++] = (struct clock_notice){*clock, percent, quiet};
}

static void walk_verdict(struct walk *w, const struct clock *clock, bool missed, const char *cause)
{
    struct clocks *out = w->out;

    if (out->verdict_count == CLOCK_VERDICTS_MAX)
        memmove(out->verdicts, out->verdicts + 1, --out->verdict_count * sizeof out->verdicts[0]);
    out->verdicts[out->verdict_count++] = (struct clock_verdict){*clock, missed, cause};
}

/* Whether the promise was there at the last decision, or there was none yet. */
static bool walk_was_promised(const struct walk *w, enum clock_kind kind)
{
    for (size_t i = 0; i < w->old_count; i++)
        if (w->old[i].kind == kind && !w->old[i].unpromised)
            return true;
    return !w->terms->decided;
}

/* Late only because the promise changed: by the old one there was time left when the new one began. */
static const char *miss_cause(const struct walk *w, const struct clock *old, const struct clock *new)
{
    if (old == NULL)
        return walk_was_promised(w, new->kind) || new->due_at > w->terms->changed_at ? NULL : "moved";
    bool changed = old->promise_s != new->promise_s || old->working != new->working ||
                   !span_equal(old->calendar, new->calendar);
    bool had_time = old->due_at == CLOCK_NO_INSTANT || old->due_at > w->terms->changed_at;
    return changed && had_time && new->due_at <= w->terms->changed_at ? "moved" : NULL;
}

/* What was judged before is kept as it was; a miss only gains the time at which it was met. */
static void walk_finish_judged(struct walk *w, struct clock *clock, const struct clock *old, bool kept)
{
    bool gains = old->met_at == CLOCK_NO_INSTANT;
    struct clock now = *clock;

    *clock = *old;
    clock->warn_at = CLOCK_NO_INSTANT;
    if (!gains)
        return;
    clock->met_at = now.met_at;
    clock->worked_s = now.worked_s;
    clock->paused_s = now.paused_s;
    clock->as_of_at = now.as_of_at;
    clock->ended = !kept;
    if (kept && old->state == CLOCK_MISSED)
        walk_verdict(w, clock, true, NULL);
}

/* Judged once, by what was promised when it ended. */
static void walk_finish_judge(struct walk *w, const struct run *run, struct clock *clock,
                              const struct clock *old, const char *cause)
{
    if (clock->due_at == CLOCK_NO_INSTANT) /* at rest: what was left would have begun to run now */
        clock->due_at = run_due_from(run, clock->met_at);
    bool missed = clock->due_at < clock->met_at;
    clock->state = missed ? CLOCK_MISSED : CLOCK_MET;
    clock->ended = cause != NULL;
    walk_verdict(w, clock, missed, missed ? miss_cause(w, old, clock) : cause);
    if (missed)
        walk_notice(w, clock, 100, false);
}

/* A cycle is over. cause: NULL when it was kept, else why it ended. */
static void walk_finish(struct walk *w, struct run *run, int64_t at, const char *cause)
{
    const struct clock *old = walk_old(w, run->kind, run->cycle);
    struct clock clock = run_clock(run, at);

    if (!run->open)
        return;
    run_log(run, at);
    run->open = false;
    run->met_at = clock.met_at = at;
    /* Over before anybody promised it: the promise came later, with another priority, package or process. */
    if (walk_is_past(w, run->kind, run->cycle) ||
        (at <= w->terms->changed_at && !walk_was_promised(w, run->kind)))
        return;
    clock.warned = walk_warned(w, run->kind, run->cycle);
    if (clock_is_judged(old))
        walk_finish_judged(w, &clock, old, cause == NULL);
    else
        walk_finish_judge(w, run, &clock, old, cause);
    if (old != NULL || run->kind != CLOCK_UPDATE)
        walk_keep(w, &clock);
}

/* Warnings that came due, and when the next will. Told in one: the latest of those that are due and not quiet. */
static void walk_warn(struct walk *w, const struct run *run, struct clock *clock, int64_t worked_us)
{
    const struct clock_promise *promise = run->promise;
    int64_t count = (int64_t)promise->warning_count;
    const struct clock_warning *passed = NULL;

    for (; clock->warned < count && worked_us >= promise->warnings[clock->warned].used_us; clock->warned++)
        if (passed == NULL || passed->quiet || !promise->warnings[clock->warned].quiet)
            passed = &promise->warnings[clock->warned];
    if (clock->warned < count && !run->paused)
        clock->warn_at =
            run_after(run, run->since, promise->warnings[clock->warned].used_us - run->worked_us);
    if (passed != NULL)
        walk_notice(w, clock, (int)(passed->used_us * 100 / promise->promise_us), passed->quiet);
}

/* A cycle that is still open at now. */
static void walk_leave(struct walk *w, struct run *run)
{
    const struct clock *old = walk_old(w, run->kind, run->cycle);
    struct clock clock = run_clock(run, w->now);

    run_log(run, w->now);
    clock.warned = walk_warned(w, run->kind, run->cycle);
    if (clock_is_judged(old) && old->met_at != CLOCK_NO_INSTANT && !old->unpromised) {
        clock = *old; /* met, by what counted then: at priority 3 by taking it, say, before it became 4 */
        clock.warn_at = CLOCK_NO_INSTANT;
    } else if (clock_is_judged(old)) {
        clock.state = CLOCK_MISSED; /* a verdict stays, whatever was promised since */
        clock.due_at = old->due_at;
        clock.promise_s = old->promise_s;
        clock.working = old->working;
        clock.calendar = old->calendar;
    } else if (clock.due_at != CLOCK_NO_INSTANT && clock.due_at <= w->now) {
        clock.state = CLOCK_MISSED;
        walk_verdict(w, &clock, true, miss_cause(w, old, &clock));
        walk_notice(w, &clock, 100, false);
    }
    if (clock.state == CLOCK_RUNNING || clock.state == CLOCK_PAUSED)
        walk_warn(w, run, &clock, run->worked_us + (run->paused ? 0 : run_time(run, run->since, w->now)));
    walk_keep(w, &clock);
}

/* ---- events ---- */

/* Met, and again from here; it rests while the customer owes the answer. */
static void walk_again(struct walk *w, struct run *run, int64_t at)
{
    if (!run->open)
        return;
    walk_finish(w, run, at, NULL);
    run_start(run, at);
    if (w->phase == PHASE_WAITS || w->phase == PHASE_RESOLVED)
        run_pause(run, at);
}

/* Back to work after a rejection: the time with the customer is a pause, the rest was used. */
static void walk_run_on(struct run *run, int64_t at)
{
    if (run->open || !run->promise->promised || run->met_at == CLOCK_NO_INSTANT)
        return;
    int64_t due = run->paused && run->used_up_at == CLOCK_NO_INSTANT ? INT64_MAX : run_due(run);
    if (due <= run->met_at)
        run->used_up_at = due;
    if (!run->paused)
        run->worked_us += run_time(run, run->since, run->met_at);
    run->paused_us += at - (run->paused ? run->since : run->met_at);
    run->cycle++;
    run->since = run->met_at;
    run->paused = true;
    run_log(run, at);
    run->open = true;
    run->paused = false;
    run->since = at;
    run->met_at = CLOCK_NO_INSTANT;
}

static void walk_act(struct walk *w, struct run *run, enum action action, const struct clock_event *e)
{
    switch (action) {
    case NOTHING:
        return;
    case MEET_BY_TAKING:
        if (w->terms->priority == 4)
            return;
        walk_finish(w, run, e->at, NULL);
        return;
    case MEET:
        walk_finish(w, run, e->at, NULL);
        return;
    case MEET_AND_AGAIN:
        walk_again(w, run, e->at);
        return;
    case PAUSE:
        run_pause(run, e->at);
        return;
    case RESUME:
        run_resume(run, e->at);
        return;
    case END:
        walk_finish(w, run, e->at, e->kind == EVENT_CLOSED ? "closed" : "approved");
        return;
    case RUN_ON:
        walk_run_on(run, e->at);
        return;
    case RESTART:
        walk_finish(w, run, e->at, "reopened");
        run_start(run, e->at);
        return;
    }
}

static void walk_lead(struct walk *w, enum leads leads, const struct clock_event *e)
{
    static const enum phase phases[] = {[TO_OPEN] = PHASE_OPEN,
                                        [TO_WAITS] = PHASE_WAITS,
                                        [TO_RESOLVED] = PHASE_RESOLVED,
                                        [TO_CLOSED] = PHASE_CLOSED};
    if (leads == STAYS)
        return;
    w->phase = phases[leads];
    w->phase_at = e->at;
    w->until_at = leads == TO_WAITS ? e->until_at : CLOCK_NO_INSTANT;
    w->out->reply_pending = false;
    w->out->reopened_by_reply = false;
    w->out->wait_ended = false;
}

static void walk_apply(struct walk *w, const struct rule_row *row, const struct clock_event *e)
{
    walk_lead(w, row->leads, e);
    for (size_t k = 0; k < CLOCK_KINDS; k++)
        walk_act(w, &w->runs[k], row->actions[k], e);
}

/* What a customer's public words do depends on where the ticket stands. */
static void walk_reply(struct walk *w, const struct clock_event *e)
{
    static const struct rule_row ends_wait = {.leads = TO_OPEN, .actions = {NOTHING, RESUME, RESUME}};
    static const struct rule_row rejects = {.leads = TO_OPEN, .actions = {NOTHING, RESUME, RUN_ON}};
    static const struct rule_row asks = {.leads = STAYS, .actions = {NOTHING, RESUME, NOTHING}};
    static const struct rule_row reopens = {.leads = TO_OPEN, .actions = {RESTART, RESTART, RESTART}};

    if (w->phase == PHASE_WAITS) {
        walk_apply(w, &ends_wait, e);
        w->out->wait_ended = true;
    } else if (w->phase == PHASE_RESOLVED && w->terms->reply_reopens) {
        walk_apply(w, &rejects, e);
        w->out->reopened_by_reply = true;
    } else if (w->phase == PHASE_RESOLVED && !w->terms->reply_is_kept) {
        walk_apply(w, &asks, e);
        w->out->reply_pending = true;
    } else if (w->phase == PHASE_CLOSED && e->at <= w->phase_at + w->terms->reopen_within_us) {
        walk_apply(w, &reopens, e);
        w->out->reopened_by_reply = true;
    }
}

static bool row_fits(const struct rule_row *row, const struct clock_event *e)
{
    if (row->kind != e->kind)
        return false;
    switch (row->needs) {
    case ALWAYS:
        return true;
    case IF_PUBLIC:
        return e->is_public;
    case IF_SELF:
        return e->is_self;
    case ON_CUSTOMER:
        return e->on == CLOCK_ON_CUSTOMER;
    case ON_VENDOR:
        return e->on == CLOCK_ON_VENDOR;
    }
    return false;
}

/* A wait with an end is over when that instant comes, not when somebody looks. */
static void walk_until(struct walk *w, int64_t at)
{
    if (w->phase != PHASE_WAITS || w->until_at == CLOCK_NO_INSTANT || w->until_at > at)
        return;
    struct clock_event over = {.at = w->until_at, .until_at = CLOCK_NO_INSTANT};
    static const struct rule_row ends_wait = {.leads = TO_OPEN, .actions = {NOTHING, RESUME, RESUME}};
    walk_apply(w, &ends_wait, &over);
    w->out->wait_ended = true;
}

static void walk_event(struct walk *w, const struct clock_event *event)
{
    struct clock_event e = *event;

    if (e.at > w->now)
        e.at = w->now;
    if (e.at < w->at) /* the database's clock was set back between the two: nothing takes less than no time */
        e.at = w->at;
    w->at = e.at;
    walk_until(w, e.at);
    bool is_over = w->phase == PHASE_RESOLVED || w->phase == PHASE_CLOSED;
    if (e.kind == EVENT_REOPENED && !is_over)
        return;
    if (e.kind == EVENT_COMMENTED && e.by_customer && e.is_public) {
        walk_reply(w, &e);
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (row_fits(&rows[i], &e)) {
            if (rows[i].who == BY_DESK && !e.by_person)
                walk_lead(w, rows[i].leads, &e);
            else
                walk_apply(w, &rows[i], &e);
            break;
        }
    if (e.kind == EVENT_COMMENTED && e.by_person && e.is_public)
        w->out->reply_pending = false;
}

/* A clock that was open and is not promised any more is over without a verdict; the list may not lose it. It stays
 * in it, so that a promise that comes back is not missed, and does not warn, a second time. */
static void walk_keep_unpromised(struct walk *w, enum clock_kind kind)
{
    for (size_t i = 0; i < w->old_count; i++) {
        const struct clock *old = &w->old[i];
        bool missed = old->state == CLOCK_MISSED && !walk_is_past(w, kind, old->cycle);
        bool open = old->state == CLOCK_RUNNING || old->state == CLOCK_PAUSED;
        if (old->kind != kind || !(open || missed || old->unpromised))
            continue;
        struct clock clock = *old;
        clock.state = missed ? CLOCK_MISSED : CLOCK_MET;
        clock.ended = old->met_at == CLOCK_NO_INSTANT;
        clock.unpromised = true;
        clock.met_at = old->met_at == CLOCK_NO_INSTANT ? w->now : old->met_at;
        clock.warn_at = CLOCK_NO_INSTANT;
        walk_keep(w, &clock);
    }
}

void clocks_compute(const struct clock_terms *terms, int64_t posted_at, const struct clock_event *events,
                    size_t event_count, const struct clock *old, size_t old_count, int64_t now,
                    struct clocks *ret)
{
    clocks_compute_logged(terms, posted_at, events, event_count, old, old_count, now, ret, NULL);
}

void clocks_compute_logged(const struct clock_terms *terms, int64_t posted_at,
                           const struct clock_event *events, size_t event_count, const struct clock *old,
                           size_t old_count, int64_t now, struct clocks *ret, struct clock_log *log)
{
    struct walk w = {.terms = terms,
                     .old = old,
                     .old_count = old_count,
                     .out = ret,
                     .until_at = CLOCK_NO_INSTANT,
                     .at = posted_at,
                     .now = now};

    ret->count = ret->verdict_count = ret->notice_count =
        0; /* the lists are large, and written before they are read */
    ret->wait_ended = ret->reopened_by_reply = ret->reply_pending = false;
    for (size_t k = 0; k < CLOCK_KINDS; k++) {
        w.runs[k] = (struct run){.kind = (enum clock_kind)k, .promise = &terms->promises[k], .log = log};
        run_start(&w.runs[k], posted_at);
    }
    for (size_t i = 0; i < event_count; i++)
        walk_event(&w, &events[i]);
    walk_until(&w, now);
    for (size_t k = 0; k < CLOCK_KINDS; k++) {
        if (w.runs[k].open)
            walk_leave(&w, &w.runs[k]);
        else if (!terms->promises[k].promised)
            walk_keep_unpromised(&w, (enum clock_kind)k);
    }
    ret->waits_customer = w.phase == PHASE_WAITS;
    ret->wait_until_at = w.until_at;
    ret->is_resolved = w.phase == PHASE_RESOLVED;
    ret->is_closed = w.phase == PHASE_CLOSED;
    ret->resolved_at = ret->is_resolved ? w.phase_at : CLOCK_NO_INSTANT;
    ret->wake_at = w.until_at;
}

/* ---- names ---- */

const char *clock_step_name(enum clock_step step)
{
    return step_names[step];
}

const char *clock_kind_name(enum clock_kind kind)
{
    return kind_names[kind];
}

const char *clock_state_name(enum clock_state state)
{
    return state_names[state];
}

bool clock_kind_parse(struct span name, enum clock_kind *ret)
{
    for (int i = 0; i < CLOCK_KINDS; i++)
        if (span_is(name, kind_names[i])) {
            *ret = (enum clock_kind)i;
            return true;
        }
    return false;
}

bool clock_state_parse(struct span name, enum clock_state *ret)
{
    for (int i = 0; i < CLOCK_STATES; i++)
        if (span_is(name, state_names[i])) {
            *ret = (enum clock_state)i;
            return true;
        }
    return false;
}
