/* What goes out by HTTP: which addresses, which URLs, with which signature, in which JSON. */
#include "clock.h"
#include "http_post.h"
#include "http_url.h"
#include "letter_json.h"
#include "net_guard.h"
#include "webhook_sign.h"
#include "wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

static bool allows(const struct net_guard *guard, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return net_guard_allows(guard, (struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return net_guard_allows(guard, (struct sockaddr *)&v6);
}

static void test_guard_when_an_address_is_special_then_it_is_refused_in_every_form(void **state)
{
    static const char *const refused[] = {"0.0.0.0",
                                          "10.0.0.1",
                                          "10.255.255.255",
                                          "100.64.0.1",
                                          "127.0.0.1",
                                          "127.9.9.9",
                                          "169.254.169.254",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.0.0.1",
                                          "192.0.2.1",
                                          "192.168.1.1",
                                          "198.18.0.1",
                                          "198.19.255.255",
                                          "198.51.100.1",
                                          "203.0.113.9",
                                          "224.0.0.1",
                                          "239.1.1.1",
                                          "240.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "::127.0.0.1",
                                          "::ffff:127.0.0.1",
                                          "::ffff:10.0.0.1",
                                          "64:ff9b::7f00:1",
                                          "64:ff9b:1::1",
                                          "2002:7f00:1::",
                                          "2002:a00:1::1",
                                          "2001::1",
                                          "2001:db8::1",
                                          "fc00::1",
                                          "fd12::1",
                                          "fe80::1",
                                          "fec0::1",
                                          "ff02::1",
                                          "100::1",
                                          "3fff::1"};
    static const char *const allowed[] = {"8.8.8.8",         "172.15.0.1",    "172.32.0.1",
                                          "100.63.0.1",      "100.128.0.1",   "192.167.1.1",
                                          "198.17.0.1",      "198.20.0.1",    "223.255.255.255",
                                          "2a00:1450::1",    "2606:4700::1",  "64:ff9b::808:808",
                                          "2002:808:808::1", "::ffff:8.8.8.8"};
    const struct net_guard guard = {.count = 0};
    const struct sockaddr local = {.sa_family = AF_UNIX};
    (void)state;

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (allows(&guard, refused[i]))
            fail_msg("%s is allowed", refused[i]);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (!allows(&guard, allowed[i]))
            fail_msg("%s is refused", allowed[i]);
    assert_false(net_guard_allows(&guard, &local));
}

static void test_guard_when_blocks_are_allowed_then_only_those(void **state)
{
    char *items[] = {(char *)"10.1.0.0/16", (char *)"127.0.0.1", (char *)"fd00:1::/32"};
    const struct setting_list list = {items, 3};
    static const char *const bad[] = {
        "",           "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",        "10.0.0.0/8x",
        "fd00::/129", "host",        "10.0.0/8",  "10.0.0.0/2147483647"};
    struct net_guard guard;
    struct err err;
    (void)state;

    assert_true(net_guard_parse(&list, &guard, &err));
    assert_true(allows(&guard, "10.1.255.1") && allows(&guard, "127.0.0.1") && allows(&guard, "fd00:1::5") &&
                allows(&guard, "::ffff:10.1.0.1"));
    assert_false(allows(&guard, "10.2.0.1") || allows(&guard, "127.0.0.2") || allows(&guard, "fd00:2::5"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *one[] = {(char *)(uintptr_t)bad[i]};
        assert_false(net_guard_parse(&(struct setting_list){one, 1}, &guard, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
}

/* A transfer may be under way when docket-xmpp is started: what the notifier closes is closed then. */
static void test_connection_when_opened_then_no_program_that_is_started_has_it(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    char *items[] = {(char *)"127.0.0.1"};
    struct http_guarded guarded = {.guard = NULL};
    struct net_guard guard;
    struct err err;
    char url[60];
    curl_socket_t fd = CURL_SOCKET_BAD;
    int server = socket(AF_INET, SOCK_STREAM, 0);
    CURL *easy = curl_easy_init();
    (void)state;

    assert_true(net_guard_parse(&(struct setting_list){items, 1}, &guard, &err));
    guarded.guard = &guard;
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    http_easy_prepare(easy, url, "", &guarded);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    assert_int_equal(curl_easy_perform(easy), CURLE_OK);
    assert_int_equal(curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd), CURLE_OK);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    curl_easy_cleanup(easy);
    (void)close(server);
}

static void test_url_when_checked_then_only_https_or_the_loopback(void **state)
{
    static const struct {
        const char *url;
        bool ok;
    } rows[] = {
        {"https://hooks.example.com/x?y=z", true},
        {"https://hooks.example.com", true},
        {"https://[2a00::1]:8443/x", true},
        {"http://127.0.0.1:80/x", true},
        {"http://[::1]/x", true},
        {"http://localhost/", true},
        {"http://hooks.example.com/", false},
        {"http://127.0.0.1.example.com/", false},
        {"https://me:pw@host/", false},
        {"https://host/#x", false},
        {"https://host/a b", false},
        {"https://host/\r\nX: y", false},
        {"https://", false},
        {"https:///x", false},
        {"ftp://host/", false},
        {"file:///etc/passwd", false},
        {"gopher://127.0.0.1/", false},
        {"https://h\xC3\xB6st/", false},
        {"", false},
    };
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (http_url_check(rows[i].url, &err) != rows[i].ok)
            fail_msg("%s: want %s", rows[i].url, rows[i].ok ? "allowed" : "refused");
}

/* The example of the specification of Standard Webhooks. */
static void test_signature_when_made_then_it_is_the_specifications(void **state)
{
    static const char body[] = "{\"test\": 2432232314}";
    struct webhook_secrets *secrets = NULL;
    char signature[WEBHOOK_SIGNATURE_BYTES];
    struct err err;
    (void)state;

    assert_true(
        webhook_secrets_parse("# ours\n\n  Hooks.Example.com  whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
                              "two.example whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw "
                              "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA # change\n",
                              &secrets, &err));
    assert_true(webhook_sign(secrets, "https://HOOKS.example.com:8443/x", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                             1614265330, span_of(body), signature));
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_true(webhook_sign(secrets, "https://two.example/", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                             span_of(body), signature));
    assert_int_equal(strncmp(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,", 51), 0);
    assert_false(webhook_sign(secrets, "https://other.example/", "x", 1, span_of(body), signature));
    assert_true(webhook_secrets_has(secrets, "https://two.example/x") &&
                !webhook_secrets_has(secrets, "https://two.example.evil/"));
    webhook_secrets_free(secrets);
}

static void test_secrets_when_a_line_is_wrong_then_it_is_named(void **state)
{
    static const char *const bad[] = {"host\n", "host secret\n", "host whsec_AAAA\n",
                                      "host whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw x\n", "host whsec_!!!!\n"};
    struct webhook_secrets *secrets = NULL;
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "# first\n%s", bad[i]);
        assert_false(webhook_secrets_parse(text, &secrets, &err));
        assert_non_null(strstr(err.msg, "line 2"));
        assert_null(strstr(err.msg, "MfKQ"));
    }
    assert_false(webhook_secrets_parse("host whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
                                       "HOST whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx\n",
                                       &secrets, &err));
    assert_string_equal(err.msg, "line 2: host stands twice, want both secrets on one line");
}

static void test_json_when_it_is_too_long_then_it_is_cut_and_says_so(void **state)
{
    static char text[60000];
    struct customer_words words = {.body = {NULL, 0}};
    struct letter letter = {.id = "n.1@x",
                            .root_id = "",
                            .previous_id = "",
                            .address = "",
                            .recipient = "Zo\"e",
                            .kind = "update",
                            .tracking = "DKT-1",
                            .customer = "",
                            .subject = "s",
                            .text = text,
                            .html = "",
                            .to_customer = &words,
                            .date_at = INT64_C(1770000000000000)};
    struct buf out, body;
    struct err err;
    (void)state;

    memset(text, 0, sizeof text);
    (void)snprintf(text, sizeof text, "short");
    buf_init(&body, 100000);
    wire_put_map(&body, 1);
    wire_put_key_text(&body, "by", "ada");
    words.body = buf_span(&body);
    buf_init(&out, 100000);
    assert_true(letter_to_json(&letter, NULL, HTTP_POST_BODY_BYTES_MAX, &out, &err));
    assert_string_equal(buf_text(&out),
                        "{\"type\": \"ticket.update\", \"timestamp\": \"2026-02-02T02:40:00Z\", \"data\": "
                        "{\"id\": \"n.1@x\", \"kind\": \"update\", "
                        "\"audience\": \"customer\", \"tracking\": \"DKT-1\", \"customer\": null, "
                        "\"recipient\": \"Zo\\\"e\", \"subject\": \"s\", "
                        "\"text\": \"short\", \"body\": {\"by\": \"ada\"}}}");
    for (size_t i = 0; i < sizeof text - 2; i += 2)
        memcpy(text + i, "\xC3\xA4", 2);
    buf_reset(&out);
    assert_true(letter_to_json(&letter, NULL, HTTP_POST_BODY_BYTES_MAX, &out, &err));
    assert_true(out.len <= HTTP_POST_BODY_BYTES_MAX && strstr(buf_text(&out), "\"cut\": true") != NULL);
    buf_clear(&out);
    buf_clear(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard_when_an_address_is_special_then_it_is_refused_in_every_form),
        cmocka_unit_test(test_guard_when_blocks_are_allowed_then_only_those),
        cmocka_unit_test(test_connection_when_opened_then_no_program_that_is_started_has_it),
        cmocka_unit_test(test_url_when_checked_then_only_https_or_the_loopback),
        cmocka_unit_test(test_signature_when_made_then_it_is_the_specifications),
        cmocka_unit_test(test_secrets_when_a_line_is_wrong_then_it_is_named),
        cmocka_unit_test(test_json_when_it_is_too_long_then_it_is_cut_and_says_so),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
