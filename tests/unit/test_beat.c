/* When silence means death: not for who was away itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "beat.h"

enum { INTERVAL = 1000, START = 50000 };

static void test_silence_of_more_than_the_missed_beats_is_death(void **state)
{
    struct beat beat;
    (void)state;
    beat_init(&beat, INTERVAL, START);
    assert_false(beat_is_dead(&beat, START, START + BEAT_MISSED_MAX * INTERVAL));
    assert_true(beat_is_dead(&beat, START, START + BEAT_MISSED_MAX * INTERVAL + 1));
}

static void test_a_beat_is_due_once_an_interval(void **state)
{
    struct beat beat;
    (void)state;
    beat_init(&beat, INTERVAL, START);
    assert_false(beat_is_due(&beat, START, START + INTERVAL - 1));
    assert_true(beat_is_due(&beat, START, START + INTERVAL));
}

static void test_nobody_is_judged_before_all_that_came_was_read(void **state)
{
    struct beat beat;
    (void)state;
    beat_init(&beat, INTERVAL, START);
    assert_true(beat_turn(&beat, START, true));
    assert_false(beat_turn(&beat, START + 1, false));
    assert_true(beat_turn(&beat, START + 1 + INTERVAL, true)); /* in time, just */
}

static void test_nobody_is_judged_for_one_interval_after_a_turn_that_came_late(void **state)
{
    struct beat beat;
    int64_t late = START + INTERVAL + 1;
    (void)state;
    beat_init(&beat, INTERVAL, START);
    assert_false(beat_turn(&beat, late, true));
    assert_false(beat_turn(&beat, late + INTERVAL - 1, true));
    assert_true(beat_turn(&beat, late + INTERVAL, true));
    assert_false(beat_turn(&beat, late + 2 * INTERVAL + 1, true)); /* late once more */
    assert_false(beat_turn(&beat, late + 3 * INTERVAL, true));
    assert_true(beat_turn(&beat, late + 3 * INTERVAL + 1, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_of_more_than_the_missed_beats_is_death),
        cmocka_unit_test(test_a_beat_is_due_once_an_interval),
        cmocka_unit_test(test_nobody_is_judged_before_all_that_came_was_read),
        cmocka_unit_test(test_nobody_is_judged_for_one_interval_after_a_turn_that_came_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
