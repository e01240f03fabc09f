/* The escalation as a pure function: cases, and 100,000 random steps against a plain model that lays out the whole chain as
 * a table of offsets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "escal.h"

#include <stdio.h>
#include <string.h>

#define S INT64_C(1000000)
#define M (60 * S)
#define T0 INT64_C(1800000000000000)

static int64_t due_real(void *arg, int64_t from_at, struct process_delay delay)
{
    (void)arg;
    return from_at + delay.seconds * S;
}

/* Open at the full hours' first half only. */
static int64_t due_half_hours(void *arg, int64_t from_at, struct process_delay delay)
{
    int64_t left = delay.seconds * S, at = from_at;
    (void)arg;
    if (!delay.working)
        return at + left;
    for (;;) {
        int64_t of_hour = at % (60 * M);
        if (of_hour >= 30 * M) {
            at += 60 * M - of_hour;
            continue;
        }
        if (left <= 30 * M - of_hour)
            return at + left;
        left -= 30 * M - of_hour;
        at += 30 * M - of_hour;
    }
}

static struct process_level p1_levels[] = {{{0, false}, {NULL, 0}},
                                           {{300, false}, {NULL, 0}},
                                           {{600, false}, {NULL, 0}},
                                           {{1200, false}, {NULL, 0}}};
static const struct process_escalation p1 = {.name = "p1",
                                             .levels = {p1_levels, 4},
                                             .repeat_every = {900, false},
                                             .loops = 2,
                                             .last_every = {3600, false},
                                             .remind_after = {1800, false},
                                             .unack_after = {900, false}};

/* Runs until an instant, each step at its time; writes "what:round.level@minute " for each that happened. */
static void play(const struct process_escalation *policy, struct escal_state *state, struct escal_now *now,
                 int64_t until_at, char *ret, size_t size)
{
    ret[0] = '\0';
    for (;;) {
        struct escal_result result;
        escal_run(policy, state, now, &result);
        *state = result.state;
        for (size_t i = 0; i < result.count; i++) {
            const struct escal_step *step = &result.steps[i];
            size_t len = strlen(ret);
            now->was_told = now->was_told || step->reached;
            (void)snprintf(ret + len, size - len, "%c%d:%d.%d%s@%lld ", "pLro"[step->what],
                           step -> generation, step -> round, step -> level, step -> reached ? "" : "!",
                           (long long)((now->at - T0) / M));
        }
        if (state->next_at > until_at)
            break;
        now->at = state->next_at > now->at ? state->next_at : now->at;
    }
    now->at = until_at;
}

static struct escal_state opened_at(int64_t at)
{
    return (struct escal_state){.generation = 1, .since_at = at};
}

static struct escal_now all_reached(int64_t at)
{
    struct escal_now now = {.at = at, .due = due_real};
    for (size_t i = 0; i <= LEVELS_MAX; i++)
        now.reach[i] = true;
    return now;
}

static void test_unanswered_it_climbs_repeats_and_ends_at_the_last_resort(void **unused)
{
    struct escal_state state = opened_at(T0);
    struct escal_now now = all_reached(T0);
    char got[2000];
    (void)unused;
    play(&p1, &state, &now, T0 + 260 * M, got, sizeof got);
    assert_string_equal(got, "p1:0.0@0 p1:0.1@5 p1:0.2@10 p1:0.3@20 "
                             "p1:1.0@35 p1:1.1@40 p1:1.2@45 p1:1.3@55 "
                             "p1:2.0@70 p1:2.1@75 p1:2.2@80 p1:2.3@90 "
                             "L1:3.4@105 L1:4.4@165 L1:5.4@225 ");
}

static void test_an_acknowledged_one_is_silent_then_reminds_then_opens_again(void **unused)
{
    struct escal_state state = opened_at(T0);
    struct escal_now now = all_reached(T0);
    char got[2000];
    (void)unused;
    play(&p1, &state, &now, T0 + 7 * M, got, sizeof got);
    state.is = ESCAL_ACKED;
    state.acked_at = now.at;
    state.next_at = now.at;
    play(&p1, &state, &now, T0 + 60 * M, got, sizeof got);
    assert_string_equal(got, "r1:0.0@37 p2:0.0@52 p2:0.1@57 ");
}

static void test_progress_puts_the_reminder_off_and_answers_it(void **unused)
{
    struct escal_state state = opened_at(T0);
    struct escal_now now = all_reached(T0);
    char got[2000];
    (void)unused;
    play(&p1, &state, &now, T0, got, sizeof got);
    state.is = ESCAL_ACKED;
    state.acked_at = T0;
    now.progress_at = T0 + 20 * M;
    play(&p1, &state, &now, T0 + 55 * M, got, sizeof got);
    assert_string_equal(got, "r1:0.0@50 ");
    now.progress_at = T0 + 55 * M;
    play(&p1, &state, &now, T0 + 90 * M, got, sizeof got);
    assert_string_equal(got, "r1:1.0@85 ");
}

static void test_resolving_tells_once_those_who_had_been_told(void **unused)
{
    struct escal_state state = opened_at(T0);
    struct escal_now now = all_reached(T0);
    char got[2000];
    (void)unused;
    play(&p1, &state, &now, T0 + 6 * M, got, sizeof got);
    now.cause_is_gone = true;
    play(&p1, &state, &now, T0 + 500 * M, got, sizeof got);
    assert_string_equal(got, "o1:0.0@6 ");
    assert_int_equal(state.is, ESCAL_RESOLVED);
    play(&p1, &state, &now, T0 + 900 * M, got, sizeof got);
    assert_string_equal(got, "");
}

static void test_resolved_before_anybody_was_told_nobody_hears_of_it_but_of_a_miss(void **unused)
{
    struct escal_state state = opened_at(T0);
    struct escal_now now = all_reached(T0);
    char got[2000];
    (void)unused;
    state.is = ESCAL_RESOLVED;
    play(&p1, &state, &now, T0 + 500 * M, got, sizeof got);
    assert_string_equal(got, "");
    state = (struct escal_state){.is = ESCAL_RESOLVED, .generation = 1, .since_at = T0};
    now = all_reached(T0);
    now.must_tell = true;
    play(&p1, &state, &now, T0 + 500 * M, got, sizeof got);
    assert_string_equal(got, "o1:0.0@0 ");
}

static void test_empty_levels_pass_on_at_once(void **unused)
{
    struct escal_state state = opened_at(T0);
    struct escal_now now = all_reached(T0);
    char got[2000];
    (void)unused;
    now.reach[0] = now.reach[1] = now.reach[3] = false;
    play(&p1, &state, &now, T0 + 40 * M, got, sizeof got);
    assert_string_equal(
        got, "p1:0.0!@0 p1:0.1!@0 p1:0.2@0 p1:0.3!@10 p1:1.0!@25 p1:1.1!@25 p1:1.2@25 p1:1.3!@35 ");
}

static void test_nobody_reachable_is_the_last_resort_at_once(void **unused)
{
    struct escal_state state = opened_at(T0);
    struct escal_now now = all_reached(T0);
    struct escal_result result;
    char got[2000];
    (void)unused;
    memset(now.reach, 0, 4 * sizeof now.reach[0]);
    escal_run(&p1, &state, &now, &result);
    assert_true(result.nobody);
    play(&p1, &state, &now, T0 + 16 * M, got, sizeof got);
    assert_string_equal(got, "L1:0.4@0 L1:1.4@15 ");
    memset(now.reach, 1, sizeof now.reach);
    play(&p1, &state, &now, T0 + 32 * M, got, sizeof got);
    assert_string_equal(got, "p1:2.0@30 ");
}

static void test_after_an_outage_the_delays_count_from_then(void **unused)
{
    struct escal_state state = opened_at(T0);
    struct escal_now now = all_reached(T0);
    char got[2000];
    (void)unused;
    play(&p1, &state, &now, T0, got, sizeof got);
    now.at = T0 + 300 * M;
    play(&p1, &state, &now, T0 + 304 * M, got, sizeof got);
    assert_string_equal(got, "p1:0.1@300 ");
    play(&p1, &state, &now, T0 + 306 * M, got, sizeof got);
    assert_string_equal(got, "p1:0.2@305 ");
}

static void test_a_clock_set_back_does_not_silence_it(void **unused)
{
    struct escal_state state = opened_at(T0);
    struct escal_now now = all_reached(T0);
    struct escal_result result;
    char got[2000];
    (void)unused;
    play(&p1, &state, &now, T0 + 2 * M, got, sizeof got);
    now.at = T0 - 600 * M;
    escal_run(&p1, &state, &now, &result);
    assert_int_equal(result.count, 0);
    assert_int_equal(result.state.next_at, now.at + 5 * M);
    state = result.state;
    now.at += 4 * M; /* once: from then on the clock counts as it is */
    escal_run(&p1, &state, &now, &result);
    assert_int_equal(result.state.next_at, now.at + 1 * M);

    state.next_at = T0; /* what was due when it was set back is due */
    state.stepped_at = T0 + 1 * M;
    escal_run(&p1, &state, &now, &result);
    assert_true(result.count == 1 && result.state.next_at == now.at + 5 * M);
}

static void test_a_clock_set_back_does_not_put_off_what_was_acknowledged(void **unused)
{
    struct escal_state state = {.is = ESCAL_ACKED, .generation = 1, .since_at = T0, .acked_at = T0 + 600 * M};
    struct escal_now now = all_reached(T0 + 1 * M);
    struct escal_result result;
    (void)unused;
    now.progress_at = T0 + 601 * M;
    escal_run(&p1, &state, &now, &result);
    assert_int_equal(result.state.next_at, now.at + 30 * M);
    state.acked_at = T0;
    now.progress_at = 0;
    state.reminded_at = T0 + 600 * M;
    escal_run(&p1, &state, &now, &result);
    assert_int_equal(result.count, 0);
    assert_int_equal(result.state.next_at, now.at + 15 * M);
}

/* remind_after 0: whoever acknowledges is believed. */
static void test_an_acknowledged_one_stays_so_where_nobody_is_reminded(void **unused)
{
    struct process_escalation never = p1, soon = p1;
    struct escal_state state = {
        .is = ESCAL_ACKED, .generation = 1, .since_at = T0, .acked_at = T0, .next_at = T0};
    struct escal_now now = all_reached(T0 + 10000 * M);
    struct escal_result result;
    (void)unused;
    never.remind_after.seconds = 0;
    escal_run(&never, &state, &now, &result);
    assert_int_equal(result.count, 0);
    assert_int_equal(result.state.next_at, ESCAL_NEVER);
    soon.remind_after.seconds = 1;
    escal_run(&soon, &state, &now, &result);
    assert_int_equal(result.count, 1);
}

static void test_steps_are_named_as_they_are_stored(void **unused)
{
    (void)unused;
    assert_string_equal(escal_what_name(ESCAL_PAGE), "page");
    assert_string_equal(escal_what_name(ESCAL_LAST_RESORT), "last_resort");
    assert_string_equal(escal_what_name(ESCAL_REMIND), "reminder");
    assert_string_equal(escal_what_name(ESCAL_OVER), "over");
    assert_string_equal(escal_what_name(ESCAL_WHATS), "unknown");
}

static void test_working_delays_wait_for_opening(void **unused)
{
    static struct process_level levels[] = {{{0, true}, {NULL, 0}}, {{2400, true}, {NULL, 0}}};
    const struct process_escalation policy = {.levels = {levels, 2},
                                              .repeat_every = {600, true},
                                              .loops = 1,
                                              .last_every = {3600, true}};
    struct escal_state state = opened_at(T0 - T0 % (60 * M) + 45 * M);
    struct escal_now now = all_reached(state.since_at);
    struct escal_result result;
    (void)unused;
    now.due = due_half_hours;
    escal_run(&policy, &state, &now, &result);
    assert_int_equal(result.count, 0);
    assert_int_equal(result.state.next_at, state.since_at + 15 * M);
    now.at = result.state.next_at;
    state = result.state;
    escal_run(&policy, &state, &now, &result);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.state.next_at, now.at + 70 * M);
}

/* ---- the model ---- */

enum { CHAIN_MAX = (LEVELS_MAX + 1) * 12, STEPS = 100000 };

/* The chain laid out: each entry the offset of a (round, level) from the opening. */
struct chain {
    struct {
        int round, level;
        int64_t offset;
    } items[CHAIN_MAX];
    size_t count;
};

static void chain_lay_out(const struct process_escalation *policy, struct chain *ret)
{
    int64_t base = 0;
    int levels = (int)policy->levels.count;
    ret->count = 0;
    for (int round = 0; round <= policy->loops; round++) {
        for (int level = 0; level < levels; level++) {
            ret->items[ret->count].round = round;
            ret->items[ret->count].level = level;
            ret->items[ret->count++].offset = base + policy->levels.items[level].after.seconds * S;
        }
        base += (policy->levels.items[levels - 1].after.seconds + policy->repeat_every.seconds) * S;
    }
}

/* What the desk should see, kept in plain words. */
struct model {
    const struct process_escalation *policy;
    struct chain chain;
    enum escal_is is;
    int generation;
    int64_t base;    /* the chain's offsets count from here */
    size_t at;       /* the next entry; chain.count: the last resort */
    int64_t last_at; /* next last resort */
    int last_round;
    int64_t quiet_since; /* acknowledged, or progress since */
    int64_t reminded_at;
    int reminders;
    bool told, over;
};

static void model_open(struct model *m, int generation, int64_t at)
{
    m->is = ESCAL_OPEN;
    m->generation = generation;
    m->base = at;
    m->at = 0;
    m->last_round = m->policy->loops + 1;
    m->reminders = 0;
}

struct seen {
    struct escal_step items[64];
    size_t count;
};

static void seen_add(struct seen *seen, enum escal_what what, int generation, int round, int level,
                     bool reached)
{
    seen->items[seen->count++] = (struct escal_step){what, generation, round, level, reached};
}

/* Moves the base so that what is due now was due exactly now. */
static void model_shift(struct model *m, int64_t planned, int64_t now)
{
    if (now - planned > ESCAL_LATE_US)
        m->base += now - planned;
}

static void model_page(struct model *m, const struct escal_now *now, struct seen *seen)
{
    int levels = (int)m->policy->levels.count;
    bool any = false;
    for (int i = 0; i < levels; i++)
        any = any || now->reach[i];
    if (m->at == m->chain.count) {
        if (m->last_at > now->at)
            return;
        int64_t from = now->at - m->last_at > ESCAL_LATE_US ? now->at : m->last_at;
        seen_add(seen, ESCAL_LAST_RESORT, m->generation, m->last_round++, levels, now->reach[levels]);
        m->last_at = from + m->policy->last_every.seconds * S;
        return;
    }
    int64_t planned = m->base + m->chain.items[m->at].offset;
    if (planned > now->at)
        return;
    model_shift(m, planned, now->at);
    planned = m->base + m->chain.items[m->at].offset;
    int round = m->chain.items[m->at].round;
    if (!any) {
        seen_add(seen, ESCAL_LAST_RESORT, m->generation, round, levels, now->reach[levels]);
        while (m->at < m->chain.count && m->chain.items[m->at].round == round)
            m->at++;
    } else {
        bool reached = false;
        while (!reached && m->at < m->chain.count && m->chain.items[m->at].round == round) {
            reached = now->reach[m->chain.items[m->at].level];
            seen_add(seen, ESCAL_PAGE, m->generation, round, m->chain.items[m->at].level, reached);
            m->at++;
        }
    }
    /* What follows keeps its distance from this step: levels from the one before, a round from the last level. */
    if (m->at == m->chain.count)
        m->last_at = planned + (any ? m->policy->repeat_every : m->policy->last_every).seconds * S;
    else if (m->chain.items[m->at].round == round)
        m->base = planned - m->chain.items[m->at - 1].offset;
    else
        m->base = planned + m->policy->repeat_every.seconds * S +
                  m->policy->levels.items[0].after.seconds * S - m->chain.items[m->at].offset;
}

static void model_step(struct model *m, const struct escal_now *now, struct seen *seen)
{
    if (now->cause_is_gone)
        m->is = ESCAL_RESOLVED;
    if (m->is == ESCAL_RESOLVED) {
        if (m->told && !m->over)
            seen_add(seen, ESCAL_OVER, m->generation, 0, 0, true);
        m->over = true;
        return;
    }
    if (m->is == ESCAL_ACKED) {
        if (now->progress_at > m->quiet_since)
            m->quiet_since = now->progress_at;
        if (m->reminded_at != 0 && m->quiet_since > m->reminded_at)
            m->reminded_at = 0;
        if (m->reminded_at == 0 && m->quiet_since + m->policy->remind_after.seconds * S <= now->at) {
            seen_add(seen, ESCAL_REMIND, m->generation, m->reminders++, 0, true);
            m->reminded_at = now->at;
        }
        if (m->reminded_at == 0 || m->reminded_at + m->policy->unack_after.seconds * S > now->at)
            return;
        model_open(m, m->generation + 1, now->at);
    }
    model_page(m, now, seen);
}

static unsigned seed = 5;
static int dice(int sides)
{
    return rand_r(&seed) % sides;
}

static void random_policy(struct process_escalation *policy, struct process_level *levels)
{
    int count = dice(5) + 1;
    int64_t after = dice(2) * dice(300);
    for (int i = 0; i < count; i++, after += dice(4) == 0 ? 0 : dice(900) + 1)
        levels[i] = (struct process_level){{after, false}, {NULL, 0}};
    *policy = (struct process_escalation){.levels = {levels, (size_t)count},
                                          .repeat_every = {dice(900) + 1, false},
                                          .loops = dice(4),
                                          .last_every = {dice(3600) + 1, false},
                                          .remind_after = {dice(1800) + 1, false},
                                          .unack_after = {dice(900) + 1, false}};
}

static void compare(const struct escal_result *got, const struct seen *want, int step)
{
    bool same = got->count == want->count;
    for (size_t i = 0; same && i < want->count; i++) {
        const struct escal_step *a = &got->steps[i], *b = &want->items[i];
        same = a->what == b->what && a->generation == b->generation && a->round == b->round &&
               a->level == b->level && a->reached == b->reached;
    }
    if (same)
        return;
    for (size_t i = 0; i < got->count || i < want->count; i++) {
        if (i < got->count)
            print_error("got  %d: %d %d.%d\n", got->steps[i].what, got->steps[i].generation,
                        got->steps[i].round, got->steps[i].level);
        if (i < want->count)
            print_error("want %d: %d %d.%d\n", want->items[i].what, want->items[i].generation,
                        want->items[i].round, want->items[i].level);
    }
    fail_msg("step %d differs from the model", step);
}

/* What may never be: the same step twice, a page while acknowledged or resolved, an open alert without a next step (one a
 * little behind catches up at once). */
struct rows {
    struct escal_step items[4096];
    size_t count;
};

static void rows_check(struct rows *rows, const struct escal_result *got, enum escal_is was, int64_t at)
{
    for (size_t i = 0; i < got->count; i++) {
        const struct escal_step *step = &got->steps[i];
        for (size_t k = 0; k < rows->count; k++)
            if (memcmp(&rows->items[k], step, offsetof(struct escal_step, reached)) == 0)
                fail_msg("the same step twice");
        if (rows->count < 4096)
            rows->items[rows->count++] = *step;
        if (step->what == ESCAL_PAGE || step->what == ESCAL_LAST_RESORT)
            assert_true(was == ESCAL_OPEN || got->opened_again);
    }
    if (got->state.is == ESCAL_OPEN)
        assert_true(got->state.next_at >= at - ESCAL_LATE_US && got->state.next_at != ESCAL_NEVER);
    if (got->state.is == ESCAL_RESOLVED)
        assert_true(got->state.next_at == ESCAL_NEVER);
}

/* One of: time passes (to the next step, a little, much), somebody acknowledges, works, opens it again, resolves; people come
 * and go; a notifier dies before its step is committed. */
static void random_event(struct model *m, struct escal_state *state, struct escal_now *now)
{
    int what = dice(100);
    now->at += what < 40 ? (int64_t)dice(120) * S : what < 45 ? (int64_t)dice(90000) * S : 0;
    if (what >= 45 && what < 85 && state->next_at != ESCAL_NEVER && state->next_at > now->at)
        now->at = state->next_at + dice(3) * S / 2;
    if (what == 85 || what == 86)
        for (int i = 0; i <= LEVELS_MAX; i++)
            now->reach[i] = dice(3) != 0;
    if (what == 87)
        memset(now->reach, dice(2), sizeof now->reach);
    if (what >= 88 && what < 92 && state->is != ESCAL_RESOLVED) {
        if (state->is == ESCAL_OPEN)
            m->reminded_at = state->reminded_at = 0;
        m->is = state->is = ESCAL_ACKED;
        m->quiet_since = state->acked_at = state->next_at = now->at;
    }
    int64_t progress_at = now->at - dice(60) * S;
    if (what >= 92 && what < 96 && progress_at > now->progress_at)
        now->progress_at = progress_at;
    if (what == 96 && state->is == ESCAL_ACKED) {
        model_open(m, m->generation + 1, now->at);
        *state = (struct escal_state){.generation = state->generation + 1, .since_at = now->at};
    }
    if (what == 97 && dice(3) == 0 && state->is != ESCAL_RESOLVED) {
        m->is = state->is = ESCAL_RESOLVED;
        state->next_at = 0;
    }
    if (what == 98 && dice(3) == 0)
        now->cause_is_gone = true;
}

static void test_random_steps_are_as_the_model_says(void **unused)
{
    static struct process_level levels[LEVELS_MAX];
    static struct rows rows;
    struct process_escalation policy;
    struct escal_state state = {0};
    struct escal_now now = {.due = due_real};
    struct model m = {0};
    size_t kinds[ESCAL_WHATS] = {0}, again = 0;

    (void)unused;
    for (int step = 0, left = 0; step < STEPS; step++, left--) {
        struct escal_result got;
        struct seen want = {.count = 0};
        if (left == 0) {
            left = dice(400) + 20;
            random_policy(&policy, levels);
            m = (struct model){.policy = &policy};
            chain_lay_out(&policy, &m.chain);
            now = all_reached(T0 + dice(1000) * S);
            model_open(&m, 1, now.at);
            state = opened_at(now.at);
            rows.count = 0;
        } else {
            random_event(&m, &state, &now);
        }
        enum escal_is was = now.cause_is_gone ? ESCAL_RESOLVED : state.is;
        escal_run(&policy, &state, &now, &got);
        if (dice(20) == 0)
            escal_run(&policy, &state, &now, &got); /* the one before died: the same once more */
        model_step(&m, &now, &want);
        compare(&got, &want, step);
        rows_check(&rows, &got, was, now.at);
        state = got.state;
        for (size_t i = 0; i < got.count; i++) {
            kinds[got.steps[i].what]++;
            now.was_told = m.told = m.told || got.steps[i].reached;
        }
        again += got.opened_again;
    }
    for (int i = 0; i < ESCAL_WHATS; i++)
        assert_true(kinds[i] > 50);
    assert_true(again > 50);
}

/* With a clock that jumps both ways: nothing twice, never silent for longer than the policy's longest wait. */
static void test_random_clock_jumps_neither_repeat_nor_silence(void **unused)
{
    static struct process_level levels[LEVELS_MAX];
    static struct rows rows;
    struct process_escalation policy;
    struct escal_state state = {0};
    struct escal_now now = {.due = due_real};
    (void)unused;
    for (int step = 0, left = 0; step < STEPS / 4; step++, left--) {
        struct escal_result got;
        if (left == 0) {
            left = dice(200) + 20;
            random_policy(&policy, levels);
            now = all_reached(T0);
            state = opened_at(now.at);
            rows.count = 0;
        }
        int64_t jump = dice(4) != 0 ? dice(600) * S : (int64_t)(dice(200000) - 100000) * S;
        now.at += jump;
        escal_run(&policy, &state, &now, &got);
        rows_check(&rows, &got, state.is, now.at);
        int64_t longest = policy.repeat_every.seconds + policy.last_every.seconds + levels[0].after.seconds;
        for (size_t i = 1; i < policy.levels.count; i++)
            longest += levels[i].after.seconds - levels[i - 1].after.seconds;
        assert_true(got.state.next_at - now.at <= longest * S);
        state = got.state;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unanswered_it_climbs_repeats_and_ends_at_the_last_resort),
        cmocka_unit_test(test_an_acknowledged_one_is_silent_then_reminds_then_opens_again),
        cmocka_unit_test(test_progress_puts_the_reminder_off_and_answers_it),
        cmocka_unit_test(test_resolving_tells_once_those_who_had_been_told),
        cmocka_unit_test(test_resolved_before_anybody_was_told_nobody_hears_of_it_but_of_a_miss),
        cmocka_unit_test(test_empty_levels_pass_on_at_once),
        cmocka_unit_test(test_nobody_reachable_is_the_last_resort_at_once),
        cmocka_unit_test(test_after_an_outage_the_delays_count_from_then),
        cmocka_unit_test(test_a_clock_set_back_does_not_silence_it),
        cmocka_unit_test(test_a_clock_set_back_does_not_put_off_what_was_acknowledged),
        cmocka_unit_test(test_an_acknowledged_one_stays_so_where_nobody_is_reminded),
        cmocka_unit_test(test_steps_are_named_as_they_are_stored),
        cmocka_unit_test(test_working_delays_wait_for_opening),
        cmocka_unit_test(test_random_steps_are_as_the_model_says),
        cmocka_unit_test(test_random_clock_jumps_neither_repeat_nor_silence),
    };
    return cmocka_run_group_tests_name("escal", tests, NULL, NULL);
}
