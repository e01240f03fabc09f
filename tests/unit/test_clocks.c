/* Clocks by hand: a story a test, with the reasoning, decided as in life (trial.h). The random ones are in test_clocks_model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "clock.h"
#include "decide.h"
#include "engine_of.h"
#include "instant.h"
#include "trial.h"

static const char calendars[] = "office: {hours: {mon-fri: [09:00-12:00, 13:00-17:00]}}\n";
static const char policy[] =
    "zone: UTC\ncalendar: office\npackage: a\napproval_reminders: []\nreopen_within: 7d\n"
    "close_unanswered_after: 3d\nmeeting_reminder: 2h\n"
    "warnings: [{at: 50%, tell: boards}, {before: 30m}]\n";
static const char packages[] =
    "a: {targets: {1: {response: 0m, update: 30m, resolution: 4h}, 3: {response: 4h working, update: 8h "
    "working}}}\n"
    "quick: {warnings: [{at: 10%}], targets: {3: {response: 1h, update: 8h working}}}\n";
static const char rules[] =
    "- {rule: look, on: [posted], when: {field: title, is: look}, then: {wake_in: 2h}}\n"
    "- {rule: looked, on: [due], then: {tell: {ops: Two hours.}}}\n"
    "- rule: urgent\n  on: [reply]\n  when: {field: reply.text, contains: down}\n"
    "  then: {tell: {ops: It is down.}}\n"
    "- {rule: z, default: true, then: {priority: 3}}\n";

struct story {
    struct engine *engine;
    struct trial *trial;
    size_t seen; /* of what was told */
};

static struct wire_doc *doc_of(const char *json)
{
    struct buf bytes;
    struct wire_doc *doc = NULL;
    struct err err = {0};
    buf_init(&bytes, 1 << 16);
    assert_true(wire_from_json(&bytes, json, strlen(json), &err) &&
                wire_parse(bytes.p, bytes.len, 8, &doc, &err));
    buf_clear(&bytes);
    return doc;
}

static int64_t at(const char *text)
{
    int64_t ret = 0;
    assert_true(instant_parse(span_of(text), &ret));
    return ret;
}

static struct story story_of(const char *package, const char *posted_at)
{
    struct story s = {.engine = engine_of((struct test_files){policy, calendars, packages, rules})};
    char record[128];
    struct err err = {0};
    (void)snprintf(record, sizeof record, "{\"id\":\"c\",\"name\":\"c\",\"package\":\"%s\"}", package);
    struct wire_doc *ticket = doc_of("{\"title\":\"x\",\"problem\":\"y\"}"), *customer = doc_of(record);
    assert_non_null(s.engine);
    assert_true(trial_new(s.engine, wire_root(ticket), wire_root(customer), at(posted_at), &s.trial, &err));
    wire_doc_free(ticket);
    wire_doc_free(customer);
    return s;
}

static void story_end(struct story *s)
{
    trial_free(s->trial);
    engine_free(s->engine);
}

static void act(struct story *s, const char *when, enum desk_role role, const char *op, const char *json)
{
    struct wire_doc *doc = doc_of(json);
    struct err err = {0};
    if (!trial_do(s->trial, op, (struct trial_as){role, "ada"}, wire_root(doc), at(when), &err))
        fail_msg("%s: %s", op, err.msg);
    wire_doc_free(doc);
}

static void pass(struct story *s, const char *until)
{
    struct err err = {0};
    assert_true(trial_pass(s->trial, at(until), &err));
}

/* What was told since the last look, joined by commas. */
static void assert_told(struct story *s, const char *want)
{
    char got[1024] = "";
    for (; s->seen < trial_said_count(s->trial, TRIAL_TOLD); s->seen++)
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", got[0] == '\0' ? "" : ", ",
                       trial_said(s->trial, TRIAL_TOLD, s->seen));
    assert_string_equal(got, want);
}

static const struct wire_val *clock_of(struct story *s, const char *kind, int cycle)
{
    const struct wire_val *list = wire_find(trial_ticket(s->trial), "clocks");
    for (size_t i = 0; i < wire_count(list); i++)
        if (span_is(wire_find_str(wire_at(list, i), "clock"), kind) &&
            wire_find_int(wire_at(list, i), "cycle", 0) == cycle)
            return wire_at(list, i);
    fail_msg("there is no clock %s, cycle %d", kind, cycle);
    return NULL;
}

static void assert_clock(struct story *s, const char *kind, int cycle, const char *state, const char *due)
{
    const struct wire_val *clock = clock_of(s, kind, cycle);
    assert_true(span_is(wire_find_str(clock, "state"), state));
    if (due == NULL)
        assert_int_equal(wire_find_int(clock, "due_at", -1), -1);
    else
        assert_int_equal(wire_find_int(clock, "due_at", -1), at(due));
}

/* The steps of clocks in the decisions' events, "response 1 started, …". */
static void assert_history(struct story *s, const char *want)
{
    struct buf out, got;
    struct wire_doc *doc = NULL;
    struct err err = {0};
    buf_init(&out, 1 << 20);
    buf_init(&got, 1 << 16);
    trial_put_work(s->trial, at("2027-01-01T00:00:00Z"), &out);
    assert_true(wire_parse(out.p, out.len, 32, &doc, &err));
    const struct wire_val *events = wire_find(wire_root(doc), "events");
    for (size_t i = 0; i < wire_count(events); i++) {
        const struct wire_val *steps = wire_find(wire_find(wire_at(events, i), "body"), "clocks");
        for (size_t k = 0; k < wire_count(steps); k++) {
            struct span kind = wire_find_str(wire_at(steps, k), "clock"),
                        step = wire_find_str(wire_at(steps, k), "step");
            (void)buf_printf(&got, "%s%.*s %lld %.*s", got.len == 0 ? "" : ", ", (int)kind.len, kind.p,
                             (long long)wire_find_int(wire_at(steps, k), "cycle", 0), (int)step.len, step.p);
        }
    }
    assert_string_equal(buf_text(&got), want);
    wire_doc_free(doc);
    buf_clear(&out);
    buf_clear(&got);
}

/* ---- the stories ---- */

/* Posted on a Friday at 16:00 with 4 h of opening time: one hour is left of Friday, so 9, 10, 11 of Monday, less lunch. Half of
 * it is used on Monday at 10:00 (quiet), and 30 minutes are left at 11:30. Nothing is told in the night or at the weekend. */
static void test_clocks_warn_in_opening_time_only(void **state)
{
    struct story s = story_of("a", "2026-03-06T16:00:00Z");
    (void)state;
    assert_told(&s, "customer received, customer triaged");
    assert_clock(&s, "response", 1, "running", "2026-03-09T12:00:00Z");
    pass(&s, "2026-03-09T11:29:59Z");
    assert_told(&s, "");
    pass(&s, "2026-03-09T11:30:00Z");
    assert_told(&s, "staff warning response 87%");
    pass(&s, "2026-03-09T11:59:59Z");
    assert_told(&s, "");
    pass(&s, "2026-03-09T12:00:00Z");
    assert_told(&s, "staff missed response");
    assert_clock(&s, "response", 1, "missed", "2026-03-09T12:00:00Z");
    story_end(&s);
}

static void test_clocks_warnings_are_the_packages_own(void **state)
{
    struct story s = story_of("quick", "2026-03-06T16:00:00Z");
    (void)state;
    assert_told(&s, "customer received, customer triaged");
    pass(&s, "2026-03-06T16:05:59Z");
    assert_told(&s, "");
    pass(&s, "2026-03-06T16:06:00Z");
    assert_told(&s, "staff warning response 10%");
    story_end(&s);
}

/* The verdict stays; the time at which it was met after all is kept with it. */
static void test_clocks_late_response_keeps_its_verdict_and_gains_its_time(void **state)
{
    struct story s = story_of("a", "2026-03-02T09:00:00Z");
    (void)state;
    pass(&s, "2026-03-02T15:00:00Z");
    assert_int_equal(trial_verdict_count(s.trial), 1);
    assert_true(trial_verdict(s.trial, 0)->missed);
    assert_int_equal(trial_verdict(s.trial, 0)->met_at, CLOCK_NO_INSTANT);
    act(&s, "2026-03-02T16:00:00Z", ROLE_STAFF, "take", "{}");
    assert_int_equal(trial_verdict_count(s.trial), 1);
    assert_true(trial_verdict(s.trial, 0)->missed);
    assert_int_equal(trial_verdict(s.trial, 0)->met_at, at("2026-03-02T16:00:00Z"));
    assert_int_equal(trial_verdict(s.trial, 0)->worked_s, 6 * 3600);
    story_end(&s);
}

/* A person speaks while the customer owes an answer: that update was at rest with time left, so it was not missed. */
static void test_clocks_update_at_rest_is_not_missed_by_words(void **state)
{
    struct story s = story_of("a", "2026-03-02T09:00:00Z");
    (void)state;
    act(&s, "2026-03-02T09:30:00Z", ROLE_STAFF, "wait", "{\"on\":\"customer\",\"reason\":\"x\"}");
    act(&s, "2026-03-20T09:30:00Z", ROLE_STAFF, "comment", "{\"text\":\"x\",\"public\":true}");
    for (size_t i = 0; i < trial_verdict_count(s.trial); i++)
        assert_false(trial_verdict(s.trial, i)->missed);
    assert_clock(&s, "update", 3, "paused", NULL);
    story_end(&s);
}

/* From waiting for the customer to waiting for a vendor: the latter pauses nothing. */
static void test_clocks_vendor_after_customer_runs(void **state)
{
    struct story s = story_of("a", "2026-03-02T09:00:00Z");
    (void)state;
    act(&s, "2026-03-02T09:30:00Z", ROLE_STAFF, "wait", "{\"on\":\"customer\",\"reason\":\"x\"}");
    act(&s, "2026-03-02T10:00:00Z", ROLE_STAFF, "wait", "{\"on\":\"vendor\",\"reason\":\"x\"}");
    assert_clock(&s, "update", 3, "running", "2026-03-03T11:00:00Z");
    story_end(&s);
}

/* Becoming P1 after two hours: 30 minutes for an update, from posting, were over long before anybody said so. */
static void test_clocks_moved_miss_says_so(void **state)
{
    struct story s = story_of("a", "2026-03-02T09:00:00Z");
    (void)state;
    act(&s, "2026-03-02T09:01:00Z", ROLE_STAFF, "take", "{}");
    act(&s, "2026-03-02T11:00:00Z", ROLE_STAFF, "prioritize", "{\"priority\":1,\"reason\":\"x\"}");
    assert_told(&s, "customer received, customer triaged, staff alert p1, staff missed update");
    assert_int_equal(trial_verdict_count(s.trial), 2);
    assert_null(trial_verdict(s.trial, 0)->cause.p);
    assert_true(span_is(trial_verdict(s.trial, 1)->cause, "moved"));
    assert_clock(&s, "resolution", 1, "running", "2026-03-02T13:00:00Z");
    story_end(&s);
}

static void test_clocks_steps_stand_in_the_history(void **state)
{
    struct story s = story_of("a", "2026-03-02T09:00:00Z");
    (void)state;
    act(&s, "2026-03-02T09:30:00Z", ROLE_STAFF, "wait", "{\"on\":\"customer\",\"reason\":\"x\"}");
    act(&s, "2026-03-02T10:00:00Z", ROLE_CUSTOMER, "reply", "{\"text\":\"here it is\"}");
    act(&s, "2026-03-02T10:30:00Z", ROLE_STAFF, "resolve", "{\"text\":\"x\"}");
    act(&s, "2026-03-02T11:00:00Z", ROLE_CUSTOMER, "approve", "{}");
    assert_history(&s,
                   "response 1 started, update 1 started, response 1 met, update 1 met, update 2 started, "
                   "update 2 paused, update 2 resumed, update 2 met, update 3 started, update 3 paused, "
                   "update 3 ended");
    story_end(&s);
}

/* A decision that changes nothing leaves no event; what it has seen is seen all the same: rules on a reply run once. */
static void test_clocks_reply_is_new_only_once(void **state)
{
    struct story s = story_of("a", "2026-03-02T09:00:00Z");
    (void)state;
    act(&s, "2026-03-02T09:30:00Z", ROLE_STAFF, "take", "{}");
    act(&s, "2026-03-02T10:00:00Z", ROLE_CUSTOMER, "reply", "{\"text\":\"all is down\"}");
    assert_told(&s, "customer received, customer triaged, ops tell");
    pass(&s, "2026-03-02T16:30:00Z"); /* a warning of the update comes due */
    act(&s, "2026-03-02T16:40:00Z", ROLE_STAFF, "comment", "{\"text\":\"a note\",\"public\":false}");
    assert_told(&s, "");
    story_end(&s);
}

/* The desk itself closes after three days without an answer; the customer's next words reopen, and all clocks begin again. */
static void test_clocks_closed_by_itself_is_closed_for_the_clocks_too(void **state)
{
    struct story s = story_of("a", "2026-03-02T09:00:00Z");
    (void)state;
    act(&s, "2026-03-02T09:30:00Z", ROLE_STAFF, "resolve", "{\"text\":\"x\"}");
    pass(&s, "2026-03-05T09:30:00Z");
    assert_true(span_is(wire_find_str(trial_ticket(s.trial), "state"), "closed"));
    act(&s, "2026-03-06T10:00:00Z", ROLE_CUSTOMER, "reply", "{\"text\":\"again\"}");
    assert_true(span_is(wire_find_str(trial_ticket(s.trial), "state"), "reopened"));
    assert_clock(&s, "response", 2, "running", "2026-03-06T15:00:00Z");
    assert_true(trial_wake_at(s.trial) > at("2026-03-06T10:00:00Z"));
    story_end(&s);
}

/* Windows of one clock as explain tells them, "counted 2:00, closed 64:00, …" in hours and minutes. */
static void assert_windows(struct story *s, const char *now, const char *kind, const char *want)
{
    struct decider *decider = decider_new();
    struct buf body, out, got;
    struct wire_doc *work = NULL, *told = NULL;
    struct err err = {0};
    buf_init(&body, 1 << 20);
    buf_init(&out, 1 << 20);
    buf_init(&got, 1 << 16);
    trial_put_work(s->trial, at(now), &body);
    assert_true(wire_parse(body.p, body.len, 32, &work, &err));
    assert_true(decide_explain(decider, s->engine, wire_root(work), &out, &err));
    assert_true(wire_parse(out.p, out.len, 32, &told, &err));
    const struct wire_val *clocks = wire_find(wire_root(told), "clocks"), *windows = NULL;
    for (size_t i = 0; i < wire_count(clocks); i++)
        if (span_is(wire_find_str(wire_at(clocks, i), "clock"), kind))
            windows = wire_find(wire_at(clocks, i), "windows");
    for (size_t i = 0; i < wire_count(windows); i++) {
        struct span what = wire_find_str(wire_at(windows, i), "what");
        long long minutes = (long long)wire_find_int(wire_at(windows, i), "seconds", 0) / 60;
        (void)buf_printf(&got, "%s%.*s %lld:%02lld", i == 0 ? "" : ", ", (int)what.len, what.p, minutes / 60,
                         minutes % 60);
    }
    assert_string_equal(buf_text(&got), want);
    wire_doc_free(work);
    wire_doc_free(told);
    buf_clear(&body);
    buf_clear(&out);
    buf_clear(&got);
    decider_free(decider);
}

/* The database's clock was set back by an hour between two events: nothing took less than no time. */
static void test_clocks_survive_a_clock_that_was_set_back(void **state)
{
    static const struct clock_event events[] = {
        {.kind = EVENT_WAITING,
         .by_person = true,
         .is_public = true,
         .on = CLOCK_ON_CUSTOMER,
         .until_at = CLOCK_NO_INSTANT},
        {.kind = EVENT_COMMENTED, .by_customer = true, .is_public = true, .until_at = CLOCK_NO_INSTANT},
    };
    struct clock_event facts[2] = {events[0], events[1]};
    struct clock_terms terms = {.priority = 2, .changed_at = CLOCK_NO_INSTANT};
    struct clocks *clocks = malloc(sizeof *clocks);
    int64_t posted = at("2026-03-02T09:00:00Z");
    (void)state;
    for (size_t k = 0; k < CLOCK_KINDS; k++)
        terms.promises[k] =
            (struct clock_promise){.promised = true, .promise_us = 7200 * US_PER_S, .calendar_name = "24x7"};
    facts[0].at = posted + 3600 * US_PER_S;
    facts[1].at = posted + 10 * US_PER_S;
    clocks_compute(&terms, posted, facts, 2, NULL, 0, posted + 3700 * US_PER_S, clocks);
    for (size_t i = 0; i < clocks->count; i++) {
        assert_true(clocks->items[i].paused_s >= 0 && clocks->items[i].worked_s >= 0);
        assert_true(clocks->items[i].due_at >= posted + 7200 * US_PER_S);
    }
    free(clocks);
}

/* A rule's wake_in waits for its time whatever wakes the ticket before, and runs once. */
static void test_wake_in_outlives_other_wakes(void **state)
{
    struct story s = {.engine = engine_of((struct test_files){policy, calendars, packages, rules})};
    struct wire_doc *ticket = doc_of("{\"title\":\"look\",\"problem\":\"y\"}");
    struct err err = {0};
    (void)state;
    assert_true(trial_new(s.engine, wire_root(ticket), NULL, at("2026-03-02T09:00:00Z"), &s.trial, &err));
    act(&s, "2026-03-02T10:00:00Z", ROLE_STAFF, "take", "{}");
    pass(&s, "2026-03-02T10:59:59Z");
    assert_told(&s, "customer received, customer triaged");
    pass(&s, "2026-03-02T11:00:00Z");
    assert_told(&s, "ops tell");
    pass(&s, "2026-03-03T09:59:59Z"); /* warnings of the update wake it, too */
    assert_told(&s, "staff warning update 93%");
    wire_doc_free(ticket);
    story_end(&s);
}

/* From Friday's afternoon over a weekend, a holiday on Monday, lunch, a wait for the customer and one for a vendor. */
static void test_windows_say_why_a_clock_did_not_count(void **state)
{
    static const char holiday[] =
        "office: {hours: {mon-fri: [09:00-12:00, 13:00-17:00]}, holidays: [2026-03-09],\n"
        "  zone: Europe/Berlin}\n";
    struct story s = {.engine = engine_of((struct test_files){policy, holiday, packages, rules})};
    struct wire_doc *ticket = doc_of("{\"title\":\"x\",\"problem\":\"y\"}");
    struct err err = {0};
    (void)state;
    assert_non_null(s.engine);
    assert_true(trial_new(s.engine, wire_root(ticket), NULL, at("2026-03-06T15:00:00Z"), &s.trial, &err));
    assert_windows(&s, "2026-03-10T11:30:00Z", "response",
                   "counted 1:00, closed 55:00, holiday 24:00, closed 9:00, counted 3:00, lunch 0:30");
    act(&s, "2026-03-10T12:30:00Z", ROLE_STAFF, "wait", "{\"on\":\"vendor\",\"reason\":\"x\"}");
    act(&s, "2026-03-10T13:30:00Z", ROLE_STAFF, "resume", "{}");
    assert_windows(&s, "2026-03-10T14:00:00Z", "update", "vendor 1:00, counted 0:30");
    act(&s, "2026-03-10T14:30:00Z", ROLE_STAFF, "wait", "{\"on\":\"customer\",\"reason\":\"x\"}");
    act(&s, "2026-03-11T09:00:00Z", ROLE_CUSTOMER, "reply", "{\"text\":\"x\"}");
    assert_windows(&s, "2026-03-11T10:00:00Z", "update", "customer 18:30, counted 1:00");
    wire_doc_free(ticket);
    story_end(&s);
}

/* A response that was kept: its windows are those it was judged by, whatever the priority is since. Priority 4 is met by words only. */
static void test_windows_of_a_kept_clock_are_of_the_promise_it_was_kept_by(void **state)
{
    struct story s = story_of("a", "2026-03-09T11:00:00Z");
    (void)state;
    act(&s, "2026-03-09T14:00:00Z", ROLE_STAFF, "take", "{}");
    act(&s, "2026-03-09T14:30:00Z", ROLE_STAFF, "prioritize", "{\"priority\":1}");
    assert_windows(&s, "2026-03-09T15:00:00Z", "response", "counted 1:00, lunch 1:00, counted 1:00");
    act(&s, "2026-03-09T15:10:00Z", ROLE_STAFF, "prioritize", "{\"priority\":4}");
    act(&s, "2026-03-09T15:20:00Z", ROLE_STAFF, "comment", "{\"text\":\"x\",\"public\":true}");
    assert_windows(&s, "2026-03-09T16:00:00Z", "response", "counted 1:00, lunch 1:00, counted 1:00");
    story_end(&s);

    s = story_of("a", "2026-03-09T13:00:00Z");
    act(&s, "2026-03-09T13:10:00Z", ROLE_STAFF, "prioritize", "{\"priority\":4}");
    act(&s, "2026-03-09T13:20:00Z", ROLE_STAFF, "take", "{}");
    act(&s, "2026-03-09T15:00:00Z", ROLE_STAFF, "comment", "{\"text\":\"x\",\"public\":true}");
    act(&s, "2026-03-09T15:30:00Z", ROLE_STAFF, "prioritize", "{\"priority\":3}");
    assert_windows(&s, "2026-03-09T16:00:00Z", "response", "counted 2:00");
    story_end(&s);
}

/* A meeting at eleven; the process reminds two hours before. */
static void test_meetings_are_reminded_of_as_long_before_as_the_process_says(void **state)
{
    struct story s = story_of("a", "2026-03-09T08:00:00Z");
    char body[160];
    (void)state;
    (void)snprintf(body, sizeof body, "{\"meeting\":{\"id\":\"m\",\"what\":\"made\",\"starts_at\":%lld}}",
                   (long long)at("2026-03-09T11:00:00Z"));
    act(&s, "2026-03-09T08:10:00Z", ROLE_STAFF, "meeting", body);
    assert_int_equal(trial_wake_at(s.trial), at("2026-03-09T09:00:00Z"));
    s.seen = trial_said_count(s.trial, TRIAL_TOLD);
    pass(&s, "2026-03-09T08:59:59Z");
    assert_told(&s, "");
    pass(&s, "2026-03-09T12:00:00Z");
    assert_told(&s, "customer meeting reminder, staff meeting reminder");
    story_end(&s);
}

static void meet(struct story *s, const char *when, const char *id, const char *starts, int reminder_s)
{
    char body[200];

    (void)snprintf(body, sizeof body,
                   "{\"meeting\":{\"id\":\"%s\",\"what\":\"made\",\"starts_at\":%lld,\"reminder_s\":%d}}", id,
                   (long long)at(starts), reminder_s);
    act(s, when, ROLE_STAFF, "meeting", body);
}

/* What the meeting says goes before what the process says; each is reminded of once, also when its reminder is moved; 0 is never. */
static void test_a_meetings_own_reminder_goes_before_the_processs(void **state)
{
    struct story s = story_of("a", "2026-03-09T08:00:00Z");
    (void)state;
    meet(&s, "2026-03-09T08:10:00Z", "m", "2026-03-09T11:00:00Z", 600);
    meet(&s, "2026-03-09T08:11:00Z", "never", "2026-03-09T11:00:00Z", 0);
    assert_int_equal(trial_wake_at(s.trial), at("2026-03-09T10:50:00Z"));
    meet(&s, "2026-03-09T08:12:00Z", "m", "2026-03-09T11:00:00Z", 1200);
    assert_int_equal(trial_wake_at(s.trial), at("2026-03-09T10:40:00Z"));
    s.seen = trial_said_count(s.trial, TRIAL_TOLD);
    pass(&s, "2026-03-09T10:39:59Z");
    assert_told(&s, "");
    pass(&s, "2026-03-09T10:45:00Z");
    assert_told(&s, "customer meeting reminder, staff meeting reminder");
    meet(&s, "2026-03-09T10:46:00Z", "m", "2026-03-09T11:00:00Z", 1200);
    s.seen = trial_said_count(s.trial, TRIAL_TOLD);
    pass(&s, "2026-03-09T10:59:59Z");
    assert_told(&s, "");
    story_end(&s);
}

/* More meetings at one time than one decision reminds of: the rest are reminded of at once after it. */
static void test_many_meetings_at_one_time_are_all_reminded_of(void **state)
{
    struct story s = story_of("a", "2026-03-09T08:00:00Z");
    char id[8];
    (void)state;
    for (int i = 0; i < 12; i++) {
        (void)snprintf(id, sizeof id, "m%d", i);
        meet(&s, "2026-03-09T08:10:00Z", id, "2026-03-09T11:00:00Z", 600);
    }
    size_t before = trial_said_count(s.trial, TRIAL_TOLD);
    pass(&s, "2026-03-09T10:50:10Z");
    assert_int_equal(trial_said_count(s.trial, TRIAL_TOLD) - before, 24);
    story_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks_warn_in_opening_time_only),
        cmocka_unit_test(test_clocks_warnings_are_the_packages_own),
        cmocka_unit_test(test_clocks_late_response_keeps_its_verdict_and_gains_its_time),
        cmocka_unit_test(test_clocks_update_at_rest_is_not_missed_by_words),
        cmocka_unit_test(test_clocks_vendor_after_customer_runs),
        cmocka_unit_test(test_clocks_moved_miss_says_so),
        cmocka_unit_test(test_clocks_steps_stand_in_the_history),
        cmocka_unit_test(test_clocks_reply_is_new_only_once),
        cmocka_unit_test(test_clocks_closed_by_itself_is_closed_for_the_clocks_too),
        cmocka_unit_test(test_clocks_survive_a_clock_that_was_set_back),
        cmocka_unit_test(test_wake_in_outlives_other_wakes),
        cmocka_unit_test(test_meetings_are_reminded_of_as_long_before_as_the_process_says),
        cmocka_unit_test(test_a_meetings_own_reminder_goes_before_the_processs),
        cmocka_unit_test(test_many_meetings_at_one_time_are_all_reminded_of),
        cmocka_unit_test(test_windows_say_why_a_clock_did_not_count),
        cmocka_unit_test(test_windows_of_a_kept_clock_are_of_the_promise_it_was_kept_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
