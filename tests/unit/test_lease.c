/* The lease as steps, and the order of taking over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lease.h"

static void test_lease_granted_is_renewed_in_time(void **state)
{
    struct lease lease;
    int64_t next = 0;
    (void)state;
    lease_init(&lease, 5000, 1000);
    assert_false(lease_holds(&lease, 0));
    lease_sent(&lease, 100);
    lease_granted(&lease);
    assert_int_equal(lease_step(&lease, 200, &next), LEASE_WAIT);
    assert_int_equal(next, 1100);
    assert_int_equal(lease_step(&lease, 1100, &next), LEASE_RENEW);
    lease_sent(&lease, 1100);
    assert_int_equal(lease_step(&lease, 2500, &next), LEASE_WAIT); /* one at a time */
    assert_int_equal(next, 5100);
    lease_granted(&lease);
    assert_true(lease_holds(&lease, 6099)); /* from the sending on, not from the answer */
    assert_false(lease_holds(&lease, 6100));
}

static void test_lease_unanswered_or_refused_is_given_up(void **state)
{
    struct lease lease;
    int64_t next = 0;
    (void)state;
    lease_init(&lease, 5000, 1000);
    lease_sent(&lease, 0);
    lease_granted(&lease);
    lease_sent(&lease, 1000);
    assert_int_equal(lease_step(&lease, 4999, &next), LEASE_WAIT);
    assert_int_equal(lease_step(&lease, 5000, &next), LEASE_GIVE_UP);
    assert_int_equal(next, 5000);
    lease_init(&lease, 5000, 1000);
    lease_sent(&lease, 0);
    lease_granted(&lease);
    lease_refused(&lease);
    assert_false(lease_holds(&lease, 1));
    assert_int_equal(lease_step(&lease, 1, &next), LEASE_GIVE_UP);
}

static void test_lease_judge_takes_over_in_order(void **state)
{
    struct lease_other other = {.lease_until = 1000};
    (void)state;
    assert_int_equal(lease_judge(&other, 999), LEASE_LEAVE);
    assert_int_equal(lease_judge(&other, 1000), LEASE_LEAVE);
    assert_int_equal(lease_judge(&other, 1001), LEASE_KILL);
    other.dead = true;
    other.lease_until = 9000; /* dead is final, whatever its lease says */
    assert_int_equal(lease_judge(&other, 1001), LEASE_END);
    other.emptied = true; /* not to be believed before its backend is gone */
    assert_int_equal(lease_judge(&other, 1001), LEASE_END);
    other.emptied = false;
    other.ended = true;
    assert_int_equal(lease_judge(&other, 1001), LEASE_ADOPT);
    other.emptied = true;
    assert_int_equal(lease_judge(&other, 1001), LEASE_SETTLE);
    other.settled = true;
    assert_int_equal(lease_judge(&other, 1001), LEASE_LEAVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lease_granted_is_renewed_in_time),
        cmocka_unit_test(test_lease_unanswered_or_refused_is_given_up),
        cmocka_unit_test(test_lease_judge_takes_over_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
