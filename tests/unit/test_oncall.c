/* Who is on call: cases with clock changes, every change of every zone without a gap, overrides, and a slow model that
 * scans the wall clock quarter by quarter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "clock.h"
#include "date.h"
#include "oncall.h"
#include "oncall_internal.h"
#include "oncall_of.h"

#include <dirent.h>

enum { HOUR = 3600, DAY = 86400, QUARTER = 900 };
#define ZONES "tests/zones"
static const struct oncall_overrides no_overrides = {NULL, 0};

struct fixture {
    struct process *process;
    struct oncall *oncall;
};

static struct fixture fixture_of(const char *schedules)
{
    struct fixture f = {NULL, NULL};
    struct faults faults = {0};
    const char *const files[] = {"staff.yaml", FOUR_PEOPLE, "oncall.yaml", schedules, NULL};

    f.process = process_of(files);
    if (!oncall_new(f.process, ZONES, &f.oncall, &faults))
        fail_msg("%s", faults.items[0].text);
    return f;
}

static void fixture_free(struct fixture *f)
{
    oncall_free(f->oncall);
    process_free(f->process);
}

/* "2026-03-29T01:30" in UTC to µs. */
static int64_t at_of(const char *text)
{
    int year = 0, month = 0, day = 0, hour = 0, minute = 0;
    if (sscanf(text, "%d-%d-%dT%d:%d", &year, &month, &day, &hour, &minute) != 5)
        abort();
    return (date_days(year, month, day) * DAY + hour * HOUR + minute * 60) * US_PER_S;
}

static const char *names_at(const struct fixture *f, struct oncall_overrides overrides, int64_t at_us)
{
    static char text[200];
    struct oncall_set set;

    oncall_at(f->oncall, 0, overrides, at_us, &set);
    text[0] = '\0';
    for (size_t i = 0; i < set.count; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, "%s%s", i == 0 ? "" : " ", set.names[i]);
    }
    return text;
}

struct case_row {
    const char *name, *schedule, *at, *want;
};

#define BERLIN_WEEKLY                                                                                \
    "schedules: {s: {zone: Europe/Berlin, layers: [{rotation: weekly, start: 2026-01-05, handover: " \
    "\"09:00\", people: [ada, ben]}]}}\n"
#define BERLIN_GAP                                                                                  \
    "schedules: {s: {zone: Europe/Berlin, layers: [{rotation: daily, start: 2026-03-28, handover: " \
    "\"02:30\", people: [ada, ben, cy]}]}}\n"
#define BERLIN_DOUBLED                                                                              \
    "schedules: {s: {zone: Europe/Berlin, layers: [{rotation: daily, start: 2026-10-24, handover: " \
    "\"02:30\", people: [ada, ben, cy]}]}}\n"
#define MONTHS "schedules: {s: {layers: [{rotation: monthly, start: 2026-01-31, people: [ada, ben, cy]}]}}\n"
#define MONTHS_AT_NINE                                                                                    \
    "schedules: {s: {layers: [{rotation: monthly, start: 2026-01-31, handover: \"09:00\", people: [ada, " \
    "ben, "                                                                                               \
    "cy]}]}}\n"
#define TWICE_A_DAY                                                                                      \
    "schedules: {s: {gaps: allowed, layers: [{rotation: weekly, start: 2026-01-05, people: ada, hours: " \
    "{mon-fri: [08:00-10:00, 13:00-15:00, 22:00-02:00]}}]}}\n"
#define OWN                                                                                           \
    "schedules: {s: {layers: [{rotation: 12h, start: 2026-01-01, handover: \"06:00\", people: [ada, " \
    "ben]}]}}\n"
#define SUN                                                                                            \
    "schedules: {s: {gaps: allowed, layers: [{rotation: weekly, start: 2026-01-05, people: dan},\n"    \
    "  {rotation: weekly, start: 2026-01-05, people: ada, zone: Europe/Berlin, hours: {mon-fri: "      \
    "[09:00-17:00]}},\n"                                                                               \
    "  {rotation: weekly, start: 2026-01-05, people: ben, zone: America/St_Johns, hours: {mon-fri: "   \
    "[12:30-20:00]}},\n"                                                                               \
    "  {rotation: weekly, start: 2026-01-05, people: cy, zone: Australia/Lord_Howe, hours: {mon-fri: " \
    "[22:00-06:00]}}]}}\n"

static const struct case_row case_rows[] = {
    {"before day zero nobody is", BERLIN_WEEKLY, "2026-01-05T07:59", ""},
    {"day zero at the hand-over", BERLIN_WEEKLY, "2026-01-05T08:00", "ada"},
    {"the last minute of a turn", BERLIN_WEEKLY, "2026-01-12T07:59", "ada"},
    {"the next turn", BERLIN_WEEKLY, "2026-01-12T08:00", "ben"},
    {"the hand-over moves with summer time", BERLIN_WEEKLY, "2026-03-30T06:59", "ben"},
    {"and is at the same wall clock", BERLIN_WEEKLY, "2026-03-30T07:00", "ada"},
    {"a hand-over that is skipped: before it", BERLIN_GAP, "2026-03-29T00:59", "ada"},
    {"a hand-over that is skipped: the first instant after", BERLIN_GAP, "2026-03-29T01:00", "ben"},
    {"a doubled hand-over: before", BERLIN_DOUBLED, "2026-10-25T00:29", "ada"},
    {"a doubled hand-over: both, from the first", BERLIN_DOUBLED, "2026-10-25T00:30", "ada ben"},
    {"a doubled hand-over: both, until the last", BERLIN_DOUBLED, "2026-10-25T01:29", "ada ben"},
    {"a doubled hand-over: after the last", BERLIN_DOUBLED, "2026-10-25T01:30", "ben"},
    {"months: a short one begins on its last day", MONTHS, "2026-02-28T00:00", "ben"},
    {"months: the day before", MONTHS, "2026-02-27T23:59", "ada"},
    {"months: the 31st again", MONTHS, "2026-03-31T00:00", "cy"},
    {"months: before the first", MONTHS, "2026-01-30T23:59", ""},
    {"months: a year on", MONTHS, "2027-01-31T00:00", "ada"},
    {"months: the last of a year", MONTHS, "2027-01-30T23:59", "cy"},
    {"months: a leap day", MONTHS, "2028-02-29T00:00", "ben"},
    {"months: the day before it", MONTHS, "2028-02-28T23:59", "ada"},
    {"months: not before the hand-over", MONTHS_AT_NINE, "2026-02-28T08:59", "ada"},
    {"months: at the hand-over", MONTHS_AT_NINE, "2026-02-28T09:00", "ben"},
    {"hours: between two", TWICE_A_DAY, "2026-06-10T12:59", ""},
    {"hours: the second", TWICE_A_DAY, "2026-06-10T13:00", "ada"},
    {"hours: its end", TWICE_A_DAY, "2026-06-10T15:00", ""},
    {"hours: over midnight, the last of several", TWICE_A_DAY, "2026-06-11T01:59", "ada"},
    {"hours: over midnight into a day without any", TWICE_A_DAY, "2026-06-13T01:59", "ada"},
    {"hours: and not out of one", TWICE_A_DAY, "2026-06-15T01:59", ""},
    {"own: half days, first half", OWN, "2026-05-01T06:00", "ada"},
    {"own: half days, second half", OWN, "2026-05-01T18:00", "ben"},
    {"the sun: Berlin", SUN, "2026-06-10T08:00", "ada"},
    {"the sun: the later layer holds where two are on", SUN, "2026-06-10T15:00", "cy"},
    {"the sun: St. John’s afternoon", SUN, "2026-06-10T20:00", "ben"},
    {"the sun: over midnight", SUN, "2026-06-10T19:00", "cy"},
    {"the sun: the base where no region is", SUN, "2026-06-13T12:00", "dan"},
};

static void test_who_is_on_call_at_an_instant_follows_the_wall_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof case_rows / sizeof case_rows[0]; i++) {
        const struct case_row *row = &case_rows[i];
        struct fixture f = fixture_of(row->schedule);
        const char *got = names_at(&f, no_overrides, at_of(row->at));
        if (strcmp(got, row->want) != 0)
            fail_msg("%s: %s: \"%s\", want \"%s\"", row->name, row->at, got, row->want);
        fixture_free(&f);
    }
}

struct override_row {
    const char *name;
    struct oncall_override items[3];
    const char *want; /* on 2026-01-07, a week of ada's */
};

#define WEEK 1767571200000000, 1768176000000000 /* 2026-01-05 to 2026-01-12 */

static const struct override_row override_rows[] = {
    {"one of another schedule", {{"t", NULL, "cy", WEEK}}, "ada"},
    {"alone", {{"s", NULL, "cy", WEEK}}, "cy"},
    {"the later one holds", {{"s", NULL, "cy", WEEK}, {"s", NULL, "dan", WEEK}}, "dan"},
    {"a swap", {{"s", "ada", "cy", WEEK}}, "cy"},
    {"a swap of somebody who is not on", {{"s", "ben", "cy", WEEK}}, "ada"},
    {"away without a stand-in", {{NULL, "ada", NULL, WEEK}}, ""},
    {"away with one", {{NULL, "ada", "dan", WEEK}}, "dan"},
    {"the stand-in is away too", {{NULL, "ada", "dan", WEEK}, {NULL, "dan", "cy", WEEK}}, "cy"},
    {"a ring of stand-ins is nobody", {{NULL, "ada", "dan", WEEK}, {NULL, "dan", "ada", WEEK}}, ""},
    {"over is over", {{"s", NULL, "cy", 1767571200000000, 1767571200000001}}, "ada"},
};

static void test_overrides_swaps_and_absences_change_the_plan(void **state)
{
    struct fixture f = fixture_of(BERLIN_WEEKLY);
    (void)state;
    for (size_t i = 0; i < sizeof override_rows / sizeof override_rows[0]; i++) {
        const struct override_row *row = &override_rows[i];
        struct oncall_overrides overrides = {row->items, 0};
        while (overrides.count < 3 && row->items[overrides.count].until_at != 0)
            overrides.count++;
        const char *got = names_at(&f, overrides, at_of("2026-01-07T12:00"));
        if (strcmp(got, row->want) != 0)
            fail_msg("%s: \"%s\", want \"%s\"", row->name, got, row->want);
    }
    fixture_free(&f);
}

/* Where two overlap, each keeps its own: a swap, a stand-in who is on already, and somebody who is away. */
static void test_of_two_on_call_only_the_one_is_replaced_who_was_meant(void **state)
{
    static const struct override_row both[] = {
        {"as it is", {{NULL, NULL, NULL, 0, 0}}, "ada ben"},
        {"the first", {{"s", "ada", "dan", 1, INT64_MAX}}, "dan ben"},
        {"the second", {{"s", "ben", "dan", 1, INT64_MAX}}, "ada dan"},
        {"by the other one: once", {{"s", "ada", "ben", 1, INT64_MAX}}, "ben"},
        {"the second is away", {{NULL, "ben", NULL, 1, INT64_MAX}}, "ada"},
        {"the first is away, and the other one stands in", {{NULL, "ada", "ben", 1, INT64_MAX}}, "ben"},
    };
    struct fixture f = fixture_of(BERLIN_DOUBLED);
    (void)state;
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        struct oncall_overrides overrides = {both[i].items, both[i].items[0].until_at != 0};
        const char *got = names_at(&f, overrides, at_of("2026-10-25T00:30"));
        if (strcmp(got, both[i].want) != 0)
            fail_msg("%s: \"%s\", want \"%s\"", both[i].name, got, both[i].want);
    }
    fixture_free(&f);
}

/* The plan changes on Mondays at nine; what people changed of it begins and ends where they said, in whatever order they said it. */
static void test_the_next_change_is_the_plans_or_that_of_an_override_whichever_is_sooner(void **state)
{
    int64_t now = at_of("2026-01-07T12:00"), plan = at_of("2026-01-12T08:00");
    const struct oncall_override items[] = {{"s", NULL, "cy", now + 3000, now + 9000},
                                            {NULL, "ada", NULL, now - 5000, now + 2000},
                                            {"s", NULL, "dan", now + 1000, now + 8000},
                                            {"s", NULL, "dan", plan - 10, plan + 10}};
    static const struct {
        int64_t after, next;
    } rows[] = {{-5000, 1000}, {0, 1000},    {999, 1000},  {1000, 2000},
                {2000, 3000},  {3000, 8000}, {8000, 9000}, {8999, 9000}};
    struct fixture f = fixture_of(BERLIN_WEEKLY);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(oncall_next_change(f.oncall, 0, (struct oncall_overrides){items, 3},
                                            now + rows[i].after),
                         now + rows[i].next);
    assert_int_equal(oncall_next_change(f.oncall, 0, (struct oncall_overrides){items, 4}, now + 9000),
                     plan - 10);
    assert_int_equal(oncall_next_change(f.oncall, 0, (struct oncall_overrides){items, 4}, plan - 10), plan);
    assert_int_equal(oncall_next_change(f.oncall, 0, (struct oncall_overrides){items, 4}, plan), plan + 10);
    assert_int_equal(oncall_next_change(f.oncall, 0, no_overrides, now), plan);
    assert_string_equal(names_at(&f, (struct oncall_overrides){items, 1}, now + 8999), "cy");
    assert_string_equal(names_at(&f, (struct oncall_overrides){items, 1}, now + 9000),
                        "ada"); /* until: not any more */
    fixture_free(&f);
}

static bool count_span(void *arg, int64_t from_us, int64_t until_us, const struct oncall_set *set)
{
    int *count = arg;
    (void)set;
    assert_true(from_us < until_us);
    (*count)++;
    return true;
}

/* What begins or ends without another person on call begins no span; of two, the second counts as well. */
static void test_a_walks_spans_are_of_different_people(void **state)
{
    int64_t from = at_of("2026-10-25T00:30"), half = 1800 * US_PER_S;
    struct oncall_override o = {"s", "cy", "dan", from + 1, from + 2}; /* cy is not on */
    struct fixture f = fixture_of(BERLIN_DOUBLED);
    int count = 0;
    (void)state;
    oncall_walk(f.oncall, 0, (struct oncall_overrides){&o, 1}, from, from + half, count_span, &count);
    assert_int_equal(count, 1);
    o.replaces = "ben";
    oncall_walk(f.oncall, 0, (struct oncall_overrides){&o, 1}, from, from + half, count_span, &count);
    assert_int_equal(count, 1 + 3);
    fixture_free(&f);
}

static void test_schedules_are_found_by_name(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    struct fixture f =
        fixture_of("schedules:\n  a: {layers: [{rotation: weekly, start: 2026-01-05, people: ada}]}\n"
                   "  b: {layers: [{rotation: weekly, start: 2026-01-05, people: ben}]}\n"
                   "  c: {layers: [{rotation: weekly, start: 2026-01-05, people: cy}]}\n");
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(oncall_find(f.oncall, span_of(names[i])), i);
        assert_string_equal(oncall_schedule(f.oncall, (size_t)i)->name, names[i]);
    }
    assert_int_equal(oncall_find(f.oncall, span_of("d")), -1);
    fixture_free(&f);
}

static void test_a_set_holds_each_name_once_and_no_more_than_it_has_room_for(void **state)
{
    static char names[ONCALL_SET_MAX + 2][8];
    struct oncall_set set = {.count = 0};
    (void)state;
    for (size_t i = 0; i < ONCALL_SET_MAX + 2; i++) {
        (void)snprintf(names[i], sizeof names[i], "p%zu", i);
        for (int twice = 0; twice < 2; twice++) {
            oncall_set_add(&set, names[i]);
            assert_int_equal(set.count, i < ONCALL_SET_MAX ? i + 1 : ONCALL_SET_MAX);
        }
    }
    for (size_t i = 0; i < ONCALL_SET_MAX; i++)
        assert_string_equal(set.names[i], names[i]);
}

static void test_gaps_are_found_to_the_second(void **state)
{
    struct fixture f = fixture_of(
        "schedules: {s: {zone: Europe/Berlin, layers: [{rotation: weekly, start: 2026-01-05, people: "
        "[ada], hours: {mon-sat: [00:00-24:00], sun: [00:00-18:00]}}]}}\n");
    int64_t from = 0, until = 0;
    (void)state;
    assert_true(oncall_gap(f.oncall, 0, no_overrides, at_of("2026-02-02T00:00"), at_of("2026-05-02T00:00"),
                           &from, &until));
    assert_int_equal(from, at_of("2026-02-08T17:00"));
    assert_int_equal(until, at_of("2026-02-08T23:00"));
    assert_false(oncall_gap(f.oncall, 0, no_overrides, at_of("2026-02-02T00:00"), from, &from, &until));
    fixture_free(&f);
}

#define ICS_HEAD "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
#define ICS_TAIL "END:VCALENDAR\r\n"
#define IMPORT                                                                                           \
    "schedules: {s: {zone: Europe/Berlin, layers: [{rotation: weekly, start: 2026-01-05, people: dan}, " \
    "{import: oncall/s.ics}]}}\n"

static const char imported[] = ICS_HEAD "BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:"
                                        "20260302T080000\r\nDTEND:20260302T200000\r\n"
                                        "RRULE:FREQ=WEEKLY;COUNT=2\r\nSUMMARY:ada\r\nEND:VEVENT\r\n"
                                        "BEGIN:VEVENT\r\nUID:2\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE="
                                        "DATE:20260329\r\nSUMMARY;LANGUAGE=en:ben\r\n"
                                        "END:VEVENT\r\n" ICS_TAIL;

/* As other programs write whose turn it is: each of ada, on 2 March. */
static const char *const summaries[] = {
    "SUMMARY: ada ",
    "summary:ada",
    "SUMMARY:a\r\n da",
    "SUMM\r\n ARY:ada",
    "SUMMARY;LANGUAGE=\"a:b\":ada",
    "BEGIN:VALARM\r\nACTION:EMAIL\r\nSUMMARY:Alarm\r\nEND:VALARM\r\nDESCRIPTION:\r\nLOCATION:\r\nSUMMARY:ada",
};

static void test_whose_turn_it_is_when_other_programs_write_it_then_it_is_known(void **state)
{
    char text[1000];
    (void)state;

    for (size_t i = 0; i < sizeof summaries / sizeof summaries[0]; i++) {
        (void)snprintf(text, sizeof text,
                       ICS_HEAD
                       "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260302T080000\r\nDTEND:20260302T200000\r\n"
                       "%s\r\nEND:VEVENT\r\n" ICS_TAIL,
                       summaries[i]);
        const char *const files[] = {"staff.yaml",   FOUR_PEOPLE, "oncall.yaml", IMPORT,
                                     "oncall/s.ics", text,        NULL};
        struct fixture f = {process_of(files), NULL};
        struct faults faults = {0};
        if (!oncall_new(f.process, ZONES, &f.oncall, &faults))
            fail_msg("%s: %s", summaries[i], faults.items[0].text);
        assert_string_equal(names_at(&f, no_overrides, at_of("2026-03-02T12:00")), "ada");
        fixture_free(&f);
    }
}

static void test_a_layer_out_of_a_calendar_holds_where_it_has_an_event(void **state)
{
    static const struct {
        const char *at, *want;
    } cases[] = {{"2026-03-02T06:59", "dan"}, {"2026-03-02T07:00", "ada"}, {"2026-03-02T18:59", "ada"},
                 {"2026-03-02T19:00", "dan"}, {"2026-03-09T07:00", "ada"}, {"2026-03-16T07:00", "dan"},
                 {"2026-03-28T22:59", "dan"}, {"2026-03-28T23:00", "ben"}, {"2026-03-29T21:59", "ben"},
                 {"2026-03-29T22:00", "dan"}};
    const char *const files[] = {"staff.yaml",   FOUR_PEOPLE, "oncall.yaml", IMPORT,
                                 "oncall/s.ics", imported,    NULL};
    struct fixture f = {process_of(files), NULL};
    struct faults faults = {0};
    (void)state;
    assert_true(oncall_new(f.process, ZONES, &f.oncall, &faults));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = names_at(&f, no_overrides, at_of(cases[i].at));
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: \"%s\", want \"%s\"", cases[i].at, got, cases[i].want);
    }
    fixture_free(&f);
}

static void test_faults_of_a_calendar_are_told_with_their_line(void **state)
{
    static const char wrong[] = ICS_HEAD
        "BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T080000\r\n"
        "DTEND:20260302T200000\r\nRRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY:zoe\r\nEND:VEVENT\r\n" ICS_TAIL;
    const char *const files[] = {"staff.yaml",   FOUR_PEOPLE, "oncall.yaml", IMPORT,
                                 "oncall/s.ics", wrong,       NULL};
    struct process *process = process_of(files);
    struct oncall *oncall = NULL;
    struct faults faults = {0};
    (void)state;
    assert_false(oncall_new(process, ZONES, &oncall, &faults));
    assert_int_equal(faults.count, 1);
    assert_string_equal(faults.items[0].text,
                        "oncall/s.ics:4:1: the event's SUMMARY: \"zoe\" is none of the people in staff.yaml");
    faults_clear(&faults);
    process_free(process);
}

/* As a calendar keeps a reminder: it begins, and that is all. Told once, whoever imports it and however often it comes again. */
static void test_an_event_that_takes_no_time_is_no_turn_and_warned_of(void **state)
{
    static const char text[] = ICS_HEAD
        "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260302T080000\r\nRRULE:FREQ=DAILY;COUNT=3\r\nSUMMARY:ada\r\nEND:"
        "VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:2\r\nDTSTART:20260305T080000\r\nDTEND:20260305T200000\r\nSUMMARY:ada\r\nEND:"
        "VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:3\r\nDTSTART:20260306T080000Z\r\nDTEND:20260306T080000Z\r\nSUMMARY:zoe\r\nEND:"
        "VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:4\r\nDTSTART:20260307T080000\r\nSTATUS:CANCELLED\r\nSUMMARY:ada\r\nEND:"
        "VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:5\r\nDTSTART;VALUE=DATE:20260308\r\nSUMMARY:ada\r\nEND:VEVENT\r\n" ICS_TAIL;
    static const char *const want[] = {"oncall/s.ics:4:1: VEVENT: takes no time, so it is nobody's turn, "
                                       "want a DTEND or DURATION after its DTSTART",
                                       "oncall/s.ics:16:1: VEVENT: takes no time, so it is nobody's turn, "
                                       "want a DTEND or DURATION after its DTSTART"};
    const char *const files[] = {
        "staff.yaml",
        FOUR_PEOPLE,
        "oncall.yaml",
        "schedules: {one: {zone: Europe/Berlin, layers: [{import: oncall/s.ics}, {import: oncall/s.ics}]}}\n",
        "oncall/s.ics",
        text,
        NULL};
    struct fixture f = {process_of(files), NULL};
    struct faults faults = {0};
    (void)state;

    assert_true(oncall_new(f.process, ZONES, &f.oncall, &faults));
    assert_string_equal(names_at(&f, no_overrides, at_of("2026-03-02T07:00")), "");
    assert_string_equal(names_at(&f, no_overrides, at_of("2026-03-05T07:00")), "ada");
    assert_string_equal(names_at(&f, no_overrides, at_of("2026-03-08T07:00")), "ada");
    size_t before = f.process->warnings.count;
    oncall_take_warnings(f.oncall, &f.process->warnings);
    assert_int_equal(f.process->warnings.count, before + 2);
    for (size_t i = 0; i < 2; i++) {
        bool found = false;
        for (size_t k = 0; k < f.process->warnings.count; k++)
            found = found || strcmp(f.process->warnings.items[k].text, want[i]) == 0;
        if (!found)
            fail_msg("want %s", want[i]);
    }
    oncall_take_warnings(f.oncall, &f.process->warnings);
    oncall_take_warnings(NULL, &f.process->warnings);
    assert_int_equal(f.process->warnings.count, before + 2);
    fixture_free(&f);
}

static bool on_gap(void *arg, int64_t from_us, int64_t until_us, const struct oncall_set *set)
{
    if (set->count == 0)
        fail_msg("%s: nobody from %lld to %lld", (const char *)arg, (long long)(from_us / US_PER_S),
                 (long long)(until_us / US_PER_S));
    return true;
}

/* A hand-over right in, before and after each change of a zone. */
static size_t zone_check(const char *name)
{
    struct process_day always[7];
    struct process_interval whole = {0, DAY};
    const char *people[] = {"a", "b", "c"};
    struct process_layer plan = {.unit = ROTATE_DAYS, .every = 1, .people = {people, 3}};
    struct process_schedule schedule = {.name = "s", .layers = &plan, .layer_count = 1};
    struct zone *zone = NULL;
    struct err err;
    size_t changes = 0;

    if (!zone_open(ONCALL_ZONEINFO, name, &zone, &err))
        return 0;
    struct oncall_layer layer = {.plan = &plan, .zone = zone};
    struct oncall_plan whole_plan = {&schedule, &layer};
    struct oncall oncall = {.plans = &whole_plan, .count = 1};
    for (int d = 0; d < 7; d++)
        always[d] = (struct process_day){&whole, 1};
    for (size_t i = 1; i < zone_spans(zone); i++) {
        int64_t at_s = zone_span_start(zone, i);
        if (at_s < date_days(2020, 1, 1) * DAY || at_s >= date_days(2038, 1, 1) * DAY)
            continue;
        changes++;
        for (int64_t by = -2 * HOUR; by <= 2 * HOUR; by += 2 * QUARTER) {
            int64_t wall_s = at_s + zone_span_offset(zone, i - 1) + by;
            plan.start_date = (int32_t)(wall_s / DAY - 2);
            plan.handover_s = (int32_t)(wall_s % DAY);
            plan.week = by % HOUR == 0 ? always : NULL;
            oncall_walk(&oncall, 0, no_overrides, (at_s - DAY) * US_PER_S, (at_s + DAY) * US_PER_S, on_gap,
                        (void *)(uintptr_t)name);
        }
    }
    zone_free(zone);
    return changes;
}

static void test_no_change_of_any_zone_leaves_a_gap(void **state)
{
    char line[300], name[100];
    size_t zones = 0, changes = 0;
    FILE *tab = fopen(ONCALL_ZONEINFO "/zone1970.tab", "r");
    (void)state;
    if (tab == NULL)
        skip();
    while (fgets(line, sizeof line, tab) != NULL)
        if (line[0] != '#' && sscanf(line, "%*s %*s %99s", name) == 1) {
            zones++;
            changes += zone_check(name);
        }
    (void)fclose(tab);
    assert_true(zones > 250 && changes > 2000);
}

/* ---- the model: every quarter of an hour of some days, its wall clock, and what is first and last ---- */

enum { MODEL_DAYS = 60, STEPS = MODEL_DAYS * 96 };

struct model {
    int64_t from_s, walls[STEPS];
};

static int64_t model_edge(const struct model *m, int64_t wall_s, bool last)
{
    int64_t found = -1, after = -1;
    for (int i = 0; i < STEPS; i++) {
        if (m->walls[i] == wall_s && (last || found < 0))
            found = m->from_s + (int64_t)i * QUARTER;
        if (m->walls[i] > wall_s && after < 0)
            after = m->from_s + (int64_t)i * QUARTER;
    }
    return found >= 0 ? found : after;
}

static void model_check(const struct fixture *f, const struct model *m)
{
    const struct process_layer *plan = &f->process->people.schedules[0].layers[0];
    int64_t unit_s = plan->unit == ROTATE_HOURS ? HOUR : plan->unit == ROTATE_DAYS ? DAY : 7 * DAY;
    int64_t starts[STEPS], ends[STEPS], first_wall = (int64_t)plan->start_date * DAY + plan->handover_s;
    int turns = 0;

    for (int64_t wall_s = first_wall; wall_s + plan->every * unit_s < m->walls[STEPS - 1] - DAY;
         wall_s += plan->every * unit_s) {
        starts[turns] = model_edge(m, wall_s, false);
        ends[turns++] = model_edge(m, wall_s + plan->every * unit_s, true);
    }
    for (int i = 0; i < STEPS && turns != 0 && m->from_s + (int64_t)i * QUARTER < ends[turns - 1]; i += 3) {
        int64_t at_s = m->from_s + (int64_t)i * QUARTER;
        char want[200] = "";
        for (int t = 0; t < turns; t++) {
            const char *name = plan->people.items[(size_t)t % plan->people.count];
            if (at_s >= starts[t] && at_s < ends[t] && strstr(want, name) == NULL)
                (void)snprintf(want + strlen(want), sizeof want - strlen(want), "%s%s",
                               want[0] == '\0' ? "" : " ", name);
        }
        const char *got = names_at(f, no_overrides, at_s * US_PER_S);
        if (strcmp(got, want) != 0)
            fail_msg("at %lld: \"%s\", want \"%s\"", (long long)at_s, got, want);
    }
}

static void test_random_rotations_are_as_the_model_says(void **state)
{
    static const char *const zones[] = {"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe",
                                        "Europe/Dublin", "UTC"};
    static const char *const people[] = {"[ada]", "[ada, ben]", "[ada, ben, cy]", "[ada, ben, cy, dan]"};
    static const char letters[] = "hdw";
    static struct model model;
    unsigned seed = 20261;
    (void)state;
    for (int round = 0; round < 60; round++) {
        char text[400];
        int month = rand_r(&seed) % 2 == 0 ? 3 : 10, start = rand_r(&seed) % 10 + 1;
        int quarter = rand_r(&seed) % 2 == 0 ? rand_r(&seed) % 16 : rand_r(&seed) % 96;
        const char *zone = zones[rand_r(&seed) % 5];
        int unit = rand_r(&seed) % 3;
        int every = unit == 0 ? 5 + rand_r(&seed) % 20 : rand_r(&seed) % 3 + 1;
        (void)snprintf(text, sizeof text,
                       "schedules: {s: {zone: %s, layers: [{rotation: %d%c, start: 2026-%02d-%02d, handover: "
                       "\"%02d:%02d\", "
                       "people: %s}]}}\n",
                       zone, every, letters[unit], month, start, quarter / 4, quarter % 4 * 15,
                       people[rand_r(&seed) % 4]);
        struct fixture f = fixture_of(text);
        model.from_s = (date_days(2026, month, start) - 2) * DAY;
        for (int i = 0; i < STEPS; i++) {
            int64_t at_s = model.from_s + (int64_t)i * QUARTER;
            model.walls[i] = at_s + zone_offset(f.oncall->zones[0], at_s);
        }
        model_check(&f, &model);
        fixture_free(&f);
    }
}

static bool on_span(void *arg, int64_t from_us, int64_t until_us, const struct oncall_set *set)
{
    int64_t *last = arg;
    if (*last != 0)
        assert_int_equal(*last, from_us);
    assert_true(from_us < until_us);
    (void)set;
    *last = until_us;
    return true;
}

/* What the walk says of a span holds at each instant of it. */
static bool on_span_compare(void *arg, int64_t from_us, int64_t until_us, const struct oncall_set *set)
{
    const struct fixture *f = arg;
    struct oncall_set got;
    for (int64_t at_us = from_us; at_us < until_us; at_us += QUARTER * US_PER_S) {
        oncall_at(f->oncall, 0, no_overrides, at_us, &got);
        assert_int_equal(got.count, set->count);
        for (size_t i = 0; i < got.count; i++)
            assert_string_equal(got.names[i], set->names[i]);
    }
    return true;
}

static void test_a_walk_has_no_holes_and_no_change_is_missed(void **state)
{
    static const char *const schedules[] = {BERLIN_WEEKLY, BERLIN_GAP, BERLIN_DOUBLED, MONTHS, OWN, SUN};
    (void)state;
    for (size_t i = 0; i < sizeof schedules / sizeof schedules[0]; i++) {
        struct fixture f = fixture_of(schedules[i]);
        int64_t from = at_of("2025-12-20T00:07"), until = at_of("2026-11-20T00:00"), last = 0;
        oncall_walk(f.oncall, 0, no_overrides, from, until, on_span, &last);
        assert_int_equal(last, until);
        oncall_walk(f.oncall, 0, no_overrides, from, until, on_span_compare, &f);
        fixture_free(&f);
    }
}

static void test_since_when_a_turn_is_on_is_its_hand_over(void **state)
{
    struct fixture f = fixture_of(BERLIN_WEEKLY);
    int64_t change = oncall_next_change(f.oncall, 0, no_overrides, at_of("2026-06-15T12:00"));
    int64_t next = oncall_next_change(f.oncall, 0, no_overrides, change);
    const struct oncall_override override = {.schedule = "s",
                                             .staff = "ben",
                                             .from_at = change + 7,
                                             .until_at = change + 9};
    (void)state;

    assert_int_equal(oncall_since(f.oncall, 0, no_overrides, change), change);
    assert_int_equal(oncall_since(f.oncall, 0, no_overrides, next - 1), change);
    assert_int_equal(oncall_since(f.oncall, 0, (struct oncall_overrides){&override, 1}, change + 8),
                     change + 7);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_on_call_at_an_instant_follows_the_wall_clock),
        cmocka_unit_test(test_overrides_swaps_and_absences_change_the_plan),
        cmocka_unit_test(test_of_two_on_call_only_the_one_is_replaced_who_was_meant),
        cmocka_unit_test(test_the_next_change_is_the_plans_or_that_of_an_override_whichever_is_sooner),
        cmocka_unit_test(test_a_walks_spans_are_of_different_people),
        cmocka_unit_test(test_schedules_are_found_by_name),
        cmocka_unit_test(test_a_set_holds_each_name_once_and_no_more_than_it_has_room_for),
        cmocka_unit_test(test_gaps_are_found_to_the_second),
        cmocka_unit_test(test_a_layer_out_of_a_calendar_holds_where_it_has_an_event),
        cmocka_unit_test(test_whose_turn_it_is_when_other_programs_write_it_then_it_is_known),
        cmocka_unit_test(test_faults_of_a_calendar_are_told_with_their_line),
        cmocka_unit_test(test_an_event_that_takes_no_time_is_no_turn_and_warned_of),
        cmocka_unit_test(test_no_change_of_any_zone_leaves_a_gap),
        cmocka_unit_test(test_random_rotations_are_as_the_model_says),
        cmocka_unit_test(test_a_walk_has_no_holes_and_no_change_is_missed),
        cmocka_unit_test(test_since_when_a_turn_is_on_is_its_hand_over),
    };
    return cmocka_run_group_tests_name("oncall", tests, NULL, NULL);
}
