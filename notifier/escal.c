/* One step of an escalation; see escal.h. */
#include "escal.h"

const char *escal_what_name(enum escal_what what)
{
    static const char *const names[ESCAL_WHATS] = {"page", "last_resort", "reminder", "over"};
    return (unsigned)what < ESCAL_WHATS ? names[what] : "unknown";
}

struct run {
    const struct process_escalation *policy;
    const struct escal_now *now;
    struct escal_result *ret;
};

static int64_t run_due(const struct run *run, int64_t from_at, struct process_delay delay)
{
    return run->now->due(run->now->due_arg, from_at, delay);
}

static void run_add(const struct run *run, enum escal_what what, int32_t round, int32_t level, bool reached)
{
    struct escal_result *ret = run->ret;
    ret->steps[ret->count++] = (struct escal_step){what, ret->state.generation, round, level, reached};
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The database's clock went back: what was still to be waited for stays as long as it was. */
static void run_mend_clock(const struct run *run)
{
    struct escal_state *s = &run->ret->state;
    int64_t at = run->now->at;

    if (s->stepped_at > at) {
        if (s->next_at != ESCAL_NEVER)
            s->next_at = at + (s->next_at > s->stepped_at ? s->next_at - s->stepped_at : 0);
        s->stepped_at = at;
    }
    s->since_at = earlier(s->since_at, at);
    s->acked_at = earlier(s->acked_at, at);
    s->reminded_at = earlier(s->reminded_at, at);
}

/* ---- open ---- */

static bool run_reaches_any(const struct run *run)
{
    for (size_t i = 0; i < run->policy->levels.count; i++)
        if (run->now->reach[i])
            return true;
    return false;
}

/* The levels from where it stands to the first that reaches somebody: empty ones pass on at once. */
static void run_climb(const struct run *run)
{
    struct escal_state *s = &run->ret->state;
    bool reached = false;

    while (!reached && s->level < (int32_t)run->policy->levels.count) {
        reached = run->now->reach[s->level];
        run_add(run, ESCAL_PAGE, s->round, s->level, reached);
        s->level++;
    }
}

/* The wait from one level to the next. */
static struct process_delay level_gap(const struct process_escalation *policy, int32_t level)
{
    struct process_delay gap = policy->levels.items[level].after;
    if (level > 0)
        gap.seconds -= policy->levels.items[level - 1].after.seconds;
    return gap;
}

/* from: when this step was planned, or now when that is long ago. */
static void run_plan_next(const struct run *run, int64_t from_at, bool was_last_resort)
{
    const struct process_escalation *policy = run->policy;
    struct escal_state *s = &run->ret->state;

    if (s->level < (int32_t)policy->levels.count) {
        s->next_at = run_due(run, from_at, level_gap(policy, s->level));
    } else if (s->round < policy->loops) {
        s->round++;
        s->level = 0;
        s->next_at = run_due(run, run_due(run, from_at, policy->repeat_every), level_gap(policy, 0));
    } else {
        s->round++;
        s->next_at = run_due(run, from_at, was_last_resort ? policy->last_every : policy->repeat_every);
    }
}

static void run_open(const struct run *run)
{
    struct escal_state *s = &run->ret->state;
    int64_t at = run->now->at;
    int32_t levels = (int32_t)run->policy->levels.count;

    if (s->stepped_at == 0)
        s->next_at = run_due(run, s->since_at, level_gap(run->policy, 0));
    if (s->level > levels)
        s->level = levels; /* the policy has fewer levels by now */
    if (s->next_at > at)
        return;
    int64_t from_at = at - s->next_at > ESCAL_LATE_US ? at : s->next_at;
    bool any = run_reaches_any(run), last = s->level == levels || !any;
    run->ret->nobody = !any;
    if (last) {
        s->level = levels;
        run_add(run, ESCAL_LAST_RESORT, s->round, levels, run->now->reach[levels]);
    } else {
        run_climb(run);
    }
    run_plan_next(run, from_at, last);
    s->stepped_at = at;
}

/* ---- acknowledged ---- */

static void run_open_again(const struct run *run)
{
    struct escal_state *s = &run->ret->state;

    *s = (struct escal_state){.is = ESCAL_OPEN, .generation = s->generation + 1, .since_at = run->now->at};
    run->ret->opened_again = true;
    run_open(run);
}

static void run_acked(const struct run *run)
{
    struct escal_state *s = &run->ret->state;
    int64_t at = run->now->at;
    int64_t progress_at = earlier(run->now->progress_at, at);
    int64_t seen_at = progress_at > s->acked_at ? progress_at : s->acked_at;

    s->next_at = ESCAL_NEVER;
    if (run->policy->remind_after.seconds == 0)
        return;
    if (seen_at > s->reminded_at)
        s->reminded_at = 0; /* the reminder was answered */
    if (s->reminded_at == 0) {
        s->next_at = run_due(run, seen_at, run->policy->remind_after);
        if (s->next_at > at)
            return;
        run_add(run, ESCAL_REMIND, s->reminders++, 0, true);
        s->reminded_at = s->stepped_at = at;
    }
    s->next_at = run_due(run, s->reminded_at, run->policy->unack_after);
    if (s->next_at <= at)
        run_open_again(run);
}

/* ---- resolved ---- */

static void run_resolved(const struct run *run)
{
    if (run->ret->state.next_at != ESCAL_NEVER && (run->now->was_told || run->now->must_tell))
        run_add(run, ESCAL_OVER, 0, 0, true);
    run->ret->state.next_at = ESCAL_NEVER;
}

void escal_run(const struct process_escalation *policy, const struct escal_state *state,
               const struct escal_now *now, struct escal_result *ret)
{
    static void (*const by_state[])(const struct run *) = {
        [ESCAL_OPEN] = run_open, [ESCAL_ACKED] = run_acked, [ESCAL_RESOLVED] = run_resolved};
    struct run run = {policy, now, ret};

    *ret = (struct escal_result){.state = *state};
    run_mend_clock(&run);
    if (now->cause_is_gone)
        ret->state.is = ESCAL_RESOLVED;
    by_state[ret->state.is](&run);
}
