/* Mail against a relay that misbehaves: every status at every stage, hang-ups after every byte, answers in single bytes. What is told
 * as delivered was taken, what may have been taken is never told as refused. */
#include "channel.h"
#include "clock.h"
#include "curl_loop.h"
#include "mail_build.h"
#include "settings_notifier.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { STAGES = 6, NO_CUT = 1 << 20, END_MS = 8000 };
enum stage { GREETING, HELLO, MAIL, RCPT, DATA, END };

static const char *const good[STAGES] = {"220 relay\r\n", "250-relay\r\n250 8BITMIME\r\n",
                                         "250 ok\r\n",    "250-go\r\n250 on\r\n",
                                         "354 send\r\n",  "250 2.0.0 taken\r\n"};

/* The relay: a thread that serves one connection after another. */
struct relay {
    int listener, port;
    pthread_t thread;
    const char *answers[STAGES]; /* NULL: good */
    int cut;                     /* hangs up after so many bytes of its own */
    bool drip;                   /* a byte a write */
    /* what it saw */
    int connections, taken;
    bool said_taken;
    char body[4096];
};

static bool relay_say(struct relay *relay, int fd, enum stage stage, int *said)
{
    const char *text = relay->answers[stage] != NULL ? relay->answers[stage] : good[stage];
    int len = (int)strlen(text);

    for (int i = 0; i < len; i++) {
        if (*said == relay->cut)
            return false;
        int n = relay->drip || relay->cut != NO_CUT ? 1 : len - i;
        if (send(fd, text + i, (size_t)n, MSG_NOSIGNAL) != n)
            return false;
        *said += n;
        i += n - 1;
    }
    if (stage == END && text[0] == '2')
        relay->said_taken = true;
    return true;
}

static bool line_is(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

static void relay_take(struct relay *relay, FILE *in)
{
    char line[2048];

    relay->body[0] = '\0';
    while (fgets(line, sizeof line, in) != NULL && strcmp(line, ".\r\n") != 0) {
        size_t len = strlen(relay->body);
        (void)snprintf(relay->body + len, sizeof relay->body - len, "%s", line);
    }
    relay->taken++;
}

static void relay_serve_one(struct relay *relay, int fd)
{
    static const struct {
        const char *word;
        enum stage stage;
    } words[] = {{"EHLO", HELLO}, {"MAIL", MAIL}, {"RCPT", RCPT}, {"RSET", MAIL}};
    FILE *in = fdopen(fd, "r");
    char line[2048];
    int said = 0;

    relay->connections++;
    bool go = relay_say(relay, fd, GREETING, &said);
    while (go && fgets(line, sizeof line, in) != NULL) {
        if (line_is(line, "QUIT"))
            break;
        for (size_t i = 0; go && i < sizeof words / sizeof words[0]; i++)
            if (line_is(line, words[i].word))
                go = relay_say(relay, fd, words[i].stage, &said);
        if (go && line_is(line, "DATA")) {
            go = relay_say(relay, fd, DATA, &said);
            if (go && (relay->answers[DATA] == NULL)) {
                relay_take(relay, in);
                go = relay_say(relay, fd, END, &said);
            }
        }
    }
    (void)fclose(in);
}

static void *relay_run(void *arg)
{
    struct relay *relay = arg;
    int fd;
    while ((fd = accept(relay->listener, NULL, NULL)) >= 0)
        relay_serve_one(relay, fd);
    return NULL;
}

static void relay_open(struct relay *relay)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    relay->cut = NO_CUT;
    relay->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(relay->listener >= 0);
    assert_int_equal(bind(relay->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(relay->listener, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(listen(relay->listener, 16), 0);
    relay->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&relay->thread, NULL, relay_run, relay), 0);
}

static void relay_close(struct relay *relay)
{
    (void)shutdown(relay->listener, SHUT_RDWR);
    (void)close(relay->listener);
    (void)pthread_join(relay->thread, NULL);
}

/* ---- the channel, on a loop of its own ---- */

struct desk {
    struct relay relay;
    char url[64];
    struct settings_notifier settings;
    zloop_t *loop;
    struct curl_loop *curl;
    struct channel_host host;
    void *room;
    int ends;
    struct outcome last;
    char reply[CHANNEL_REPLY_BYTES_MAX + 1];
};

static void desk_channel(struct desk *desk)
{
    struct err err;
    desk->loop = zloop_new();
    desk->curl = curl_loop_new(desk->loop, 8);
    desk->host = (struct channel_host){.loop = desk->loop, .curl = desk->curl, .settings = &desk->settings};
    if (!channel_email.open(&desk->host, &desk->room, &err))
        fail_msg("%s", err.msg);
}

static void desk_channel_close(struct desk *desk)
{
    channel_email.close(desk->room);
    curl_loop_free(desk->curl);
    zloop_destroy(&desk->loop);
}

static int desk_setup(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    static char empty[] = "", from[] = "desk@localhost";

    relay_open(&desk->relay);
    (void)snprintf(desk->url, sizeof desk->url, "smtp://127.0.0.1:%d", desk->relay.port);
    desk->settings = (struct settings_notifier){.smtp_url = desk->url,
                                                .smtp_tls = empty,
                                                .smtp_user = empty,
                                                .smtp_password_file = empty,
                                                .smtp_ca_file = empty,
                                                .smtp_timeout_us = 2 * US_PER_S,
                                                .mail_from = from,
                                                .reply_address = empty,
                                                .bounce_address = empty,
                                                .token_key_file = empty};
    desk_channel(desk);
    *state = desk;
    return 0;
}

static int desk_teardown(void **state)
{
    struct desk *desk = *state;
    desk_channel_close(desk);
    relay_close(&desk->relay);
    free(desk);
    return 0;
}

static void on_end(void *arg, const struct outcome *outcome)
{
    struct desk *desk = arg;
    desk->ends++;
    desk->last = *outcome;
    (void)snprintf(desk->reply, sizeof desk->reply, "%s", outcome->reply);
}

static int on_look(zloop_t *loop, int timer, void *arg)
{
    struct desk *desk = arg;
    (void)loop, (void)timer;
    return desk->ends != 0 ? -1 : 0;
}

static int on_late(zloop_t *loop, int timer, void *arg)
{
    (void)loop, (void)timer, (void)arg;
    fail_msg("the attempt does not end");
    return -1;
}

static enum send_result desk_send(struct desk *desk, const char *text)
{
    const struct outgoing out = {
        .delivery = 1, .id = "n.1@x", .address = "a@b", .attempt = 1, .bytes = span_of(text)};

    desk->ends = 0;
    channel_email.start(desk->room, &out, on_end, desk);
    assert_int_equal(desk->ends, 0);
    int look = zloop_timer(desk->loop, 1, 0, on_look, desk),
        late = zloop_timer(desk->loop, END_MS, 1, on_late, NULL);
    while (desk->ends == 0)
        (void)zloop_start(desk->loop);
    zloop_timer_end(desk->loop, look);
    zloop_timer_end(desk->loop, late);
    assert_int_equal(desk->ends, 1);
    return desk->last.result;
}

/* ---- tests ---- */

static void test_each_status_at_each_stage_is_judged(void **state)
{
    static const struct {
        enum stage stage;
        const char *answer;
        enum send_result want;
    } rows[] = {
        {GREETING, "421 busy\r\n", SEND_CONNECTION},
        {GREETING, "554 no\r\n", SEND_CONNECTION},
        {GREETING, "garbage\r\n", SEND_CONNECTION},
        {HELLO, "502 what\r\n", SEND_CONNECTION},
        {MAIL, "451 later\r\n", SEND_CONNECTION},
        {MAIL, "553 not you\r\n", SEND_CONNECTION},
        {MAIL, "530 log in\r\n", SEND_CONNECTION},
        {RCPT, "450 4.2.0 greylisted\r\n", SEND_TEMPORARY},
        {RCPT, "451-two\r\n451 lines\r\n", SEND_TEMPORARY},
        {RCPT, "421 closing\r\n", SEND_CONNECTION},
        {RCPT, "550 5.1.1 no such user\r\n", SEND_PERMANENT},
        {RCPT, "554 5.7.1 no\r\n", SEND_PERMANENT},
        {RCPT, "354 what\r\n", SEND_CONNECTION},
        {DATA, "451 later\r\n", SEND_TEMPORARY},
        {DATA, "554 no\r\n", SEND_PERMANENT},
        {DATA, "250 no\r\n", SEND_CONNECTION},
        {END, "451 later\r\n", SEND_TEMPORARY},
        {END, "452 full\r\n", SEND_TEMPORARY},
        {END, "421 closing\r\n", SEND_CONNECTION},
        {END, "552 too large\r\n", SEND_PERMANENT},
        {END, "550 spam\r\n", SEND_PERMANENT},
        {END, "354 what\r\n", SEND_UNKNOWN},
        {END, "x\r\n", SEND_UNKNOWN},
        {END, "250 ok\r\n", SEND_DELIVERED},
    };
    struct desk *desk = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(desk->relay.answers, 0, sizeof desk->relay.answers);
        desk->relay.answers[rows[i].stage] = rows[i].answer;
        enum send_result got = desk_send(desk, "Subject: x\r\n\r\ny\r\n");
        if (got != rows[i].want)
            fail_msg("%.20s at stage %d: %s, want %s", rows[i].answer, rows[i].stage, send_result_name(got),
                     send_result_name(rows[i].want));
        if (rows[i].stage == RCPT && desk->last.address_is_dead != (strstr(rows[i].answer, "5.1.1") != NULL))
            fail_msg("%s: the address is judged wrongly", rows[i].answer);
        desk_channel_close(desk); /* each over a new connection */
        desk_channel(desk);
    }
}

static void test_a_hang_up_after_each_byte_is_never_told_wrongly(void **state)
{
    struct desk *desk = *state;
    int bytes = 0, unknown = 0;

    for (int i = 0; i < STAGES; i++)
        bytes += (int)strlen(good[i]);
    for (int cut = 0; cut <= bytes; cut++) {
        desk->relay.cut = cut;
        desk->relay.taken = 0;
        desk->relay.said_taken = false;
        enum send_result got = desk_send(desk, "Subject: x\r\n\r\ny\r\n");
        if (cut == bytes)
            assert_int_equal(got, SEND_DELIVERED);
        else if (desk->relay.taken != 0)
            assert_int_equal(got, SEND_UNKNOWN);
        else
            assert_int_equal(got, SEND_CONNECTION);
        unknown += got == SEND_UNKNOWN;
        desk_channel_close(desk);
        desk_channel(desk);
    }
    assert_int_equal(unknown, strlen(good[END]));
}

static void test_single_bytes_are_put_together_and_connections_are_used_again(void **state)
{
    struct desk *desk = *state;

    desk->relay.drip = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(desk_send(desk, "Subject: x\r\n\r\ny\r\n"), SEND_DELIVERED);
    desk->relay.answers[RCPT] = "550 no\r\n";
    assert_int_equal(desk_send(desk, "Subject: x\r\n\r\ny\r\n"), SEND_PERMANENT);
    assert_string_equal(desk->reply, "550 no");
    desk->relay.answers[RCPT] = NULL;
    assert_int_equal(desk_send(desk, "Subject: x\r\n\r\ny\r\n"), SEND_DELIVERED);
    assert_int_equal(desk->relay.connections, 1);
    assert_int_equal(desk->relay.taken, 6);
}

static void test_dots_at_the_beginning_of_lines_arrive_and_nothing_ends_the_message_early(void **state)
{
    static const char text[] = "Subject: x\r\n\r\n.\r\n..\r\n.QUIT\r\nMAIL FROM:<x@y>\r\n.\r\nlast";
    struct desk *desk = *state;

    assert_int_equal(desk_send(desk, text), SEND_DELIVERED);
    assert_int_equal(desk->relay.taken, 1);
    assert_string_equal(desk->relay.body,
                        "Subject: x\r\n\r\n..\r\n...\r\n..QUIT\r\nMAIL FROM:<x@y>\r\n..\r\nlast\r\n");
}

static void test_a_relay_that_is_silent_is_given_up_in_time(void **state)
{
    struct desk *desk = *state;
    int64_t began = clock_mono_us();

    desk->relay.answers[END] = "";
    assert_int_equal(desk_send(desk, "Subject: x\r\n\r\ny\r\n"), SEND_UNKNOWN);
    assert_true(clock_mono_us() - began >= desk->settings.smtp_timeout_us);
}

static void test_a_relay_that_is_not_there_is_a_fault_of_the_connection(void **state)
{
    struct desk *desk = *state;
    static char nowhere[] = "smtp://127.0.0.1:1";

    desk_channel_close(desk);
    desk->settings.smtp_url = nowhere;
    desk_channel(desk);
    assert_int_equal(desk_send(desk, "Subject: x\r\n\r\ny\r\n"), SEND_CONNECTION);
    assert_true(desk->reply[0] != '\0');
}

int main(void)
{
#define WITH_DESK(test) cmocka_unit_test_setup_teardown(test, desk_setup, desk_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DESK(test_each_status_at_each_stage_is_judged),
        WITH_DESK(test_a_hang_up_after_each_byte_is_never_told_wrongly),
        WITH_DESK(test_single_bytes_are_put_together_and_connections_are_used_again),
        WITH_DESK(test_dots_at_the_beginning_of_lines_arrive_and_nothing_ends_the_message_early),
        WITH_DESK(test_a_relay_that_is_silent_is_given_up_in_time),
        WITH_DESK(test_a_relay_that_is_not_there_is_a_fault_of_the_connection),
    };
    zsys_handler_set(NULL);
    mail_open();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
