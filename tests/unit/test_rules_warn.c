/* Warnings about rules: each one's words and place, and rules that are meant must not be warned of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST "\n- {rule: z, default: true, then: {priority: 3}}\n"

/* The warnings of rules, a line each, without those of others. */
static void warnings_of(const char *rules, char *ret, size_t size)
{
    const char *const list[][2] = {
        {"process.yaml", "zone: UTC\n"},
        {"calendars.yaml", "office: {hours: {mon-fri: [09:00-17:00]}}\n"},
        {"packages.yaml", "standard: {}\n"},
        {"staff.yaml",
         "people: {ada: {email: ada@localhost}}\nteams: {voice: {members: [ada], queues: [noc, desk]}}\n"},
        {"rules/1.yaml", rules}};
    struct process_files files = {NULL, 0};
    struct faults faults = {NULL, 0, 0};
    struct process *process = NULL;
    struct err err = {0};

    ret[0] = '\0';
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (!process_files_add(&files, span_of(list[i][0]), span_of(list[i][1]), &err))
            fail_msg("%s", err.msg);
    if (!process_load_files(&files, &process, &faults))
        fail_msg("%s\n%s", faults.items[0].text, rules);
    for (size_t i = 0; i < process->warnings.count; i++) {
        size_t len = strlen(ret);
        (void)snprintf(ret + len, size - len, "%s%s", len == 0 ? "" : "\n",
                       process->warnings.items[i].text + strlen("rules/1.yaml:"));
    }
    process_free(process);
    process_files_clear(&files);
}

static const struct warning_row {
    const char *rules, *warnings;
} rows[] = {
    /* values that a field never has */
    {"- {rule: a, when: {field: state, is: resolvd}, then: {kind: k}}",
     "1:3: rule: can never match\n1:19: state: is never \"resolvd\" (did you mean resolved?); allowed are "
     "new, triaged, in_progress, "
     "waiting_customer, waiting_vendor, resolved, closed, reopened"},
    {"- {rule: a, when: {field: impact, in: [down, urgent]}, then: {kind: k}}",
     "1:19: impact: is never \"urgent\"; allowed are down, critical, degraded, impaired, request, question"},
    {"- {rule: a, when: {field: channel, is: mail}, then: {kind: k}}",
     "1:3: rule: can never match\n1:19: channel: is never \"mail\"; allowed are ticket, im, phone"},
    {"- {rule: a, when: {not: {field: channel, is: mail}}, then: {kind: k}}",
     "1:25: channel: is never \"mail\"; allowed are ticket, im, phone"},
    {"- {rule: a, on: reply, when: {field: event.kind, is: comment}, then: {kind: k}}",
     "1:3: rule: can never match\n1:30: event.kind: is never \"comment\" (did you mean commented?); allowed "
     "are posted, commented, "
     "rejected, declined, updated, reopened, repeated, due"},
    {"- {rule: a, when: {field: priority, is: 5}, then: {kind: k}}",
     "1:3: rule: can never match\n1:19: priority: is can never hold, it is a number from 1 to 4"},
    {"- {rule: a, when: {field: priority, is: high}, then: {kind: k}}",
     "1:3: rule: can never match\n1:19: priority: is can never hold, it is a number from 1 to 4"},
    {"- {rule: a, when: {field: priority, more: 4}, then: {kind: k}}",
     "1:3: rule: can never match\n1:19: priority: more can never hold, it is a number from 1 to 4"},
    {"- {rule: a, when: {field: age_s, less: 0}, then: {kind: k}}",
     "1:3: rule: can never match\n1:19: age_s: less can never hold, it is never below 0"},
    {"- {rule: a, when: {field: age_s, matches: x}, then: {kind: k}}",
     "1:3: rule: can never match\n1:19: age_s: matches can never hold, it is a number, which no pattern "
     "matches"},
    {"- {rule: a, when: {field: customer.known, is: 'no'}, then: {kind: k}}",
     "1:3: rule: can never match\n1:19: customer.known: is can never hold, it is true or false"},
    {"- {rule: a, when: {field: reply.text, contains: down}, then: {kind: k}}",
     "1:3: rule: can never match\n1:19: reply.text: contains can never hold, it is empty on posted, updated "
     "and due"},
    {"- {rule: a, on: [posted, updated], when: {field: reply.text, exists: true}, then: {kind: k}}",
     "1:3: rule: can never match\n1:42: reply.text: exists can never hold, it is empty on posted, updated "
     "and due"},
    {"- {rule: a, on: [reopened], when: {field: reply.text, exists: true}, then: {kind: k}}", ""},
    {"- {rule: a, on: [updated], when: {not: {field: title, exists: true}}, then: {kind: k}}", ""},
    {"- {rule: a, on: [posted, due], when: {field: event.kind, in: [commented, updated]}, then: {kind: k}}",
     "1:3: rule: can never match\n1:38: event.kind: in can never hold, the rule does not run on that (see "
     "on)"},
    {"- {rule: a, on: [posted, due], when: {field: event.kind, in: [commented, due]}, then: {kind: k}}",
     "1:38: event.kind: is never \"commented\", the rule does not run on that (see on)"},
    /* one of several */
    {"- {rule: a, when: {field: priority, in: [1, 9, high, 2]}, then: {kind: k}}",
     "1:19: priority: is never \"9\", it is a number from 1 to 4\n1:19: priority: is never \"high\", it is a "
     "number from 1 to 4"},
    {"- {rule: a, when: {field: customer.known, in: [true, 'yes']}, then: {kind: k}}",
     "1:19: customer.known: is never \"yes\", it is true or false"},
    {"- {rule: a, when: {field: customer.locale, in: [de, german]}, then: {kind: k}}",
     "1:19: customer.locale: is never \"german\", it is a language such as en or de-AT"},
    {"- {rule: a, when: {field: attributes.site, in: [bonn, 12, bonn, '12']}, then: {kind: k}}",
     "1:19: attributes.site: in has \"bonn\" twice"},
    {"- {rule: a, on: reply, when: {field: event.kind, is: declined}, then: {kind: k}}", ""},
    {"- {rule: a, on: due, when: {field: event.role, is: staff}, then: {kind: k}}",
     "1:3: rule: can never match\n1:28: event.role: is can never hold, it is empty on posted and due"},
    {"- {rule: a, on: [due, reply], when: {field: event.role, is: customer}, then: {kind: k}}", ""},
    /* a dead alternative does not make the rule dead */
    {"- {rule: a, when: {any: [{field: state, is: nwe}, {field: title, is: x}]}, then: {kind: k}}",
     "1:26: state: is never \"nwe\" (did you mean new?); allowed are new, triaged, in_progress, "
     "waiting_customer, waiting_vendor, resolved, closed, reopened"},
    /* conditions that exclude one another */
    {"- {rule: a, when: {all: [{field: impact, is: down}, {field: impact, is: request}]}, then: {kind: k}}",
     "1:3: rule: can never match, its conditions exclude one another"},
    {"- {rule: a, when: {all: [{field: impact, in: [down, critical]}, {field: impact, in: [request, "
     "critical]}]}, "
     "then: {kind: k}}",
     ""},
    {"- {rule: a, when: {all: [{field: tags, is: a}, {field: tags, is: b}]}, then: {kind: k}}", ""},
    {"- {rule: a, when: {all: [{field: attributes.x, is: a}, {field: attributes.x, is: b}]}, then: {kind: "
     "k}}",
     ""},
    {"- {rule: a, when: {all: [{field: age_s, less: 60}, {field: age_s, more: 60}]}, then: {kind: k}}",
     "1:3: rule: can never match, its conditions exclude one another"},
    {"- {rule: a, when: {all: [{field: age_s, less: 61}, {field: age_s, more: 59}]}, then: {kind: k}}", ""},
    {"- {rule: a, when: {all: [{field: age_s, less: 1.5}, {field: age_s, more: 1.25}]}, then: {kind: k}}",
     ""},
    {"- {rule: a, when: {all: [{field: age_s, less: 1.5}, {field: age_s, more: 1.75}]}, then: {kind: k}}",
     "1:3: rule: can never match, its conditions exclude one another"},
    {"- {rule: a, when: {all: [{field: age_s, is: 1.5}, {field: age_s, is: 1.50}]}, then: {kind: k}}", ""},
    {"- {rule: a, when: {all: [{field: priority, is: 1}, {field: priority, more: 1}]}, then: {kind: k}}",
     "1:3: rule: can never match, its conditions exclude one another"},
    {"- {rule: a, when: {all: [{field: equipment, exists: false}, {field: equipment, contains: x}]}, then: "
     "{kind: "
     "k}}",
     "1:3: rule: can never match, its conditions exclude one another"},
    {"- {rule: a, when: {all: [{field: title, is: x}, {not: {field: title, in: [x, y]}}]}, then: {kind: k}}",
     "1:3: rule: can never match, its conditions exclude one another"},
    {"- {rule: a, when: {all: [{time.open: office}, {not: {time.open: office}}]}, then: {kind: k}}",
     "1:3: rule: can never match, its conditions exclude one another"},
    {"- {rule: a, when: {not: {time.open: 24x7}}, then: {kind: k}}",
     "1:3: rule: can never match, its conditions exclude one another"},
    {"- {rule: a, when: {all: [{any: [{field: kind, is: a}, {field: kind, is: b}]}, {field: kind, is: c}]}, "
     "then: "
     "{kind: k}}",
     "1:3: rule: can never match, its conditions exclude one another"},
    /* unreachable after stop */
    {"- {rule: a, then: {stop: true}}\n- {rule: b, then: {kind: k}}",
     "2:3: rule: can never run, \"a\" (rules/1.yaml:1) stops before it"},
    {"- {rule: a, when: {field: title, exists: true}, then: {stop: true}}\n"
     "- {rule: b, when: {field: title, matches: x}, then: {kind: k}}",
     "2:3: rule: can never run, \"a\" (rules/1.yaml:1) stops before it"},
    {"- {rule: a, when: {field: title, is: x}, then: {stop: true}}\n"
     "- {rule: b, when: {field: title, in: [x, y]}, then: {kind: k}}",
     ""},
    {"- {rule: a, then: {stop: true}}\n- {rule: b, on: [posted, reply], then: {kind: k}}", ""},
    /* shadowed */
    {"- {rule: a, when: {field: impact, is: down}, then: {queue: noc}}\n- {rule: b, then: {queue: desk}}",
     "1:3: queue: never counts, \"b\" (rules/1.yaml:2) matches whenever it does and sets it later"},
    {"- {rule: a, then: {queue: desk}}\n- {rule: b, when: {field: impact, is: down}, then: {queue: noc}}",
     ""},
    {"- {rule: a, when: {field: impact, is: down}, then: {queue: noc, stop: true}}\n- {rule: b, then: "
     "{queue: "
     "desk}}",
     ""},
    {"- {rule: a, when: {field: impact, is: down}, then: {priority: 2}}\n"
     "- {rule: b, when: {field: impact, in: [critical, down]}, then: {priority: 1}}",
     "1:3: priority: never counts, \"b\" (rules/1.yaml:2) matches whenever it does and gives a more urgent "
     "one"},
    {"- {rule: a, when: {field: impact, is: down}, then: {priority: 1}}\n- {rule: b, then: {priority: 4, "
     "force: "
     "true}}",
     "1:3: priority: never counts, \"b\" (rules/1.yaml:2) matches whenever it does and forces another one"},
    {"- {rule: a, when: {field: impact, is: down}, then: {priority: 1, force: true}}\n- {rule: b, then: "
     "{priority: "
     "1}}",
     ""},
    /* what is never so, or always */
    {"- {rule: a, when: {field: package.channels, contains: fax}, then: {kind: k}}",
     "1:3: rule: can never match\n1:19: package.channels: is never \"fax\"; allowed are ticket, im, phone"},
    {"- {rule: a, when: {field: tags, contains: fax}, then: {kind: k}}", ""},
    {"- {rule: a, when: {field: state, contains: waiting}, then: {kind: k}}", ""},
    {"- {rule: a, when: {field: title, contains: ''}, then: {kind: k}}",
     "1:19: title: contains \"\" whenever it has text, want exists: true"},
    {"- {rule: a, when: {field: kind, is: ''}, then: {kind: k}}",
     "1:19: kind: is never \"\", an empty one is nothing: want exists: false"},
    /* actions that do nothing */
    {"- {rule: a, then: {}}", "1:3: then: does nothing"},
    {"- {rule: a, then: {stop: false}}", "1:3: then: does nothing"},
    {"- {rule: a, then: {queue: noc, team: voice}}", "1:3: team: never counts beside queue"},
    /* people */
    {"- {rule: a, then: {assignee: adda}}",
     "1:3: assignee: \"adda\" is not in staff.yaml (did you mean ada?); allowed is ada"},
    {"- {rule: a, then: {assignee: ada}}", ""},
    {"- {rule: a, then: {team: vioce}}",
     "1:3: team: \"vioce\" is not in staff.yaml (did you mean voice?); allowed is voice"},
    {"- {rule: a, then: {team: voice}}", ""},
    /* queues that are no team's, when there are teams; the default rule's too */
    {"- {rule: a, then: {queue: vocie}}",
     "1:3: queue: \"vocie\" is no team's in staff.yaml (did you mean voice?); "
     "allowed are voice, noc, desk"},
    {"- {rule: a, then: {queue: noc}}\n- {rule: b, when: {field: title, is: x}, then: {queue: voice}}", ""},
    /* packages that there are none of */
    {"- {rule: a, when: {field: package.name, is: standrad}, then: {kind: k}}",
     "1:19: package.name: \"standrad\" is not in packages.yaml (did you mean standard?); allowed is "
     "standard"},
    {"- {rule: a, when: {field: customer.package, in: [standard, gold]}, then: {kind: k}}",
     "1:19: customer.package: \"gold\" is not in packages.yaml; allowed is standard"},
    {"- {rule: a, when: {field: package.name, matches: gold}, then: {kind: k}}", ""},
};

static void test_each_warning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char rules[1000], got[2000];
        (void)snprintf(rules, sizeof rules, "%s" LAST, rows[i].rules);
        warnings_of(rules, got, sizeof got);
        if (strcmp(got, rows[i].warnings) != 0)
            fail_msg("%s\n got: %s\nwant: %s", rows[i].rules, got, rows[i].warnings);
    }
}

/* As many rules as there may be, of conditions that are alike: comparing all with all ends. */
static void test_many_rules_end(void **state)
{
    (void)state;
    size_t room = 1 << 20, len = 0;
    char *rules = malloc(room), got[200000];

    assert_non_null(rules);
    for (int i = 0; i < 1999; i++)
        len += (size_t)snprintf(rules + len, room - len,
                                "- {rule: r%d, when: {all: [{any: [{field: title, is: a}, {field: title, is: "
                                "b%d}]}, {any: [{field: kind, is: "
                                "c}, {field: kind, is: d%d}]}]}, then: {priority: %d, queue: q}}\n",
                                i, i, i, 1 + i % 4);
    (void)snprintf(rules + len, room - len, "%s", LAST + 1);
    warnings_of(rules, got, sizeof got);
    free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_warning),
        cmocka_unit_test(test_many_rules_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
