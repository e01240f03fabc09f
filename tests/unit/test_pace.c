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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
