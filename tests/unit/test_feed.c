/* Cursors and the settled order of the feed. */
#include "feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct feed_branch branches[] = {{2, INT64_MAX}, {3, 100}};
static const struct feed_history here = {.generation = {.system = INT64_C(0x7123456789abcdef), .timeline = 3},
                                         .branches = branches,
                                         .count = 2};

static void test_feed_cursor_when_written_and_read_then_the_number_is_the_same(void **state)
{
    static const int64_t numbers[] = {0, 1, 4711, INT64_MAX};
    char text[FEED_CURSOR_BYTES];
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t seq = -1;
        feed_cursor_format(here.generation, numbers[i], text);
        assert_true(feed_cursor_parse(span_of(text), &here, &seq, &err));
        assert_int_equal(seq, numbers[i]);
    }
    int64_t seq = -1;
    assert_true(feed_cursor_parse(span_of(""), &here, &seq, &err));
    assert_int_equal(seq, 0);
}

static void test_feed_cursor_when_another_history_then_it_is_refused(void **state)
{
    char good[FEED_CURSOR_BYTES], text[FEED_CURSOR_BYTES];
    struct feed_generation other = {.system = here.generation.system + 1, .timeline = 3};
    struct feed_generation later = {.system = here.generation.system, .timeline = 4};
    int64_t seq = -1;
    struct err err;
    (void)state;

    feed_cursor_format(other, 5, text);
    assert_false(feed_cursor_parse(span_of(text), &here, &seq, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    feed_cursor_format(later, 5, text);
    assert_false(feed_cursor_parse(span_of(text), &here, &seq, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(seq, -1);
    feed_cursor_format(here.generation, 5, good);
    for (size_t len = 1; len < strlen(good); len++) {
        assert_false(feed_cursor_parse((struct span){good, len}, &here, &seq, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.field, "cursor");
    }
    for (size_t i = 0; i < strlen(good); i++) {
        memcpy(text, good, sizeof text);
        text[i] = 'x';
        assert_false(feed_cursor_parse(span_of(text), &here, &seq, &err));
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

/* Timelines 1, 2, 3, 5, 6 led here; 4 was left: a restore to a moment of 3. */
static void test_feed_cursor_of_an_older_timeline_when_beyond_its_end_then_it_is_refused(void **state)
{
    static const struct feed_branch led[] = {{2, INT64_MAX}, {3, 100}, {5, 80}, {6, 200}};
    static const struct feed_history now = {.generation = {.system = 7, .timeline = 6},
                                            .branches = led,
                                            .count = 4};
    static const struct {
        int32_t timeline;
        int64_t seq;
        bool holds;
    } rows[] = {{1, 80, true},  {1, 81, false},       {2, 80, true},   {2, 81, false}, {3, 80, true},
                {3, 81, false}, {4, 10, false},       {4, 200, false}, {5, 200, true}, {5, 201, false},
                {6, 10, true},  {6, INT64_MAX, true}, {7, 1, false}};
    char text[FEED_CURSOR_BYTES];
    (void)state;

    assert_true(feed_history_is_known(&now));
    assert_false(
        feed_history_is_known(&(struct feed_history){.generation = {7, 7}, .branches = led, .count = 4}));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        int64_t seq = -1;
        feed_cursor_format((struct feed_generation){7, rows[i].timeline}, rows[i].seq, text);
        assert_int_equal(feed_cursor_parse(span_of(text), &now, &seq, &err), rows[i].holds);
        assert_int_equal(err.code, rows[i].holds ? ERR_NONE : ERR_CONFLICT);
        assert_int_equal(seq, rows[i].holds ? rows[i].seq : -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feed_cursor_when_written_and_read_then_the_number_is_the_same),
        cmocka_unit_test(test_feed_cursor_when_another_history_then_it_is_refused),
        cmocka_unit_test(test_feed_cursor_of_an_older_timeline_when_beyond_its_end_then_it_is_refused),
        cmocka_unit_test(test_feed_settle_when_a_transaction_is_open_then_its_numbers_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
