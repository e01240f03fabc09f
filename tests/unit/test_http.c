/* The HTTP server on a loop: asked by a plain socket whose reading is a poller of the same loop. */
#include "clock.h"
#include "http.h"
#include "http_internal.h"
#include "http_pages.h"
#include "mem.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_MS = 10000 };

struct asker {
    struct buf got;
    bool late;
};

static int asker_on_read(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    struct asker *asker = arg;
    char bytes[4096];
    (void)loop;

    ssize_t n = read(item->fd, bytes, sizeof bytes);
    if (n <= 0)
        return -1;
    buf_add(&asker->got, bytes, (size_t)n);
    return 0;
}

static int asker_on_deadline(zloop_t *loop, int timer, void *arg)
{
    struct asker *asker = arg;
    (void)loop, (void)timer;
    asker->late = true;
    return -1;
}

/* Sends the request, turns the loop until the server closes; the caller frees the answer. */
static char *ask(zloop_t *loop, const struct http *http, const char *request)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(http))};
    struct asker asker = {.late = false};
    size_t len;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    buf_init(&asker.got, 1 << 20);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLIN};
    assert_int_equal(zloop_poller(loop, &item, asker_on_read, &asker), 0);
    int timer = zloop_timer(loop, DEADLINE_MS, 1, asker_on_deadline, &asker);
    zloop_start(loop);
    zloop_timer_end(loop, timer);
    zloop_poller_end(loop, &item);
    close(fd);
    assert_false(asker.late);
    return buf_take(&asker.got, &len);
}

struct dripper {
    int fd;
    int sent;
};

static int drip(zloop_t *loop, int timer, void *arg)
{
    struct dripper *dripper = arg;
    (void)loop, (void)timer;

    if (write(dripper->fd, "X", 1) == 1)
        dripper->sent++;
    return 0;
}

/* A byte now and then keeps a connection from being silent, and a few dozen would keep everybody else out. */
static void test_http_when_a_request_takes_too_long_then_it_is_hung_up_on(void **state)
{
    struct http_route routes[] = {{"/healthz", http_serve_alive, NULL}};
    struct sockaddr_in at = {.sin_family = AF_INET};
    zloop_t *loop = zloop_new();
    struct asker asker = {.late = false};
    struct http *http = NULL;
    struct err err;
    (void)state;

    (void)signal(SIGPIPE, SIG_IGN);
    assert_true(http_new(loop, "127.0.0.1:0", routes, 1, &http, &err));
    http->request_us = 300000;
    at.sin_port = htons((uint16_t)http_port(http));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    buf_init(&asker.got, 1 << 20);
    struct dripper dripper = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(connect(dripper.fd, (struct sockaddr *)&at, sizeof at), 0);
    static const char head[] = "GET /healthz HTTP/1.1\r\nHost: a\r\nX: ";
    assert_int_equal(write(dripper.fd, head, sizeof head - 1), sizeof head - 1);
    zmq_pollitem_t item = {.fd = dripper.fd, .events = ZMQ_POLLIN};
    assert_int_equal(zloop_poller(loop, &item, asker_on_read, &asker), 0);
    (void)zloop_timer(loop, 20, 0, drip, &dripper);
    int timer = zloop_timer(loop, DEADLINE_MS, 1, asker_on_deadline, &asker);
    zloop_start(loop);
    assert_false(asker.late);
    assert_true(dripper.sent > 2);
    zloop_timer_end(loop, timer);
    zloop_poller_end(loop, &item);
    close(dripper.fd);
    buf_clear(&asker.got);
    http_free(http);
    zloop_destroy(&loop);
}

/* Connections that say nothing. */
static void connect_all(const struct http *http, int *fds, size_t count)
{
    struct sockaddr_in at = {.sin_family = AF_INET};

    at.sin_port = htons((uint16_t)http_port(http));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (size_t i = 0; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fds[i], (struct sockaddr *)&at, sizeof at), 0);
    }
}

static int end_when_full(zloop_t *loop, int timer, void *arg)
{
    const struct http *http = arg;
    (void)loop, (void)timer;

    return http->is_full ? -1 : 0;
}

/* The daemon stops to listen at its limit: when all who held it are gone, no event says so. */
static void test_http_when_all_connections_were_taken_then_it_serves_again_once_they_are_gone(void **state)
{
    struct http_route routes[] = {{"/healthz", http_serve_alive, NULL}};
    int fds[HTTP_CONNECTIONS_MAX + 8];
    zloop_t *loop = zloop_new();
    struct http *http = NULL;
    struct err err;
    (void)state;

    assert_true(http_new(loop, "127.0.0.1:0", routes, 1, &http, &err));
    connect_all(http, fds, sizeof fds / sizeof fds[0]);
    int timer = zloop_timer(loop, 10, 0, end_when_full, http);
    zloop_start(loop);
    zloop_timer_end(loop, timer);
    http->request_us = 1; /* all of them are late now */
    http_turn(http);
    http->request_us = HTTP_REQUEST_S * US_PER_S;
    char *answer = ask(loop, http, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(answer, " 200 "));
    free(answer);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        close(fds[i]);
    http_free(http);
    zloop_destroy(&loop);
}

/* More connections that say nothing than there are places, four times over: who asks behind all of them is answered soon. */
static void test_http_when_many_connections_say_nothing_then_one_that_asks_is_answered(void **state)
{
    struct http_route routes[] = {{"/healthz", http_serve_alive, NULL}};
    int fds[4 * HTTP_CONNECTIONS_MAX];
    zloop_t *loop = zloop_new();
    struct http *http = NULL;
    struct err err;
    (void)state;

    assert_true(http_new(loop, "127.0.0.1:0", routes, 1, &http, &err));
    connect_all(http, fds, sizeof fds / sizeof fds[0]);
    char *answer = ask(loop, http, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(answer, " 200 "));
    free(answer);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        close(fds[i]);
    http_free(http);
    zloop_destroy(&loop);
}

/* Takes some port; at tells which. */
static int bind_listen(int fd, struct sockaddr_in *at, socklen_t *size)
{
    if (bind(fd, (struct sockaddr *)at, *size) != 0 || listen(fd, 1) != 0)
        return -1;
    return getsockname(fd, (struct sockaddr *)at, size);
}

static void not_ready(void *arg, struct http_answer *answer)
{
    answer->status = 503;
    buf_add_text(&answer->body, arg);
}

struct row {
    const char *name;
    const char *request;
    const char *status;
    const char *body;
};

static void test_http_when_asked_then_routes_answer_and_all_else_is_refused(void **state)
{
    static const struct row rows[] = {
        {"metrics", "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200",
         "docket_build_info{"},
        {"not ready", "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 503",
         "the database is away"},
        {"alive", "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "ok\n"},
        {"unknown", "GET /etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404",
         "nothing"},
        {"two hosts", "GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\nConnection: close\r\n\r\n",
         "HTTP/1.1 400", "twice"},
        {"post", "POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 405", "GET"},
        {"garbage", "\x01\x02 nonsense\r\n\r\n", "HTTP/1.", "400"},
    };
    struct metrics *metrics = metrics_new("notifier");
    char away[] = "the database is away";
    const struct http_route routes[] = {{"/metrics", http_serve_metrics, metrics},
                                        {"/readyz", not_ready, away},
                                        {"/healthz", http_serve_alive, NULL}};
    zloop_t *loop = zloop_new();
    struct http *http = NULL;
    struct err err;
    (void)state;

    assert_true(http_new(loop, "127.0.0.1:0", routes, 3, &http, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = ask(loop, http, rows[i].request);
        if (strncmp(got, rows[i].status, strlen(rows[i].status)) != 0 || strstr(got, rows[i].body) == NULL)
            fail_msg("%s: got %s", rows[i].name, got);
        free(got);
    }
    http_free(http);
    zloop_destroy(&loop);
    metrics_free(metrics);
}

static void test_http_bind_when_taken_or_malformed_then_it_is_told(void **state)
{
    static const char *const bad[] = {"",      "7413",        "127.0.0.1",      "127.0.0.1:",
                                      ":7413", "127.0.0.1:x", "127.0.0.1:99999"};
    zloop_t *loop = zloop_new();
    struct http *http = NULL, *second = NULL;
    char where[32];
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(http_new(loop, bad[i], NULL, 0, &http, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    assert_true(http_new(loop, "127.0.0.1:0", NULL, 0, &http, &err));
    int rival = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    assert_int_equal(bind_listen(rival, &at, &size), 0);
    (void)snprintf(where, sizeof where, "127.0.0.1:%d", ntohs(at.sin_port));
    assert_false(http_new(loop, where, NULL, 0, &second, &err));
    assert_int_equal(err.code, ERR_IO);
    close(rival);
    http_free(http);
    zloop_destroy(&loop);
    assert_true(http_bind_is_loopback("127.0.0.1:1") && http_bind_is_loopback("[::1]:1") &&
                http_bind_is_loopback("127.9.9.9:1"));
    assert_false(http_bind_is_loopback("0.0.0.0:1") || http_bind_is_loopback("10.0.0.1:1") ||
                 http_bind_is_loopback("nonsense"));
}

/* ---- pages ---- */

struct pages {
    zloop_t *loop;
    struct http_request *waits; /* for the timer */
    int asked;
};

static void answer_with(struct http_request *request, const char *text)
{
    struct http_answer answer = {.status = 200, .type = "text/plain"};
    buf_init(&answer.body, 1 << 16);
    buf_printf(&answer.body, "%s %s", http_request_is_post(request) ? "posted" : "looked", text);
    http_request_answer(request, &answer);
}

static int pages_on_timer(zloop_t *loop, int timer, void *arg)
{
    struct pages *pages = arg;
    (void)loop, (void)timer;
    answer_with(pages->waits, "later");
    pages->waits = NULL;
    return 0;
}

/* /later waits for a timer; all else answers with the field "text". */
static void pages_on_request(void *arg, struct http_request *request)
{
    struct pages *pages = arg;
    struct buf text;

    pages->asked++;
    if (strcmp(http_request_path(request), "/later") == 0) {
        pages->waits = request;
        (void)zloop_timer(pages->loop, 20, 1, pages_on_timer, pages);
        return;
    }
    buf_init(&text, 1000);
    http_request_field(request, "text", &text);
    answer_with(request, text.failed ? "(too long)" : buf_text(&text));
    buf_clear(&text);
}

static void test_pages_when_asked_then_forms_are_read_and_answers_may_come_later(void **state)
{
    static const struct row rows[] = {
        {"get", "GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "looked "},
        {"later", "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200",
         "looked later"},
        {"form",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 36\r\n\r\n"
         "do=a&text=it+h%C3%BCmms%21%zz%&x=yyyy",
         "HTTP/1.1 200", "posted it h\xC3\xBCmms!%zz%"},
        {"a field's name is whole",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 15\r\n\r\ncontext=a&textb",
         "HTTP/1.1 200", "posted "},
        {"post later", "POST /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 200", "posted later"},
        {"two hosts", "GET /x HTTP/1.1\r\nHost: x\r\nhost: y\r\nConnection: close\r\n\r\n", "HTTP/1.1 400",
         "twice"},
        {"two lengths",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n",
         "HTTP/1.1 400", ""},
        {"the same length twice",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 400", "twice"},
        {"a length and chunks",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         "HTTP/1.1 400", ""},
        {"no host", "GET /x HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400", ""},
        {"a length below 0", "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: -1\r\n\r\n",
         "HTTP/1.1 400", ""},
        {"a length that is no number",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0x5\r\n\r\n", "HTTP/1.1 400",
         ""},
        {"a space before the colon",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length : 5\r\n\r\nhello",
         "HTTP/1.1 400", ""},
        {"a name with a space",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX y: 1\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 400", ""},
        {"a bare CR in a value",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 400", ""},
        {"a tab before the colon",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nHost\t: y\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 400", ""},
        {"a coding that is none",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
         "HTTP/1.1 400", ""},
        {"two codings",
         "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: gzip, "
         "chunked\r\n\r\n0\r\n\r\n",
         "HTTP/1.1 400", ""},
        {"delete", "DELETE /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405", "only"},
    };
    struct pages pages = {.loop = zloop_new()};
    struct http *http = NULL;
    struct err err;
    (void)state;

    assert_true(http_new_pages(pages.loop, "127.0.0.1:0", pages_on_request, &pages, &http, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = ask(pages.loop, http, rows[i].request);
        if (strncmp(got, rows[i].status, strlen(rows[i].status)) != 0 || strstr(got, rows[i].body) == NULL)
            fail_msg("%s: got %s", rows[i].name, got);
        free(got);
    }
    assert_int_equal(pages.asked, 5);
    http_free(http);
    zloop_destroy(&pages.loop);
}

static void test_pages_when_the_body_is_too_long_then_nobody_is_asked(void **state)
{
    struct pages pages = {.loop = zloop_new()};
    struct http *http = NULL;
    struct buf request;
    struct err err;
    (void)state;

    buf_init(&request, 1 << 20);
    buf_printf(&request, "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n",
               HTTP_FORM_BYTES_MAX + 1);
    for (int i = 0; i <= HTTP_FORM_BYTES_MAX; i++)
        buf_add(&request, "a", 1);
    assert_true(http_new_pages(pages.loop, "127.0.0.1:0", pages_on_request, &pages, &http, &err));
    char *got = ask(pages.loop, http, buf_text(&request));
    assert_int_equal(strncmp(got, "HTTP/1.1 413", 12), 0);
    assert_int_equal(pages.asked, 0);
    free(got);
    buf_clear(&request);
    http_free(http);
    zloop_destroy(&pages.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_when_asked_then_routes_answer_and_all_else_is_refused),
        cmocka_unit_test(test_http_when_a_request_takes_too_long_then_it_is_hung_up_on),
        cmocka_unit_test(test_http_when_all_connections_were_taken_then_it_serves_again_once_they_are_gone),
        cmocka_unit_test(test_http_when_many_connections_say_nothing_then_one_that_asks_is_answered),
        cmocka_unit_test(test_http_bind_when_taken_or_malformed_then_it_is_told),
        cmocka_unit_test(test_pages_when_asked_then_forms_are_read_and_answers_may_come_later),
        cmocka_unit_test(test_pages_when_the_body_is_too_long_then_nobody_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
