/* Dates and instants: there and back, and what is none is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "date.h"
#include "instant.h"

#include <string.h>

static void test_dates_there_and_back(void **state)
{
    int64_t year;
    int month, day;
    (void)state;

    assert_int_equal(date_days(1970, 1, 1), 0);
    assert_int_equal(date_days(2000, 2, 29), 11016);
    assert_int_equal(date_days(2100, 3, 1) - date_days(2100, 2, 28), 1); /* no leap year */
    assert_int_equal(date_weekday(date_days(2026, 1, 5)), 0);
    assert_int_equal(date_weekday(-1), 2); /* a Wednesday */
    for (int64_t days = -800000; days < 800000; days += 37) {
        date_parts(days, &year, &month, &day);
        assert_int_equal(date_days(year, month, day), days);
        assert_true(date_is(year, month, day));
    }
}

/* Each month's last day is followed by the first of the next one, and no later one is a date. */
static void test_months_end_where_the_next_one_begins(void **state)
{
    (void)state;
    for (int64_t year = 1599; year < 2402; year++) {
        assert_int_equal(date_days(year + 1, 1, 1) - date_days(year, 1, 1), date_year_days(year));
        for (int month = 1; month <= 12; month++) {
            int last = date_month_days(year, month);
            int64_t next = month == 12 ? date_days(year + 1, 1, 1) : date_days(year, month + 1, 1);
            assert_int_equal(date_days(year, month, last) + 1, next);
            assert_true(date_is(year, month, last) && !date_is(year, month, last + 1));
        }
    }
    assert_false(date_is(2026, 0, 1) || date_is(2026, 13, 1) || date_is(2026, 1, 0));
}

static void test_date_of_wall_is_the_day_also_before_1970(void **state)
{
    static const int64_t rows[][2] = {{0, 0},   {DAY_S - 1, 0}, {DAY_S, 1},
                                      {-1, -1}, {-DAY_S, -1},   {-DAY_S - 1, -2}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(date_of_wall(rows[i][0]), rows[i][1]);
}

static void test_instants_are_written_as_short_as_they_are_or_with_six_digits(void **state)
{
    static const struct {
        int64_t at;
        const char *brief, *us;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
        {1795514400500000, "2026-11-24T10:00:00.5Z", "2026-11-24T10:00:00.500000Z"},
        {1795514400000001, "2026-11-24T10:00:00.000001Z", "2026-11-24T10:00:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
        {-2000000, "1969-12-31T23:59:58Z", "1969-12-31T23:59:58.000000Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
        {INT64_MIN, "0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"},
    };
    char text[INSTANT_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(instant_format(rows[i].at, text), strlen(rows[i].brief));
        assert_string_equal(text, rows[i].brief);
        assert_int_equal(instant_format_us(rows[i].at, text), strlen(rows[i].us));
        assert_string_equal(text, rows[i].us);
    }
}

static const struct instant_row {
    const char *text;
    const char *back; /* NULL: refused */
} instant_rows[] = {
    {"2026-03-27T15:30:00Z", "2026-03-27T15:30:00Z"},
    {"2026-03-27T16:30:00.5+01:00", "2026-03-27T15:30:00.5Z"},
    {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
    {"2028-02-29T23:59:59.000001-23:59", "2028-03-01T23:58:59.000001Z"},
    {"2100-12-31T23:59:59Z", "2100-12-31T23:59:59Z"},
    {"2026-02-29T00:00:00Z", NULL},
    {"2026-00-10T00:00:00Z", NULL},
    {"2026-01-01T24:00:00Z", NULL},
    {"2026-01-01T00:60:00Z", NULL},
    {"2026-01-01T00:00:60Z", NULL},
    {"2026-01-01T00:00:00", NULL}, /* of which zone? */
    {"2026-01-01T00:00:00.Z", NULL},
    {"2026-01-01T00:00:00+24:00", NULL},
    {"2026-01-01", NULL},
    {"1969-12-31T23:59:59Z", NULL},
    {"2101-01-01T00:00:00Z", NULL},
    {" 2026-01-01T00:00:00Z", NULL},
    {"2026-01-01T00:00:00Zx", NULL},
};

static void test_instants_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof instant_rows / sizeof instant_rows[0]; i++) {
        const struct instant_row *row = &instant_rows[i];
        char text[INSTANT_BYTES] = "";
        int64_t at = 0;
        bool ok = instant_parse(span_of(row->text), &at);
        if (ok)
            (void)instant_format(at, text);
        if (ok != (row->back != NULL) || (ok && strcmp(text, row->back) != 0))
            fail_msg("%s: %s", row->text, ok ? text : "refused");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates_there_and_back),
        cmocka_unit_test(test_months_end_where_the_next_one_begins),
        cmocka_unit_test(test_date_of_wall_is_the_day_also_before_1970),
        cmocka_unit_test(test_instants_are_written_as_short_as_they_are_or_with_six_digits),
        cmocka_unit_test(test_instants_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
