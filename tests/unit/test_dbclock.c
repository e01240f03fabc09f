/* The interpolated clock of the database, against true clocks that drift. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbclock.h"

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* The true time: begins at 10^15 and runs ppm faster or slower than the monotonic one. */
static int64_t true_at(int64_t mono_us, int64_t ppm)
{
    return INT64_C(1000000000000000) + mono_us + mono_us * ppm / 1000000;
}

static void run(int64_t ppm, uint64_t seed)
{
    struct dbclock clock;
    int64_t mono = 5000000, last = 0;
    dbclock_init(&clock);
    assert_int_equal(dbclock_now(&clock, mono), 0);
    for (int i = 0; i < 2000; i++) {
        int64_t there = (int64_t)(next_random(&seed) % 3000), back = (int64_t)(next_random(&seed) % 3000);
        dbclock_sample(&clock, mono + there + back, true_at(mono + there, ppm));
        mono += there + back;
        for (int k = 0; k < 5; k++) {
            int64_t now = dbclock_now(&clock, mono);
            assert_true(now <= true_at(mono, ppm) + 1);
            assert_true(now >= true_at(mono, ppm) - 6000 - 2000);
            assert_true(now >= last);
            last = now;
            mono += (int64_t)(next_random(&seed) % 200000);
        }
    }
}

static void test_dbclock_is_never_late_and_never_goes_back(void **state)
{
    (void)state;
    run(0, 1);
    run(450, 2);
    run(-450, 3);
}

static void test_dbclock_follows_a_clock_that_was_set(void **state)
{
    struct dbclock clock;
    (void)state;
    dbclock_init(&clock);
    dbclock_sample(&clock, 0, 1000000000);
    int64_t before = dbclock_now(&clock, 0);
    for (int i = 1; i <= DBCLOCK_SAMPLES; i++)
        dbclock_sample(&clock, i * 1000000, 991000000 + i * 1000000);         /* set back by 9 s */
    assert_int_equal(dbclock_now(&clock, DBCLOCK_SAMPLES * 1000000), before); /* stands, does not go back */
    dbclock_sample(&clock, 9000000, 900000000); /* set back by 100 s: else all would fire early for so long */
    assert_int_equal(dbclock_now(&clock, 9000000), 900000000);
    dbclock_sample(&clock, 9500000, 5000000000); /* ahead: at once */
    assert_int_equal(dbclock_now(&clock, 9500000), 5000000000);
    dbclock_init(&clock);
    dbclock_sample(&clock, 0, 900000000);
    assert_int_equal(dbclock_now(&clock, 0), 900000000); /* another server */
}

static void test_dbclock_keeps_to_the_best_of_its_last_samples(void **state)
{
    struct dbclock clock;
    int64_t base = INT64_C(1000000000000);
    (void)state;
    dbclock_init(&clock);
    dbclock_sample(&clock, 0, base);
    for (int i = 1; i < DBCLOCK_SAMPLES; i++) /* each was on its way for two seconds */
        dbclock_sample(&clock, i, base + i - 2000000);
    assert_int_equal(dbclock_now(&clock, 1000), base + 1000);
    dbclock_sample(&clock, 2000, base + 2000 - 2000000); /* takes the place of the good one */
    assert_int_equal(dbclock_now(&clock, 2000), base + 1000);
    assert_int_equal(dbclock_now(&clock, 2000 + 2048000),
                     base + 50000 - 1000); /* 1/2048 of its age may be drift */
}

static void test_dbclock_begins_anew_by_its_second_sample_too(void **state)
{
    struct dbclock clock;
    int64_t base = INT64_C(1000000000000);
    (void)state;
    dbclock_init(&clock);
    dbclock_sample(&clock, 0, base);
    assert_int_equal(dbclock_now(&clock, 0), base);
    dbclock_sample(&clock, 0, base - 10000001);
    assert_int_equal(dbclock_now(&clock, 0), base - 10000001);
    dbclock_sample(&clock, 0, base - 20000001); /* ten seconds may be an answer that was slow */
    assert_int_equal(dbclock_now(&clock, 0), base - 10000001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dbclock_is_never_late_and_never_goes_back),
        cmocka_unit_test(test_dbclock_follows_a_clock_that_was_set),
        cmocka_unit_test(test_dbclock_keeps_to_the_best_of_its_last_samples),
        cmocka_unit_test(test_dbclock_begins_anew_by_its_second_sample_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
