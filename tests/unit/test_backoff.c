/* When to try again, and when to leave a relay alone: the pauses of each schedule, their limits, and the breaker's way through its states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backoff.h"

#define S INT64_C(1000000)
#define MINUTE (60 * S)
#define HOUR (3600 * S)

/* random: 1000 is no spread, 0 the shortest, 2000 the longest. */
static int64_t pause_of(const struct schedule *schedule, int attempt, int64_t age_us, int64_t asked_us,
                        uint32_t random)
{
    int64_t pause_us = 0;
    return schedule_next(schedule, attempt, age_us, asked_us, random, &pause_us) ? pause_us : -1;
}

static void test_pauses_are_those_of_the_schedule_and_the_last_one_repeats(void **state)
{
    static const int64_t mail[] = {30 * S,   2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE,
                                   1 * HOUR, 2 * HOUR,   4 * HOUR,   4 * HOUR,    4 * HOUR};
    static const int64_t page[] = {5 * S, 15 * S, 30 * S, 60 * S, 120 * S, 120 * S, 120 * S};
    static const int64_t webhook[] = {5 * S,     300 * S,   1800 * S,  7200 * S, 18000 * S,
                                      36000 * S, 50400 * S, 72000 * S, 86400 * S};
    (void)state;
    for (int i = 0; i < (int)(sizeof mail / sizeof mail[0]); i++)
        assert_int_equal(pause_of(&schedule_mail, i + 1, 0, 0, 1000), mail[i]);
    for (int i = 0; i < (int)(sizeof page / sizeof page[0]); i++)
        assert_int_equal(pause_of(&schedule_page, i + 1, 0, 0, 1000), page[i]);
    for (int i = 0; i < (int)(sizeof webhook / sizeof webhook[0]); i++)
        assert_int_equal(pause_of(&schedule_webhook, i + 1, 0, 0, 1000), webhook[i]);
    assert_int_equal(pause_of(&schedule_mail, 0, 0, 0, 1000), 30 * S);
}

static void test_a_schedule_ends_by_its_tries_or_by_the_age_of_the_message(void **state)
{
    (void)state;
    assert_int_equal(pause_of(&schedule_webhook, 10, 0, 0, 1000), -1);
    assert_true(pause_of(&schedule_webhook, 9, 1000 * HOUR, 0, 1000) > 0);
    assert_true(pause_of(&schedule_mail, 1000, 48 * HOUR - 1, 0, 1000) > 0);
    assert_int_equal(pause_of(&schedule_mail, 1, 48 * HOUR, 0, 1000), -1);
    assert_true(pause_of(&schedule_page, 100000, 1000 * HOUR, 0, 1000) > 0);
}

static void test_pauses_are_spread_to_both_sides(void **state)
{
    (void)state;
    assert_int_equal(pause_of(&schedule_mail, 1, 0, 0, 0), 27 * S);
    assert_int_equal(pause_of(&schedule_mail, 1, 0, 0, 2000), 33 * S);
    assert_int_equal(pause_of(&schedule_mail, 1, 0, 0, 2001), 27 * S);
    assert_int_equal(pause_of(&schedule_page, 4, 0, 0, 0), 54 * S);
    assert_int_equal(pause_of(&schedule_webhook, 2, 0, 0, 0), 240 * S);
    assert_int_equal(pause_of(&schedule_webhook, 2, 0, 0, 2000), 360 * S);
}

static void test_what_the_other_side_asks_for_is_waited_for_up_to_a_day(void **state)
{
    (void)state;
    assert_int_equal(pause_of(&schedule_page, 1, 0, 3 * HOUR, 1000), 3 * HOUR);
    assert_int_equal(pause_of(&schedule_page, 1, 0, 1 * S, 1000), 5 * S);
    assert_int_equal(pause_of(&schedule_page, 1, 0, -1 * S, 1000), 5 * S);
    assert_int_equal(pause_of(&schedule_page, 1, 0, 24 * HOUR, 1000), 24 * HOUR);
    assert_int_equal(retry_after_read(120), 120 * S);
    assert_int_equal(retry_after_read(0), 0);
    assert_int_equal(retry_after_read(-5), 0);
    assert_int_equal(retry_after_read(INT64_MIN), 0);
    assert_int_equal(retry_after_read(24 * 3600 + 1), 24 * HOUR);
    assert_int_equal(retry_after_read(INT64_MAX), 24 * HOUR);
}

static void test_breaker_opens_by_faults_in_a_row_and_lets_one_probe_through(void **state)
{
    struct breaker breaker = {0};
    (void)state;
    assert_int_equal(breaker_allows(&breaker, 0, 8), 8);
    for (int i = 1; i < BREAKER_FAULTS_MAX; i++)
        breaker_on_fault(&breaker, 0);
    assert_int_equal(breaker_allows(&breaker, 0, 8), 8);
    breaker_on_answer(&breaker, 8); /* not in a row any more */
    for (int i = 1; i < BREAKER_FAULTS_MAX; i++)
        breaker_on_fault(&breaker, 0);
    assert_int_equal(breaker_allows(&breaker, 0, 8), 8);
    breaker_on_probe(&breaker, 0); /* means nothing while it is closed */
    breaker_on_fault(&breaker, S);
    assert_int_equal(breaker_allows(&breaker, S, 8), 0);
    assert_int_equal(breaker_allows(&breaker, S + BREAKER_PROBE_US - 1, 8), 0);
    assert_int_equal(breaker_allows(&breaker, S + BREAKER_PROBE_US, 8), 1);
    breaker_on_probe(&breaker, S + BREAKER_PROBE_US);
    assert_int_equal(breaker_allows(&breaker, S + BREAKER_PROBE_US, 8), 0);
    assert_int_equal(breaker_allows(&breaker, S + 2 * BREAKER_PROBE_US, 8), 1);
    breaker_on_fault(&breaker, 9 * S + 2 * BREAKER_PROBE_US); /* the probe's: from then on, and at once */
    assert_int_equal(breaker_allows(&breaker, 9 * S + 3 * BREAKER_PROBE_US - 1, 8), 0);
    assert_int_equal(breaker_allows(&breaker, 9 * S + 3 * BREAKER_PROBE_US, 8), 1);
}

static void test_breaker_that_closes_begins_slowly(void **state)
{
    struct breaker breaker = {0};
    (void)state;
    for (int i = 0; i < BREAKER_FAULTS_MAX; i++)
        breaker_on_fault(&breaker, 0);
    breaker_on_answer(&breaker, 9);
    assert_int_equal(breaker_allows(&breaker, 0, 9), BREAKER_SLOW_START);
    assert_int_equal(breaker_allows(&breaker, 0, 1), 1);
    breaker_on_answer(&breaker, 9);
    assert_int_equal(breaker_allows(&breaker, 0, 9), 2 * BREAKER_SLOW_START);
    breaker_on_answer(&breaker, 9);
    assert_int_equal(breaker_allows(&breaker, 0, 9), 4 * BREAKER_SLOW_START);
    breaker_on_answer(&breaker, 9);
    assert_int_equal(breaker_allows(&breaker, 0, 9), 9);
    assert_int_equal(breaker_allows(&breaker, 0, 99), 99); /* no limit of its own is left */
    for (int i = 1; i < BREAKER_FAULTS_MAX; i++)
        breaker_on_fault(&breaker, 0);
    assert_int_equal(breaker_allows(&breaker, 0, 9), 9); /* and it counts from none */
    breaker_on_fault(&breaker, 0);
    breaker_on_answer(&breaker, 4);
    breaker_on_answer(&breaker, 4); /* twice as many are all: none is held back from now on */
    assert_int_equal(breaker_allows(&breaker, 0, 99), 99);
}

static void test_results_have_names_and_each_is_counted_by_its_own(void **state)
{
    (void)state;
    assert_string_equal(send_result_name(SEND_DELIVERED), "delivered");
    assert_string_equal(send_result_name(SEND_PERMANENT), "permanent");
    assert_string_equal(send_result_name(SEND_UNKNOWN), "unknown");
    assert_string_equal(send_result_name(SEND_CONNECTION), send_result_name(SEND_TEMPORARY));
    assert_string_equal(send_result_name(SEND_RESULTS), "unknown");
    for (int i = 0; i < SEND_RESULTS; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(send_result_counted((enum send_result)i),
                                    send_result_counted((enum send_result)k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses_are_those_of_the_schedule_and_the_last_one_repeats),
        cmocka_unit_test(test_a_schedule_ends_by_its_tries_or_by_the_age_of_the_message),
        cmocka_unit_test(test_pauses_are_spread_to_both_sides),
        cmocka_unit_test(test_what_the_other_side_asks_for_is_waited_for_up_to_a_day),
        cmocka_unit_test(test_breaker_opens_by_faults_in_a_row_and_lets_one_probe_through),
        cmocka_unit_test(test_breaker_that_closes_begins_slowly),
        cmocka_unit_test(test_results_have_names_and_each_is_counted_by_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
