/* The HTTP server on a loop: asked by a plain socket whose reading is a poller of the same loop. */
#include "clock.h"
#include "http.h"
#include "mem.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_when_asked_then_routes_answer_and_all_else_is_refused),
        cmocka_unit_test(test_http_bind_when_taken_or_malformed_then_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
