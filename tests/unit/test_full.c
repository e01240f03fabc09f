/* What the broker knows of a database that has no room, by a clock of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "full.h"

#define S INT64_C(1000000)
#define AT (1000 * S)

static void test_full_is_over_when_a_batch_is_committed_and_none_was_refused_for_a_moment(void **state)
{
    struct full full = {.reason = ""};
    (void)state;

    full_committed(&full, AT);
    assert_null(full_why(&full, AT));
    full_refused(&full, "53100", "could not extend file", AT);
    assert_string_equal(full_why(&full, AT), "the database has no room: could not extend file");
    full_committed(&full, AT + S); /* what is small goes in here and there */
    assert_non_null(full_why(&full, AT + S));
    full_refused(&full, "53200", "out of memory", AT + 2 * S);
    full_committed(&full, AT + 3 * S);
    assert_string_equal(full_why(&full, AT + 3 * S), "the database has no room: out of memory");
    full_committed(&full, AT + 4 * S);
    assert_null(full_why(&full, AT + 4 * S));
}

static void test_full_is_not_said_any_more_when_nobody_asked_for_a_minute(void **state)
{
    struct full full = {.reason = ""};
    (void)state;

    full_refused(&full, "53100", "no space", AT);
    assert_non_null(full_why(&full, AT + 59 * S));
    assert_null(full_why(&full, AT + 60 * S));
    full_refused(&full, "53100", "no space", AT + 70 * S);
    assert_non_null(full_why(&full, AT + 129 * S));
}

static void test_full_says_a_line_a_second_of_all_that_was_refused(void **state)
{
    struct full full = {.reason = ""};
    (void)state;

    for (int i = 0; i < 1000; i++)
        full_refused(&full, "53100", "no space", AT + i * S / 1000);
    assert_int_equal(full.refused, 1000);
    assert_int_equal(full.unsaid, 999);
    full_refused(&full, "53100", "no space", AT + S);
    assert_int_equal(full.unsaid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_is_over_when_a_batch_is_committed_and_none_was_refused_for_a_moment),
        cmocka_unit_test(test_full_is_not_said_any_more_when_nobody_asked_for_a_minute),
        cmocka_unit_test(test_full_says_a_line_a_second_of_all_that_was_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
