/* Cursors and the settled order of the feed. */
#include "feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct feed_generation here = {.system = INT64_C(0x7123456789abcdef), .timeline = 3};

static void test_feed_cursor_when_written_and_read_then_the_number_is_the_same(void **state)
{
    static const int64_t numbers[] = {0, 1, 4711, INT64_MAX};
    char text[FEED_CURSOR_BYTES];
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t seq = -1;
        feed_cursor_format(here, numbers[i], text);
        assert_true(feed_cursor_parse(span_of(text), here, &seq, &err));
        assert_int_equal(seq, numbers[i]);
    }
    int64_t seq = -1;
    assert_true(feed_cursor_parse(span_of(""), here, &seq, &err));
    assert_int_equal(seq, 0);
}

static void test_feed_cursor_when_another_history_then_it_is_refused(void **state)
{
    char good[FEED_CURSOR_BYTES], text[FEED_CURSOR_BYTES];
    struct feed_generation other = {.system = here.system + 1, .timeline = 3};
    struct feed_generation later = {.system = here.system, .timeline = 4};
    int64_t seq = -1;
    struct err err;
    (void)state;

    feed_cursor_format(other, 5, text);
    assert_false(feed_cursor_parse(span_of(text), here, &seq, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    feed_cursor_format(later, 5, text);
    assert_false(feed_cursor_parse(span_of(text), here, &seq, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(seq, -1);
    feed_cursor_format(here, 5, text);
    assert_true(feed_cursor_parse(span_of(text), later, &seq, &err));

    feed_cursor_format(here, 5, good);
    for (size_t len = 1; len < strlen(good); len++) {
        assert_false(feed_cursor_parse((struct span){good, len}, here, &seq, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.field, "cursor");
    }
    for (size_t i = 0; i < strlen(good); i++) {
        memcpy(text, good, sizeof text);
        text[i] = 'x';
        assert_false(feed_cursor_parse(span_of(text), here, &seq, &err));
    }
}

static void test_feed_settle_when_a_transaction_is_open_then_its_numbers_wait(void **state)
{
    struct feed_settle settle;
    (void)state;

    feed_settle_init(&settle);
    feed_settle_seq(&settle, 10);
    assert_int_equal(settle.want, FEED_WANT_FENCE);
    feed_settle_fence(&settle, 100);
    assert_int_equal(settle.want, FEED_WANT_XMIN);
    /* xmin equal to the fence: somebody with an older or the same id may still be running */
    assert_false(feed_settle_xmin(&settle, 90));
    assert_false(feed_settle_xmin(&settle, 100));
    assert_int_equal(settle.settled, 0);
    assert_int_equal(settle.asked, 2);
    assert_true(feed_settle_xmin(&settle, 101));
    assert_int_equal(settle.settled, 10);
    /* idle: no new fence is asked for */
    feed_settle_seq(&settle, 10);
    assert_int_equal(settle.want, FEED_WANT_SEQ);
    feed_settle_seq(&settle, 11);
    assert_int_equal(settle.want, FEED_WANT_FENCE);
    assert_int_equal(settle.settled, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feed_cursor_when_written_and_read_then_the_number_is_the_same),
        cmocka_unit_test(test_feed_cursor_when_another_history_then_it_is_refused),
        cmocka_unit_test(test_feed_settle_when_a_transaction_is_open_then_its_numbers_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
