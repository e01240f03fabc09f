/* Endpoints: the forms that are taken, and what stays on this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "endpoint.h"

static void test_endpoint_of_a_right_form_is_taken_and_told_whether_it_is_local(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool local;
    } rows[] = {
        {"tcp://127.0.0.1:7401", true},  {"tcp://[::1]:1", true},
        {"tcp://localhost:65535", true}, {"tcp://0.0.0.0:7401", false},
        {"tcp://*:7401", false},         {"tcp://desk.example:7401", false},
        {"tcp://10.9.0.1:7401", false},  {"ipc:///run/docket/a.sock", true},
        {"ipc://@abstract", true},       {"tcp://127.evil.example:1", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool local = !rows[i].local;
        struct err err;
        if (!endpoint_check(rows[i].text, &local, &err) || local != rows[i].local)
            fail_msg("%s", rows[i].text);
        assert_true(endpoint_check(rows[i].text, NULL, &err));
    }
}

static void test_endpoint_of_another_form_is_refused_with_the_form_that_is_wanted(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "foo",
                                       "127.0.0.1:7401",
                                       "tcp://",
                                       "tcp://127.0.0.1",
                                       "tcp://:7401",
                                       "tcp://127.0.0.1:",
                                       "tcp://127.0.0.1:0",
                                       "tcp://127.0.0.1:65536",
                                       "tcp://127.0.0.1:99999",
                                       "tcp://127.0.0.1:74o1",
                                       "tcp://127.0.0.1:0007401",
                                       "tcp://127.0.0.1:7401 ",
                                       "udp://127.0.0.1:7401",
                                       "inproc://x",
                                       "ipc://"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool local = true;
        struct err err = {0};
        if (endpoint_check(rows[i], &local, &err) || err.code != ERR_INVALID ||
            strstr(err.msg, "want tcp://HOST:PORT (1–65535) or ipc://PATH") == NULL)
            fail_msg("\"%s\": %s", rows[i], err.msg);
        assert_true(local);
    }
}

static void test_url_is_on_the_loopback_by_its_host_alone(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool local;
    } rows[] = {
        {"smtp://127.0.0.1:25", true},
        {"smtp://localhost", true},
        {"smtps://[::1]", true},
        {"http://[::1]:80/x", true},
        {"https://127.0.0.1/a:1", true},
        {"http://127.8.8.8?x", true},
        {"smtp://mail.example.com", false},
        {"http://127.0.0.1.example.com/", false},
        {"http://example.com/127.0.0.1", false},
        {"http://localhost.example.com", false},
        {"http://", false},
        {"127.0.0.1", false},
        {"http://me@127.0.0.1", false},
        {"http://[::2]:1", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (url_is_loopback(rows[i].url) != rows[i].local)
            fail_msg("%s", rows[i].url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endpoint_of_a_right_form_is_taken_and_told_whether_it_is_local),
        cmocka_unit_test(test_endpoint_of_another_form_is_refused_with_the_form_that_is_wanted),
        cmocka_unit_test(test_url_is_on_the_loopback_by_its_host_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
