/* The clocks of a ticket; see clocks.h. */
#include "clocks.h"

#include "clock_rules.h"
#include "clock_run.h"

#include <string.h>

enum phase { PHASE_OPEN, PHASE_WAITS, PHASE_RESOLVED, PHASE_CLOSED };

struct walk {
    const struct clock_terms *terms;
    const struct clock *old;
    size_t old_count;
    struct clocks *out;
    struct clock_run runs[CLOCK_KINDS];
    enum phase phase;
    int64_t phase_at;
    int64_t until_at;
    int64_t at; /* of the last event */
    int64_t now;
};

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

static void walk_keep(struct walk *w, const struct clock *clock)
{
    if (w->out->count < CLOCKS_MAX)
        w->out->items[w->out->count++] = *clock;
}

static void walk_notice(struct walk *w, const struct clock *clock, int percent, bool quiet)
{
    if (w->out->notice_count < CLOCK_VERDICTS_MAX)
        w->out->notices[w->out->notice_count++] =
            (struct clock_notice){*clock, percent, quiet, w->terms->priority};
}

void clocks_add_verdict(struct clocks *clocks, const struct clock_verdict *verdict)
{
    if (clocks->verdict_count == CLOCK_VERDICTS_MAX)
        memmove(clocks->verdicts, clocks->verdicts + 1, --clocks->verdict_count * sizeof clocks->verdicts[0]);
    clocks->verdicts[clocks->verdict_count++] = *verdict;
}

static void walk_verdict(struct walk *w, const struct clock *clock, bool missed, const char *cause)
{
    clocks_add_verdict(w->out,
                       &(struct clock_verdict){*clock, missed, cause, w->terms->priority, w->terms->package});
}

/* Whether the promise was there at the last decision, or there was none yet. */
static bool walk_was_promised(const struct walk *w, enum clock_kind kind)
{
    for (size_t i = 0; i < w->old_count; i++)
        if (w->old[i].kind == kind && !w->old[i].unpromised)
            return true;
    return !w->terms->decided;
}

/* Whether an earlier cycle was judged just now: it was promised then. */
static bool walk_judged(const struct walk *w, enum clock_kind kind)
{
    for (size_t i = 0; i < w->out->verdict_count; i++)
        if (w->out->verdicts[i].clock.kind == kind)
            return true;
    return false;
}

/* Late only because the promise changed: by the old one there was time left when the new one began. */
static const char *miss_cause(const struct walk *w, const struct clock *old, const struct clock *new)
{
    if (old == NULL)
        return walk_was_promised(w, new->kind) || walk_judged(w, new->kind) ||
                       new->due_at > w->terms->changed_at
                   ? NULL
                   : "moved";
    bool changed = old->promise_s != new->promise_s || old->working != new->working ||
                   !span_equal(old->calendar, new->calendar);
    bool had_time = old->due_at == CLOCK_NO_INSTANT || old->due_at > w->terms->changed_at;
    return changed && had_time && new->due_at <= w->terms->changed_at ? "moved" : NULL;
}

/* What was judged before is kept as it was; a miss only gains the time at which it was met. */
static void walk_finish_judged(struct walk *w, struct clock *clock, const struct clock *old, bool kept)
{
    /* One that nobody promised for a while was over then, and is promised again. */
    bool gains = old->met_at == CLOCK_NO_INSTANT || old->unpromised;
    struct clock now = *clock;

    *clock = *old;
    clock->unpromised = false;
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
static void walk_finish_judge(struct walk *w, const struct clock_run *run, struct clock *clock,
                              const struct clock *old, const char *cause)
{
    if (clock->due_at == CLOCK_NO_INSTANT) /* at rest: what was left would have begun to run now */
        clock->due_at = clock_run_due_from(run, clock->met_at);
    bool missed = clock->due_at < clock->met_at;
    clock->state = missed ? CLOCK_MISSED : CLOCK_MET;
    clock->ended = cause != NULL;
    struct clock told = *clock;
    if (missed && clock->ended) /* nobody ever did what was promised */
        told.met_at = CLOCK_NO_INSTANT;
    walk_verdict(w, &told, missed, missed ? miss_cause(w, old, clock) : cause);
    if (missed)
        walk_notice(w, &told, 100, false);
}

/* A cycle is over. cause: NULL when it was kept, else why it ended. */
static void walk_finish(struct walk *w, struct clock_run *run, int64_t at, const char *cause)
{
    const struct clock *old = walk_old(w, run->kind, run->cycle);
    struct clock clock = clock_run_show(run, at);

    if (!run->open)
        return;
    clock_run_log(run, at);
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
    /* An update that began and was met since is followed by the next; what none follows tells the next decision that those before are judged. */
    if (old != NULL || run->kind != CLOCK_UPDATE || cause != NULL)
        walk_keep(w, &clock);
}

/* Warnings that came due, and when the next will. Told in one: the latest of those that are due and not quiet. */
static void walk_warn(struct walk *w, const struct clock_run *run, struct clock *clock, int64_t worked_us)
{
    const struct clock_promise *promise = run->promise;
    int64_t count = (int64_t)promise->warning_count;
    const struct clock_warning *passed = NULL;

    for (; clock->warned < count && worked_us >= promise->warnings[clock->warned].used_us; clock->warned++)
        if (passed == NULL || passed->quiet || !promise->warnings[clock->warned].quiet)
            passed = &promise->warnings[clock->warned];
    if (clock->warned < count && !run->paused)
        clock->warn_at =
            clock_run_after(run, run->since, promise->warnings[clock->warned].used_us - run->worked_us);
    if (passed != NULL)
        walk_notice(w, clock, (int)(passed->used_us * 100 / promise->promise_us), passed->quiet);
}

/* A cycle that is still open at now. */
static void walk_leave(struct walk *w, struct clock_run *run)
{
    const struct clock *old = walk_old(w, run->kind, run->cycle);
    struct clock clock = clock_run_show(run, w->now);

    clock_run_log(run, w->now);
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
        walk_warn(w, run, &clock,
                  run->worked_us + (run->paused ? 0 : clock_run_time(run, run->since, w->now)));
    walk_keep(w, &clock);
}

/* ---- events ---- */

/* Whether taking the ticket meets the response: not of priority 4. What was judged met stays so by the event that met it then, whatever the
 * priority is by now. */
static bool walk_taking_meets(const struct walk *w, const struct clock_run *run, int64_t at)
{
    const struct clock *old = walk_old(w, run->kind, run->cycle);

    if (clock_is_judged(old) && old->met_at != CLOCK_NO_INSTANT)
        return old->met_at == at;
    return w->terms->priority != 4;
}

/* Met, and again from here; it rests while the customer owes the answer. */
static void walk_again(struct walk *w, struct clock_run *run, int64_t at)
{
    if (!run->open)
        return;
    walk_finish(w, run, at, NULL);
    clock_run_start(run, at);
    if (w->phase == PHASE_WAITS || w->phase == PHASE_RESOLVED)
        clock_run_pause(run, at);
}

static void walk_act(struct walk *w, struct clock_run *run, enum clock_action action,
                     const struct clock_event *e)
{
    switch (action) {
    case NOTHING:
        return;
    case MEET_BY_TAKING:
        if (walk_taking_meets(w, run, e->at))
            walk_finish(w, run, e->at, NULL);
        return;
    case MEET:
        walk_finish(w, run, e->at, NULL);
        return;
    case MEET_AND_AGAIN:
        walk_again(w, run, e->at);
        return;
    case PAUSE:
        clock_run_pause(run, e->at);
        return;
    case RESUME:
        clock_run_resume(run, e->at);
        return;
    case END:
        walk_finish(w, run, e->at, e->kind == EVENT_CLOSED ? "closed" : "approved");
        return;
    case RUN_ON:
        clock_run_on(run, e->at);
        return;
    case RESTART:
        walk_finish(w, run, e->at, "reopened");
        clock_run_start(run, e->at);
        return;
    }
}

static void walk_lead(struct walk *w, enum clock_leads leads, const struct clock_event *e)
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

static void walk_apply(struct walk *w, const struct clock_rule *rule, const struct clock_event *e)
{
    walk_lead(w, rule->leads, e);
    for (size_t k = 0; k < CLOCK_KINDS; k++)
        walk_act(w, &w->runs[k], rule->actions[k], e);
}

/* What a customer's public words do depends on where the ticket stands. */
static void walk_reply(struct walk *w, const struct clock_event *e)
{
    if (w->phase == PHASE_WAITS) {
        walk_apply(w, &clock_rule_ends_wait, e);
        w->out->wait_ended = true;
    } else if (w->phase == PHASE_RESOLVED && w->terms->reply_reopens) {
        walk_apply(w, &clock_rule_rejects, e);
        w->out->reopened_by_reply = true;
    } else if (w->phase == PHASE_RESOLVED && !w->terms->reply_is_kept) {
        walk_apply(w, &clock_rule_asks, e);
        w->out->reply_pending = true;
    } else if (w->phase == PHASE_CLOSED && e->at <= w->phase_at + w->terms->reopen_within_us) {
        walk_apply(w, &clock_rule_reopens, e);
        w->out->reopened_by_reply = true;
    }
}

/* A wait with an end is over when that instant comes, not when somebody looks. */
static void walk_until(struct walk *w, int64_t at)
{
    if (w->phase != PHASE_WAITS || w->until_at == CLOCK_NO_INSTANT || w->until_at > at)
        return;
    struct clock_event over = {.at = w->until_at, .until_at = CLOCK_NO_INSTANT};
    walk_apply(w, &clock_rule_ends_wait, &over);
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
    const struct clock_rule *rule = clock_rule_find(&e);
    if (rule != NULL && rule->who == BY_DESK && !e.by_person)
        walk_lead(w, rule->leads, &e); /* a machine's */
    else if (rule != NULL)
        walk_apply(w, rule, &e);
    if ((e.kind == EVENT_COMMENTED || e.kind == EVENT_MEETING) && e.by_person && e.is_public)
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
        w.runs[k] =
            (struct clock_run){.kind = (enum clock_kind)k, .promise = &terms->promises[k], .log = log};
        clock_run_start(&w.runs[k], posted_at);
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
    ret->is_resolved = w.phase == PHASE_RESOLVED;
    ret->is_closed = w.phase == PHASE_CLOSED;
    ret->resolved_at = ret->is_resolved ? w.phase_at : CLOCK_NO_INSTANT;
    ret->wake_at = w.until_at;
}
