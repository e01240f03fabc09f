/* Giving ticket ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ids.h"
#include "tracking.h"

#define AT(second) ((TRACKING_EPOCH_S + (second)) * INT64_C(1000000))

static int64_t second_of(int64_t id)
{
    return id >> (TRACKING_SLOT_BITS + TRACKING_COUNTER_BITS);
}

static unsigned slot_of(int64_t id)
{
    return (unsigned)(id >> TRACKING_COUNTER_BITS) & (TRACKING_SLOTS - 1);
}

static void test_ids_rise_and_stay_in_their_second(void **state)
{
    struct ids ids;
    struct err err = {0};
    int64_t last = 0, id = 0;
    (void)state;
    ids_init(&ids, 5, -1);
    for (int i = 0; i < 10; i++) {
        assert_true(ids_next(&ids, AT(100) + i, 200, &id, &err));
        assert_true(id > last);
        assert_int_equal(second_of(id), 100);
        assert_int_equal(slot_of(id), 5);
        last = id;
    }
    assert_true(ids_first(&ids) > last);
    int64_t first = ids_first(&ids);
    assert_true(ids_next(&ids, AT(100), 200, &id, &err));
    assert_int_equal(id, first);
}

static void test_ids_clock_that_goes_back_gives_no_id_twice(void **state)
{
    struct ids ids;
    struct err err = {0};
    int64_t last = 0, id = 0;
    (void)state;
    ids_init(&ids, 0, 99);
    static const int64_t seconds[] = {0, 50, 100, 101, 100, 3, 101, 102, 1};
    for (unsigned i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        assert_true(ids_next(&ids, AT(seconds[i]), 200, &id, &err));
        assert_true(id > last);
        assert_true(second_of(id) >= 100); /* 99 may have been used by the slot's last holder */
        last = id;
    }
}

static void test_ids_full_second_goes_on_in_the_next(void **state)
{
    struct ids ids;
    struct err err = {0};
    int64_t id = 0, last = 0;
    (void)state;
    ids_init(&ids, 2047, -1);
    for (int i = 0; i < TRACKING_COUNTERS; i++) {
        assert_true(ids_next(&ids, AT(10), 10, &id, &err));
        assert_true(id > last);
        last = id;
    }
    assert_int_equal(second_of(id), 10);
    assert_int_equal(second_of(ids_first(&ids)), 11);
    assert_false(ids_next(&ids, AT(10), 10, &id, &err));
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_true(ids_next(&ids, AT(10), 11, &id, &err));
    assert_int_equal(second_of(id), 11);
}

static void test_ids_not_beyond_the_grant(void **state)
{
    struct ids ids;
    struct err err = {0};
    int64_t id = -7;
    (void)state;
    ids_init(&ids, 1, 300);
    assert_false(ids_next(&ids, AT(100), 300, &id, &err));
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_int_equal(id, -7);
    assert_false(ids_next(&ids, AT(302), 301, &id, &err));
    assert_true(ids_next(&ids, AT(301), 301, &id, &err));
    assert_int_equal(second_of(id), 301);
    assert_false(ids_next(&ids, AT(INT64_C(1) << TRACKING_SECOND_BITS), INT64_MAX, &id, &err));
    assert_int_equal(ids_second(AT(0)), 0);
    assert_int_equal(ids_second(AT(0) - 1), -1);
    assert_int_equal(ids_second(AT(3) + 999999), 3);
    assert_int_equal(ids_second(-1), -1 - TRACKING_EPOCH_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_rise_and_stay_in_their_second),
        cmocka_unit_test(test_ids_clock_that_goes_back_gives_no_id_twice),
        cmocka_unit_test(test_ids_full_second_goes_on_in_the_next),
        cmocka_unit_test(test_ids_not_beyond_the_grant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
