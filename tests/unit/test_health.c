/* When most decisions fail, and when they no longer do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "health.h"

enum { START_S = 1000 };

static void count(struct health *health, int times, bool good, int64_t at_s)
{
    for (int i = 0; i < times; i++)
        health_count(health, good, at_s * US_PER_S);
}

static bool fails(struct health *health, int64_t at_s)
{
    return health_fails(health, at_s * US_PER_S);
}

static void test_health_fails_when_over_half_of_twenty_fail(void **state)
{
    static const struct {
        int good, bad;
        bool fails;
    } rows[] = {{0, 19, false},  {0, 20, true},     {19, 20, true},
                {20, 20, false}, {500, 499, false}, {498, 500, true}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct health health = {0};
        count(&health, rows[i].good, true, START_S);
        count(&health, rows[i].bad, false, START_S);
        assert_int_equal(fails(&health, START_S), rows[i].fails);
    }
}

static void test_health_goes_on_failing_over_the_end_of_a_span(void **state)
{
    struct health health = {0};
    (void)state;
    count(&health, 30, false, START_S);
    count(&health, 1, false, START_S + 11);
    assert_true(fails(&health, START_S + 11));
}

/* A span is ten seconds and counts until the one after it is over; spans begin with the first word after the last one's end. */
static void test_health_counts_this_span_and_the_one_before(void **state)
{
    static const struct {
        int64_t at_s;
        bool fails;
    } rows[] = {{9, true}, {10, true}, {19, true}, {20, false}, {25, false}};
    struct health health;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        health = (struct health){.since_us = START_S * US_PER_S};
        count(&health, 20, false, START_S);
        assert_int_equal(fails(&health, START_S + rows[i].at_s), rows[i].fails);
    }
    health = (struct health){.since_us = START_S * US_PER_S};
    count(&health, 20, false, START_S);
    assert_true(
        fails(&health, START_S + 10)); /* a new span: the bad ones are of the one before until its end */
    assert_true(fails(&health, START_S + 19));
    assert_false(fails(&health, START_S + 20));
    health = (struct health){.since_us = START_S * US_PER_S};
    count(&health, 12, true, START_S);
    count(&health, 20, false, START_S + 10);
    assert_true(fails(&health, START_S + 10));
    count(&health, 8, true, START_S + 10); /* with those of the span before it is half, not more */
    assert_false(fails(&health, START_S + 10));
}

static void test_health_is_good_again_without_another_word(void **state)
{
    struct health health = {0};
    (void)state;
    count(&health, 30, false, START_S);
    assert_true(fails(&health, START_S + 5));
    assert_false(fails(&health, START_S + 40));
    count(&health, 30, false, START_S + 50);
    count(&health, 31, true, START_S + 51);
    assert_false(fails(&health, START_S + 51));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_fails_when_over_half_of_twenty_fail),
        cmocka_unit_test(test_health_goes_on_failing_over_the_end_of_a_span),
        cmocka_unit_test(test_health_counts_this_span_and_the_one_before),
        cmocka_unit_test(test_health_is_good_again_without_another_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
