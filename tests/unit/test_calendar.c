/* Working time: the hard cases, each with the reason for its answer. The rule behind all of them: an instant is open if the
 * wall clock then shows a date and a time inside an interval of that date. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "calendar_of.h"
#include "clock.h"

#include <string.h>

enum { H = 3600, M = 60 };

struct due_row {
    const char *name;
    const char *calendar; /* the value of one calendar in calendars.yaml */
    const char *start;
    int64_t work_s;
    const char *due;
};

#define OFFICE "{zone: UTC, hours: {mon-fri: [09:00-17:00]}}"
#define BERLIN(hours) "{zone: Europe/Berlin, hours: {mon-sun: [" hours "]}}"

static const struct due_row due_rows[] = {
    /* ---- the plain week; 2026-01-05 is a Monday ---- */
    {"inside one interval", OFFICE, "2026-01-05T09:00:00Z", 6 * H, "2026-01-05T15:00:00Z"},
    {"over the night", OFFICE, "2026-01-05T15:30:00Z", 6 * H, "2026-01-06T13:30:00Z"},
    {"over the weekend", OFFICE, "2026-01-09T16:00:00Z", 2 * H, "2026-01-12T10:00:00Z"},
    {"posted at night, the clock begins at the opening", OFFICE, "2026-01-05T22:11:12Z", 1 * H,
     "2026-01-06T10:00:00Z"},
    {"posted on Saturday", OFFICE, "2026-01-10T12:00:00Z", 24 * H, "2026-01-14T17:00:00Z"},
    /* Used up exactly at a closing: that closing, not the opening after it. */
    {"the closing instant", OFFICE, "2026-01-05T09:00:00Z", 8 * H, "2026-01-05T17:00:00Z"},
    {"the closing instant on Friday", OFFICE, "2026-01-05T09:00:00Z", 40 * H, "2026-01-09T17:00:00Z"},
    {"a second after it", OFFICE, "2026-01-05T09:00:00Z", 8 * H + 1, "2026-01-06T09:00:01Z"},
    /* Started at the closing: the end is not included, so nothing of that day is left. */
    {"started at the closing", OFFICE, "2026-01-05T17:00:00Z", 1, "2026-01-06T09:00:01Z"},
    {"a microsecond stays one", OFFICE, "2026-01-05T16:59:59.999999Z", 1, "2026-01-06T09:00:00.999999Z"},
    {"zero while open is the start", OFFICE, "2026-01-05T10:11:12.5Z", 0, "2026-01-05T10:11:12.5Z"},
    {"zero at the opening is the start", OFFICE, "2026-01-05T09:00:00Z", 0, "2026-01-05T09:00:00Z"},
    {"zero at the closing is the next opening", OFFICE, "2026-01-05T17:00:00Z", 0, "2026-01-06T09:00:00Z"},
    {"zero on Saturday is Monday", OFFICE, "2026-01-10T17:00:00Z", 0, "2026-01-12T09:00:00Z"},
    {"2,000 hours are 50 weeks", OFFICE, "2026-01-05T09:00:00Z", 2000 * H, "2026-12-18T17:00:00Z"},
    {"lunch is closed", "{zone: UTC, hours: {mon-fri: [09:00-12:30, 13:30-18:00]}}", "2026-01-05T12:00:00Z",
     1 * H, "2026-01-05T14:00:00Z"},
    {"the lunch's beginning is a closing", "{zone: UTC, hours: {mon-fri: [09:00-12:30, 13:30-18:00]}}",
     "2026-01-05T12:00:00Z", 30 * M, "2026-01-05T12:30:00Z"},
    {"overlaps and touching ones are one",
     "{zone: UTC, hours: {mon: [11:00-13:00, 09:00-12:00, 13:00-14:00, 09:30-10:00]}}",
     "2026-01-05T09:00:00Z", 5 * H, "2026-01-05T14:00:00Z"},
    {"a second more waits a week",
     "{zone: UTC, hours: {mon: [11:00-13:00, 09:00-12:00, 13:00-14:00, 09:30-10:00]}}",
     "2026-01-05T09:00:00Z", 5 * H + 1, "2026-01-12T09:00:01Z"},
    /* Peers count in minutes. */
    {"fractions of a minute", "{zone: UTC, hours: {mon-sun: [09:00:30-09:00:45]}}", "2026-01-05T00:00:00Z",
     31, "2026-01-07T09:00:31Z"},

    /* ---- midnight ---- */
    /* Peers lose a minute (or a second) between 23:59 and 00:00. */
    {"around the clock loses nothing", "{zone: UTC, hours: {mon-sun: [00:00-24:00]}}", "2026-01-05T12:34:56Z",
     1000 * 24 * H, "2028-10-01T12:34:56Z"},
    {"24:00 next to 00:00 goes on", "{zone: UTC, hours: {mon-sun: [18:00-24:00, 00:00-06:00]}}",
     "2026-01-05T18:00:00Z", 12 * H, "2026-01-06T06:00:00Z"},
    {"midnight itself is open there", "{zone: UTC, hours: {mon-sun: [18:00-24:00, 00:00-06:00]}}",
     "2026-01-06T00:00:00Z", 0, "2026-01-06T00:00:00Z"},
    {"over midnight is the same as two", "{zone: UTC, hours: {mon-sun: [18:00-06:00]}}",
     "2026-01-05T18:00:00Z", 12 * H + 1, "2026-01-06T18:00:01Z"},
    {"Friday's night ends on Saturday", "{zone: UTC, hours: {mon-fri: [22:00-06:00]}}",
     "2026-01-09T23:00:00Z", 7 * H, "2026-01-10T06:00:00Z"},
    {"and then it is Monday night", "{zone: UTC, hours: {mon-fri: [22:00-06:00]}}", "2026-01-09T23:00:00Z",
     7 * H + 1, "2026-01-12T22:00:01Z"},
    {"Sunday night ends on Monday", "{zone: UTC, hours: {sun: [22:00-06:00]}}", "2026-01-11T22:00:00Z", 8 * H,
     "2026-01-12T06:00:00Z"},
    {"until 24:00 closes at midnight", "{zone: UTC, hours: {mon: [20:00-24:00]}}", "2026-01-05T20:00:00Z",
     4 * H, "2026-01-06T00:00:00Z"},

    /* ---- spring: 2026-03-29, 02:00 to 03:00 is not there in Berlin ---- */
    {"a gap inside an interval is skipped", BERLIN("00:00-06:00"), "2026-03-29T00:00:00+01:00", 5 * H,
     "2026-03-29T06:00:00+02:00"},
    {"so the sixth hour is the next day's", BERLIN("00:00-06:00"), "2026-03-29T00:00:00+01:00", 6 * H,
     "2026-03-30T01:00:00+02:00"},
    {"an interval that begins in the gap begins after it", BERLIN("02:30-10:00"), "2026-03-29T00:00:00+01:00",
     0, "2026-03-29T03:00:00+02:00"},
    {"an interval that ends in the gap ends at it", BERLIN("00:00-02:30"), "2026-03-29T00:00:00+01:00", 2 * H,
     "2026-03-29T03:00:00+02:00"},
    {"and has nothing left after it", BERLIN("00:00-02:30"), "2026-03-29T00:00:00+01:00", 2 * H + 1,
     "2026-03-30T00:00:01+02:00"},
    {"an interval within the gap is not there", BERLIN("02:15-02:45"), "2026-03-29T00:00:00+01:00", 0,
     "2026-03-30T02:15:00+02:00"},
    {"one from 02:00 begins at 03:00", BERLIN("02:00-04:00"), "2026-03-29T00:00:00+01:00", 1 * H,
     "2026-03-29T04:00:00+02:00"},
    {"one until 03:00 has ended", BERLIN("01:00-03:00"), "2026-03-29T00:00:00+01:00", 1 * H,
     "2026-03-29T03:00:00+02:00"},

    /* ---- autumn: 2026-10-25, 02:00 to 03:00 comes twice in Berlin ---- */
    {"a fold inside an interval counts twice", BERLIN("00:00-06:00"), "2026-10-25T00:00:00+02:00", 7 * H,
     "2026-10-25T06:00:00+01:00"},
    {"the hour before the change is the first 02:xx", BERLIN("00:00-06:00"), "2026-10-25T00:00:00+02:00",
     2 * H + 30 * M, "2026-10-25T02:30:00+02:00"},
    {"the hour after it the second", BERLIN("00:00-06:00"), "2026-10-25T00:00:00+02:00", 3 * H + 30 * M,
     "2026-10-25T02:30:00+01:00"},
    /* 02:30-10:00: open at the first 02:30, closed when the clock shows 02:00 again, open at the second 02:30. */
    {"one that begins in the fold opens twice", BERLIN("02:30-10:00"), "2026-10-25T00:00:00+02:00", 30 * M,
     "2026-10-25T03:00:00+02:00"},
    {"and is closed in between", BERLIN("02:30-10:00"), "2026-10-25T00:00:00+02:00", 31 * M,
     "2026-10-25T02:31:00+01:00"},
    {"one that ends in the fold closes twice", BERLIN("00:00-02:30"), "2026-10-25T00:00:00+02:00",
     2 * H + 30 * M, "2026-10-25T02:30:00+02:00"},
    {"and opens at the second 02:00", BERLIN("00:00-02:30"), "2026-10-25T00:00:00+02:00", 2 * H + 45 * M,
     "2026-10-25T02:15:00+01:00"},
    {"one within the fold is there twice", BERLIN("02:15-02:45"), "2026-10-25T00:00:00+02:00", 1 * H,
     "2026-10-25T02:45:00+01:00"},
    /* Peers are off by the shift here. */
    {"office hours of the day after a change", BERLIN("09:00-17:00"), "2026-03-28T16:00:00+01:00", 2 * H,
     "2026-03-29T10:00:00+02:00"},
    /* 300 days hold the gap and the fold: real seconds, so they cancel only because both are inside. */
    {"gap and fold inside one interval", BERLIN("00:00-24:00"), "2026-03-01T00:00:00+01:00", 300 * 24 * H,
     "2026-12-26T00:00:00+01:00"},
    {"only the gap inside", BERLIN("00:00-24:00"), "2026-03-01T00:00:00+01:00", 100 * 24 * H,
     "2026-06-09T01:00:00+02:00"},
    {"the Sunday of the gap has 23 hours, that of the fold 25",
     "{zone: Europe/Berlin, hours: {sun: [00:00-24:00]}}", "2026-03-29T00:00:00+01:00", 23 * H + 29 * 24 * H,
     "2026-10-18T24:00:00+02:00"},
    {"and in 2099, by the rule alone", BERLIN("00:00-06:00"), "2099-03-29T00:00:00+01:00", 5 * H,
     "2099-03-29T06:00:00+02:00"},

    /* ---- other zones ---- */
    /* 2026-04-05 02:00 becomes 01:30: half an hour twice; 2026-10-04 02:00 becomes 02:30. */
    {"Lord Howe's fold is 30 minutes", "{zone: Australia/Lord_Howe, hours: {mon-sun: [00:00-06:00]}}",
     "2026-04-05T00:00:00+11:00", 6 * H + 30 * M, "2026-04-05T06:00:00+10:30"},
    {"Lord Howe's gap too", "{zone: Australia/Lord_Howe, hours: {mon-sun: [00:00-06:00]}}",
     "2026-10-04T00:00:00+10:30", 5 * H + 30 * M, "2026-10-04T06:00:00+11:00"},
    {"Lord Howe, a boundary in the fold", "{zone: Australia/Lord_Howe, hours: {mon-sun: [01:45-03:00]}}",
     "2026-04-05T00:00:00+11:00", 16 * M, "2026-04-05T01:46:00+10:30"},
    {"St John's is half an hour off", "{zone: America/St_Johns, hours: {mon-fri: [09:00-17:00]}}",
     "2026-07-01T00:00:00Z", 1 * H, "2026-07-01T12:30:00Z"},
    /* 2009-11-01 00:01 became Saturday 23:01: the Sunday's first minute, then an hour of Saturday, then Sunday again. */
    {"a fold over midnight: the date comes back", "{zone: America/St_Johns, hours: {sun: [00:00-00:30]}}",
     "2009-10-31T12:00:00-02:30", 1 * M, "2009-11-01T00:01:00-02:30"},
    {"and goes on an hour later", "{zone: America/St_Johns, hours: {sun: [00:00-00:30]}}",
     "2009-10-31T12:00:00-02:30", 31 * M, "2009-11-01T00:30:00-03:30"},
    {"Kathmandu is three quarters off", "{zone: Asia/Kathmandu, hours: {mon-fri: [09:00-17:00]}}",
     "2026-01-05T00:00:00Z", 15 * M, "2026-01-05T03:30:00Z"},
    {"Kathmandu's last quarter of an hour", "{zone: Asia/Kathmandu, hours: {mon-sun: [00:00-01:00]}}",
     "1985-12-31T12:00:00Z", 45 * M, "1985-12-31T19:15:00Z"},
    {"a zone that dropped summer time", "{zone: Europe/Istanbul, hours: {mon-fri: [09:00-17:00]}}",
     "2016-09-06T16:00:00+03:00", 2 * H, "2016-09-07T10:00:00+03:00"},
    {"stays without for good", "{zone: Europe/Istanbul, hours: {mon-fri: [09:00-17:00]}}",
     "2090-01-02T00:00:00Z", 1 * H, "2090-01-02T07:00:00Z"},
    {"Dublin's winter is the exception", "{zone: Europe/Dublin, hours: {mon-fri: [09:00-17:00]}}",
     "2026-01-05T00:00:00Z", 0, "2026-01-05T09:00:00Z"},
    {"Dublin's summer", "{zone: Europe/Dublin, hours: {mon-fri: [09:00-17:00]}}", "2026-07-01T00:00:00Z", 0,
     "2026-07-01T08:00:00Z"},
    /* Friday 2011-12-30 never was: a calendar of Fridays waits for the next one. */
    {"the day a zone skipped", "{zone: Pacific/Apia, hours: {fri: [09:00-17:00]}}",
     "2011-12-29T00:00:00-10:00", 0, "2012-01-06T09:00:00+14:00"},
    {"Thursday is followed by Saturday", "{zone: Pacific/Apia, hours: {mon-sun: [09:00-17:00]}}",
     "2011-12-29T12:00:00-10:00", 6 * H, "2011-12-31T10:00:00+14:00"},
    {"around the clock nothing is skipped", "{zone: Pacific/Apia, hours: {mon-sun: [00:00-24:00]}}",
     "2011-12-29T12:00:00-10:00", 24 * H, "2011-12-31T12:00:00+14:00"},
    /* 2018-11-04 began at 01:00; 2019-02-16 had its hour from 23:00 twice. */
    {"a gap at midnight", "{zone: America/Sao_Paulo, hours: {sun: [00:00-02:00]}}",
     "2018-11-03T12:00:00-03:00", 1 * H, "2018-11-04T02:00:00-02:00"},
    {"a fold before midnight", "{zone: America/Sao_Paulo, hours: {sat: [22:00-24:00]}}",
     "2019-02-16T12:00:00-02:00", 3 * H, "2019-02-17T00:00:00-03:00"},
    {"and the Sunday after it begins once", "{zone: America/Sao_Paulo, hours: {sun: [00:00-02:00]}}",
     "2019-02-16T12:00:00-02:00", 2 * H, "2019-02-17T02:00:00-03:00"},
    {"an offset with seconds", "{zone: Africa/Monrovia, hours: {mon-sun: [09:00-17:00]}}",
     "1971-06-01T00:00:00Z", 0, "1971-06-01T09:44:30Z"},

    /* ---- holidays and special days ---- */
    {"a holiday is closed", "{zone: UTC, hours: {mon-fri: [09:00-17:00]}, holidays: [2026-01-06]}",
     "2026-01-05T16:00:00Z", 2 * H, "2026-01-07T10:00:00Z"},
    {"a holiday on the weekend takes nothing",
     "{zone: UTC, hours: {mon-fri: [09:00-17:00]}, holidays: [2026-01-10, 2026-01-11]}",
     "2026-01-09T16:00:00Z", 2 * H, "2026-01-12T10:00:00Z"},
    {"the leap day is a day", "{zone: UTC, hours: {mon-fri: [09:00-17:00]}}", "2028-02-28T16:00:00Z", 2 * H,
     "2028-02-29T10:00:00Z"},
    {"a holiday on the leap day", "{zone: UTC, hours: {mon-fri: [09:00-17:00]}, holidays: [2028-02-29]}",
     "2028-02-28T16:00:00Z", 2 * H, "2028-03-01T10:00:00Z"},
    {"2100 has none", "{zone: UTC, hours: {mon-sun: [09:00-17:00]}}", "2100-02-28T16:00:00Z", 2 * H,
     "2100-03-01T10:00:00Z"},
    {"a special day overrules the hours",
     "{zone: UTC, hours: {mon-fri: [09:00-17:00]}, special: {2026-01-06: [09:00-12:00]}}",
     "2026-01-06T09:00:00Z", 4 * H, "2026-01-07T10:00:00Z"},
    {"holiday and special on one date: the special holds",
     "{zone: UTC, hours: {mon-fri: [09:00-17:00]}, holidays: [2026-01-06], special: {2026-01-06: "
     "[10:00-12:00]}}",
     "2026-01-05T17:00:00Z", 1 * H, "2026-01-06T11:00:00Z"},
    {"a Saturday that works",
     "{zone: UTC, hours: {mon-fri: [09:00-17:00]}, special: {2026-01-10: [10:00-14:00]}}",
     "2026-01-09T16:00:00Z", 2 * H, "2026-01-10T11:00:00Z"},
    {"an empty special day is closed",
     "{zone: UTC, hours: {mon-fri: [09:00-17:00]}, special: {2026-01-06: []}}", "2026-01-05T16:00:00Z", 2 * H,
     "2026-01-07T10:00:00Z"},
    /* 2026-06-15 in Apia begins at 11:00 of the 14th in UTC: peers match the date of UTC. */
    {"dates are the zone's, never UTC's",
     "{zone: Pacific/Apia, hours: {mon-sun: [00:00-24:00]}, special: {2026-06-15: [08:00-09:00]}}",
     "2026-06-14T00:00:00+13:00", 25 * H, "2026-06-15T09:00:00+13:00"},
    {"and a holiday west of Greenwich",
     "{zone: America/St_Johns, hours: {mon-fri: [18:00-23:00]}, holidays: [2026-01-06]}",
     "2026-01-05T22:00:00-03:30", 2 * H, "2026-01-07T19:00:00-03:30"},
    {"a holiday on the day of the gap",
     "{zone: Europe/Berlin, hours: {mon-sun: [00:00-06:00]}, holidays: [2026-03-29]}",
     "2026-03-28T05:00:00+01:00", 2 * H, "2026-03-30T01:00:00+02:00"},
    /* The night from the 5th is two intervals; the one after midnight is the 6th's, which is a holiday. */
    {"a holiday closes its own date only",
     "{zone: UTC, hours: {mon-sun: [22:00-06:00]}, holidays: [2026-01-06]}", "2026-01-05T22:00:00Z",
     2 * H + 1, "2026-01-07T00:00:01Z"},
    /* A special day that goes over midnight brings its own part of the next date, even into a holiday. */
    {"a special night ends on the next date",
     "{zone: UTC, hours: {mon-fri: [09:00-17:00]}, holidays: [2026-01-11], special: {2026-01-10: "
     "[22:00-02:00]}}",
     "2026-01-10T22:00:00Z", 4 * H, "2026-01-11T02:00:00Z"},
    {"unless that has hours of its own",
     "{zone: UTC, hours: {mon-fri: [09:00-17:00]}, special: {2026-01-10: [22:00-02:00], 2026-01-11: "
     "[20:00-21:00]}}",
     "2026-01-10T22:00:00Z", 3 * H, "2026-01-11T21:00:00Z"},
};

static int64_t instant_of(const char *text)
{
    char plain[40];
    int64_t at = 0;

    /* "24:00" reads well in a table; RFC 3339 has no such hour. */
    (void)snprintf(plain, sizeof plain, "%s", text);
    bool is_end = strncmp(plain + 11, "24", 2) == 0;
    if (is_end)
        memcpy(plain + 11, "00", 2);
    if (!instant_parse(span_of(plain), &at))
        fail_msg("%s is no instant", text);
    return at + (is_end ? 24 * H * US_PER_S : 0);
}

static struct calendar *calendar_open(const char *value, struct test_calendar *ret)
{
    char yaml[1024], why[512];

    (void)snprintf(yaml, sizeof yaml, "c: %s\n", value);
    if (!calendar_of(yaml, NULL, ret, why))
        fail_msg("%s: %s", value, why);
    return ret->calendar;
}

static void test_due_each_hard_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof due_rows / sizeof due_rows[0]; i++) {
        const struct due_row *row = &due_rows[i];
        struct test_calendar c;
        struct calendar *calendar = calendar_open(row->calendar, &c);
        int64_t start = instant_of(row->start), want = instant_of(row->due), due = 0;
        char text[INSTANT_BYTES];
        struct err err;

        if (!calendar_due(calendar, start, row->work_s * US_PER_S, &due, &err))
            fail_msg("%s: %s", row->name, err.msg);
        (void)instant_format(due, text);
        if (due != want)
            fail_msg("%s: got %s, want %s", row->name, text, row->due);
        /* Both directions are inverse, and no earlier instant would do. */
        assert_int_equal(calendar_elapsed(calendar, start, due), row->work_s * US_PER_S);
        if (row->work_s != 0)
            assert_true(calendar_elapsed(calendar, start, due - 1) < row->work_s * US_PER_S);
        else
            assert_true(calendar_is_open(calendar, due));
        calendar_end(&c);
    }
}

static void test_due_when_outside_the_years_then_error(void **state)
{
    (void)state;
    struct test_calendar c;
    struct calendar *calendar = calendar_open(OFFICE, &c);
    int64_t due = 7;
    struct err err;

    assert_false(calendar_due(calendar, -1, 0, &due, &err));
    assert_false(calendar_due(calendar, CALENDAR_END_US, 0, &due, &err));
    assert_false(calendar_due(calendar, 0, -1, &due, &err));
    assert_false(calendar_due(calendar, 0, INT64_MAX, &due, &err));
    assert_false(calendar_due(calendar, instant_of("2100-12-31T16:00:00Z"), 2 * H * US_PER_S, &due, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(due, 7);
    assert_true(calendar_due(calendar, instant_of("2100-12-31T16:00:00Z"), 1 * H * US_PER_S, &due, &err));
    assert_true(calendar_due(calendar, 0, 1, &due, &err));
    assert_int_equal(due, 9 * H * US_PER_S + 1); /* 1970-01-01 was a Thursday */
    calendar_end(&c);
}

static void test_elapsed_when_backwards_or_beyond_then_bounded(void **state)
{
    (void)state;
    struct test_calendar c;
    struct calendar *calendar = calendar_open(OFFICE, &c);
    int64_t a = instant_of("2026-01-05T10:00:00Z"), b = instant_of("2026-01-06T10:00:00Z");

    assert_int_equal(calendar_elapsed(calendar, a, b), 8 * H * US_PER_S);
    assert_int_equal(calendar_elapsed(calendar, b, a), 0);
    assert_int_equal(calendar_elapsed(calendar, a, a), 0);
    assert_int_equal(calendar_elapsed(calendar, INT64_MIN, INT64_MAX),
                     calendar_elapsed(calendar, CALENDAR_BEGIN_US, CALENDAR_END_US));
    calendar_end(&c);
}

static void test_changes_and_days_go_by_the_zone(void **state)
{
    (void)state;
    struct test_calendar c;
    struct calendar *calendar = calendar_open(
        "{zone: America/Sao_Paulo, hours: {mon-sun: [00:00-01:00, 23:00-24:00]}, holidays: [2019-02-18]}",
        &c);
    int64_t at = instant_of("2019-02-16T12:00:00-02:00");

    /* The hour before midnight comes twice, then Sunday's first hour joins it: one span of three hours. */
    at = calendar_next_change(calendar, at);
    assert_int_equal(at, instant_of("2019-02-16T23:00:00-02:00"));
    assert_true(calendar_is_open(calendar, at));
    assert_false(calendar_is_open(calendar, at - 1));
    at = calendar_next_change(calendar, at);
    assert_int_equal(at, instant_of("2019-02-17T01:00:00-03:00"));
    assert_false(calendar_is_open(calendar, at));
    /* Working days after Saturday: Sunday, then Tuesday, for Monday is a holiday. */
    at = instant_of("2019-02-16T12:00:00-02:00");
    assert_int_equal(calendar_add_days(calendar, at, 1), instant_of("2019-02-17T00:00:00-03:00"));
    assert_int_equal(calendar_add_days(calendar, at, 2), instant_of("2019-02-19T00:00:00-03:00"));
    assert_int_equal(calendar_add_days(calendar, instant_of("2100-12-31T12:00:00Z"), 5), CALENDAR_END_US);
    calendar_end(&c);
}

static const struct refused_row {
    const char *calendar, *why;
} refused_rows[] = {
    {"{zone: UTC, hours: {mon: []}}", "calendars.yaml:1:1: c: has no hours"},
    {"{zone: Nowhere/City, hours: {mon: [09:00-10:00]}}",
     "calendars.yaml:1:11: calendar c: no time zone Nowhere/City is known here"},
    {"{zone: ../../etc/passwd, hours: {mon: [09:00-10:00]}}",
     "calendars.yaml:1:11: calendar c: not the name of a time zone"},
    {"{zone: /Europe/Berlin, hours: {mon: [09:00-10:00]}}",
     "calendars.yaml:1:11: calendar c: not the name of a time zone"},
};

static void test_calendar_refused_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused_rows / sizeof refused_rows[0]; i++) {
        char yaml[512], why[512];
        struct test_calendar c;
        (void)snprintf(yaml, sizeof yaml, "c: %s\n", refused_rows[i].calendar);
        if (calendar_of(yaml, NULL, &c, why))
            fail_msg("%s was taken", refused_rows[i].calendar);
        if (strncmp(why, refused_rows[i].why, strlen(refused_rows[i].why)) != 0)
            fail_msg("want %s\ngot  %s", refused_rows[i].why, why);
    }
}

/* Peers loop for ever over a calendar that never opens. */
static void test_calendar_never_open_is_an_error(void **state)
{
    (void)state;
    struct calendar_hours hours = {9 * H, 17 * H};
    struct calendar_special closed[CALENDAR_CLOSED_DAYS_MAX + 8], once = {20000, false, {&hours, 1}};
    struct calendar_spec spec = {.specials = &once, .special_count = 1};
    struct calendar *calendar = NULL;
    struct err err;

    assert_false(calendar_new(&spec, &calendar, &err)); /* a single special day in 130 years */
    assert_non_null(strstr(err.msg, "never open within 400 days"));
    for (size_t i = 0; i < 7; i++)
        spec.week[i] = (struct calendar_day){&hours, 1};
    for (int i = 0; i < CALENDAR_CLOSED_DAYS_MAX + 8; i++)
        closed[i] = (struct calendar_special){20000 + i, true, {NULL, 0}};
    spec.specials = closed;
    spec.special_count = CALENDAR_CLOSED_DAYS_MAX + 8;
    assert_false(calendar_new(&spec, &calendar, &err)); /* holidays for over a year */
    spec.special_count = CALENDAR_CLOSED_DAYS_MAX - 1;
    assert_true(calendar_new(&spec, &calendar, &err));
    calendar_free(calendar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due_each_hard_case),
        cmocka_unit_test(test_due_when_outside_the_years_then_error),
        cmocka_unit_test(test_elapsed_when_backwards_or_beyond_then_bounded),
        cmocka_unit_test(test_changes_and_days_go_by_the_zone),
        cmocka_unit_test(test_calendar_refused_says_why),
        cmocka_unit_test(test_calendar_never_open_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
