/* Quiet hours and windows: whether a message waits, until when, by which line. */
#include "policy.h"
#include "instant.h"
#include "process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ZONES "tests/zones"

static const char notify_yaml[] =
    "holds:\n"
    "  - {hold: nights, to: customer, packages: [standard], quiet: {mon-sun: ['20:00-07:00']}}\n"
    "  - hold: desk closed\n"
    "    to: staff\n"
    "    quiet: {mon: ['00:00-08:00', '18:00-08:00'], tue-fri: ['18:00-08:00'], sat-sun: ['00:00-24:00']}\n"
    "    zone: Europe/Berlin\n"
    "  - {hold: window, to: staff, kinds: [warning], every: 15m}\n";

/* The shipped process with another notify.yaml. faults: those of the load. */
static struct process *process_with(const char *yaml, struct faults *faults)
{
    struct process_files files = {NULL, 0}, with = {NULL, 0};
    struct process *process = NULL;
    struct err err;

    if (!process_files_read("deploy/process", &files, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < files.count; i++)
        if (strcmp(files.items[i].name, "notify.yaml") != 0)
            assert_true(process_files_add(&with, span_of(files.items[i].name),
                                          (struct span){files.items[i].bytes, files.items[i].len}, &err));
    assert_true(process_files_add(&with, span_of("notify.yaml"), span_of(yaml), &err));
    if (!process_load_files(&with, &process, faults))
        process = NULL;
    process_files_clear(&files);
    process_files_clear(&with);
    return process;
}

static const struct zone *zone_named(void *arg, const char *name)
{
    (void)name;
    return arg;
}

static void test_messages_wait_for_the_end_of_their_quiet_time(void **state)
{
    static const struct {
        enum desk_audience audience;
        const char *kind, *package, *now, *want; /* NULL: goes at once */
        int priority;
    } rows[] = {
        /* Berlin is at +01:00 until 2026-03-29, then at +02:00. */
        {AUDIENCE_CUSTOMER, "update", "standard", "2026-03-27T20:30:00Z", "2026-03-28T06:00:00Z", 3},
        {AUDIENCE_CUSTOMER, "update", "standard", "2026-03-28T22:30:00Z", "2026-03-29T05:00:00Z", 3},
        {AUDIENCE_CUSTOMER, "update", "standard", "2026-03-27T06:00:00Z", NULL, 3},
        {AUDIENCE_CUSTOMER, "update", "standard", "2026-03-27T05:59:59Z", "2026-03-27T06:00:00Z", 3},
        {AUDIENCE_CUSTOMER, "update", "standard", "2026-03-27T20:30:00Z", NULL, 1},
        {AUDIENCE_CUSTOMER, "tell", "standard", "2026-03-27T20:30:00Z", NULL, 2},
        {AUDIENCE_CUSTOMER, "update", "gold", "2026-03-27T20:30:00Z", NULL, 3},
        {AUDIENCE_CUSTOMER, "received", "standard", "2026-03-27T20:30:00Z", NULL, 3},
        {AUDIENCE_CUSTOMER, "approval_asked", "standard", "2026-03-27T20:30:00Z", NULL, 3},
        {AUDIENCE_CUSTOMER, "waiting", "standard", "2026-03-27T20:30:00Z", NULL, 3},
        /* From Friday evening to Monday morning, over the change of the clocks. */
        {AUDIENCE_STAFF, "task", "", "2026-03-27T18:00:00Z", "2026-03-30T06:00:00Z", 3},
        {AUDIENCE_STAFF, "task", "", "2026-03-25T12:00:00Z", NULL, 3},
        {AUDIENCE_STAFF, "task", "", "2026-03-27T18:00:00Z", NULL, 2},
        {AUDIENCE_STAFF, "task", "", "2026-03-27T18:00:00Z", NULL, 1},
        {AUDIENCE_STAFF, "missed", "", "2026-03-27T18:00:00Z", NULL, 4},
        {AUDIENCE_STAFF, "alert", "", "2026-03-27T18:00:00Z", NULL, 4},
        {AUDIENCE_STAFF, "warning", "", "2026-03-25T12:01:00Z", "2026-03-25T12:15:00Z", 4},
        {AUDIENCE_STAFF, "warning", "", "2026-03-27T18:00:00Z", "2026-03-30T06:00:00Z", 4},
        {AUDIENCE_OPS, "task", "", "2026-03-28T12:00:00Z", "2026-03-30T06:00:00Z", 0},
    };
    struct faults faults = {0};
    struct process *process = process_with(notify_yaml, &faults);
    struct zone *berlin = NULL;
    struct err err;
    (void)state;

    if (process == NULL)
        fail_msg("%s", faults.items[0].text);
    assert_true(zone_open(ZONES, "Europe/Berlin", &berlin, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct policy_message message = {.audience = rows[i].audience,
                                         .kind = rows[i].kind,
                                         .priority = rows[i].priority,
                                         .package = span_of(rows[i].package),
                                         .reader_zone = berlin};
        char why[POLICY_WHY_BYTES] = "", got[INSTANT_BYTES] = "at once";
        int64_t until = 0;
        assert_true(instant_parse(span_of(rows[i].now), &message.now));
        bool waits = policy_holds(&process->notify, &message, zone_named, berlin, &until, why);
        if (waits)
            (void)instant_format(until, got);
        if (waits != (rows[i].want != NULL) || (waits && strcmp(got, rows[i].want) != 0))
            fail_msg("row %zu, %s at %s: waits until %s, want %s", i, rows[i].kind, rows[i].now, got,
                     rows[i].want == NULL ? "none" : rows[i].want);
        if (waits && strstr(why, rows[i].want) == NULL)
            fail_msg("row %zu: \"%s\" does not say until when", i, why);
    }
    zone_free(berlin);
    process_free(process);
}

static void test_faults_of_notify_yaml_are_told_with_their_place(void **state)
{
    static const struct {
        const char *yaml, *want;
    } rows[] = {
        {"limits: {customer: {minute: 0}}\n", "notify.yaml:1:29: minute"},
        {"limits: {phone: {minute: 3}}\n", "notify.yaml:1:18: minute: is not known in phone; allowed are "},
        {"limits: {chat: {five_minutes: many}}\n", "notify.yaml:1:31: five_minutes"},
        {"limit: {}\n", "notify.yaml:1:1: "},
        {"holds:\n  - {hold: a, to: staff}\n", "notify.yaml:2:5: hold: want either quiet"},
        {"holds:\n  - {hold: a, to: nobody, every: 5m}\n", "notify.yaml:2:19: to: "},
        {"holds:\n  - {hold: a, to: staff, every: 5s}\n", "notify.yaml:2:33: every: want 1m"},
        {"holds:\n  - {hold: a, to: customer, packages: [platinum], every: 5m}\n",
         "\"platinum\" is not in packages.yaml"},
        {"holds:\n  - {hold: a, to: staff, every: 5m, zone: Europe/Berlin}\n", "zone: belongs to quiet"},
        {"holds:\n  - {hold: a, to: staff, quiet: {mon: ['25:00-26:00']}}\n", "notify.yaml:2:"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct faults faults = {0};
        struct process *process = process_with(rows[i].yaml, &faults);
        if (process != NULL || faults.count == 0 || strstr(faults.items[0].text, rows[i].want) == NULL)
            fail_msg("row %zu: %s", i, process != NULL ? "accepted" : faults.items[0].text);
        faults_clear(&faults);
    }
}

static void test_without_the_file_the_defaults_hold(void **state)
{
    struct faults faults = {0};
    struct process *process = process_with("", &faults);
    (void)state;

    assert_non_null(process);
    assert_int_equal(process->notify.limits.receipts_alone, 10);
    assert_int_equal(process->notify.limits.staff_minute, 1);
    assert_int_equal(process->notify.hold_count, 0);
    const struct policy_rate phone = policy_rate_of(&process->notify.limits, POLICY_LIMIT_PHONE);
    const struct policy_rate chat = policy_rate_of(&process->notify.limits, POLICY_LIMIT_CHAT);
    assert_true(phone.staff_short == 3 && phone.short_us == 900 * US_PER_S && phone.staff_long == 7);
    assert_true(chat.customer_short == 10 && chat.short_us == 300 * US_PER_S);
    process_free(process);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_wait_for_the_end_of_their_quiet_time),
        cmocka_unit_test(test_faults_of_notify_yaml_are_told_with_their_place),
        cmocka_unit_test(test_without_the_file_the_defaults_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
