/* The triage language, run on small processes and on the shipped one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "choice.h"
#include "embed.h"

static void file_add(struct process_files *files, const char *name, const char *text)
{
    struct err err;
    assert_true(process_files_add(files, span_of(name), span_of(text), &err));
}

static struct engine *engine_of(struct process *process)
{
    struct faults faults = {NULL, 0, 0};
    struct engine *engine = NULL;
    if (!engine_new(process, "/usr/share/zoneinfo", &engine, &faults))
        fail_msg("%s", faults.items[0].text);
    faults_clear(&faults);
    return engine;
}

static struct engine *process_of(const char *rules)
{
    struct process_files files = {NULL, 0};
    struct faults faults = {NULL, 0, 0};
    struct process *process = NULL;
    file_add(&files, "process.yaml", "zone: UTC\nquestions: {equipment: Which?}\n");
    file_add(&files, "calendars.yaml", "office: {hours: {mon-fri: [09:00-17:00]}}\n");
    file_add(&files, "packages.yaml", "standard: {}\ngold: {weight: 4, channels: [ticket, phone]}\n");
    file_add(&files, "rules/1.yaml", rules);
    if (!process_load_files(&files, &process, &faults))
        fail_msg("%s", faults.items[0].text);
    process_files_clear(&files);
    faults_clear(&faults);
    return engine_of(process);
}

static struct engine *process_shipped(void)
{
    struct process_files files = {NULL, 0};
    struct faults faults = {NULL, 0, 0};
    struct process *process = NULL;
    struct err err;
    for (size_t i = 0; i < shipped_process_count; i++)
        assert_true(
            process_files_add(&files, span_of(shipped_process[i].name),
                              (struct span){(const char *)shipped_process[i].data, shipped_process[i].len},
                              &err));
    if (!process_load_files(&files, &process, &faults))
        fail_msg("%s", faults.items[0].text);
    process_files_clear(&files);
    faults_clear(&faults);
    return engine_of(process);
}

static struct wire_doc *doc_of(const char *json)
{
    struct buf bytes;
    struct wire_doc *doc = NULL;
    struct err err;
    buf_init(&bytes, 1 << 20);
    if (!wire_from_json(&bytes, json, strlen(json), &err) || !wire_parse(bytes.p, bytes.len, 16, &doc, &err))
        fail_msg("%s: %s", json, err.msg);
    buf_clear(&bytes);
    return doc;
}

/* Runs the rules on a ticket (the entries of its map, in JSON, without braces) that was just posted, or that was decided before and to
 * which the event happened (likewise). The trace as JSON into trace (4 KiB), with the ticket's values, when it is not NULL: then as if it
 * was just posted. The outcome's texts live as long as the engine. */
static struct choice run(const struct engine *engine, const char *ticket, const char *event, char *trace)
{
    struct conditions *conditions = conditions_new();
    struct work work = {0};
    struct choice choice;
    struct err err;
    struct buf json, out;
    bool traced;

    buf_init(&json, 1 << 20);
    buf_init(&out, 1 << 20);
    (void)buf_printf(
        &json,
        "{\"now\":2000000,\"ticket\":{\"tracking\":\"T\",\"state\":\"new\",\"posted_at\":1000000%s%s},",
        *ticket ? "," : "", ticket);
    if (event != NULL)
        (void)buf_printf(
            &json, "\"events\":[{\"kind\":\"triaged\",\"at\":1,\"version\":2},{\"at\":2,\"version\":3,%s}]}",
            event);
    else
        (void)buf_add_text(&json, "\"events\":[]}");
    struct wire_doc *doc = doc_of(buf_text(&json));
    if (!work_parse(wire_root(doc), &work, &err))
        fail_msg("%s", err.msg);
    choice_make(engine, &work, conditions, trace != NULL, &choice, &out, &traced);
    if (trace != NULL) {
        struct wire_doc *list = NULL;
        assert_true(wire_parse(out.p, out.len, 4, &list, &err));
        buf_reset(&json);
        wire_to_json(&json, wire_root(list));
        (void)snprintf(trace, 4096, "%s", buf_text(&json));
        wire_doc_free(list);
    }
    work_clear(&work);
    conditions_free(conditions);
    buf_clear(&json);
    buf_clear(&out);
    wire_doc_free(doc);
    return choice;
}

struct title_row {
    const char *title;
    int priority;
};

/* What a desk really gets; the first two are the ones that must never become questions. */
static const struct title_row titles[] = {
    {"Can't make or receive any calls", 1},
    {"Can not reach your SBC, all calls fail", 1},
    {"Cannot make any outbound calls since 9am", 1},
    {"no calls in or out", 1},
    {"All phones are down in Munich", 1},
    {"How long will the outage last? All calls drop", 1},
    {"Most of our calls drop after 30 seconds", 2},
    {"One-way audio to a single number", 3},
    {"Voicemail light stays on", 3},
    {"How do I forward calls to my mobile?", 4},
    {"How can I fix echo on a headset", 4},
    {"Please add a user for the Berlin office", 4},
    {"Question about codecs", 4},
};

static void test_shipped_rules_when_real_titles_come_then_their_priority(void **state)
{
    (void)state;
    struct engine *engine = process_shipped();
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        char ticket[400], trace[4096];
        (void)snprintf(ticket, sizeof ticket, "\"title\":\"%s\",\"problem\":\"see above\"", titles[i].title);
        int priority = run(engine, ticket, NULL, NULL).priority;
        (void)run(engine, ticket, NULL, trace);
        if (priority != titles[i].priority)
            fail_msg("%s: got %d, want %d: %s", titles[i].title, priority, titles[i].priority, trace);
    }
    engine_free(engine);
}

static void test_shipped_rules_when_impact_is_given_then_its_priority(void **state)
{
    (void)state;
    static const struct title_row rows[] = {{"down", 1},     {"critical", 1}, {"degraded", 2},
                                            {"impaired", 3}, {"request", 4},  {"question", 4}};
    struct engine *engine = process_shipped();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char ticket[200];
        (void)snprintf(ticket, sizeof ticket, "\"title\":\"x\",\"problem\":\"y\",\"impact\":\"%s\"",
                       rows[i].title);
        assert_int_equal(run(engine, ticket, NULL, NULL).priority, rows[i].priority);
    }
    struct choice choice = run(engine, "\"title\":\"x\",\"problem\":\"y\",\"impact\":\"down\"", NULL, NULL);
    assert_string_equal(choice.alerts[0], "p1");
    assert_string_equal(choice.queue, "noc");
    assert_int_equal(choice.ask_count, 3);
    engine_free(engine);
}

static void test_rules_when_several_match_then_urgent_and_later_win(void **state)
{
    (void)state;
    struct engine *engine = process_of("- {rule: a, then: {priority: 2, queue: one, tag: [x, y]}}\n"
                                       "- {rule: b, then: {priority: 3, queue: two, tag: y}}\n"
                                       "- {rule: see, when: {field: queue, is: two}, then: {priority: 1}}\n"
                                       "- {rule: z, default: true, then: {priority: 4}}\n");
    struct choice choice = run(engine, "\"tags\":[\"x\"]", NULL, NULL);
    assert_int_equal(choice.priority, 2); /* and `see` saw the frozen ticket, without a queue */
    assert_string_equal(choice.queue, "two");
    assert_int_equal(choice.tag_count, 1);
    assert_string_equal(choice.tags[0], "y");
    engine_free(engine);
}

static void test_rules_when_forced_stopped_held_then_kept(void **state)
{
    (void)state;
    struct engine *engine = process_of("- {rule: a, then: {priority: 1, queue: q}}\n"
                                       "- {rule: b, then: {priority: 3, force: true, stop: true}}\n"
                                       "- {rule: c, then: {queue: never}}\n"
                                       "- {rule: z, default: true, then: {priority: 4}}\n");
    struct choice choice = run(engine, "", NULL, NULL);
    assert_int_equal(choice.priority, 3);
    assert_string_equal(choice.queue, "q");
    choice = run(engine, "\"held\":[\"queue\"]", NULL, NULL);
    assert_null(choice.queue);
    engine_free(engine);
}

static void test_rules_when_stopped_without_priority_then_the_default_speaks(void **state)
{
    (void)state;
    struct engine *engine = process_of("- {rule: a, then: {queue: q, stop: true}}\n"
                                       "- {rule: z, default: true, then: {priority: 4}}\n");
    assert_int_equal(run(engine, "", NULL, NULL).priority, 4);
    assert_int_equal(run(engine, "\"priority\":2", NULL, NULL).priority, 0); /* staff was faster */
    engine_free(engine);
}

static void test_rules_when_reply_then_raise_and_never_lower(void **state)
{
    (void)state;
    struct engine *engine =
        process_of("- {rule: r, on: reply, when: {field: reply.text, contains: DOWN}, then: {priority: 2}}\n"
                   "- {rule: z, default: true, then: {priority: 4}}\n");
#define REPLY(kind, text) \
    "\"kind\":\"" kind "\",\"public\":true,\"as\":{\"role\":\"customer\"},\"body\":{\"text\":\"" text "\"}"
    const char *event = REPLY("commented", "it is down");
    assert_int_equal(run(engine, "\"priority\":3", event, NULL).priority, 2);
    assert_int_equal(run(engine, "\"priority\":3", REPLY("rejected", "still down"), NULL).priority, 2);
    assert_int_equal(run(engine, "\"priority\":1", event, NULL).priority, 0);
    assert_int_equal(run(engine, "\"priority\":3",
                         REPLY("commented", "thanks\\n > it is down\\nOn Monday, X wrote:\\ndown"), NULL)
                         .priority,
                     0);
    assert_int_equal(run(engine, "", NULL, NULL).priority, 4); /* on: reply alone */
#undef REPLY
    engine_free(engine);
}

/* What happened before the first decision: each by itself, as if it had been decided when it came. */
static void test_rules_when_more_is_decided_at_once_then_each_has_its_run(void **state)
{
    (void)state;
    struct engine *engine = process_of(
        "- {rule: vip, when: {field: impact, is: vip}, then: {priority: 3, force: true}}\n"
        "- {rule: worse, on: reply, when: {field: reply.text, contains: worse}, then: {priority: 2}}\n"
        "- {rule: less, on: reply, when: {field: reply.text, contains: fine}, then: {priority: 4, force: "
        "true}}\n"
        "- {rule: z, default: true, then: {priority: 4}}\n");
    struct conditions *conditions = conditions_new();
#define SAYS(text)                                                                                   \
    "{\"at\":2,\"version\":3,\"kind\":\"commented\",\"public\":true,\"as\":{\"role\":\"customer\"}," \
    "\"body\":{\"text\":\"" text "\"}}"
#define SETS(priority, role)                                                    \
    "{\"at\":2,\"version\":3,\"kind\":\"prioritized\",\"as\":{\"role\":\"" role \
    "\"},\"body\":{\"priority\":" priority "}}"
    static const struct {
        const char *ticket, *events;
        int posted, chosen, after[3];
    } rows[] = {
        {"\"impact\":\"vip\"",
         SAYS("worse") "," SAYS("fine"),
         3,
         2,
         {2, 2}}, /* forced was the posting's run */
        {"\"impact\":\"x\"", SAYS("fine") "," SAYS("worse"), 4, 2, {4, 2}},
        {"\"priority\":3,\"held\":[\"priority\"]",
         SAYS("worse") "," SETS("3", "staff") "," SAYS("worse"),
         4,
         0,
         {2, 3, 3}},
        {"\"priority\":3", SAYS("worse") "," SETS("3", "system"), 4, 0, {2, 3}},
        {"\"priority\":3", SETS("3", "system") "," SAYS("worse"), 4, 2, {3, 2}},
    };
#undef SAYS
#undef SETS
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct work work = {0};
        struct choice choice;
        struct err err;
        struct buf json;
        bool traced;
        buf_init(&json, 1 << 16);
        (void)buf_printf(&json,
                         "{\"now\":9,\"ticket\":{\"tracking\":\"T\",\"state\":\"new\",\"posted_at\":1,%s},"
                         "\"events\":[%s]}",
                         rows[i].ticket, rows[i].events);
        struct wire_doc *doc = doc_of(buf_text(&json));
        assert_true(work_parse(wire_root(doc), &work, &err));
        choice_make(engine, &work, conditions, false, &choice, NULL, &traced);
        if (choice.posted != rows[i].posted || choice.priority != rows[i].chosen)
            fail_msg("%zu: posted %d, chosen %d", i, choice.posted, choice.priority);
        for (size_t k = 0; k < work.event_count; k++)
            if (work.events[k].priority != rows[i].after[k])
                fail_msg("%zu: after event %zu it is %d", i, k, work.events[k].priority);
        work_clear(&work);
        wire_doc_free(doc);
        buf_clear(&json);
    }
    conditions_free(conditions);
    engine_free(engine);
}

/* A reply's rules see what the posting's rules made of the ticket, also when both are decided at once; and the time at which it came. */
static void test_rules_of_a_reply_see_what_was_chosen_before_it(void **state)
{
    static const char *const holds[] = {"{field: priority, is: 2}",
                                        "{field: state, is: triaged}",
                                        "{field: queue, is: noc}",
                                        "{field: assignee, is: ada}",
                                        "{field: kind, is: fault}",
                                        "{field: tags, contains: old}",
                                        "{field: tags, contains: new}",
                                        "{field: attributes.region, is: emea}",
                                        "{field: attributes.sites, more: 2}",
                                        "{field: attributes.load, is: 0.5}",
                                        "{field: attributes.vip, is: true}",
                                        "{field: attributes.kept, is: 'yes'}",
                                        "{field: title, is: Echo}",
                                        "{field: age_s, is: 60}",
                                        "{time.open: office}"};
    (void)state;
    for (size_t i = 0; i < sizeof holds / sizeof holds[0]; i++) {
        char rules[1000];
        (void)snprintf(rules, sizeof rules,
                       "- {rule: a, then: {priority: 2, queue: noc, assignee: ada, kind: fault, tag: new, "
                       "attribute: {region: emea, sites: 3, load: 0.5, vip: true}}}\n"
                       "- {rule: early, when: %s, then: {tell: {ops: early}}}\n"
                       "- {rule: seen, on: reply, when: %s, then: {priority: 1}}\n"
                       "- {rule: z, default: true, then: {priority: 4}}\n",
                       holds[i], holds[i]);
        struct engine *engine = process_of(rules);
        struct conditions *conditions = conditions_new();
        struct work work = {0};
        struct choice choice;
        struct err err;
        bool traced;
        /* Monday, 09:00 and a minute; decided at night. */
        struct wire_doc *doc = doc_of(
            "{\"now\":1772492400000000,\"ticket\":{\"tracking\":\"T\",\"state\":\"new\",\"title\":\"Echo\","
            "\"posted_at\":1772442000000000,\"tags\":[\"old\"],\"attributes\":{\"kept\":\"yes\",\"region\":"
            "\"?\"}},"
            "\"events\":[{\"at\":1772442060000000,\"version\":2,\"kind\":\"commented\",\"public\":true,"
            "\"as\":{\"role\":\"customer\"},\"body\":{\"text\":\"Well?\"}}]}");
        assert_true(work_parse(wire_root(doc), &work, &err));
        choice_make(engine, &work, conditions, false, &choice, NULL, &traced);
        bool early =
            strstr("{field: tags, contains: old}{field: attributes.kept, is: 'yes'}{field: title, is: "
                   "Echo}{time.open: office}",
                   holds[i]) != NULL;
        if (choice.priority != 1 || choice.tell_count != (early ? 1 : 0))
            fail_msg("%s: priority %d, %zu early", holds[i], choice.priority, choice.tell_count);
        work_clear(&work);
        wire_doc_free(doc);
        conditions_free(conditions);
        engine_free(engine);
    }
}

struct cond_row {
    const char *cond, *ticket;
    bool holds;
};

static const struct cond_row conds[] = {
    {"{field: impact, is: down}", "\"impact\":\"down\"", true},
    {"{field: impact, in: [a, down]}", "\"impact\":\"up\"", false},
    {"{field: tags, in: [vip]}", "\"tags\":[\"x\",\"vip\"]", true},
    {"{field: title, matches: '(?i)^ÜBER'}", "\"title\":\"über\"", true},
    {"{field: title, matches: '(a+)+$'}", "\"title\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"", false},
    {"{field: attributes.mos, less: 3}", "\"attributes\":{\"mos\":\"2.9\"}", true},
    {"{field: attributes.mos, more: 3}", "\"attributes\":{\"mos\":\"n/a\"}", false},
    {"{field: equipment.sbc.model, exists: true}", "\"equipment\":{\"sbc\":{\"model\":\"x\"}}", true},
    {"{field: equipment, exists: false}", "\"equipment\":{}", true},
    {"{field: package.channels, contains: phone}", "\"package\":\"gold\"", true},
    {"{field: package.channels, contains: phone}", "\"package\":\"nobody\"", false},
    {"{field: customer.known, is: true}", "", false},
    {"{field: text, contains: 'NO Audio'}", "\"title\":\"a\",\"problem\":\"no audio\"", true},
    {"{time.open: office}", "", false},
    {"{time.open: 24x7}", "", true},
    {"{not: {time.open: office}}", "", true},
    {"{all: [{field: impact, is: x}, {field: kind, is: y}]}", "\"impact\":\"x\"", false},
    {"{any: [{field: impact, is: x}, {field: kind, is: y}]}", "\"impact\":\"x\"", true},
};

static void test_conditions_each_holds_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof conds / sizeof conds[0]; i++) {
        char yaml[500];
        (void)snprintf(
            yaml, sizeof yaml,
            "- rule: r\n  when: %s\n  then: {priority: 1}\n- {rule: z, default: true, then: {priority: 4}}\n",
            conds[i].cond);
        struct engine *engine = process_of(yaml);
        int priority = run(engine, conds[i].ticket, NULL, NULL).priority;
        if (priority != (conds[i].holds ? 1 : 4))
            fail_msg("%s on %s gave %d", conds[i].cond, conds[i].ticket, priority);
        engine_free(engine);
    }
}

static void test_trace_says_why(void **state)
{
    (void)state;
    char trace[4096];
    struct engine *engine =
        process_of("- {rule: r, when: {field: impact, in: [down, critical]}, then: {priority: 1}}\n"
                   "- {rule: slow, when: {field: title, matches: '(a+)+$'}, then: {priority: 1}}\n"
                   "- rule: all\n  when: {any: [{field: impact, is: x}, {not: {field: title, exists: "
                   "true}}]}\n  then: {priority: 1}\n"
                   "- {rule: z, default: true, then: {priority: 4}}\n");
    (void)run(engine, "\"impact\":\"question\",\"title\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"", NULL,
              trace);
    assert_non_null(strstr(trace, "impact (\\\"question\\\") in \\\"down\\\", \\\"critical\\\": no"));
    assert_non_null(strstr(trace, "the pattern passed its limit"));
    assert_non_null(strstr(trace, "impact (\\\"question\\\") is \\\"x\\\": no; not (title (\\\"aaa"));
    assert_non_null(strstr(trace, "no rule gave a priority"));
    (void)run(engine, "\"impact\":\"a\\nb\"", NULL, trace);
    assert_non_null(strstr(trace, "impact (\\\"a b\\\")")); /* a reason is one line */
    engine_free(engine);
}

/* Patterns that try much at every place of a long text, short of any limit, a hundred of them: a second each before the limit went by the
 * length. */
static void test_patterns_that_try_everywhere_end(void **state)
{
    (void)state;
    enum { PATTERNS = 100, TEXT_BYTES = 16384 };
    static char ticket[TEXT_BYTES + 100];
    struct buf rules;
    clock_t begun;

    buf_init(&rules, 1 << 20);
    for (int i = 0; i < PATTERNS; i++)
        (void)buf_printf(&rules,
                         "- {rule: slow %d, when: {field: problem, matches: '(?i)x[a-z]{0,9000}[yw]'}, then: "
                         "{priority: 1}}\n",
                         i);
    (void)buf_add_text(&rules, "- {rule: last, default: true, then: {priority: 3}}\n");
    struct engine *engine = process_of(buf_text(&rules));
    size_t len = (size_t)snprintf(ticket, sizeof ticket, "\"title\":\"t\",\"problem\":\"");
    memset(ticket + len, 'x', TEXT_BYTES);
    memcpy(ticket + len + TEXT_BYTES, "\"", 2);
    begun = clock();
    assert_int_equal(run(engine, ticket, NULL, NULL).priority, 3);
    print_message("%.2f s of processor\n", (double)(clock() - begun) / CLOCKS_PER_SEC);
    assert_true(clock() - begun < 40 * CLOCKS_PER_SEC);
    engine_free(engine);
    buf_clear(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_rules_when_real_titles_come_then_their_priority),
        cmocka_unit_test(test_shipped_rules_when_impact_is_given_then_its_priority),
        cmocka_unit_test(test_rules_when_several_match_then_urgent_and_later_win),
        cmocka_unit_test(test_rules_when_forced_stopped_held_then_kept),
        cmocka_unit_test(test_rules_when_stopped_without_priority_then_the_default_speaks),
        cmocka_unit_test(test_rules_when_reply_then_raise_and_never_lower),
        cmocka_unit_test(test_rules_when_more_is_decided_at_once_then_each_has_its_run),
        cmocka_unit_test(test_rules_of_a_reply_see_what_was_chosen_before_it),
        cmocka_unit_test(test_conditions_each_holds_or_not),
        cmocka_unit_test(test_trace_says_why),
        cmocka_unit_test(test_patterns_that_try_everywhere_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
