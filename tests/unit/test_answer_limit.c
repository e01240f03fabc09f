/* Answers in chat: a flood is cut, of strangers all together, of who is known each apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "answer_limit.h"

#define SECOND INT64_C(1000000)
#define T0 (INT64_C(5) * SECOND)

/* How many of so many said one after the other, a microsecond apart, are taken. */
static int taken(struct answer_limit *limit, size_t speaker, int64_t from, int many)
{
    int count = 0;

    for (int i = 0; i < many; i++)
        count += answer_limit_take(limit, speaker, from + i);
    return count;
}

static void test_strangers_share_ten_at_once_and_then_one_a_second(void **state)
{
    struct answer_limit limit = {.said_at = 0};
    (void)state;

    assert_int_equal(taken(&limit, ANSWER_STRANGERS, T0, 1000), 10);
    assert_int_equal(taken(&limit, ANSWER_STRANGERS, T0 + SECOND, 1000), 1);
    assert_int_equal(taken(&limit, ANSWER_STRANGERS, T0 + 4 * SECOND, 1000), 3);
    assert_int_equal(taken(&limit, ANSWER_STRANGERS, T0 + 100 * SECOND, 1000), 10);
}

static void test_who_is_known_has_a_measure_apart_from_others(void **state)
{
    struct answer_limit limit = {.said_at = 0};
    (void)state;

    assert_int_equal(taken(&limit, ANSWER_STRANGERS, T0, 1000), 10);
    for (size_t speaker = 1; speaker < ANSWER_SPEAKERS; speaker++)
        assert_int_equal(taken(&limit, speaker, T0, 1000), 100);
    assert_int_equal(taken(&limit, 1, T0 + SECOND, 1000), 10);
    /* However many they are, none is a stranger: this one shares with the first. */
    assert_int_equal(taken(&limit, ANSWER_SPEAKERS, T0 + 2 * SECOND, 1000), 10);
    assert_int_equal(taken(&limit, ANSWER_STRANGERS, T0 + SECOND, 1000), 1);
}

static void test_what_is_ignored_is_told_once_a_minute_with_how_many(void **state)
{
    struct answer_limit limit = {.said_at = 0};
    (void)state;

    assert_int_equal(answer_limit_ignored(&limit, T0), 1);
    for (int i = 1; i < 60; i++)
        assert_int_equal(answer_limit_ignored(&limit, T0 + i * SECOND), 0);
    assert_int_equal(answer_limit_ignored(&limit, T0 + 60 * SECOND), 60);
    assert_int_equal(answer_limit_ignored(&limit, T0 + 61 * SECOND), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strangers_share_ten_at_once_and_then_one_a_second),
        cmocka_unit_test(test_who_is_known_has_a_measure_apart_from_others),
        cmocka_unit_test(test_what_is_ignored_is_told_once_a_minute_with_how_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
