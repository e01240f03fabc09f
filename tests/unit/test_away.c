/* What a program says of a database that is away: lines of the log, counted as they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "away.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define S INT64_C(1000000)

enum { LINE_BYTES = 1024, START_S = 1000 };

/* Standard error goes into a pipe that is read without waiting. */
struct told {
    int from, before;
};

static int told_open(void **state)
{
    static struct told told;
    int ends[2];

    if (pipe(ends) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
        return -1;
    told = (struct told){ends[0], dup(STDERR_FILENO)};
    (void)dup2(ends[1], STDERR_FILENO);
    (void)close(ends[1]);
    *state = &told;
    return 0;
}

static int told_close(void **state)
{
    struct told *told = *state;
    (void)dup2(told->before, STDERR_FILENO);
    (void)close(told->before);
    (void)close(told->from);
    return 0;
}

/* What was written since the last time; "" for nothing. */
static const char *told_since(void **state)
{
    static char line[LINE_BYTES];
    struct told *told = *state;
    ssize_t len = read(told->from, line, sizeof line - 1);

    line[len < 0 ? 0 : len] = '\0';
    return line;
}

static void note(struct away *away, const char *reason, int64_t at_s)
{
    away_note(away, reason, (START_S + at_s) * S);
}

static void test_one_line_when_it_goes_and_one_a_minute(void **state)
{
    struct away away = {0};

    note(&away, "refused", 0);
    assert_non_null(strstr(told_since(state), "event=database_away since_s=0 tries=1 reason=\"refused\"\n"));
    for (int s = 1; s < 60; s++)
        note(&away, "refused", s);
    assert_string_equal(told_since(state), "");
    note(&away, "refused", 60);
    assert_non_null(strstr(told_since(state), "since_s=60 tries=61 "));
    note(&away, "refused", 119);
    assert_string_equal(told_since(state), "");
    note(&away, "refused", 120);
    assert_non_null(strstr(told_since(state), "since_s=120 "));
}

static void test_another_reason_is_told_but_not_more_often_than_that(void **state)
{
    struct away away = {0};

    note(&away, "refused", 0);
    (void)told_since(state);
    note(&away, "no such role", 4);
    assert_string_equal(told_since(state), "");
    note(&away, "refused",
         5); /* another than the last one that was met, though not than the last that was told */
    assert_non_null(strstr(told_since(state), "reason=\"refused\""));
    note(&away, "starting up", 10);
    assert_non_null(strstr(told_since(state), "since_s=10 tries=4 reason=\"starting up\""));
}

static void test_a_reason_that_is_too_long_is_the_same_when_its_beginning_is(void **state)
{
    struct away away = {0};
    char reason[sizeof away.reason + 50];

    memset(reason, 'x', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    note(&away, reason, 0);
    (void)told_since(state);
    note(&away, reason, 6);
    assert_string_equal(told_since(state), "");
}

static void test_its_return_is_told_once_and_all_begins_anew(void **state)
{
    struct away away = {0};

    away_end(&away, START_S * S);
    assert_string_equal(told_since(state), "");
    note(&away, "refused", 0);
    note(&away, "refused", 3);
    (void)told_since(state);
    away_end(&away, (START_S + 7) * S);
    assert_non_null(strstr(told_since(state), "event=database_back after_s=7 tries=2\n"));
    away_end(&away, (START_S + 8) * S);
    assert_string_equal(told_since(state), "");
    assert_string_equal(away.reason, "");
    note(&away, "refused", 9);
    assert_non_null(strstr(told_since(state), "since_s=0 tries=1 "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_line_when_it_goes_and_one_a_minute, told_open, told_close),
        cmocka_unit_test_setup_teardown(test_another_reason_is_told_but_not_more_often_than_that, told_open,
                                        told_close),
        cmocka_unit_test_setup_teardown(test_a_reason_that_is_too_long_is_the_same_when_its_beginning_is,
                                        told_open, told_close),
        cmocka_unit_test_setup_teardown(test_its_return_is_told_once_and_all_begins_anew, told_open,
                                        told_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
