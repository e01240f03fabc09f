/* Signed links: the base that is allowed, which message gets which link, what a visit may do, and the words of pages. */
#include "desk.h"
#include "link_page.h"
#include "link_url.h"
#include "link_visit.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

static struct token_key key_of(unsigned char byte)
{
    struct token_key key = {.count = 1};
    memset(key.keys[0], byte, TOKEN_KEY_BYTES);
    return key;
}

static void test_base_when_checked_then_only_https_or_the_loopback_passes(void **state)
{
    static const struct {
        const char *base;
        bool ok;
    } rows[] = {
        {"https://support.example.com", true},
        {"https://support.example.com:8443/docket", true},
        {"http://127.0.0.1:7414", true},
        {"http://localhost", true},
        {"http://[::1]:80/x", true},
        {"http://support.example.com", false},
        {"http://127.0.0.1.example.com", false},
        {"http://localhost.example.com/", false},
        {"https://", false},
        {"https:///x", false},
        {"https://host/", false},
        {"https://me@host", false},
        {"https://host?x", false},
        {"https://host#x", false},
        {"https://ho st", false},
        {"https://host\r\nX: y", false},
        {"ftp://host", false},
        {"javascript:alert(1)", false},
        {"host", false},
    };
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (link_base_check(rows[i].base, false, &err) != rows[i].ok)
            fail_msg("%s: want %s", rows[i].base, rows[i].ok ? "allowed" : "refused");
    assert_true(link_base_check("http://desk.example.com:7414", true, &err));
    assert_false(link_base_check("ftp://desk.example.com", true, &err));
}

static void test_url_when_made_then_each_message_has_its_purpose_or_none(void **state)
{
    static const struct {
        enum desk_audience audience;
        const char *kind;
        bool is_proposal;
        int64_t ticket, alert;
        int purpose; /* 0: no link */
    } rows[] = {
        {AUDIENCE_CUSTOMER, "approval_asked", false, 7, 0, TOKEN_APPROVE},
        {AUDIENCE_CUSTOMER, "cannot_resolve", true, 7, 0, TOKEN_AGREE},
        {AUDIENCE_CUSTOMER, "waiting", true, 7, 0, TOKEN_AGREE},
        {AUDIENCE_CUSTOMER, "waiting", false, 7, 0, 0},
        {AUDIENCE_CUSTOMER, "received", false, 7, 0, 0},
        {AUDIENCE_STAFF, "approval_asked", false, 7, 0, 0},
        {AUDIENCE_STAFF, "alert", false, 7, 9, TOKEN_ACKNOWLEDGE},
        {AUDIENCE_STAFF, "missed", false, 7, 9, TOKEN_ACKNOWLEDGE},
        {AUDIENCE_OPS, "alert", false, 0, 9, TOKEN_ACKNOWLEDGE},
        {AUDIENCE_CUSTOMER, "alert", false, 7, 9, 0},
        {AUDIENCE_STAFF, "alert", false, 7, 0, 0},
    };
    const struct token_key key = key_of(1), other = key_of(2);
    char url[LINK_URL_BYTES];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct link_about about = {.audience = rows[i].audience,
                                   .kind = rows[i].kind,
                                   .is_proposal = rows[i].is_proposal,
                                   .address = "Zoe@example.com",
                                   .ticket = rows[i].ticket,
                                   .version = 3,
                                   .alert = rows[i].alert,
                                   .alert_generation = 5,
                                   .now = 1000};
        struct token_link link;
        assert_int_equal(link_url_format(&key, "https://h", &about, url), rows[i].purpose != 0);
        assert_false(link_url_format(&key, "", &about, url) && rows[i].purpose != 0);
        if (rows[i].purpose == 0)
            continue;
        assert_true(link_url_format(&key, "https://h", &about, url));
        assert_int_equal(strncmp(url, "https://h/l/", 12), 0);
        assert_false(token_link_parse(&other, span_of(url + 12), &link));
        assert_true(token_link_parse(&key, span_of(url + 12), &link));
        bool is_alert = rows[i].purpose == TOKEN_ACKNOWLEDGE;
        assert_int_equal(link.purpose, rows[i].purpose);
        assert_int_equal(link.subject, is_alert ? 9 : 7);
        assert_int_equal(link.generation, is_alert ? 5 : 3);
        assert_true(link.expires_at == 1000 + (is_alert ? INT64_C(7) : INT64_C(30)) * 86400 * 1000000);
        assert_true(token_is_for(link.who, "zoe@EXAMPLE.com"));
        assert_false(token_is_for(link.who, "zoe@example.org"));
    }
}

static void test_buttons_when_pressed_then_only_those_of_the_purpose_act(void **state)
{
    (void)state;
    assert_string_equal(link_action_find(TOKEN_APPROVE, span_of("reject"))->op, "ticket.reject");
    assert_string_equal(link_action_find(TOKEN_AGREE, span_of("agree"))->op, "ticket.agree");
    assert_string_equal(link_action_find(TOKEN_ACKNOWLEDGE, span_of("take"))->then_op, "ticket.take");
    assert_null(link_action_find(TOKEN_AGREE, span_of("approve")));
    assert_null(link_action_find(TOKEN_APPROVE, span_of("acknowledge")));
    assert_null(link_action_find(TOKEN_REPLY, span_of("approve")));
    assert_null(link_action_find(TOKEN_APPROVE, span_of("")));
}

static void test_body_when_written_then_it_is_as_the_person_once_and_only_as_shown(void **state)
{
    struct link_visit visit;
    struct wire_doc *doc;
    struct err err;
    struct buf out;
    (void)state;

    link_visit_init(&visit);
    visit.link = (struct token_link){.purpose = TOKEN_APPROVE, .subject = 7, .nonce = {0xab}};
    visit.version = 12;
    visit.action = link_action_find(TOKEN_APPROVE, span_of("reject"));
    buf_add_text(&visit.said, "it still hums");
    (void)snprintf(visit.who, sizeof visit.who, "zoe@example.com");
    buf_init(&out, 4096);
    link_visit_put_body(&visit, visit.action->op, "DKT-1", &out);
    assert_true(wire_parse(out.p, out.len, WIRE_DEPTH_MAX, &doc, &err));
    const struct wire_val *root = wire_root(doc), *as = wire_find(root, "as");
    assert_true(span_is(wire_find_str(root, "key"), "link:ab000000000000000000000000000000"));
    assert_true(span_is(wire_find_str(as, "name"), "zoe@example.com"));
    assert_true(span_is(wire_find_str(as, "role"), "customer"));
    assert_true(span_is(wire_find_str(root, "text"), "it still hums"));
    assert_int_equal(wire_find_int(root, "if_version", 0), 12);
    assert_int_equal(wire_count(root), 5);
    wire_doc_free(doc);
    buf_clear(&out);
    link_visit_clear(&visit);
}

/* ---- words ---- */

static const char *page(const struct link_view *view, struct http_answer *answer)
{
    struct templates *templates = templates_new();
    char why[256];

    link_page_answer(templates, view, answer, why);
    if (why[0] != '\0')
        fail_msg("%s", why);
    templates_free(templates);
    return buf_text(&answer->body);
}

static void test_page_when_texts_are_hostile_then_they_stay_text(void **state)
{
    static const char hostile[] = "</p><script>alert(1)</script>\" onload=\"x {{text}} \xE2\x80\xAE&lt;";
    struct link_view view = {.page = LINK_PAGE_AGREE,
                             .locale = "en",
                             .tracking = "DKT-1",
                             .title = span_of(hostile),
                             .text = span_of(hostile),
                             .proposal = span_of(hostile),
                             .can_act = true};
    struct http_answer answer;
    (void)state;

    for (int i = 0; i < LINK_PAGE_NOTHING; i++) {
        view.page = (enum link_page)i;
        const char *html = page(&view, &answer);
        assert_null(strstr(html, "<script"));
        assert_null(strstr(html, "\" onload"));
        assert_non_null(strstr(html, "&lt;script&gt;"));
        assert_non_null(strstr(html, "{{text}}")); /* a template in a text is no template */
        assert_int_equal(answer.status, 200);
        buf_clear(&answer.body);
    }
}

static void test_page_when_the_locale_is_known_then_it_is_in_that_language(void **state)
{
    static const struct {
        const char *locale, *word;
    } rows[] = {{"en", "Yes, it is solved"},
                {"de", "Ja, es ist gelöst"},
                {"de-AT", "Ja, es ist gelöst"},
                {"fr", "Yes, it is solved"},
                {"../../x", "Yes, it is solved"}};
    struct http_answer answer;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct link_view view = {.page = LINK_PAGE_APPROVE,
                                 .locale = rows[i].locale,
                                 .tracking = "DKT-1",
                                 .can_act = true};
        assert_non_null(strstr(page(&view, &answer), rows[i].word));
        buf_clear(&answer.body);
    }
}

static void test_page_when_there_is_a_fault_then_the_status_says_so(void **state)
{
    static const struct {
        enum link_fault fault;
        unsigned status;
        const char *word;
    } rows[] = {{LINK_FAULT_WRONG, 404, "not right"},
                {LINK_FAULT_EXPIRED, 410, "too old"},
                {LINK_FAULT_AWAY, 503, "try again"},
                {LINK_FAULT_REFUSED, 409, "could not be done"}};
    struct http_answer answer;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct link_view view = {.page = LINK_PAGE_NOTHING,
                                 .locale = "en",
                                 .tracking = "",
                                 .fault = rows[i].fault};
        assert_non_null(strstr(page(&view, &answer), rows[i].word));
        assert_int_equal(answer.status, rows[i].status);
        buf_clear(&answer.body);
    }
}

/* Every result that a visit can have has words in both languages: a page never only shows a title. */
static void test_page_when_something_became_of_it_then_it_says_what(void **state)
{
    static const struct {
        enum link_page page;
        const char *result;
    } rows[] = {
        {LINK_PAGE_APPROVE, "approved"},      {LINK_PAGE_APPROVE, "rejected"},
        {LINK_PAGE_APPROVE, "closed"},        {LINK_PAGE_APPROVE, "reopened"},
        {LINK_PAGE_APPROVE, "overtaken"},     {LINK_PAGE_AGREE, "agreed"},
        {LINK_PAGE_AGREE, "declined"},        {LINK_PAGE_AGREE, "resolved"},
        {LINK_PAGE_AGREE, "closed"},          {LINK_PAGE_AGREE, "overtaken"},
        {LINK_PAGE_ACKNOWLEDGE, "resolved"},  {LINK_PAGE_ACKNOWLEDGE, "acknowledged"},
        {LINK_PAGE_ACKNOWLEDGE, "overtaken"},
    };
    static const char *const locales[] = {"en", "de"};
    struct http_answer answer;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t k = 0; k < 2; k++) {
            struct link_view view = {.page = rows[i].page,
                                     .locale = locales[k],
                                     .tracking = "DKT-1",
                                     .result = rows[i].result,
                                     .result_at = "2026-02-02 02:40 UTC"};
            const char *html = page(&view, &answer);
            if (strstr(html, "class=\"said") == NULL || strstr(html, "<form") != NULL)
                fail_msg("%s, %s: %s", rows[i].result, locales[k], html);
            buf_clear(&answer.body);
        }
}

static void test_locale_when_nobody_is_known_then_the_browser_is_asked(void **state)
{
    char locale[LOCALE_BYTES];
    (void)state;

    link_page_locale("fr-CH, fr;q=0.9", locale);
    assert_string_equal(locale, "fr-CH");
    link_page_locale("*", locale);
    assert_string_equal(locale, "en");
    link_page_locale(NULL, locale);
    assert_string_equal(locale, "en");
    link_page_locale("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", locale);
    assert_int_equal(strlen(locale), LOCALE_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_when_checked_then_only_https_or_the_loopback_passes),
        cmocka_unit_test(test_url_when_made_then_each_message_has_its_purpose_or_none),
        cmocka_unit_test(test_buttons_when_pressed_then_only_those_of_the_purpose_act),
        cmocka_unit_test(test_body_when_written_then_it_is_as_the_person_once_and_only_as_shown),
        cmocka_unit_test(test_page_when_texts_are_hostile_then_they_stay_text),
        cmocka_unit_test(test_page_when_the_locale_is_known_then_it_is_in_that_language),
        cmocka_unit_test(test_page_when_there_is_a_fault_then_the_status_says_so),
        cmocka_unit_test(test_page_when_something_became_of_it_then_it_says_what),
        cmocka_unit_test(test_locale_when_nobody_is_known_then_the_browser_is_asked),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
