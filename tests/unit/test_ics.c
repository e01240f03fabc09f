/* Holidays out of iCalendar files: which days, which hours, and every file that must be refused, with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "calendar_of.h"
#include "clock.h"
#include "date.h"
#include "ics.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* A whole file around the lines of its events; '|' ends a line. */
static char *file_of(const char *lines)
{
    static const char head[] = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", tail[] = "END:VCALENDAR\r\n";
    size_t len = strlen(lines), room = 2 * len + sizeof head + sizeof tail + 2;
    char *text = mem_new(room, 1), *at = text + sizeof head - 1;

    memcpy(text, head, sizeof head);
    for (const char *p = lines; *p != '\0'; p++)
        if (*p == '|')
            *at++ = '\r', *at++ = '\n';
        else
            *at++ = *p;
    memcpy(at, tail, sizeof tail);
    return text;
}

#define EVENT(lines) "BEGIN:VEVENT|UID:a|" lines "|END:VEVENT|"

static void wall_format(int64_t wall_s, bool is_date, char *ret)
{
    char text[INSTANT_BYTES];

    (void)instant_format(wall_s * US_PER_S, text);
    if (is_date)
        (void)snprintf(ret, 40, "%.10s", text);
    else
        (void)snprintf(ret, 40, "%.10s %.5s", text, text + 11);
}

/* "2026-12-25", "2026-12-25..27" by the days it covers, "2026-12-24 12:00-2026-12-24 17:00"; ", " between. */
static void spans_format(const struct ics_spans *spans, char *ret, size_t size)
{
    ret[0] = '\0';
    for (size_t i = 0; i < spans->count && i < 20; i++) {
        const struct ics_span *s = &spans->items[i];
        char from[40], until[40];
        size_t len = strlen(ret);
        wall_format(s->from_s, s->all_day, from);
        wall_format(s->all_day ? s->until_s - 86400 : s->until_s, s->all_day, until);
        (void)snprintf(ret + len, size - len, "%s%s%s%s", i == 0 ? "" : ", ", from,
                       s->all_day && strcmp(from, until) == 0 ? ""
                       : s->all_day                           ? ".."
                                                              : "-",
                       s->all_day && strcmp(from, until) == 0 ? "" : until);
    }
}

static bool read_lines(const char *lines, struct ics_spans *ret, struct faults *faults)
{
    struct zone *home = NULL;
    char *text = file_of(lines);

    assert_true(zone_open(TEST_ZONES, "Europe/Berlin", &home, NULL));
    bool ok = ics_read("holidays/x.ics", span_of(text), home, TEST_ZONES, NULL, ret, faults);
    zone_free(home);
    free(text);
    return ok;
}

static const struct span_row {
    const char *name, *lines, *spans;
} span_rows[] = {
    {"no events", "", ""},
    {"a date is a day", EVENT("DTSTART;VALUE=DATE:20261225"), "2026-12-25"},
    {"VALUE=DATE is often left out", EVENT("DTSTART:20261225"), "2026-12-25"},
    /* DTEND is the day after the last: libical's own spans end a day too late. */
    {"two days", EVENT("DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261227"), "2026-12-25..2026-12-26"},
    {"over the year's end", EVENT("DTSTART;VALUE=DATE:20261224|DTEND;VALUE=DATE:20270102"),
     "2026-12-24..2027-01-01"},
    {"the same end is a day", EVENT("DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261225"), "2026-12-25"},
    {"a duration in days", EVENT("DTSTART;VALUE=DATE:20261225|DURATION:P2D"), "2026-12-25..2026-12-26"},
    {"a duration in weeks", EVENT("DTSTART;VALUE=DATE:20260803|DURATION:P1W"), "2026-08-03..2026-08-09"},
    {"half a day", EVENT("DTSTART:20261224T120000|DTEND:20261224T170000"),
     "2026-12-24 12:00-2026-12-24 17:00"},
    {"half a day by its length", EVENT("DTSTART:20261224T120000|DURATION:PT5H"),
     "2026-12-24 12:00-2026-12-24 17:00"},
    {"a time in UTC is turned", EVENT("DTSTART:20261224T110000Z|DTEND:20261224T160000Z"),
     "2026-12-24 12:00-2026-12-24 17:00"},
    {"a time of another zone too",
     EVENT("DTSTART;TZID=Asia/Kathmandu:20261224T100000|DTEND;TZID=Asia/Kathmandu:20261224T110000"),
     "2026-12-24 05:15-2026-12-24 06:15"},
    {"a time of a zone as Windows calls it",
     EVENT("DTSTART;TZID=W. Europe Standard Time:20261224T120000|DTEND;TZID=\"w. europe standard "
           "time\":20261224T170000"),
     "2026-12-24 12:00-2026-12-24 17:00"},
    {"a time of a zone behind a program's path",
     EVENT("DTSTART;TZID=/freeassociation.sourceforge.net/Asia/Kathmandu:20261224T100000|DURATION:PT1H"),
     "2026-12-24 05:15-2026-12-24 06:15"},
    {"properties that say nothing", EVENT("DTSTART;VALUE=DATE:20261225|DESCRIPTION:|LOCATION:|SUMMARY:|X-A:"),
     "2026-12-25"},
    {"hours are hours when clocks are set", EVENT("DTSTART:20260328T200000|DURATION:PT12H"),
     "2026-03-28 20:00-2026-03-29 09:00"},
    {"days, then hours", EVENT("DTSTART:20261024T200000|DURATION:P1DT2H|RRULE:FREQ=WEEKLY;COUNT=2"),
     "2026-10-24 20:00-2026-10-25 22:00, 2026-10-31 20:00-2026-11-01 22:00"},
    {"hours when they are set back", EVENT("DTSTART:20261024T200000|DURATION:PT12H"),
     "2026-10-24 20:00-2026-10-25 07:00"},
    {"days are the wall clock's", EVENT("DTSTART:20260328T200000|DURATION:P1D"),
     "2026-03-28 20:00-2026-03-29 20:00"},
    {"an end is the wall clock's", EVENT("DTSTART:20260328T200000|DTEND:20260329T080000"),
     "2026-03-28 20:00-2026-03-29 08:00"},
    {"a point in time closes nothing", EVENT("DTSTART:20261224T120000"), ""},
    {"folded lines", EVENT("DTSTART;VAL|\tUE=DATE:2026|  |\t1225"), NULL},
    {"lines folded anywhere", EVENT("DTSTART;VAL| UE=DATE:2026|\t1225"), "2026-12-25"},
    {"a colon inside quotes", EVENT("DTSTART;VALUE=DATE:20261225|ATTENDEE;CN=\"a:b\":mailto:x@example.com"),
     "2026-12-25"},
    {"alarms and time zones are passed over",
     "BEGIN:VTIMEZONE|TZID:X|BEGIN:STANDARD|DTSTART:16010101T000000|RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11|"
     "END:STANDARD|END:VTIMEZONE|" EVENT(
         "DTSTART;VALUE=DATE:20261225|BEGIN:VALARM|TRIGGER:-PT5M|DTSTART:nonsense|END:VALARM"),
     "2026-12-25"},
    {"yearly by its date", EVENT("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;COUNT=3"),
     "2026-12-25, 2027-12-25, 2028-12-25"},
    {"until and with that day", EVENT("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;UNTIL=20281225"),
     "2026-12-25, 2027-12-25, 2028-12-25"},
    {"a day less is without", EVENT("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;UNTIL=20281224"),
     "2026-12-25, 2027-12-25"},
    {"until as a time", EVENT("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;UNTIL=20271225T000000Z"),
     "2026-12-25, 2027-12-25"},
    {"before it began only the start counts",
     EVENT("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;UNTIL=20200101"), "2026-12-25"},
    {"fourth Thursday of November",
     EVENT("DTSTART;VALUE=DATE:20261126|RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=3"),
     "2026-11-26, 2027-11-25, 2028-11-23"},
    {"last Monday of May",
     EVENT("DTSTART;VALUE=DATE:20260525|RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=2"),
     "2026-05-25, 2027-05-31"},
    {"a start that the rule does not name counts too",
     EVENT("DTSTART;VALUE=DATE:20260101|RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;UNTIL=20270101"),
     "2026-01-01, 2026-05-25"},
    {"leap days only",
     EVENT("DTSTART;VALUE=DATE:20240229|RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;UNTIL=20330101"),
     "2024-02-29, 2028-02-29, 2032-02-29"},
    {"every second week", EVENT("DTSTART;VALUE=DATE:20260105|RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3"),
     "2026-01-05, 2026-01-19, 2026-02-02"},
    {"daily over a change of the clock stays at its hour",
     EVENT("DTSTART:20260328T120000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2"),
     "2026-03-28 12:00-2026-03-28 13:00, 2026-03-29 12:00-2026-03-29 13:00"},
    {"and one in UTC at its own", EVENT("DTSTART:20260328T110000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2"),
     "2026-03-28 12:00-2026-03-28 13:00, 2026-03-29 13:00-2026-03-29 14:00"},
    {"further dates", EVENT("DTSTART;VALUE=DATE:20261225|RDATE;VALUE=DATE:20261231,20270106"),
     "2026-12-25, 2026-12-31, 2027-01-06"},
    {"without an exception",
     EVENT("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;COUNT=3|EXDATE;VALUE=DATE:20271225"),
     "2026-12-25, 2028-12-25"},
    /* libical ignores an EXDATE of the other type. */
    {"an exception that is a time takes that day",
     EVENT("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;COUNT=3|EXDATE:20271225T000000Z"),
     "2026-12-25, 2028-12-25"},
    {"an exception that is a date takes the time of that day",
     EVENT("DTSTART:20261224T120000|DURATION:PT5H|RRULE:FREQ=YEARLY;COUNT=2|EXDATE;VALUE=DATE:20271224"),
     "2026-12-24 12:00-2026-12-24 17:00"},
    {"several exceptions on a line, and lines",
     EVENT("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;COUNT=4|EXDATE;VALUE=DATE:20261225,20271225|"
           "EXDATE;VALUE=DATE:20281225"),
     "2029-12-25"},
    /* libical does not apply RECURRENCE-ID at all. */
    {"one instance is moved",
     EVENT("DTSTART;VALUE=DATE:20261226|RRULE:FREQ=YEARLY;COUNT=3")
         EVENT("RECURRENCE-ID;VALUE=DATE:20271226|DTSTART;VALUE=DATE:20271227"),
     "2026-12-26, 2027-12-27, 2028-12-26"},
    {"one instance is cancelled, told before its master",
     EVENT("RECURRENCE-ID;VALUE=DATE:20271226|DTSTART;VALUE=DATE:20271226|STATUS:CANCELLED")
         EVENT("DTSTART;VALUE=DATE:20261226|RRULE:FREQ=YEARLY;COUNT=3"),
     "2026-12-26, 2028-12-26"},
    {"an override of another event leaves this alone",
     EVENT("DTSTART;VALUE=DATE:20261226|RRULE:FREQ=YEARLY;COUNT=2") "BEGIN:VEVENT|UID:b|RECURRENCE-ID;VALUE="
                                                                    "DATE:20271226|DTSTART;VALUE=DATE:"
                                                                    "20270101|END:VEVENT|",
     "2026-12-26, 2027-01-01, 2027-12-26"},
    {"a cancelled event is none", EVENT("DTSTART;VALUE=DATE:20261226|STATUS:CANCELLED"), ""},
    {"free or busy, a holiday is one", EVENT("DTSTART;VALUE=DATE:20261226|TRANSP:TRANSPARENT"), "2026-12-26"},
    {"before 1970 and after 2100 there is nothing",
     EVENT("DTSTART;VALUE=DATE:19600101|RRULE:FREQ=YEARLY;INTERVAL=50"), "2010-01-01, 2060-01-01"},
};

static void test_spans_of_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof span_rows / sizeof span_rows[0]; i++) {
        const struct span_row *row = &span_rows[i];
        struct ics_spans spans = {.items = NULL};
        struct faults faults = {NULL, 0, 0};
        char got[2048] = "";
        bool ok = read_lines(row->lines, &spans, &faults);
        if (ok != (row->spans != NULL))
            fail_msg("%s: %s", row->name, ok ? "was taken" : faults.items[0].text);
        if (ok)
            spans_format(&spans, got, sizeof got);
        if (ok && strcmp(got, row->spans) != 0)
            fail_msg("%s:\n got %s\nwant %s", row->name, got, row->spans);
        ics_spans_clear(&spans);
        faults_clear(&faults);
    }
}

#define GOOD "DTSTART;VALUE=DATE:20261225"

static const struct refused_row {
    const char *lines, *fault; /* lines begin at line 3; those of EVENT at 5 */
} refused_rows[] = {
    {EVENT("DTSTART;VALUE=DATE:20210229"), "5:1: DTSTART: \"20210229\" is no date"}, /* libical: 1 March */
    {EVENT("DTSTART;VALUE=DATE:2021-02-01"), "5:1: DTSTART: \"2021-02-01\" is no date"},
    {EVENT("DTSTART;VALUE=DATE:20211301"), "5:1: DTSTART: \"20211301\" is no date"},
    {EVENT("DTSTART:20210101T250000"), "5:1: DTSTART: \"20210101T250000\" is no date"},
    {EVENT("DTSTART;VALUE=DATE:20210101T120000"), "5:1: DTSTART: says VALUE=DATE and has a time"},
    {EVENT("DTSTART;TZID=Nowhere/City:20210101T120000"), "5:1: TZID: no time zone Nowhere/City"},
    {EVENT("DTSTART;TZID=../../etc:20210101T120000"), "5:1: TZID: not the name of a time zone"},
    {EVENT("SUMMARY:x"), "3:1: VEVENT: has no DTSTART"},
    {EVENT(GOOD "|" GOOD), "6:1: DTSTART: a second one"},
    {EVENT(GOOD "|DTEND;VALUE=DATE:20261224"), "3:1: VEVENT: ends before it begins"},
    {EVENT(GOOD "|DTEND:20261226T100000"), "3:1: VEVENT: one of DTSTART and DTEND is a date"},
    {EVENT(GOOD "|DTEND;VALUE=DATE:20261226|DURATION:P1D"), "3:1: VEVENT: has both DTEND and DURATION"},
    {EVENT(GOOD "|DURATION:PT5H"), "3:1: VEVENT: begins with a date and lasts no whole days"},
    {EVENT(GOOD "|DURATION:-P1D"), "6:1: DURATION: \"-P1D\" is not allowed"},
    {EVENT(GOOD "|DURATION:soon"), "6:1: DURATION: is not a property that can be read"},
    {EVENT(GOOD "|RRULE:FREQ=YEARLY;BYMONTHDAY=99"),
     "6:1: RRULE: is not a property that can be read, want one such as FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25"},
    {EVENT(GOOD "|DTEND;VALUE=DATE:20291225"), "3:1: VEVENT: lasts longer than 400 days"},
    /* A bad rule vanishes in libical, and the event counts once. */
    {EVENT(GOOD "|RRULE:FREQ=YEARLY;BYFOO=1"), "6:1: RRULE: is not a property"},
    {EVENT(GOOD "|RRULE:FREQ=SECONDLY"),
     "6:1: RRULE: \"FREQ=SECONDLY\" is not allowed, want FREQ=DAILY, WEEKLY"},
    {EVENT(GOOD "|RRULE:FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30"),
     "6:1: RRULE: \"FREQ=MINUTELY\" is not allowed"},
    {EVENT(GOOD "|RRULE:FREQ=HOURLY"), "6:1: RRULE: \"FREQ=HOURLY\" is not allowed"},
    {EVENT(GOOD "|RRULE:FREQ=YEARLY;BYHOUR=1,2,3"),
     "6:1: RRULE: \"BYHOUR=1,2,3\" is not allowed, want FREQ, INTERVAL"},
    {EVENT(GOOD "|RRULE:FREQ=DAILY;BYSECOND=1"), "6:1: RRULE: \"BYSECOND=1\" is not allowed"},
    {EVENT(GOOD "|RRULE:INTERVAL=2"), "6:1: RRULE: "},
    {EVENT(GOOD "|RRULE:FREQ=DAILY;COUNT=2;UNTIL=20300101"), "6:1: RRULE: "},
    {EVENT(GOOD "|RRULE:FREQ=DAILY;COUNT=99999999999"), "6:1: RRULE: \"COUNT=99999999999\" is not allowed"},
    {EVENT(GOOD "|RRULE:FREQ=DAILY;UNTIL=20210229"), "6:1: RRULE: \"UNTIL=20210229\" is not allowed"},
    {EVENT(GOOD "|RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
     "6:1: RRULE: \"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\" matches no date"},
    {EVENT(GOOD "|RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "6:1: RRULE: matches no date until 2100"},
    {EVENT(GOOD "|RRULE:FREQ=YEARLY;BYMONTH=13"), "6:1: RRULE: "},
    {EVENT(GOOD "|RRULE:FREQ=DAILY"), "6:1: more than 10000 instances"},
    {EVENT(GOOD "|RRULE:FREQ=YEARLY|RRULE:FREQ=MONTHLY"), "7:1: RRULE: a second one"},
    {EVENT(GOOD "|EXRULE:FREQ=YEARLY"), "6:1: EXRULE: is not allowed, want EXDATE"},
    {EVENT(GOOD "|EXDATE;VALUE=DATE:20261225,2026"), "6:1: EXDATE: "},
    {EVENT(GOOD "|EXDATE;VALUE=DATE:20261225,"), "6:1: EXDATE: "},
    {EVENT(GOOD "|RDATE;VALUE=PERIOD:20261225T000000Z/PT1H"),
     "6:1: RDATE: \"20261225T000000Z/PT1H\" is no date"},
    {EVENT(GOOD "|RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20261225"),
     "6:1: RECURRENCE-ID: RANGE is not allowed"},
    {EVENT(GOOD "|RECURRENCE-ID;VALUE=DATE:20261225|RRULE:FREQ=YEARLY"),
     "3:1: VEVENT: has both RECURRENCE-ID and RRULE"},
    {EVENT("DTSTART"), "5:1: is no line of iCalendar"},
    {EVENT("DTSTART:"), "5:1: DTSTART: is not a property"},
    {"BEGIN:VEVENT|UID:a|" GOOD "|", "6:1: END: closes what is not open"},
    {"END:VEVENT|", "3:1: END: closes what is not open"},
    {"BEGIN:VCALENDAR|", "3:1: BEGIN: want VCALENDAR outermost"},
    {"BEGIN:A|BEGIN:A|BEGIN:A|BEGIN:A|BEGIN:A|BEGIN:A|BEGIN:A|BEGIN:A|", "10:1: BEGIN: nested too deep"},
    {"END:VCALENDAR|BEGIN:VEVENT|", "4:1: BEGIN: want VCALENDAR outermost"},
    {"END:VCALENDAR|X:y|BEGIN:VCALENDAR|", "4:1: is outside of BEGIN:VCALENDAR"},
    {EVENT(GOOD "|SUMMARY:a\x01"), "6:1: "},
    {EVENT(GOOD "|SUMMARY:a\xff"), "6:10: is not UTF-8"},
};

static void test_faulty_files_are_refused_with_their_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused_rows / sizeof refused_rows[0]; i++) {
        const struct refused_row *row = &refused_rows[i];
        struct ics_spans spans = {.count = 7};
        struct faults faults = {NULL, 0, 0};
        bool found = false;
        if (read_lines(row->lines, &spans, &faults))
            fail_msg("%s: was taken", row->lines);
        for (size_t k = 0; k < faults.count; k++)
            found = found ||
                    strncmp(faults.items[k].text + strlen("holidays/x.ics:"), row->fault,
                            strlen(row->fault)) == 0 ||
                    strstr(faults.items[k].text, row->fault) != NULL;
        if (!found)
            fail_msg("%s:\n got %s\nwant %s", row->lines, faults.items[0].text, row->fault);
        assert_int_equal(spans.count, 7); /* untouched */
        faults_clear(&faults);
    }
}

static void test_all_faults_are_told_at_once(void **state)
{
    (void)state;
    struct ics_spans spans = {.items = NULL};
    struct faults faults = {NULL, 0, 0};

    assert_false(
        read_lines(EVENT("DTSTART:x") EVENT(GOOD "|RRULE:FREQ=HOURLY") EVENT("SUMMARY:y"), &spans, &faults));
    assert_int_equal(faults.count, 4); /* a start that cannot be read, and the event without one */
    faults_clear(&faults);
}

/* ---- limits ---- */

/* A file within its own limits, and again and again as 400 calendars might name it: the sum ends it, and it is told once. */
static void test_many_files_together_may_not_take_longer_than_one_should(void **state)
{
    static const char *const rules[] = {"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29", "FREQ=MONTHLY;BYDAY=5MO",
                                        "FREQ=YEARLY"};
    (void)state;
    for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
        struct ics_budget budget = {ICS_WORK_MAX - ICS_WORK_MAX / 10}; /* nine tenths were used by others */
        struct faults faults = {NULL, 0, 0};
        struct zone *home = NULL;
        char text[512];
        size_t taken = 0, refused = 0;
        assert_true(zone_open(TEST_ZONES, "UTC", &home, NULL));
        (void)snprintf(text, sizeof text,
                       "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:19720101\nRRULE:%s\nEND:VEVENT\n"
                       "END:VCALENDAR\n",
                       rules[r]);
        for (size_t i = 0; i < 300; i++) {
            struct ics_spans spans = {.items = NULL};
            if (ics_read("x.ics", span_of(text), home, TEST_ZONES, &budget, &spans, &faults))
                taken++;
            else
                refused++;
            ics_spans_clear(&spans);
        }
        assert_true(taken >= (r == 0 ? 2 : 50));
        assert_true(r == 2 ? refused == 0 : refused > 0);
        assert_int_equal(faults.count, r == 2 ? 0 : 1);
        assert_true(r == 2 || strstr(faults.items[0].text, "too much work") != NULL);
        faults_clear(&faults);
        zone_free(home);
    }
}

static void refuse_bytes(const char *bytes, size_t len, const char *want)
{
    struct ics_spans spans = {.items = NULL};
    struct faults faults = {NULL, 0, 0};
    struct zone *home = NULL;

    assert_true(zone_open(TEST_ZONES, "UTC", &home, NULL));
    if (ics_read("x.ics", (struct span){bytes, len}, home, TEST_ZONES, NULL, &spans, &faults))
        fail_msg("was taken, want %s", want);
    if (strstr(faults.items[0].text, want) == NULL)
        fail_msg("got %s\nwant %s", faults.items[0].text, want);
    faults_clear(&faults);
    zone_free(home);
}

/* count times the same lines. */
static char *repeat(const char *lines, size_t count)
{
    size_t len = strlen(lines);
    char *text = mem_new(len * count + 1, 1);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, lines, len);
    char *file = file_of(text);
    free(text);
    return file;
}

static void refuse_repeated(const char *lines, size_t count, const char *want)
{
    char *file = repeat(lines, count);
    refuse_bytes(file, strlen(file), want);
    free(file);
}

static void test_limits(void **state)
{
    (void)state;
    char *big = mem_new(ICS_BYTES_MAX + 1, 1), *line;

    memset(big, 'x', ICS_BYTES_MAX + 1);
    refuse_bytes(big, ICS_BYTES_MAX + 1, "want at most 1048576");
    memcpy(big, "BEGIN:VCALENDAR\n", 16);
    refuse_bytes(big, ICS_LINE_BYTES_MAX + 17, "x.ics:2:1: the line is longer than 65536 bytes");
    free(big);
    refuse_bytes("BEGIN:VCALENDAR\0", 16, "x.ics:1:16: holds a NUL");
    refuse_bytes("BEGIN:VCALENDAR\nX:\xc3\xbc\xc3(", 21, "x.ics:2:4: is not UTF-8");
    refuse_bytes("", 0, "is empty");
    refuse_bytes("\xef\xbb\xbf"
                 "BEGIN:VCALENDAR\nX\n",
                 21, "x.ics:2:1: is no line of iCalendar"); /* the mark in front is passed over */
    refuse_bytes("BEGIN:VCALENDAR\n", 16, "ends before END:VCALENDAR");
    refuse_repeated(EVENT("DTSTART:20261225"), ICS_EVENTS_MAX + 1, "more than 5000 events");
    refuse_repeated(EVENT("DTSTART:20261225|RRULE:FREQ=YEARLY"), ICS_RULES_MAX + 1,
                    "RRULE: more than 200 in a file");
    refuse_repeated(EVENT("DTSTART:20261225|RRULE:FREQ=DAILY;COUNT=2"), ICS_DAILY_RULES_MAX + 1,
                    "RRULE: more than 20 with FREQ=DAILY");
    refuse_repeated(EVENT("DTSTART:20000101|RRULE:FREQ=WEEKLY"), 3, "more than 10000 instances");
    line = mem_new(9 * (ICS_DATES_MAX + 2) + 100, 1);
    (void)strncpy(line, "BEGIN:VEVENT|DTSTART:20261225|EXDATE:20261225", 60);
    for (size_t i = 0; i < ICS_DATES_MAX; i++)
        memcpy(line + strlen(line), ",20261225", 10);
    memcpy(line + strlen(line), "|END:VEVENT|", 13);
    refuse_repeated(line, 1, "EXDATE: more than 2000 dates");
    free(line);
}

/* The worst that the limits let through ends in time. */
static void test_hostile_files_end(void **state)
{
    static const char *const hostile[] = {
        EVENT("DTSTART:19700101|RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29"),
        EVENT("DTSTART:19700101|RRULE:FREQ=MONTHLY;BYDAY=5MO"),
        EVENT("DTSTART:19700101|RRULE:FREQ=YEARLY;BYDAY=53MO"),
        EVENT("DTSTART:16000101|RRULE:FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1"),
        EVENT("DTSTART:19700101|RRULE:FREQ=MONTHLY;BYDAY=6MO"),
        EVENT("DTSTART:19700101|RRULE:FREQ=YEARLY;INTERVAL=99999999"),
        EVENT("DTSTART:19700101|RRULE:FREQ=WEEKLY;INTERVAL=99999999;BYDAY=MO,TU"),
    };
    (void)state;

    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct ics_spans spans = {.items = NULL};
        struct faults faults = {NULL, 0, 0};
        struct zone *home = NULL;
        char *file = repeat(hostile[i], i == 0 ? ICS_DAILY_RULES_MAX : ICS_RULES_MAX);
        clock_t begun = clock();

        assert_true(zone_open(TEST_ZONES, "UTC", &home, NULL));
        if (ics_read("x.ics", span_of(file), home, TEST_ZONES, NULL, &spans, &faults))
            ics_spans_clear(&spans);
        print_message("%.2f s of processor: %.60s\n", (double)(clock() - begun) / CLOCKS_PER_SEC, hostile[i]);
        assert_true(clock() - begun < 30 * CLOCKS_PER_SEC); /* with the sanitizers; else about two seconds */
        faults_clear(&faults);
        zone_free(home);
        free(file);
    }
}

/* Bytes changed, lines cut and doubled at random: refused or read, never a crash or a hang. */
static void test_damaged_files_never_do_harm(void **state)
{
    static const char seeds[] =
        EVENT("DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261227|RRULE:FREQ=YEARLY;COUNT=3|"
              "EXDATE;VALUE=DATE:20271225,20281225|SUMMARY:x")
            EVENT("DTSTART;TZID=Europe/"
                  "Berlin:20261224T120000|DURATION:PT5H|RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20300101T000000Z")
                EVENT("RECURRENCE-ID;VALUE=DATE:20271225|DTSTART;VALUE=DATE:20271227|STATUS:CANCELLED");
    char *good = file_of(seeds);
    size_t len = strlen(good), refused = 0;
    uint32_t seed = 99;
    struct zone *home = NULL;
    (void)state;

    assert_true(zone_open(TEST_ZONES, "Europe/Berlin", &home, NULL));
    for (int round = 0; round < 3000; round++) {
        struct ics_spans spans = {.items = NULL};
        struct faults faults = {NULL, 0, 0};
        char *copy = mem_dup(good, len);
        size_t used = len;
        for (int change = 0; change < 1 + round % 4; change++) {
            seed = seed * 1664525 + 1013904223;
            copy[(seed >> 8) % len] = "0123456789;:=,\r\n\tTZDAILY-\"\xc3"[(seed >> 3) % 26];
        }
        if (round % 7 == 0)
            used = (seed >> 8) % len;
        char *part = mem_dup(copy, used); /* a block of its own size: reading past it is noticed */
        if (ics_read("x.ics", (struct span){part, used}, home, TEST_ZONES, NULL, &spans, &faults))
            ics_spans_clear(&spans);
        else
            refused++;
        faults_clear(&faults);
        free(part);
        free(copy);
    }
    assert_true(refused > 500 && refused < 3000);
    zone_free(home);
    free(good);
}

/* ---- what becomes of them in a calendar ---- */

static const struct due_row {
    const char *name, *calendar, *lines, *start;
    int64_t work_s;
    const char *due;
} due_rows[] = {
    {"a holiday of a file is closed", "", EVENT("DTSTART;VALUE=DATE:20260106"), "2026-01-05T16:00:00+01:00",
     7200, "2026-01-07T10:00:00+01:00"},
    {"several days", "", EVENT("DTSTART;VALUE=DATE:20260106|DTEND;VALUE=DATE:20260108"),
     "2026-01-05T16:00:00+01:00", 7200, "2026-01-08T10:00:00+01:00"},
    {"half a day closes its hours", "", EVENT("DTSTART:20260106T120000|DTEND:20260106T235959"),
     "2026-01-06T09:00:00+01:00", 4 * 3600, "2026-01-07T10:00:00+01:00"},
    {"an hour in the middle", "", EVENT("DTSTART:20260106T120000|DURATION:PT1H"), "2026-01-06T09:00:00+01:00",
     4 * 3600, "2026-01-06T14:00:00+01:00"},
    {"from noon over two nights", "", EVENT("DTSTART:20260105T120000|DTEND:20260107T120000"),
     "2026-01-05T11:00:00+01:00", 2 * 3600, "2026-01-07T13:00:00+01:00"},
    {"a special day overrules a holiday of a file", ", special: {2026-01-06: [09:00-12:00]}",
     EVENT("DTSTART;VALUE=DATE:20260106"), "2026-01-05T17:00:00+01:00", 3600, "2026-01-06T10:00:00+01:00"},
    {"and half a day of one", ", special: {2026-01-06: [13:00-15:00]}",
     EVENT("DTSTART:20260106T120000|DTEND:20260106T170000"), "2026-01-05T17:00:00+01:00", 3600,
     "2026-01-06T14:00:00+01:00"},
};

static int64_t instant_of(const char *text)
{
    int64_t at = 0;
    assert_true(instant_parse(span_of(text), &at));
    return at;
}

static void test_calendar_with_a_holiday_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof due_rows / sizeof due_rows[0]; i++) {
        const struct due_row *row = &due_rows[i];
        struct test_calendar c;
        char yaml[512], why[512], *file = file_of(row->lines);
        int64_t due = 0;
        (void)snprintf(
            yaml, sizeof yaml,
            "c: {zone: Europe/Berlin, hours: {mon-fri: [09:00-17:00]}, holiday_files: [holidays/x.ics]%s}\n",
            row->calendar);
        if (!calendar_of(yaml, file, &c, why))
            fail_msg("%s: %s", row->name, why);
        assert_true(calendar_due(c.calendar, instant_of(row->start), row->work_s * US_PER_S, &due, NULL));
        if (due != instant_of(row->due))
            fail_msg("%s: got %lld, want %s", row->name, (long long)(due / US_PER_S), row->due);
        calendar_end(&c);
        free(file);
    }
}

static void test_calendar_knows_its_holidays(void **state)
{
    (void)state;
    struct test_calendar c;
    char *file = file_of(EVENT("DTSTART;VALUE=DATE:20260501|RRULE:FREQ=YEARLY"));
    int32_t may = (int32_t)date_days(2031, 5, 1), other = (int32_t)date_days(2030, 1, 1);

    assert_true(calendar_of(
        "c: {zone: UTC, hours: {mon-sun: [09:00-17:00]}, holiday_files: [holidays/x.ics], holidays: "
        "[2030-01-01], special: {2030-01-01: [10:00-11:00], 2030-01-02: []}}\n",
        file, &c, NULL));
    assert_true(calendar_has_holiday(c.calendar, may, may));
    assert_true(calendar_has_holiday(c.calendar, may - 100, may + 100));
    assert_false(calendar_has_holiday(c.calendar, may + 1, may + 300));
    assert_false(calendar_has_holiday(c.calendar, other, other)); /* it has hours: a special day */
    assert_true(calendar_has_holiday(c.calendar, other + 1, other + 1));
    calendar_end(&c);
    free(file);
}

static void test_calendar_of_a_faulty_file_is_refused(void **state)
{
    (void)state;
    struct test_calendar c;
    char why[512], *file = file_of(EVENT("DTSTART:20210229"));

    assert_false(
        calendar_of("c: {hours: {mon: [09:00-17:00]}, holiday_files: [holidays/x.ics]}\n", file, &c, why));
    assert_string_equal(
        why, "holidays/x.ics:5:1: DTSTART: \"20210229\" is no date, want YYYYMMDD or YYYYMMDDTHHMMSS[Z]");
    free(file);
}

/* Long events that overlap without end: days are counted, not only events. */
static void test_calendar_of_too_many_days_is_refused(void **state)
{
    (void)state;
    struct test_calendar c;
    char why[512], *file = file_of(EVENT("DTSTART:19700101|DURATION:P400D|RRULE:FREQ=WEEKLY;COUNT=1000"));

    assert_false(
        calendar_of("c: {hours: {mon: [09:00-17:00]}, holiday_files: [holidays/x.ics]}\n", file, &c, why));
    assert_string_equal(
        why, "holidays/x.ics:3:1: closes more than 100000 days together with the rest of calendar c");
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_of_events),
        cmocka_unit_test(test_faulty_files_are_refused_with_their_line),
        cmocka_unit_test(test_all_faults_are_told_at_once),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_hostile_files_end),
        cmocka_unit_test(test_damaged_files_never_do_harm),
        cmocka_unit_test(test_calendar_with_a_holiday_file),
        cmocka_unit_test(test_calendar_knows_its_holidays),
        cmocka_unit_test(test_calendar_of_a_faulty_file_is_refused),
        cmocka_unit_test(test_calendar_of_too_many_days_is_refused),
        cmocka_unit_test(test_many_files_together_may_not_take_longer_than_one_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
