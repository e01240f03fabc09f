/* The life cycle: each op from each state once more, as docs/protocol.md tells it, and what time alone may lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "states.h"

#include <string.h>

static const enum desk_state open_states[] = {
    STATE_NEW,     STATE_TRIAGED, STATE_IN_PROGRESS, STATE_WAITING_VENDOR, STATE_WAITING_CUSTOMER,
    STATE_REOPENED};

static bool is_open(int state)
{
    return state != STATE_RESOLVED && state != STATE_CLOSED;
}

static bool is_waiting(int state)
{
    return state == STATE_WAITING_CUSTOMER || state == STATE_WAITING_VENDOR;
}

/* In words: what each op does, beginning with where it is refused. */
static int told(enum states_op op, int from)
{
    switch (op) {
    case DO_TAKE:
        return is_open(from) ? STATE_IN_PROGRESS : STATE_REFUSED;
    case DO_RELEASE:
        return from == STATE_CLOSED ? STATE_REFUSED : from == STATE_IN_PROGRESS ? STATE_TRIAGED : from;
    case DO_WAIT_CUSTOMER:
    case DO_CANNOT_RESOLVE:
        return is_open(from) ? STATE_WAITING_CUSTOMER : STATE_REFUSED;
    case DO_WAIT_VENDOR:
        return is_open(from) ? STATE_WAITING_VENDOR : STATE_REFUSED;
    case DO_RESUME:
    case DO_AGREE:
    case DO_DECLINE:
        return is_waiting(from) ? STATE_IN_PROGRESS : STATE_REFUSED;
    case DO_RESUME_CUSTOMER:
        return from == STATE_WAITING_CUSTOMER ? STATE_IN_PROGRESS : STATE_REFUSED;
    case DO_RESUME_VENDOR:
        return from == STATE_WAITING_VENDOR ? STATE_IN_PROGRESS : STATE_REFUSED;
    case DO_RESOLVE:
        return is_open(from) ? STATE_RESOLVED : STATE_REFUSED;
    case DO_APPROVE:
        return from == STATE_RESOLVED ? STATE_CLOSED : STATE_REFUSED;
    case DO_REJECT:
        return from == STATE_RESOLVED ? STATE_IN_PROGRESS : STATE_REFUSED;
    case DO_CLOSE:
        return from == STATE_CLOSED ? STATE_REFUSED : STATE_CLOSED;
    case DO_REOPEN:
        return is_open(from) ? STATE_REFUSED : STATE_REOPENED;
    case DO_COMMENT:
    case DO_LINK:
        return from;
    case DO_REPLY:
        return from == STATE_WAITING_CUSTOMER ? STATE_IN_PROGRESS : from;
    default: /* assign, update, prioritize, meeting, repeat */
        return from == STATE_CLOSED ? STATE_REFUSED : from;
    }
}

static void test_each_op_leads_from_each_state_where_it_is_said_to(void **state)
{
    int16_t row[STATES + 1] = {[STATES] = 77};
    (void)state;
    for (int op = 0; op < STATES_OPS; op++) {
        states_row((enum states_op)op, row);
        assert_int_equal(row[STATES], 77); /* is not the row's any more */
        for (int from = 0; from < STATES; from++) {
            int want = told((enum states_op)op, from);
            if (states_next((enum states_op)op, (enum desk_state)from) != want || row[from] != want)
                fail_msg("op %d from %s: %d, not %d", op, desk_state_name((enum desk_state)from),
                         states_next((enum states_op)op, (enum desk_state)from), want);
        }
    }
}

static void test_time_and_rules_lead_only_there(void **state)
{
    static const enum desk_state ways[][2] = {
        {STATE_NEW, STATE_TRIAGED},
        {STATE_WAITING_CUSTOMER, STATE_IN_PROGRESS},
        {STATE_WAITING_VENDOR, STATE_IN_PROGRESS},
        {STATE_RESOLVED, STATE_IN_PROGRESS},
        {STATE_RESOLVED, STATE_REOPENED},
        {STATE_CLOSED, STATE_REOPENED},
        {STATE_RESOLVED, STATE_CLOSED},
    };
    size_t may = 0;
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        assert_true(states_may_decide(ways[i][0], ways[i][1]));
    for (int from = 0; from < STATES; from++) {
        for (int to = 0; to < STATES; to++)
            may += states_may_decide((enum desk_state)from, (enum desk_state)to);
        assert_false(states_may_decide((enum desk_state)from, (enum desk_state)STATES));
    }
    assert_int_equal(may, sizeof ways / sizeof ways[0]);
}

static void test_waiting_and_going_on_are_told_apart_by_whom_it_is_for(void **state)
{
    (void)state;
    assert_int_equal(states_wait(span_of("vendor")), DO_WAIT_VENDOR);
    assert_int_equal(states_wait(span_of("customer")), DO_WAIT_CUSTOMER);
    assert_int_equal(states_resume(span_of("vendor")), DO_RESUME_VENDOR);
    assert_int_equal(states_resume(span_of("customer")), DO_RESUME_CUSTOMER);
    assert_int_equal(states_resume(SPAN_NONE), DO_RESUME);
}

static void test_the_states_that_allow_an_op_are_told(void **state)
{
    char text[128], small[24];
    (void)state;
    states_allowed(DO_REOPEN, text, sizeof text);
    assert_string_equal(text, "resolved, closed");
    states_allowed(DO_COMMENT, text, sizeof text);
    assert_string_equal(
        text, "new, triaged, in_progress, waiting_customer, waiting_vendor, resolved, closed, reopened");
    for (size_t size = 1; size <= sizeof small; size++) {
        memset(small, 'x', sizeof small);
        states_allowed(DO_COMMENT, small, size);
        assert_int_equal(strlen(small), size - 1); /* cut, and ended */
        assert_memory_equal(small, text, size - 1);
    }
    for (size_t i = 0; i < sizeof open_states / sizeof open_states[0]; i++) {
        states_allowed(DO_RESOLVE, text, sizeof text);
        assert_non_null(strstr(text, desk_state_name(open_states[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_op_leads_from_each_state_where_it_is_said_to),
        cmocka_unit_test(test_time_and_rules_lead_only_there),
        cmocka_unit_test(test_waiting_and_going_on_are_told_apart_by_whom_it_is_for),
        cmocka_unit_test(test_the_states_that_allow_an_op_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
