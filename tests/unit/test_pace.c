/* The pace of computing again: alone without a pause; beside the desk's work a small part; at the end of the load at once fast again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pace.h"

#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)

enum { NEVER = 1 << 30 };

/* A desk and a computing that share one thread, in steps of a millisecond. */
struct model {
    struct pace pace;
    int64_t now_us;
    double left;       /* tickets under way */
    double per_ms;     /* tickets computed in a millisecond in which the desk writes nothing */
    int desk_every_ms; /* the desk commits every so many; NEVER: never */
    double slowed;     /* how much a step slows it down; 0: not at all, it has many clients */
    double desk_ms;    /* since its last commit, as it would have been without */
    size_t desk_units; /* in each commit */
    int64_t desk_took_us;
    size_t commits, computed, longest; /* longest: ms without a step */
};

static void model_run(struct model *m, int ms)
{
    int64_t wait_us;
    size_t since = 0;

    m->commits = m->computed = m->longest = 0;
    for (int i = 0; i < ms; i++) {
        m->now_us += MS;
        m->desk_ms += m->left > 0 && m->slowed > 0 ? 1 / m->slowed : 1;
        if (m->desk_ms >= m->desk_every_ms) {
            m->desk_ms = 0;
            m->commits++;
            pace_committed(&m->pace, m->now_us, m->desk_units, m->desk_took_us);
        }
        m->left = m->left > m->per_ms ? m->left - m->per_ms : 0;
        size_t most = pace_next(&m->pace, m->now_us, (size_t)m->left, &wait_us);
        assert_true(wait_us == -1 || (wait_us > 0 && wait_us <= SECOND));
        if (most != 0) {
            pace_took(&m->pace, m->now_us, most, most);
            m->left += (double)most;
            m->computed += most;
            since = 0;
        }
        since++;
        m->longest = since > m->longest ? since : m->longest;
    }
}

static struct model model_new(int desk_every_ms, size_t desk_units, int64_t desk_took_us)
{
    struct model m = {.now_us = 77 * SECOND,
                      .per_ms = 10,
                      .desk_every_ms = desk_every_ms,
                      .desk_units = desk_units,
                      .desk_took_us = desk_took_us};
    pace_init(&m.pace, m.now_us);
    return m;
}

static void test_alone_it_takes_all_that_can_be_computed(void **state)
{
    struct model m = model_new(NEVER, 0, 0);
    (void)state;
    model_run(&m, 10000);
    assert_in_range(m.computed, 99000, 101000);
    assert_true(pace_wanted(&m.pace, m.now_us) < 0.001);
}

static void test_beside_a_full_desk_it_takes_its_small_part_and_never_stands_still(void **state)
{
    struct model m = model_new(10, 100, 9 * MS); /* 10,000 changes a second */
    (void)state;
    model_run(&m, 2000);
    model_run(&m, 10000);
    assert_in_range(m.computed, 10 * 10000 / PACE_DESK_UNITS, 10 * 10000 / PACE_DESK_UNITS * 5 / 2);
    assert_true(pace_wanted(&m.pace, m.now_us) > 0.8);
    m.per_ms = 0.5; /* slowed down by the load: it takes less, not more */
    model_run(&m, 10000);
    assert_in_range(m.computed, 1000, 6000);
    assert_in_range(m.longest, 100, 1000);
}

static void test_beside_a_little_work_it_takes_most_of_the_time(void **state)
{
    struct model m = model_new(50, 2, MS); /* 20 tickets a second */
    (void)state;
    model_run(&m, 2000);
    model_run(&m, 10000);
    assert_in_range(m.computed, 50000, 85000);
}

/* A client that sends the next when the last is answered: it looks idle while it is slowed down. */
static void test_a_client_that_waits_for_answers_is_judged_by_the_pauses(void **state)
{
    struct model m = model_new(1, 1, 700);
    (void)state;
    m.slowed = 10;
    model_run(&m, 2000);
    model_run(&m, 10000);
    assert_in_range(m.commits, 8000, 9500);
    assert_in_range(m.computed, 5000, 20000);
}

static void test_what_the_load_leaves_is_used_at_once_when_it_ends(void **state)
{
    struct model m = model_new(10, 100, 9 * MS);
    (void)state;
    model_run(&m, 5000);
    m.desk_every_ms = NEVER;
    model_run(&m, 2000);
    model_run(&m, 2000);
    assert_in_range(m.computed, 19000, 21000);
    m.desk_every_ms = 10; /* and it gives way at once when the load comes back */
    model_run(&m, 1000);
    model_run(&m, 1000);
    assert_in_range(m.computed, 10000 / PACE_DESK_UNITS, 2500);
}

static void test_a_desk_that_is_full_at_another_broker_is_spared_and_not_waited_for(void **state)
{
    struct model m = model_new(NEVER, 0, 0);
    (void)state;
    for (int i = 0; i < 10; i++) {
        pace_others(&m.pace, m.now_us, 0.9);
        model_run(&m, 1000);
        assert_in_range(m.computed, 200, 2000);
    }
    pace_others(&m.pace, m.now_us, 0);
    model_run(&m, 3000);
    model_run(&m, 1000);
    assert_in_range(m.computed, 9500, 10500);
}

static void test_tickets_that_hang_hold_up_their_step_and_a_few_do_not(void **state)
{
    struct model m = model_new(10, 100, 9 * MS);
    int64_t wait_us;
    (void)state;
    model_run(&m, 1000);
    m.now_us += SECOND / 2;
    pace_committed(&m.pace, m.now_us, 10000, MS);
    (void)pace_next(&m.pace, m.now_us, 0, &wait_us);
    pace_took(&m.pace, m.now_us, PACE_STEP, PACE_STEP);
    pace_committed(&m.pace, m.now_us + MS, 10000, MS);
    assert_int_equal(pace_next(&m.pace, m.now_us + 2 * MS, PACE_STEP / 2, &wait_us), 0);
    assert_int_equal(wait_us, -1);
    assert_int_equal(pace_next(&m.pace, m.now_us + 3 * MS, 3, &wait_us), PACE_STEP);
}

/* Closed tickets cost a look. */
static void test_steps_that_find_nothing_open_go_on_soon(void **state)
{
    struct model m = model_new(10, 100, 9 * MS);
    int64_t wait_us;
    size_t looked = 0;
    (void)state;
    model_run(&m, 1000);
    for (int i = 0; i < 1000; i++) {
        m.now_us += MS;
        if (i % 10 == 0)
            pace_committed(&m.pace, m.now_us, 100, 9 * MS);
        size_t most = pace_next(&m.pace, m.now_us, 0, &wait_us);
        if (most != 0)
            pace_took(&m.pace, m.now_us, 0, most);
        looked += most;
    }
    assert_in_range(looked, 10000, 60000);
}

/* ---- step by step ---- */

#define BEGIN (100 * SECOND)

/* Beside a desk that wrote a moment ago and wants nothing, a step of 100 that took ten milliseconds: time pays 0.04 tickets a µs. */
static struct pace pace_after_a_step(size_t paid_meanwhile)
{
    struct pace pace;
    int64_t wait_us;

    pace_init(&pace, BEGIN);
    pace_committed(&pace, BEGIN, 1, 0);
    assert_int_equal(pace_next(&pace, BEGIN, 0, &wait_us), PACE_STEP);
    assert_int_equal(wait_us, -1);
    pace_took(&pace, BEGIN, PACE_STEP, 0);
    pace_committed(&pace, BEGIN + 5 * MS, paid_meanwhile, 5 * MS);
    return pace;
}

static void check_next(struct pace *pace, int64_t after_us, size_t most, int64_t wait)
{
    int64_t wait_us;
    assert_int_equal(pace_next(pace, BEGIN + after_us, 0, &wait_us), most);
    assert_int_equal(wait_us, wait);
}

static void test_a_step_is_paid_for_by_time_and_by_what_the_desk_writes(void **state)
{
    struct pace pace = pace_after_a_step(0);
    (void)state;
    check_next(&pace, 10 * MS, 0, 2500);
    check_next(&pace, 11 * MS, 0, 1500);
    pace_committed(&pace, BEGIN + 11 * MS, 10 * PACE_DESK_UNITS, 0);
    check_next(&pace, 11 * MS, 0, 1250);
    check_next(&pace, 11 * MS + 1250, PACE_STEP, -1);

    pace = pace_after_a_step(20 * PACE_DESK_UNITS); /* while it was decided, too */
    check_next(&pace, 10 * MS, 0, 2000);
    pace_committed(&pace, BEGIN + 10 * MS, 1000 * PACE_DESK_UNITS, 0);
    check_next(&pace, 10 * MS, PACE_STEP, -1);
}

static void test_nothing_is_paid_for_in_advance(void **state)
{
    struct pace pace = pace_after_a_step(1000 * PACE_DESK_UNITS);
    (void)state;
    check_next(&pace, 10 * MS, PACE_STEP, -1);
    pace_committed(&pace, BEGIN + 11 * MS, 1000 * PACE_DESK_UNITS, 0);
    check_next(&pace, 500 * MS, PACE_STEP, -1);
    pace_took(&pace, BEGIN + 500 * MS, PACE_STEP, 0);
    check_next(&pace, 510 * MS, 0, 2500);
}

static void test_a_wait_is_neither_short_nor_long(void **state)
{
    struct pace pace = pace_after_a_step(0);
    (void)state;
    check_next(&pace, 10 * MS, 0, 2500);
    check_next(&pace, 10 * MS + 2400, 0, MS); /* 100 µs would do */

    pace = pace_after_a_step(0);
    check_next(&pace, 800 * MS, 0, 100 * MS); /* a slow step: 200 ms would do */

    pace_init(&pace, BEGIN); /* no step has told yet how fast one is; to look at 32 costs as much as one */
    pace_committed(&pace, BEGIN, 1, 0);
    pace_took(&pace, BEGIN, 0, 320);
    check_next(&pace, 10 * MS, 0, 100 * MS);
    pace_committed(&pace, BEGIN + 10 * MS, 9 * PACE_DESK_UNITS, 0);
    check_next(&pace, 10 * MS, 0, 100 * MS);
    pace_committed(&pace, BEGIN + 10 * MS, PACE_DESK_UNITS, 0);
    check_next(&pace, 10 * MS, PACE_STEP, -1);
}

/* By windows of fifty milliseconds: at once when it is more, a quarter of the way when it is less. */
static void test_what_the_desk_wants_is_the_part_of_time_that_its_commits_take(void **state)
{
    static const struct {
        int64_t took_us;
        double wanted;
    } rows[] = {{25 * MS, 0.5}, {0, 0.375}, {50 * MS, 1}, {500 * MS, 1}, {0, 0.75}};
    struct pace pace;
    int64_t now = BEGIN;
    (void)state;
    pace_init(&pace, now);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        now += 50 * MS;
        pace_committed(&pace, now, 1, rows[i].took_us);
        assert_true(pace_wanted(&pace, now) == rows[i].wanted);
    }
    assert_true(pace_wanted(&pace, now + SECOND) == 0.75);
    assert_true(pace_wanted(&pace, now + SECOND + 1) == 0);

    pace_init(&pace,
              now); /* two commits that each took the whole time up to then are not more than all of it */
    pace_committed(&pace, now + 25 * MS, 1, 25 * MS);
    pace_committed(&pace, now + 50 * MS, 1, 50 * MS);
    assert_true(pace_wanted(&pace, now + 50 * MS) == 1);
}

static void test_time_pays_less_the_more_the_desk_wants(void **state)
{
    static const struct {
        double wanted;
        int64_t wait_us;
    } rows[] = {{0, 2500}, {0.25, 5000}, {0.45, 25000}, {0.49, 100 * MS}, {0.9, 100 * MS}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pace pace = pace_after_a_step(0);
        int64_t wait_us;
        pace_others(&pace, BEGIN, rows[i].wanted); /* the busiest counts */
        assert_int_equal(pace_next(&pace, BEGIN + 10 * MS, 0, &wait_us), 0);
        assert_in_range(wait_us, rows[i].wait_us - 1, rows[i].wait_us);
    }
}

static void test_alone_begins_when_nobody_wrote_for_a_moment(void **state)
{
    struct pace pace;
    int64_t wait_us;
    (void)state;
    pace_init(&pace, BEGIN);
    check_next(&pace, 0, PACE_STEP_ALONE, -1);
    assert_int_equal(pace_next(&pace, BEGIN, PACE_STEP_ALONE, &wait_us), PACE_STEP_ALONE);
    assert_int_equal(pace_next(&pace, BEGIN, PACE_STEP_ALONE + 1, &wait_us), 0);
    pace_committed(&pace, BEGIN, 0, MS); /* nothing of the desk's */
    pace_others(&pace, BEGIN, 0);
    check_next(&pace, 0, PACE_STEP_ALONE, -1);
    pace_committed(&pace, BEGIN, 1, 0);
    check_next(&pace, SECOND, PACE_STEP, -1);
    check_next(&pace, SECOND + 1, PACE_STEP_ALONE, -1);
    pace_others(&pace, BEGIN + SECOND, 0.01);
    check_next(&pace, 3 * SECOND, PACE_STEP, -1);
    check_next(&pace, 3 * SECOND + 1, PACE_STEP_ALONE, -1);
}

/* The step that was taken alone is ended there, and of what it owes no more than a small one would. */
static void test_a_step_that_was_taken_alone_is_owed_as_a_small_one(void **state)
{
    struct pace pace;
    (void)state;
    pace_init(&pace, BEGIN);
    check_next(&pace, 0, PACE_STEP_ALONE, -1);
    pace_took(&pace, BEGIN, PACE_STEP_ALONE, 0);
    check_next(&pace, 50 * MS, PACE_STEP_ALONE, -1);
    pace_committed(&pace, BEGIN + 50 * MS, PACE_DESK_UNITS, 0);
    check_next(&pace, 50 * MS, 0, 2475);
}

static void test_the_next_step_waits_for_all_but_an_eighth(void **state)
{
    int64_t wait_us;
    (void)state;
    for (size_t hang = 11; hang < 15; hang++) {
        struct pace pace = pace_after_a_step(1000 * PACE_DESK_UNITS);
        assert_int_equal(pace_next(&pace, BEGIN + 10 * MS, hang, &wait_us),
                         hang <= PACE_STEP / 8 ? PACE_STEP : 0);
        assert_int_equal(wait_us, -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_it_takes_all_that_can_be_computed),
        cmocka_unit_test(test_beside_a_full_desk_it_takes_its_small_part_and_never_stands_still),
        cmocka_unit_test(test_beside_a_little_work_it_takes_most_of_the_time),
        cmocka_unit_test(test_a_client_that_waits_for_answers_is_judged_by_the_pauses),
        cmocka_unit_test(test_what_the_load_leaves_is_used_at_once_when_it_ends),
        cmocka_unit_test(test_a_desk_that_is_full_at_another_broker_is_spared_and_not_waited_for),
        cmocka_unit_test(test_tickets_that_hang_hold_up_their_step_and_a_few_do_not),
        cmocka_unit_test(test_steps_that_find_nothing_open_go_on_soon),
        cmocka_unit_test(test_a_step_is_paid_for_by_time_and_by_what_the_desk_writes),
        cmocka_unit_test(test_nothing_is_paid_for_in_advance),
        cmocka_unit_test(test_a_wait_is_neither_short_nor_long),
        cmocka_unit_test(test_what_the_desk_wants_is_the_part_of_time_that_its_commits_take),
        cmocka_unit_test(test_time_pays_less_the_more_the_desk_wants),
        cmocka_unit_test(test_alone_begins_when_nobody_wrote_for_a_moment),
        cmocka_unit_test(test_a_step_that_was_taken_alone_is_owed_as_a_small_one),
        cmocka_unit_test(test_the_next_step_waits_for_all_but_an_eighth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
