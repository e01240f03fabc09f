/* The people of the current process: what holds before one was read, what stays when one cannot be used, and what was changed of the plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "escal_people.h"
#include "people_of.h"

#define STAFF "people:\n  ada: {email: ada@x, hours: office}\n  ben: {email: ben@x}\n"
#define ONCALL "schedules: {s: {layers: [{rotation: weekly, start: 2020-01-06, people: [ada]}]}}\n"

static const char policy[] =
    "policies: {p: {calendar: office, urgency: normal, levels: [{after: 0m, tell: [oncall:s]}]}}\n"
    "match: [{policy: p}]\n";
static const char on_mars[] =
    "schedules: {s: {zone: Mars/Base, layers: [{rotation: weekly, start: 2020-01-06, people: [ben]}]}}\n";
static const char with_cy[] = STAFF "  cy: {email: cy@x}\n";

static const char *const good[] = {"staff.yaml",      STAFF,  "oncall.yaml", ONCALL,
                                   "escalation.yaml", policy, NULL};

static void people_init(struct escal_people *ret, const char *const *extra)
{
    struct process_files files;
    struct faults faults = {0};

    *ret = (struct escal_people){.process = NULL};
    people_files(extra, &files);
    if (!escal_people_load_files(ret, &files, &faults))
        fail_msg("%s", faults.items[0].text);
    process_files_clear(&files);
}

static struct buf encoded(const char *const *extra)
{
    struct process_files files;
    struct buf bytes;

    people_files(extra, &files);
    buf_init(&bytes, 1 << 20);
    process_files_encode(&files, &bytes);
    process_files_clear(&files);
    return bytes;
}

/* schedule, replaces, staff, from, until, as escal_overrides.sql gives them. */
static PGresult *override_row(const char *schedule, const char *replaces, const char *staff)
{
    static char names[][9] = {"schedule", "replaces", "staff", "from_at", "until_at"};
    PGresAttDesc columns[5] = {{.name = NULL}};
    const char *const texts[] = {schedule, replaces, staff};
    const int64_t instants[] = {march(1, 0), march(31, 0)};
    PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

    for (int i = 0; i < 5; i++)
        columns[i] = (PGresAttDesc){.name = names[i], .format = 1};
    assert_true(PQsetResultAttrs(rows, 5, columns));
    for (int i = 0; i < 3; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%s", texts[i] == NULL ? "" : texts[i]);
        assert_true(PQsetvalue(rows, 0, i, texts[i] == NULL ? NULL : text,
                               texts[i] == NULL ? -1 : (int)strlen(text)));
    }
    for (int i = 0; i < 2; i++) {
        char bytes[8];
        for (int k = 0; k < 8; k++)
            bytes[k] = (char)((uint64_t)instants[i] >> (56 - 8 * k));
        assert_true(PQsetvalue(rows, 0, 3 + i, bytes, 8));
    }
    return rows;
}

/* Who is on call on a Saturday, by the schedule and what was changed of it. */
static const char *on_call(const struct escal_people *people)
{
    struct escal_scene scene = escal_people_scene(people, march(28, 12));
    struct oncall_set set;

    oncall_at(scene.oncall, 0, scene.overrides, scene.at, &set);
    return set.count == 1 ? set.names[0] : "";
}

static void test_people_before_a_process_was_read_are_nobody_and_time_is_real(void **state)
{
    const struct escal_people people = {.process = NULL};
    const struct process_alert_facts facts = {"alert", "p1:T", NULL, 1};
    const struct process_escalation *built_in = process_escalation_of(escal_people_plan(&people), &facts);
    struct escal_delay delay = {&people, built_in};
    struct escal_scene scene = escal_people_scene(&people, march(28, 12));
    (void)state;

    assert_int_equal(escal_people_plan(&people)->person_count, 0);
    assert_null(escal_people_person(&people, "ada"));
    assert_string_equal(built_in->name, "built-in");
    assert_int_equal(escal_people_due(&delay, march(28, 12), (struct process_delay){3600, true}),
                     march(28, 13));
    assert_null(scene.oncall);
    assert_int_equal(scene.overrides.count, 0);
    assert_int_equal(scene.opens_at(scene.opens_arg, "office", scene.at), scene.at);
}

static void test_a_delay_of_working_time_goes_by_the_calendar_of_the_policy(void **state)
{
    static const struct {
        int64_t seconds;
        bool working;
        int day, hour, want_day, want_hour;
    } rows[] = {{7200, true, 27, 16, 30, 10},  {7200, false, 27, 16, 27, 18}, {0, true, 28, 12, 30, 9},
                {0, false, 28, 12, 28, 12},    {3600, true, 27, 10, 27, 11},  {28800, true, 27, 9, 27, 17},
                {86400, false, 28, 12, 29, 12}};
    struct escal_people people;
    (void)state;

    people_init(&people, good);
    struct escal_delay delay = {&people, &people.process->people.escalations[0]};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(escal_people_due(&delay, march(rows[i].day, rows[i].hour),
                                          (struct process_delay){rows[i].seconds, rows[i].working}),
                         march(rows[i].want_day, rows[i].want_hour));
    /* Beyond what the calendar was laid out for real time counts: late is better than never. */
    int64_t beyond = (date_days(2300, 1, 1) * DAY_S) * US_PER_S;
    assert_int_equal(escal_people_due(&delay, beyond, (struct process_delay){3600, true}),
                     beyond + 3600 * US_PER_S);
    escal_people_clear(&people);
}

static void test_a_scene_has_the_people_and_knows_when_their_hours_begin(void **state)
{
    struct escal_people people;
    (void)state;

    people_init(&people, good);
    struct escal_scene scene = escal_people_scene(&people, march(28, 12));
    assert_ptr_equal(scene.people, escal_people_plan(&people));
    assert_int_equal(scene.at, march(28, 12));
    assert_null(scene.assignee);
    assert_null(scene.queue);
    assert_null(scene.acker);
    assert_int_equal(scene.opens_at(scene.opens_arg, "office", march(28, 12)), march(30, 9));
    assert_int_equal(scene.opens_at(scene.opens_arg, "office", march(30, 9)), march(30, 9));
    assert_int_equal(scene.opens_at(scene.opens_arg, "no such", march(28, 12)), march(28, 12));
    assert_string_equal(escal_people_person(&people, "ben")->ways[0].address, "ben@x");
    assert_null(escal_people_person(&people, "zoe"));
    escal_people_clear(&people);
}

static void test_a_process_that_cannot_be_used_leaves_the_people_as_they_were(void **state)
{
    static const char *const bad[][7] = {
        {"staff.yaml", "people: {ada: {emial: ada@x}}\n", NULL}, /* no process */
        {"oncall.yaml", on_mars, "staff.yaml", STAFF, NULL},     /* a zone that the machine has not */
    };
    struct escal_people people, *before = NULL;
    PGresult *rows = override_row("s", NULL, "ben");
    struct err err;
    (void)state;

    people_init(&people, good);
    escal_people_set_overrides(&people, rows);
    const struct process *process = people.process;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct process_files files;
        struct faults faults = {0};
        struct buf bytes = encoded(bad[i]);
        people_files(bad[i], &files);
        assert_false(escal_people_load_files(&people, &files, &faults));
        assert_true(faults.count > 0);
        assert_false(escal_people_replace(&people, buf_span(&bytes), &before, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_null(before);
        faults_clear(&faults);
        process_files_clear(&files);
        buf_clear(&bytes);
    }
    assert_false(escal_people_replace(&people, span_of("\xc1 no map"), &before, &err));
    assert_null(before);
    assert_ptr_equal(people.process, process);
    assert_string_equal(on_call(&people), "ben");
    PQclear(rows);
    escal_people_clear(&people);
}

static void test_a_new_process_gives_the_old_one_back_and_what_was_changed_of_the_plan_stays(void **state)
{
    static const char *const next[] = {
        "staff.yaml",
        with_cy,
        "oncall.yaml",
        "schedules: {s: {layers: [{rotation: weekly, start: 2020-01-06, people: [cy]}]}}\n",
        "escalation.yaml",
        policy,
        NULL};
    struct escal_people people, *before = NULL;
    PGresult *away = override_row(NULL, "cy", "ben"), *alone = override_row("s", NULL, NULL);
    struct buf bytes = encoded(next);
    struct err err;
    (void)state;

    people_init(&people, good);
    escal_people_set_overrides(&people, away);
    assert_string_equal(on_call(&people), "ada"); /* cy has no turn yet */
    const struct process_person *ada = escal_people_person(&people, "ada");
    assert_true(escal_people_replace(&people, buf_span(&bytes), &before, &err));
    assert_string_equal(on_call(&people), "ben"); /* for cy, who is away */
    assert_string_equal(ada->name, "ada");        /* of the old one, which lives on */
    assert_ptr_equal(escal_people_person(before, "ada"), ada);
    assert_int_equal(before->override_count, 0); /* they moved: freed once */
    escal_people_free(before);
    escal_people_free(NULL);
    escal_people_set_overrides(&people, alone); /* in place of those before, not beside them */
    assert_int_equal(people.override_count, 1);
    assert_string_equal(on_call(&people), "");
    PQclear(away);
    PQclear(alone);
    buf_clear(&bytes);
    escal_people_clear(&people);
    assert_null(people.process);
    assert_int_equal(people.override_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_people_before_a_process_was_read_are_nobody_and_time_is_real),
        cmocka_unit_test(test_a_delay_of_working_time_goes_by_the_calendar_of_the_policy),
        cmocka_unit_test(test_a_scene_has_the_people_and_knows_when_their_hours_begin),
        cmocka_unit_test(test_a_process_that_cannot_be_used_leaves_the_people_as_they_were),
        cmocka_unit_test(test_a_new_process_gives_the_old_one_back_and_what_was_changed_of_the_plan_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
