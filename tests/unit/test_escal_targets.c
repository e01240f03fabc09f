/* From targets to people and their ways: who is told by what, in which order, nobody twice, nobody who is away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "escal_targets.h"
#include "oncall_of.h"

#define STAFF                                                   \
    "people:\n"                                                 \
    "  ada: {email: ada@x, phone: \"+11\", xmpp: ada@im}\n"     \
    "  ben: {email: ben@x}\n"                                   \
    "  cy: {xmpp: cy@im}\n"                                     \
    "  dan: {sms: \"+44\"}\n"                                   \
    "teams:\n"                                                  \
    "  noc: {members: [ada, ben], lead: cy, queues: [voice]}\n" \
    "  back: {members: [cy]}\n"
#define ONCALL "schedules: {s: {layers: [{rotation: weekly, start: 2020-01-06, people: [ada]}]}}\n"
#define AT INT64_C(1800000000000000)

/* The policy's one level tells `targets`. */
static struct process *process_with(const char *targets)
{
    char escalation[400];
    (void)snprintf(escalation, sizeof escalation,
                   "channels: {urgent: [phone, xmpp, email], low: [email]}\n"
                   "policies: {p: {levels: [{after: 0m, tell: [%s]}]}}\n",
                   targets);
    const char *const files[] = {"staff.yaml",      STAFF,      "oncall.yaml", ONCALL,
                                 "escalation.yaml", escalation, NULL};
    return process_of(files);
}

/* Channels of this notifier: arg is a text that holds their names. */
static bool is_open(void *arg, const char *channel)
{
    return strstr(arg, channel) != NULL;
}

struct row {
    const char *name, *targets, *channels, *assignee, *queue, *desk;
    enum process_urgency urgency;
    struct oncall_override away; /* none when until_at is 0 */
    bool first;
    const char *want;
};

#define ALL "email xmpp phone sms"
#define AWAY(who, by)               \
    {                               \
        NULL, who, by, 0, INT64_MAX \
    }

static const struct row rows[] = {
    {"a person by all ways, loudest first",
     "person:ada",
     ALL,
     NULL,
     NULL,
     "",
     URGENCY_URGENT,
     {0},
     false,
     "ada:phone ada:xmpp+1 ada:email+2"},
    {"by the channels that are open",
     "person:ada",
     "email",
     NULL,
     NULL,
     "",
     URGENCY_URGENT,
     {0},
     false,
     "ada:email"},
    {"low urgency has its own order",
     "person:ada",
     ALL,
     NULL,
     NULL,
     "",
     URGENCY_LOW,
     {0},
     false,
     "ada:email"},
    {"nobody by a channel they have not", "person:dan", ALL, NULL, NULL, "", URGENCY_URGENT, {0}, false, ""},
    {"a team, nobody twice",
     "team:noc, person:ben",
     "email",
     NULL,
     NULL,
     "",
     URGENCY_URGENT,
     {0},
     false,
     "ada:email ben:email"},
    {"the assignee", "assignee", "email", "ben", NULL, "", URGENCY_URGENT, {0}, false, "ben:email"},
    {"an assignee known by the address only",
     "assignee",
     "email",
     "ben@x",
     NULL,
     "",
     URGENCY_URGENT,
     {0},
     false,
     "ben:email"},
    {"an assignee who is not in staff.yaml",
     "assignee",
     "email",
     "zoe",
     NULL,
     "",
     URGENCY_URGENT,
     {0},
     false,
     ""},
    {"no assignee", "assignee", "email", NULL, NULL, "", URGENCY_URGENT, {0}, false, ""},
    {"the queue's team by its list",
     "queue",
     "email",
     NULL,
     "voice",
     "",
     URGENCY_URGENT,
     {0},
     false,
     "ada:email ben:email"},
    {"the queue's team by its name", "queue", ALL, NULL, "back", "", URGENCY_URGENT, {0}, false, "cy:xmpp"},
    {"a queue without a team", "queue", ALL, NULL, "none", "", URGENCY_URGENT, {0}, false, ""},
    {"its lead", "lead", ALL, NULL, "noc", "", URGENCY_URGENT, {0}, false, "cy:xmpp"},
    {"a team without one", "lead", ALL, NULL, "back", "", URGENCY_URGENT, {0}, false, ""},
    {"on call", "oncall:s", "email", NULL, NULL, "", URGENCY_URGENT, {0}, false, "ada:email"},
    {"on call and away: the stand-in", "oncall:s", "email", NULL, NULL, "", URGENCY_URGENT,
     AWAY("ada", "ben"), false, "ben:email"},
    {"away without a stand-in", "oncall:s", "email", NULL, NULL, "", URGENCY_URGENT, AWAY("ada", NULL), false,
     ""},
    {"a member who is away", "team:noc", "email", NULL, NULL, "", URGENCY_URGENT, AWAY("ada", NULL), false,
     "ben:email"},
    {"an assignee who is away", "assignee", "email", "ada", NULL, "", URGENCY_URGENT, AWAY("ada", "ben"),
     false, "ben:email"},
    {"the desk", "desk", "email", NULL, NULL, "d@x", URGENCY_URGENT, {0}, false, "desk:email"},
    {"the desk without an address", "desk", "email", NULL, NULL, "", URGENCY_URGENT, {0}, false, ""},
    {"ops at the desk's address: one message",
     "desk, ops",
     "email",
     NULL,
     NULL,
     "o@x",
     URGENCY_URGENT,
     {0},
     false,
     "desk:email"},
    {"the first who can be told",
     "assignee, queue, desk",
     "email",
     "zoe",
     "noc",
     "d@x",
     URGENCY_URGENT,
     {0},
     true,
     "ada:email ben:email"},
    {"the first of all",
     "assignee, queue, desk",
     "email",
     "ben",
     "noc",
     "d@x",
     URGENCY_URGENT,
     {0},
     true,
     "ben:email"},
};

static void format(const struct pages *pages, char *ret, size_t size)
{
    ret[0] = '\0';
    for (size_t i = 0; i < pages->count; i++) {
        size_t len = strlen(ret);
        const struct page *page = &pages->items[i];
        char way[16] = "";
        if (page->way != 0)
            (void)snprintf(way, sizeof way, "+%d", page->way);
        (void)snprintf(ret + len, size - len, "%s%s:%s%s", i == 0 ? "" : " ", page->recipient, page->channel,
                       way);
    }
}

static void test_targets_become_people_and_their_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct process *process = process_with(row->targets);
        struct oncall *oncall = NULL;
        struct faults faults = {0};
        struct pages pages = {.count = 0};
        size_t people = 0;
        char got[400];

        assert_true(oncall_new(process, "tests/zones", &oncall, &faults));
        struct escal_scene scene = {.people = &process->people,
                                    .oncall = oncall,
                                    .overrides = {&row->away, row->away.until_at != 0},
                                    .at = AT,
                                    .assignee = row->assignee,
                                    .queue = row->queue,
                                    .desk_address = row->desk,
                                    .ops_address = "o@x",
                                    .is_open = is_open,
                                    .arg = (void *)(uintptr_t)row->channels};
        const struct people_targets *targets = &process->people.escalations[0].levels.items[0].tell;
        bool any = row->first ? escal_targets_first(&scene, targets, row->urgency, &pages)
                              : escal_targets_add(&scene, targets, row->urgency, &pages);
        format(&pages, got, sizeof got);
        if (strcmp(got, row->want) != 0 || any != (row->want[0] != '\0'))
            fail_msg("%s: \"%s\", want \"%s\"", row->name, got, row->want);
        for (size_t k = 0; k < pages.count; k++)
            people += pages.items[k].way == 0;
        assert_int_equal(pages.people, people);
        if (any && !row->first) { /* whoever is there already is reached, and is not told twice */
            size_t count = pages.count;
            assert_true(escal_targets_add(&scene, targets, row->urgency, &pages));
            assert_int_equal(pages.count, count);
        }
        pages.count = PAGES_MAX; /* by others: there is no room */
        for (size_t k = 0; k < PAGES_MAX; k++)
            pages.items[k] = (struct page){"email", "another", "another@x", 0, 0};
        assert_false(escal_targets_add(&scene, targets, row->urgency, &pages));
        assert_int_equal(pages.count, PAGES_MAX);
        oncall_free(oncall);
        process_free(process);
    }
}

static int64_t opens_later(void *arg, const char *calendar, int64_t at)
{
    (void)arg;
    return strcmp(calendar, "office") == 0 ? at + 7 : at;
}

static int64_t opens_now(void *arg, const char *calendar, int64_t at)
{
    (void)arg;
    (void)calendar;
    return at;
}

static void test_what_is_not_urgent_waits_for_the_persons_hours(void **state)
{
    static const char staff[] = "people: {ada: {email: ada@x, hours: office}, ben: {email: ben@x}}\n";
    static const char escalation[] =
        "policies: {p: {levels: [{after: 0m, tell: [\"person:ada\", \"person:ben\"]}]}}\n";
    const char *const files[] = {"staff.yaml", staff, "escalation.yaml", escalation, NULL};
    struct process *process = process_of(files);
    (void)state;
    for (int urgency = 0; urgency < URGENCIES; urgency++) {
        struct pages pages = {.count = 0};
        struct escal_scene scene = {.people = &process->people,
                                    .at = AT,
                                    .desk_address = "",
                                    .ops_address = "",
                                    .is_open = is_open,
                                    .arg = (void *)(uintptr_t)ALL,
                                    .opens_at = opens_later};
        assert_true(escal_targets_add(&scene, &process->people.escalations[0].levels.items[0].tell,
                                      (enum process_urgency)urgency, &pages));
        assert_int_equal(pages.count, 2);
        assert_int_equal(pages.items[0].not_before, urgency == URGENCY_URGENT ? 0 : AT + 7);
        assert_int_equal(pages.items[1].not_before, 0);
        scene.opens_at = opens_now;
        pages = (struct pages){.count = 0};
        assert_true(escal_targets_add(&scene, &process->people.escalations[0].levels.items[0].tell,
                                      (enum process_urgency)urgency, &pages));
        assert_int_equal(pages.items[0].not_before, 0);
    }
    process_free(process);
}

static void test_the_policy_of_an_alert_is_the_first_that_matches(void **state)
{
    static const char escalation[] = "policies:\n"
                                     "  a: {levels: [{after: 0m, tell: desk}]}\n"
                                     "  b: {levels: [{after: 0m, tell: desk}]}\n"
                                     "  c: {levels: [{after: 0m, tell: desk}]}\n"
                                     "match:\n"
                                     "  - {kind: missed, priority: [1, 2], policy: a}\n"
                                     "  - {cause: p1, queue: noc, policy: b}\n"
                                     "  - {priority: 4, policy: c}\n";
    static const struct {
        struct process_alert_facts facts;
        const char *want;
        int64_t remind_s;
    } cases[] = {
        {{"missed", "missed:T:response:1", NULL, 2}, "a", 0},
        {{"missed", "missed:T:response:1", NULL, 3}, "built-in", 0},
        {{"alert", "p1:T", "noc", 1}, "b", 0},
        {{"alert", "p1:T", "other", 1}, "built-in", 1800},
        {{"alert", "p10:T", "noc", 1}, "built-in", 1800},
        {{"alert", "x:T", NULL, 4}, "c", 0},
        {{NULL, NULL, NULL, 4}, "c", 0},
    };
    const char *const files[] = {"escalation.yaml", escalation, NULL};
    struct process *process = process_of(files);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct process_escalation *policy = process_escalation_of(&process->people, &cases[i].facts);
        assert_string_equal(policy->name, cases[i].want);
        assert_int_equal(policy->remind_after.seconds, cases[i].remind_s);
    }
    process_free(process);
}

static void test_a_last_resort_that_reaches_nobody_is_refused_and_a_level_warned_of(void **state)
{
    static const struct {
        const char *last_resort, *fault, *warning;
    } cases[] = {{"person:dan",
                  "escalation.yaml:3:3: p: nobody of its last_resort has an address on a channel of urgent",
                  NULL},
                 {"team:noc", NULL,
                  "escalation.yaml:3:3: p: nobody of level 1 has an address on a channel of urgent"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        struct process_files files = {NULL, 0};
        struct process *process = NULL;
        struct faults faults = {0};
        struct err err;
        (void)snprintf(text, sizeof text,
                       "channels: {urgent: [phone, xmpp, email]}\npolicies:\n  p: {levels: [{after: 0m, "
                       "tell: person:dan}], "
                       "last_resort: {tell: %s}}\n",
                       cases[i].last_resort);
        const char *const given[] = {"process.yaml",    "zone: UTC\n",
                                     "calendars.yaml",  "office: {hours: {mon: [09:00-17:00]}}\n",
                                     "packages.yaml",   "standard: {}\n",
                                     "rules/1.yaml",    "- {rule: z, default: true, then: {priority: 3}}\n",
                                     "staff.yaml",      STAFF,
                                     "escalation.yaml", text};
        for (size_t k = 0; k < sizeof given / sizeof given[0]; k += 2)
            assert_true(process_files_add(&files, span_of(given[k]), span_of(given[k + 1]), &err));
        bool ok = process_load_files(&files, &process, &faults);
        assert_int_equal(ok, cases[i].fault == NULL);
        const struct faults *told = ok ? &process->warnings : &faults;
        const char *want = ok ? cases[i].warning : cases[i].fault;
        bool found = false;
        for (size_t k = 0; k < told->count; k++)
            found = found || strncmp(told->items[k].text, want, strlen(want)) == 0;
        assert_true(found);
        process_free(process);
        faults_clear(&faults);
        process_files_clear(&files);
    }
}

/* A policy that tells a team of so many, each with three ways. */
static struct process *process_of_crowd(size_t count, const char *tell)
{
    char escalation[400];
    struct buf staff;

    buf_init(&staff, 1 << 20);
    buf_add_text(&staff, "people:\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(&staff, "  p%zu: {email: p%zu@x, phone: \"+43%zu\", xmpp: p%zu@im}\n", i, i, 100 + i, i);
    buf_add_text(&staff, "  zoe: {sms: \"+44\"}\nteams:\n  all: {members: [zoe");
    for (size_t i = 0; i < count; i++)
        buf_printf(&staff, ", p%zu", i);
    buf_add_text(&staff, "]}\n");
    (void)snprintf(escalation, sizeof escalation,
                   "channels: {urgent: [phone, xmpp, email], low: [email]}\n"
                   "policies: {p: {levels: [{after: 0m, tell: [%s]}]}}\n",
                   tell);
    const char *const files[] = {"staff.yaml", buf_text(&staff), "escalation.yaml", escalation, NULL};
    struct process *process = process_of(files);
    buf_clear(&staff);
    return process;
}

static void
test_when_a_step_has_no_room_then_ways_give_way_to_people_and_who_is_left_out_is_counted(void **state)
{
    static const struct {
        size_t staff, people, count, people_left_out, ways_left_out;
    } cases[] = {{66, 66, 198, 0, 0},     {67, 67, 200, 0, 1},     {80, 80, 200, 0, 40},
                 {200, 200, 200, 0, 400}, {201, 200, 200, 1, 400}, {250, 200, 200, 50, 400}};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct process *process = process_of_crowd(cases[i].staff, "\"team:all\"");
        struct escal_scene scene = {.people = &process->people,
                                    .at = AT,
                                    .desk_address = "desk@x",
                                    .ops_address = "",
                                    .is_open = is_open,
                                    .arg = (void *)(uintptr_t)ALL};
        struct pages pages;
        pages_clear(&pages);
        assert_true(escal_targets_add(&scene, &process->people.escalations[0].levels.items[0].tell,
                                      URGENCY_URGENT, &pages));
        assert_int_equal(pages.people, cases[i].people);
        assert_int_equal(pages.count, cases[i].count);
        assert_int_equal(pages.people_left_out, cases[i].people_left_out);
        assert_int_equal(pages.ways_left_out, cases[i].ways_left_out);
        for (size_t k = 0; k < pages.count;
             k++) { /* each one's ways stand together, in order and without a hole */
            const struct page *page = &pages.items[k];
            if (page->way != 0)
                assert_true(page->way == page[-1].way + 1 && page->recipient == page[-1].recipient);
            for (size_t n = 0; page->way == 0 && n < k; n++)
                assert_true(page->recipient != pages.items[n].recipient);
        }
        process_free(process);
    }
}

static void test_a_level_that_names_more_than_a_step_tells_is_refused_or_warned_of(void **state)
{
    static const struct {
        size_t staff;
        const char *tell, *refusal, *warning;
    } cases[] = {
        {66, "\"team:all\", desk, queue", NULL, NULL},
        {67, "\"team:all\", \"person:p3\"", NULL,
         "escalation.yaml:2:12: p: level 1 has 201 ways to its people, more than the 200 messages of a step: "
         "of "
         "some not all are tried"},
        {200, "\"person:p1\", \"team:all\", queue", NULL, "escalation.yaml:2:12: p: level 1 has 600 ways"},
        {201, "\"person:p1\", \"team:all\", queue",
         "escalation.yaml:2:12: p: level 1 tells 201 people, want at most 200: the others would not be told",
         NULL},
        {201, "\"person:p1\", queue", NULL,
         "escalation.yaml:2:12: p: level 1 tells 201 people of what is in a queue of all, want at most 200: "
         "the "
         "others are not told"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct process *process = process_of_crowd(cases[i].staff, cases[i].tell);
        const char *const wanted[] = {cases[i].refusal, cases[i].warning};
        const struct faults *const lists[] = {&process->refusals, &process->warnings};
        for (size_t n = 0; n < 2; n++) {
            const char *told = NULL;
            for (size_t k = 0; k < lists[n]->count && told == NULL; k++)
                if (strstr(lists[n]->items[k].text, ": p: level 1 ") != NULL)
                    told = lists[n]->items[k].text;
            if ((told == NULL) != (wanted[n] == NULL) ||
                (told != NULL && strncmp(told, wanted[n], strlen(wanted[n])) != 0))
                fail_msg("case %zu: %s", i, told == NULL ? "nothing" : told);
        }
        process_free(process);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets_become_people_and_their_ways),
        cmocka_unit_test(test_what_is_not_urgent_waits_for_the_persons_hours),
        cmocka_unit_test(test_the_policy_of_an_alert_is_the_first_that_matches),
        cmocka_unit_test(
            test_when_a_step_has_no_room_then_ways_give_way_to_people_and_who_is_left_out_is_counted),
        cmocka_unit_test(test_a_level_that_names_more_than_a_step_tells_is_refused_or_warned_of),
        cmocka_unit_test(test_a_last_resort_that_reaches_nobody_is_refused_and_a_level_warned_of),
    };
    return cmocka_run_group_tests_name("escal_targets", tests, NULL, NULL);
}
