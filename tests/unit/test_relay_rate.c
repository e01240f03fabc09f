/* A relay's rate: over any time no more than it, but for what was left over a moment before; what is urgent takes and is paid for after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "relay_rate.h"

#define SECOND INT64_C(1000000)

enum { ENOUGH = 64 };

/* Takes what may begin, looking so often, for so long; gives how many began. */
static int begun(struct relay_rate *rate, int64_t from, int64_t step_us, int64_t for_us)
{
    int count = 0;

    for (int64_t now = from; now < from + for_us; now += step_us) {
        int allowed = relay_rate_allows(rate, now, ENOUGH);
        for (int i = 0; i < allowed; i++)
            relay_rate_take(rate, now);
        count += allowed;
    }
    return count;
}

static void test_without_a_limit_as_many_begin_as_there_is_room_for(void **state)
{
    struct relay_rate rate = {0, 0};
    (void)state;

    relay_rate_set(&rate, 0, 3);
    assert_int_equal(relay_rate_allows(&rate, 0, ENOUGH), ENOUGH);
    relay_rate_take(&rate, 0);
    assert_int_equal(relay_rate_wait_us(&rate, 0), 0);
    assert_int_equal(relay_rate_allows(&rate, 0, ENOUGH), ENOUGH);
}

static void test_over_time_its_rate_begins_however_often_one_looks(void **state)
{
    static const struct {
        int64_t per_second, step_us;
        int sharers, least, most; /* in ten seconds */
    } cases[] = {
        {100, 1000, 0, 990, 1011},         {100, 100000, 1, 990, 1011}, {100, 1000, 1, 990, 1011},
        {100, 1000, 4, 245, 255},          {1, 100000, 1, 10, 11},      {1, 100000, 2, 5, 6},
        {100000, 1000, 1, 600000, 640000}, {100, 700000, 1, 100, 165}}; /* looked at too seldom: nothing is made good for */
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct relay_rate rate = {0, 0};
        relay_rate_set(&rate, cases[i].per_second, cases[i].sharers);
        int count = begun(&rate, 5 * SECOND, cases[i].step_us, 10 * SECOND);
        assert_in_range(count, cases[i].least, cases[i].most);
    }
}

static void test_after_a_long_rest_a_tenth_of_a_second_is_made_good(void **state)
{
    struct relay_rate rate = {0, 0};
    (void)state;

    relay_rate_set(&rate, 100, 1);
    assert_int_equal(relay_rate_allows(&rate, 3600 * SECOND, ENOUGH), 11);
    assert_int_equal(relay_rate_allows(&rate, 3600 * SECOND, 5), 5);
}

static void test_what_is_urgent_is_paid_for_but_never_for_more_than_a_second(void **state)
{
    struct relay_rate rate = {0, 0};
    int64_t now = 100 * SECOND;
    (void)state;

    relay_rate_set(&rate, 100, 1);
    for (int i = 0; i < 61; i++)
        relay_rate_take(&rate, now);
    assert_int_equal(relay_rate_allows(&rate, now, ENOUGH), 0);
    assert_int_equal(relay_rate_wait_us(&rate, now), SECOND / 2 + SECOND / 100);
    for (int i = 0; i < 10000; i++)
        relay_rate_take(&rate, now);
    assert_int_equal(relay_rate_wait_us(&rate, now), SECOND);
    assert_int_equal(relay_rate_allows(&rate, now + SECOND, ENOUGH), 1);
    assert_int_equal(relay_rate_wait_us(&rate, now + 5 * SECOND), 0);
    relay_rate_set(&rate, 0, 1); /* the limit is taken away: what was owed is nobody's any more */
    assert_int_equal(relay_rate_wait_us(&rate, now), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_limit_as_many_begin_as_there_is_room_for),
        cmocka_unit_test(test_over_time_its_rate_begins_however_often_one_looks),
        cmocka_unit_test(test_after_a_long_rest_a_tenth_of_a_second_is_made_good),
        cmocka_unit_test(test_what_is_urgent_is_paid_for_but_never_for_more_than_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
