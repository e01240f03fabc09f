/* Who is told by this notifier: with the channels it has, the addresses of its settings, and the people of its process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "curl_loop.h"
#include "escal_people.h"
#include "escal_who.h"
#include "lanes.h"
#include "metrics.h"
#include "notifier.h"
#include "people_of.h"

#define STAFF                                                 \
    "people:\n"                                               \
    "  ada: {email: ada@x, phone: \"+431\", hours: office}\n" \
    "  ben: {email: ben@x}\n"                                 \
    "  cy: {phone: \"+432\"}\n"                               \
    "teams:\n"                                                \
    "  voice: {members: [cy, ben], lead: ada, queues: [trunks]}\n"
#define NOTICES                                                           \
    "notices:\n"                                                          \
    "  warning: {first: [assignee, queue, desk], urgency: normal}\n"      \
    "  task: {first: [\"person:cy\", \"person:ben\"], urgency: urgent}\n" \
    "  tell: {first: [\"person:cy\"], urgency: low}\n"
#define WEBHOOKS                                         \
    "endpoints:\n"                                       \
    "  - {url: https://a.example/, owner: person:ada}\n" \
    "  - {url: https://b.example/, owner: team:voice}\n" \
    "  - {url: https://c.example/, owner: its@owner.example}\n"

/* A notifier as far as telling who is told needs one: it can mail, and nothing else. */
struct desk {
    struct notifier notifier;
    struct escal_people people;
    struct channel_host host;
};

static void people_take(struct escal_people *people, const char *const *extra)
{
    struct process_files files;
    struct faults faults = {0};

    people_files(extra, &files);
    if (!escal_people_load_files(people, &files, &faults))
        fail_msg("%s", faults.items[0].text);
    process_files_clear(&files);
}

static int desk_setup(void **state)
{
    static const char *const parts[] = {"person", "way"};
    static char empty[] = "", url[] = "smtp://127.0.0.1:9", from[] = "desk@localhost", staff[] = "staff@x";
    struct desk *desk = calloc(1, sizeof *desk);
    struct notifier *n = &desk->notifier;
    struct err err;

    n->settings = (struct settings_notifier){.smtp_url = url,
                                             .smtp_tls = empty,
                                             .smtp_user = empty,
                                             .smtp_password_file = empty,
                                             .smtp_ca_file = empty,
                                             .mail_from = from,
                                             .reply_address = empty,
                                             .bounce_address = empty,
                                             .token_key_file = empty,
                                             .webhook_secrets_file = empty,
                                             .http_ca_file = empty,
                                             .xmpp_jid = empty,
                                             .gateway_url = empty,
                                             .staff_address = staff,
                                             .ops_address = empty};
    n->people = &desk->people;
    n->metrics = metrics_new("notifier");
    n->left_out = metrics_counter(n->metrics, "left_out_total", "", (struct metric_label){"what", parts, 2});
    n->loop = zloop_new();
    n->curl = curl_loop_new(n->loop, 1);
    desk->host = (struct channel_host){.loop = n->loop, .curl = n->curl, .settings = &n->settings};
    if (!lanes_new(&desk->host, &n->lanes, &err))
        fail_msg("%s", err.msg);
    *state = desk;
    return 0;
}

static int desk_teardown(void **state)
{
    struct desk *desk = *state;

    lanes_free(desk->notifier.lanes);
    curl_loop_free(desk->notifier.curl);
    zloop_destroy(&desk->notifier.loop);
    metrics_free(desk->notifier.metrics);
    escal_people_clear(&desk->people);
    free(desk);
    return 0;
}

/* "ben@x" or "ben@x ada@x"; all of them by mail. */
static const char *told(const struct pages *pages)
{
    static char text[400];

    text[0] = '\0';
    for (size_t i = 0; i < pages->count; i++) {
        assert_string_equal(pages->items[i].channel, "email");
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i == 0 ? "" : " ",
                       pages->items[i].address);
    }
    return text;
}

static const char *const process[] = {"staff.yaml", STAFF, "escalation.yaml", NOTICES, "webhooks.yaml",
                                      WEBHOOKS,     NULL};

static void test_a_scene_has_the_addresses_and_the_channels_of_this_notifier(void **state)
{
    struct desk *desk = *state;
    static char ops[] = "ops@x";

    struct escal_scene scene = escal_who_scene(&desk->notifier, march(27, 10));
    assert_string_equal(scene.desk_address, "staff@x");
    assert_string_equal(scene.ops_address, "staff@x"); /* who has no address of their own */
    assert_true(scene.is_open(scene.arg, "email"));
    assert_false(scene.is_open(scene.arg, "phone")); /* no gateway is configured */
    assert_false(scene.is_open(scene.arg, "xmpp"));
    assert_false(scene.is_open(scene.arg, "pigeon"));
    desk->notifier.settings.ops_address = ops;
    assert_string_equal(escal_who_scene(&desk->notifier, march(27, 10)).ops_address, "ops@x");
}

static void test_a_notice_tells_the_first_of_its_list_who_can_be_reached(void **state)
{
    static const struct {
        const char *kind, *assignee, *queue, *want;
    } rows[] = {{"warning", "ben", "trunks", "ben@x"},
                {"warning", "cy", "trunks",
                 "ben@x"}, /* no telephone here: the team of the queue, of whom one has mail */
                {"warning", "zoe", "no such", "staff@x"}, /* neither is known */
                {"warning", NULL, NULL, "staff@x"},
                {"warning", NULL, "voice", "ben@x"}, /* a team's name is a queue */
                {"task", "ada", NULL, "ben@x"},      /* its own list, whoever has the ticket */
                {"tell", "ada", "trunks", ""},
                {"update_asked", "ada", NULL, "ada@x"}, /* not named there: as is built in */
                {"update_asked", NULL, NULL, "staff@x"}};
    struct desk *desk = *state;
    struct pages pages;

    people_take(&desk->people, process);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&pages, 0xff, sizeof pages); /* what it held does not matter */
        escal_who_notice(&desk->notifier, rows[i].kind, span_of(rows[i].assignee), span_of(rows[i].queue),
                         march(27, 10), &pages);
        if (strcmp(told(&pages), rows[i].want) != 0)
            fail_msg("row %zu: %s", i, told(&pages));
        assert_int_equal(pages.people, rows[i].want[0] != '\0');
    }
}

static void test_a_notice_waits_for_the_hours_of_its_person(void **state)
{
    struct desk *desk = *state;
    struct pages pages;

    people_take(&desk->people, process);
    escal_who_notice(&desk->notifier, "warning", span_of("ada"), SPAN_NONE, march(27, 10), &pages);
    assert_int_equal(pages.items[0].not_before, 0);
    escal_who_notice(&desk->notifier, "warning", span_of("ada"), SPAN_NONE, march(28, 10), &pages);
    assert_int_equal(pages.items[0].not_before, march(30, 9));
}

static void test_before_a_process_was_read_a_notice_is_the_desk_s(void **state)
{
    struct desk *desk = *state;
    struct pages pages;

    escal_who_notice(&desk->notifier, "warning", span_of("ada"), span_of("trunks"), march(27, 10), &pages);
    assert_string_equal(told(&pages), "staff@x");
    assert_null(escal_who_owner(&desk->notifier, "https://a.example/", march(27, 10), &pages));
    assert_int_equal(pages.count, 0);
}

static void test_the_owner_of_a_webhook_is_a_person_a_team_or_an_address(void **state)
{
    static const struct {
        const char *url, *email, *want;
    } rows[] = {{"https://a.example/hook", NULL, "ada@x"},
                {"https://b.example/", NULL, "ben@x"},
                {"https://c.example/x", "its@owner.example", ""},
                {"https://other.example/", NULL, ""},
                {"", NULL, ""}};
    struct desk *desk = *state;
    struct pages pages;

    people_take(&desk->people, process);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&pages, 0xff, sizeof pages);
        const char *email = escal_who_owner(&desk->notifier, rows[i].url, march(27, 10), &pages);
        if ((email == NULL) != (rows[i].email == NULL) ||
            (email != NULL && strcmp(email, rows[i].email) != 0) || strcmp(told(&pages), rows[i].want) != 0)
            fail_msg("row %zu: %s, %s", i, email == NULL ? "nobody" : email, told(&pages));
    }
}

static void test_what_finds_no_room_is_counted_and_nothing_of_none(void **state)
{
    struct desk *desk = *state;
    struct metric *left_out = desk->notifier.left_out;

    escal_who_left_out(&desk->notifier, 0, 0, "p", "p1:T");
    assert_true(metric_value(left_out, 0) == 0.0 && metric_value(left_out, 1) == 0.0);
    escal_who_left_out(&desk->notifier, 5, 0, "p", "p1:T");
    escal_who_left_out(&desk->notifier, 1, 40, "p", "p1:T");
    assert_true(metric_value(left_out, 0) == 6.0 && metric_value(left_out, 1) == 40.0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_scene_has_the_addresses_and_the_channels_of_this_notifier),
        TEST(test_a_notice_tells_the_first_of_its_list_who_can_be_reached),
        TEST(test_a_notice_waits_for_the_hours_of_its_person),
        TEST(test_before_a_process_was_read_a_notice_is_the_desk_s),
        TEST(test_the_owner_of_a_webhook_is_a_person_a_team_or_an_address),
        TEST(test_what_finds_no_room_is_counted_and_nothing_of_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
