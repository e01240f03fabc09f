/* What a worker may take, and the rule for suspects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "handout.h"

static void test_handout_keeps_a_share_for_p1(void **state)
{
    static const size_t rows[][2] = {{0, 0},  {1, 0},  {2, 1},  {8, 1},
                                     {15, 1}, {16, 2}, {64, 8}, {10000, 1250}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct handout handout = {.credits = rows[i][0]};
        assert_int_equal(handout_kept_back(rows[i][0]), rows[i][1]);
        assert_int_equal(handout_room(&handout, false), rows[i][0] - rows[i][1]);
        assert_int_equal(handout_room(&handout, true), rows[i][0]);
    }
    struct handout shrunk = {.credits = 4, .held = 9}; /* a later ready may ask for less than it holds */
    assert_int_equal(handout_room(&shrunk, true), 0);
    assert_int_equal(handout_room(&shrunk, false), 0);
}

static void test_handout_suspect_is_alone_until_decided(void **state)
{
    struct handout handout = {.credits = 8};
    (void)state;
    assert_true(handout_give(&handout, false));
    assert_true(handout_give(&handout, false));
    assert_false(handout_is_alone(&handout));
    assert_true(handout_takes(&handout, false, true));
    assert_false(handout_give(&handout, true));
    assert_int_equal(handout.solo, SOLO_WAITING);
    assert_int_equal(handout_room(&handout, true), 0);
    assert_false(handout_takes(&handout, true, true));
    assert_false(handout_back(&handout));
    assert_true(handout_back(&handout)); /* empty: the suspect goes out */
    assert_int_equal(handout.held, 1);
    assert_true(handout_is_alone(&handout));
    assert_int_equal(handout_room(&handout, true), 0);
    assert_false(handout_back(&handout));
    assert_int_equal(handout_room(&handout, true), 8);
    assert_true(handout_give(&handout, true)); /* empty already */
    assert_int_equal(handout.solo, SOLO_HELD);
}

static void test_handout_cancelled_suspect_frees_the_worker(void **state)
{
    struct handout handout = {.credits = 8};
    (void)state;
    assert_true(handout_give(&handout, false));
    assert_false(handout_give(&handout, true));
    handout_cancel(&handout);
    assert_int_equal(handout_room(&handout, true), 7);
    assert_false(handout_back(&handout));
    assert_int_equal(handout_room(&handout, true), 8);
}

static void test_handout_best_place(void **state)
{
    struct handout roomy = {.credits = 64, .held = 10}, small = {.credits = 8, .held = 2};
    struct handout closed = {.credits = 64, .closed = true}, none = {0};
    (void)state;
    assert_true(handout_beats(&roomy, &small, false, false));
    assert_true(handout_beats(&small, &roomy, false, true)); /* sooner empty */
    assert_false(handout_takes(&closed, true, false));
    assert_false(handout_takes(&closed, true, true));
    assert_false(handout_takes(&none, true, false));
    assert_false(handout_takes(&none, true, true));
    assert_false(handout_beats(&roomy, &roomy, false, false) || handout_beats(&roomy, &roomy, false, true));
}

static void test_handout_takes_what_there_is_room_for(void **state)
{
    struct handout one = {.credits = 1}, two = {.credits = 2};
    (void)state;
    assert_true(handout_takes(&one, false, false) && handout_takes(&one, false, true));
    assert_true(handout_give(&one, false));
    assert_false(handout_takes(&one, true, false));
    assert_true(handout_takes(&two, false, false));
    assert_true(handout_give(&two, false));
    assert_false(handout_takes(&two, false, false)); /* the other is kept back */
    assert_true(handout_takes(&two, true, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handout_keeps_a_share_for_p1),
        cmocka_unit_test(test_handout_suspect_is_alone_until_decided),
        cmocka_unit_test(test_handout_cancelled_suspect_frees_the_worker),
        cmocka_unit_test(test_handout_best_place),
        cmocka_unit_test(test_handout_takes_what_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
