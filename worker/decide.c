/* The decision; see decide.h. */
#include "decide_internal.h"

#include "clock.h"
#include "mem.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE_BYTES_MAX = 256 * 1024 };

struct decider *decider_new(void)
{
    struct decider *decider = mem_new(1, sizeof *decider);
    decider->conditions = conditions_new();
    buf_init(&decider->trace, TRACE_BYTES_MAX);
    return decider;
}

void decider_free(struct decider *decider)
{
    if (decider == NULL)
        return;
    work_clear(&decider->work);
    conditions_free(decider->conditions);
    buf_clear(&decider->trace);
    free(decider);
}

/* ---- priority ---- */

/* What staff set stays; without any rule's word it is the default's, priority 3. */
static void decide_priority(struct decision *d)
{
    const struct work *work = d->work;
    bool is_held = (work->held & HELD_PRIORITY) != 0;

    d->priority = work->priority;
    if (d->choice.priority != 0 && !(is_held && work->priority != 0))
        d->priority = d->choice.priority;
    if (d->priority == 0)
        d->priority = 3;
    d->set_priority = d->priority != work->priority;
}

/* Becoming P1, by whatever event, alerts; a P1 that is opened again is one anew, and promises the response at once again. */
static bool decide_is_new_p1(const struct decision *d)
{
    const struct work *work = d->work;

    if (d->priority != 1)
        return false;
    if (work->is_first || work->priority != 1)
        return true;
    for (size_t i = 0; i < work->event_count; i++)
        if (work->events[i].is_new &&
            (work->facts[i].kind == EVENT_PRIORITIZED || work->facts[i].kind == EVENT_REOPENED))
            return true;
    return d->state == SET_REOPENED;
}

/* ---- state ---- */

/* A wait for a vendor that has an end: nothing is paused by it, but people look again then. */
static int64_t decide_vendor_until(const struct work *work)
{
    if (work->state != STATE_WAITING_VENDOR)
        return CLOCK_NO_INSTANT;
    for (size_t i = work->event_count; i > 0; i--)
        if (work->facts[i - 1].kind == EVENT_WAITING)
            return work->facts[i - 1].until_at;
    return CLOCK_NO_INSTANT;
}

static void decide_wake(struct decision *d, int64_t at)
{
    if (at != CLOCK_NO_INSTANT && (d->wake_at == CLOCK_NO_INSTANT || at < d->wake_at))
        d->wake_at = at;
}

static void decide_state(struct decision *d)
{
    const struct work *work = d->work;
    int64_t vendor_until = decide_vendor_until(work);
    bool is_over = work->state == STATE_RESOLVED || work->state == STATE_CLOSED;

    bool vendor_over = vendor_until != CLOCK_NO_INSTANT && vendor_until <= work->now;

    bool rejected =
        work->state == STATE_RESOLVED && d->clocks.reopened_by_reply; /* words that count as reject */

    if ((work->state == STATE_WAITING_CUSTOMER && d->clocks.wait_ended) || vendor_over || rejected)
        d->state = SET_IN_PROGRESS;
    else if (is_over && d->clocks.reopened_by_reply)
        d->state = SET_REOPENED;
    else
        decide_wake(d, vendor_until);
    if (work->state == STATE_RESOLVED && d->clocks.reply_pending != work->reply_pending) {
        d->set_reply_pending = true;
        d->reply_pending = d->clocks.reply_pending;
    }
}

/* An approval that nobody gives is asked for again after so many working days, then it is a task for the assignee; closing by
 * itself only where the process says so. The count is kept with the clocks, for this resolving. */
static void decide_approvals(struct decision *d)
{
    const struct process_policy *policy = &engine_process(d->engine)->policy;
    const struct calendar *calendar = engine_calendar(d->engine, span_of(d->package->calendar));
    const struct work *work = d->work;
    int64_t resolved_at = d->clocks.resolved_at;

    d->approvals_asked = work->kept.approvals_for_at == resolved_at ? work->kept.approvals_asked : 0;
    if (resolved_at == CLOCK_NO_INSTANT || work->state != STATE_RESOLVED || d->clocks.reply_pending ||
        d->state != SET_NO_STATE || calendar == NULL)
        return;
    if (d->package->close_unanswered_after_s > 0) {
        int64_t close_at = resolved_at + d->package->close_unanswered_after_s * US_PER_S;
        if (close_at <= work->now)
            d->state = SET_CLOSED;
        else
            decide_wake(d, close_at);
    }
    size_t count = policy->approval_reminder_count;
    while (d->state == SET_NO_STATE && count != 0 && d->approvals_asked <= (int64_t)count) {
        size_t i = (size_t)d->approvals_asked;
        int days = i < count ? policy->approval_reminders[i] : policy->approval_reminders[count - 1] + 1;
        int64_t at = calendar_add_days(calendar, resolved_at, days);
        if (at > work->now) {
            decide_wake(d, at);
            return;
        }
        d->approvals_asked++;
        d->ask_approval = i < count;
        d->approval_task = i == count;
    }
}

/* ---- meetings ---- */

static void decide_meetings(struct decision *d)
{
    int64_t before_us = engine_process(d->engine)->policy.meeting_reminder_s * US_PER_S;

    if (d->work->state == STATE_CLOSED || d->state == SET_CLOSED) {
        d->meetings = (struct meetings){.wake_at = CLOCK_NO_INSTANT};
        return;
    }
    meetings_find(d->work, before_us, &d->meetings);
    decide_wake(d, d->meetings.wake_at);
}

/* ---- the whole ---- */

/* What counted when event i came: the word of staff, of rules or of a decision before it, else what the rules make of the posting.
 * 0: not known. */
static int decide_priority_before(const struct decision *d, size_t i)
{
    if (i > 0)
        return d->work->events[i - 1].priority;
    return !d->work->is_first ? 0 : d->choice.posted != 0 ? d->choice.posted : 3;
}

/* The package that an event gave the ticket; SPAN_NONE: it gave none. */
static struct span package_in(const struct work_event *event)
{
    return wire_find_str(wire_find(event->map, "body"), "package");
}

/* What was promised when event i came: of the package given before it, else of the posting's. NULL: not known, as an older broker does not tell. */
static const struct process_package *decide_package_before(const struct decision *d, size_t i)
{
    const struct work *work = d->work;
    struct span name = work->posted_package;

    for (size_t k = i; k > 0; k--)
        if (package_in(&work->events[k - 1]).len != 0) {
            name = package_in(&work->events[k - 1]);
            break;
        }
    for (size_t k = i; name.p == NULL && k < work->event_count; k++)
        if (package_in(&work->events[k]).len != 0)
            return NULL;
    return name.p == NULL ? d->package : process_package_find(engine_process(d->engine), name);
}

/* Whether something may have changed the terms since the last decision that has no stage in decide_past. */
static bool decide_terms_are_others(const struct decision *d)
{
    const struct work *work = d->work;

    for (size_t i = work->event_count; i > 0 && work->events[i - 1].is_new; i--)
        if (package_in(&work->events[i - 1]).len != 0 && decide_package_before(d, i - 1) == NULL)
            return true;
    return !span_is(work->kept.by, engine_by(d->engine));
}

/* When the last decision was, as far as its clocks and the events tell. */
static int64_t decide_last_at(const struct work *work)
{
    int64_t at = work->posted_at;

    for (size_t i = 0; i < work->old_count; i++)
        at = work->old[i].as_of_at > at ? work->old[i].as_of_at : at;
    for (size_t i = 0; i < work->event_count && !work->events[i].is_new; i++)
        at = work->facts[i].at > at ? work->facts[i].at : at;
    return at < work->now ? at : work->now;
}

/* Since when what counts at an instant counts, but for what cannot be told of staff's changes. */
static int64_t decide_terms_since(const struct decision *d, int64_t at)
{
    return d->past.staged ? d->past.until : decide_terms_are_others(d) ? at : decide_last_at(d->work);
}

/* When the terms became what they are, as far as it can be known: when staff set the priority, before the last decision, or now. */
static int64_t decide_changed_at(const struct decision *d)
{
    const struct work *work = d->work;

    for (size_t i = work->event_count; !d->past.staged && i > 0 && work->events[i - 1].is_new; i--)
        if (work->facts[i - 1].kind == EVENT_PRIORITIZED && decide_priority_before(d, i - 1) == 0)
            return work->facts[i - 1].at;
    return decide_terms_since(d, work->now);
}

void decide_terms(const struct decision *d, struct clock_terms *ret)
{
    engine_terms(d->engine, d->package, d->priority, d->forced_calendar, ret);
    ret->changed_at = decide_changed_at(d);
    ret->decided = !d->work->is_first || d->past.staged;
}

/* When event i happened, as the clocks see it: never before one before it, nor after now. */
static int64_t decide_event_at(const struct work *work, size_t i)
{
    int64_t at = work->posted_at;

    for (size_t k = 0; k <= i; k++)
        at = work->facts[k].at > at ? work->facts[k].at : at;
    return at < work->now ? at : work->now;
}

/* Whether event i changed what was promised: the priority, 0 where it is not known, or the package, which is looked up in the events only
 * then. ret_package: that before it. */
static bool decide_is_change(const struct decision *d, size_t i, int priority,
                             const struct process_package **ret_package)
{
    const struct work_event *event = &d->work->events[i];
    struct span moved_to = package_in(event);
    bool is_other = event->priority != 0 && event->priority != priority;

    if (priority == 0 || (!is_other && moved_to.len == 0))
        return false;
    *ret_package = decide_package_before(d, i);
    return *ret_package != NULL &&
           (is_other || *ret_package != process_package_find(engine_process(d->engine), moved_to));
}

/* What the changes of priority and package since the last decision found: judged by what counted until then. */
static void decide_past(struct decision *d)
{
    const struct work *work = d->work;
    struct clock_terms terms;

    clock_past_begin(&d->past, work->old, work->old_count);
    for (size_t i = 0; i < work->event_count; i++) {
        int before = decide_priority_before(d, i);
        const struct process_package *package = NULL;
        if (!work->events[i].is_new || !decide_is_change(d, i, before, &package))
            continue;
        int64_t at = decide_event_at(work, i);
        engine_terms(d->engine, package, before, d->forced_calendar, &terms);
        terms.changed_at = decide_terms_since(d, at);
        terms.decided = !work->is_first;
        clock_past_add(&d->past, &terms, work->posted_at, work->facts, i, at);
    }
}

static void decide_clocks(struct decision *d, struct work *work)
{
    struct clock_terms terms;

    decide_past(d);
    decide_terms(d, &terms);
    clocks_compute(&terms, work->posted_at, work->facts, work->event_count, d->past.old, d->past.old_count,
                   work->now, &d->clocks);
    clock_past_end(&d->past, &d->clocks);
}

/* A ticket that this decision closes has no clocks left: computed again with that as its last event. */
static void decide_closing(struct decision *d, struct work *work)
{
    if (d->state != SET_CLOSED)
        return;
    work_add_fact(work,
                  &(struct clock_event){.at = work->now, .kind = EVENT_CLOSED, .until_at = CLOCK_NO_INSTANT});
    decide_clocks(d, work);
    work->event_count--;
}

/* A rule's `wake_in`: the last one counts, and waits also while other things wake the ticket. */
static void decide_wake_in(struct decision *d)
{
    const struct calendar *calendar =
        engine_calendar(d->engine,
                        d->choice.wake_in_working ? span_of(d->package->calendar) : span_of(PROCESS_ALWAYS));
    int64_t at = d->work->kept.wake_in_at;

    if (at != CLOCK_NO_INSTANT && at <= d->work->now)
        at = CLOCK_NO_INSTANT; /* it was now */
    if (d->choice.wake_in_s > 0 && calendar != NULL &&
        !calendar_due(calendar, d->work->now, d->choice.wake_in_s * US_PER_S, &at, NULL))
        at = CLOCK_NO_INSTANT;
    d->wake_in_at = d->clocks.is_closed ? CLOCK_NO_INSTANT : at;
    decide_wake(d, d->wake_in_at);
}

bool decide_make(struct decider *decider, const struct engine *engine, const struct wire_val *body,
                 bool as_posted, struct err *err)
{
    struct work *work = &decider->work;
    struct decision *d = &decider->decision;

    memset(d, 0, offsetof(struct decision, clocks));
    buf_reset(&decider->trace);
    d->engine = engine;
    d->work = work;
    d->wake_at = CLOCK_NO_INSTANT;
    if (!work_parse(body, work, err))
        return false;
    choice_make(engine, work, decider->conditions, as_posted, &d->choice,
                decider->untraced ? NULL : &decider->trace, &d->has_trace);
    if (as_posted && !work->is_first) { /* what was chosen then, and since, stands in the ticket */
        d->choice.priority = 0;
        d->choice.calendar = NULL;
    }
    d->package = process_package_find(engine_process(engine), work->package);
    d->forced_calendar =
        d->choice.calendar != NULL ? span_of(d->choice.calendar) : work->kept.forced_calendar;
    decide_priority(d);
    decide_clocks(d, work);
    decide_state(d);
    decide_approvals(d);
    decide_closing(d, work);
    decide_meetings(d);
    decide_wake(d, d->clocks.wake_at);
    decide_wake_in(d);
    d->alert_p1 = decide_is_new_p1(d) && !d->clocks.is_closed;
    d->tell_triaged = work->is_first && !d->clocks.is_closed;
    return true;
}

bool decide(struct decider *decider, const struct engine *engine, const struct wire_val *body,
            struct buf *out, struct err *err)
{
    if (!decide_make(decider, engine, body, false, err))
        return false;
    decision_write(&decider->decision, &decider->trace, out);
    return true;
}
