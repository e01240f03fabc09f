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

static void test_lease_renewal_that_failed_is_due_at_once_and_grants_nothing(void **state)
{
    struct lease lease;
    int64_t next = 0;
    (void)state;
    lease_init(&lease, 5000, 1000);
    lease_sent(&lease, 0);
    lease_granted(&lease);
    lease_sent(&lease, 1000);
    lease_failed(&lease);
    assert_int_equal(lease_step(&lease, 1300, &next), LEASE_RENEW);
    lease_sent(&lease, 1300);
    lease_failed(&lease);
    assert_int_equal(lease_step(&lease, 4999, &next), LEASE_RENEW);
    assert_int_equal(lease_step(&lease, 5000, &next), LEASE_GIVE_UP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lease_granted_is_renewed_in_time),
        cmocka_unit_test(test_lease_unanswered_or_refused_is_given_up),
        cmocka_unit_test(test_lease_renewal_that_failed_is_due_at_once_and_grants_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
