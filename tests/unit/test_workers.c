/* The workers' endpoint, driven over TCP by DEALERs in the same loop; the clock is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <czmq.h>
#include <zmq.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "workers.h"

enum { HEARTBEAT_US = 200 * 1000, DEADLINE_US = 5 * 1000 * 1000, WAKES = 64, SAID_MAX = 400 };

/* What happened to a wake, in order of arrival. */
enum what { DECIDED, FAILED, LOST };
struct happened {
    enum what what;
    struct wake *wake;
    bool alone;
    char code[65];
};

struct desk {
    zloop_t *loop;
    struct workers *workers;
    struct wake wakes[WAKES];
    struct happened happened[SAID_MAX];
    size_t happened_count, turns, refusals, answers;
    size_t answers_left;
    char answer_code[65];
    bool answer_ok;
    char refused_by[65];
    bool forget_on_lost; /* takes back wakes[1] when another is lost */
};

/* One worker of the test. */
struct peer {
    void *socket;
    char op[32];           /* of the last message that was not a heartbeat */
    int64_t id;            /* of it */
    int64_t ids[SAID_MAX]; /* of the works */
    int64_t attempt, now;
    char reason[32], process[65];
    size_t works, strangers, heartbeats, byes, asks;
};

/* ---- owner's side ---- */

static struct happened *note(struct desk *desk, enum what what, struct wake *wake)
{
    assert_in_range(desk->happened_count, 0, SAID_MAX - 1);
    assert_int_equal(wake->work, 0);
    struct happened *happened = &desk->happened[desk->happened_count++];
    happened->what = what;
    happened->wake = wake;
    return happened;
}

static void on_decision(void *arg, struct wake *wake, struct wire_doc *doc, const struct wire_val *body,
                        const char *worker)
{
    assert_int_equal(wire_type(body), WIRE_MAP);
    assert_true(strlen(worker) > 0);
    (void)note(arg, DECIDED, wake);
    wire_doc_free(doc);
}

static void on_fail(void *arg, struct wake *wake, const char *code, const char *message, const char *worker,
                    bool alone)
{
    struct happened *happened = note(arg, FAILED, wake);
    assert_true(strlen(worker) > 0 && strlen(message) > 0);
    (void)snprintf(happened->code, sizeof happened->code, "%s", code);
    happened->alone = alone;
}

static void on_lost(void *arg, struct wake *wake)
{
    struct desk *desk = arg;
    (void)note(desk, LOST, wake);
    if (desk->forget_on_lost && wake != &desk->wakes[1])
        workers_forget(desk->workers, &desk->wakes[1]);
}

static void on_turn(void *arg)
{
    ((struct desk *)arg)->turns++;
}

static void on_refused(void *arg, const char *worker, struct span hash, const struct wire_val *errors)
{
    struct desk *desk = arg;
    desk->refusals++;
    assert_true(span_is(hash, "h2"));
    assert_int_equal(wire_count(errors), 1);
    (void)snprintf(desk->refused_by, sizeof desk->refused_by, "%s", worker);
}

static void on_answer(void *arg, const struct workers_answer *answer)
{
    struct desk *desk = arg;
    desk->answers++;
    desk->answers_left = answer->left;
    desk->answer_ok = answer->code == NULL;
    (void)snprintf(desk->answer_code, sizeof desk->answer_code, "%s",
                   answer->code != NULL ? answer->code : "");
    assert_true(answer->code != NULL || wire_type(answer->result) == WIRE_MAP);
}

static struct desk *desk_open(int64_t decide_timeout_us)
{
    struct desk *desk = mem_new(1, sizeof *desk);
    struct err err = {0};
    desk->loop = zloop_new();
    struct workers_config config = {
        .loop = desk->loop,
        .endpoint = "tcp://127.0.0.1:*",
        .broker_name = "b1",
        .heartbeat_us = HEARTBEAT_US,
        .decide_timeout_us = decide_timeout_us,
        .on_decision = on_decision,
        .on_fail = on_fail,
        .on_lost = on_lost,
        .on_turn = on_turn,
        .on_refused = on_refused,
        .arg = desk,
    };
    log_open("test", LOG_ERROR);
    assert_true(workers_new(&config, &desk->workers, &err));
    for (int i = 0; i < WAKES; i++) {
        desk->wakes[i].ticket = i + 1;
        desk->wakes[i].class = WAKE_UNTRIAGED;
        desk->wakes[i].attempt = 7;
        desk->wakes[i].reasons = REASON_POSTED;
    }
    return desk;
}

static void desk_close(struct desk *desk)
{
    workers_free(desk->workers);
    zloop_destroy(&desk->loop);
    free(desk);
}

static void set_process(struct desk *desk, const char *hash)
{
    static const char files[] = "\x81\xa1"
                                "a\xc4\x01"
                                "x";
    workers_set_process(desk->workers, hash, (struct span){files, sizeof files - 1});
}

static bool hand(struct desk *desk, int i)
{
    static const char content[] = "\x83\xa6ticket\x80\xa8"
                                  "customer\xc0\xa6"
                                  "events\x90";
    struct err err = {0};
    bool ok =
        workers_hand(desk->workers, &desk->wakes[i], (struct span){content, sizeof content - 1}, 1234, &err);
    assert_true(ok || err.code == ERR_BUSY);
    assert_true(ok == (desk->wakes[i].work != 0));
    return ok;
}

/* ---- worker's side ---- */

static void peer_open(struct peer *peer, const struct desk *desk)
{
    int linger = 0;
    memset(peer, 0, sizeof *peer);
    peer->socket = zsock_new(ZMQ_DEALER);
    assert_non_null(peer->socket);
    void *handle = zsock_resolve(peer->socket);
    zmq_setsockopt(handle, ZMQ_LINGER, &linger, sizeof linger);
    assert_int_equal(zmq_connect(handle, workers_endpoint(desk->workers)), 0);
}

static void peer_close(struct peer *peer)
{
    zsock_t *sock = peer->socket;
    zsock_destroy(&sock);
    peer->socket = NULL;
}

static void peer_send_bytes(const struct peer *peer, const void *bytes, size_t len)
{
    assert_int_equal(zmq_send(zsock_resolve(peer->socket), bytes, len, 0), len);
}

/* Says op with a body given as JSON. */
static void peer_say(const struct peer *peer, const char *op, int64_t id, const char *json)
{
    struct buf out;
    struct err err = {0};
    buf_init(&out, 1 << 20);
    wire_put_map(&out, 4);
    wire_put_key_int(&out, "dkt", 1);
    wire_put_key_text(&out, "op", op);
    wire_put_key_int(&out, "id", id);
    wire_put_text(&out, "body");
    assert_true(wire_from_json(&out, json, strlen(json), &err));
    peer_send_bytes(peer, out.p, out.len);
    buf_clear(&out);
}

static void copy_text(char *ret, size_t size, struct span text)
{
    (void)snprintf(ret, size, "%.*s", (int)text.len, text.len > 0 ? text.p : "");
}

static void peer_take_work(struct peer *peer, int64_t id, const struct wire_val *body)
{
    struct span reason = SPAN_NONE;
    assert_int_equal(wire_count(body), 6);
    assert_int_equal(wire_type(wire_find(body, "ticket")), WIRE_MAP);
    assert_int_equal(wire_type(wire_find(body, "events")), WIRE_LIST);
    (void)wire_get_str(wire_at(wire_find(body, "reasons"), 0), &reason);
    copy_text(peer->reason, sizeof peer->reason, reason);
    peer->attempt = wire_find_int(body, "attempt", -1);
    peer->now = wire_find_int(body, "now", -1);
    peer->ids[peer->works++] = id;
}

static void peer_take(struct peer *peer, const struct wire_val *root)
{
    const struct wire_val *body = wire_find(root, "body");
    struct span op = wire_find_str(root, "op");
    assert_int_equal(wire_find_int(root, "dkt", 0), 1);
    peer->heartbeats += span_is(op, "heartbeat");
    if (span_is(op, "heartbeat"))
        return;
    copy_text(peer->op, sizeof peer->op, op);
    peer->id = wire_find_int(root, "id", 0);
    peer->strangers += span_is(op, "hello?");
    peer->byes += span_is(op, "bye");
    peer->asks += span_is(op, "ask");
    if (span_is(op, "work"))
        peer_take_work(peer, peer->id, body);
    if (span_is(op, "welcome"))
        copy_text(peer->process, sizeof peer->process, wire_find_str(wire_find(body, "process"), "hash"));
    if (span_is(op, "process"))
        copy_text(peer->process, sizeof peer->process, wire_find_str(body, "hash"));
}

static void peer_read(struct peer *peer)
{
    zmq_msg_t msg;
    while (peer->socket != NULL) {
        zmq_msg_init(&msg);
        bool got = zmq_msg_recv(&msg, zsock_resolve(peer->socket), ZMQ_DONTWAIT) >= 0;
        if (got) {
            struct wire_doc *doc = NULL;
            struct err err = {0};
            assert_false(zmq_msg_more(&msg));
            assert_true(wire_parse(zmq_msg_data(&msg), zmq_msg_size(&msg), 32, &doc, &err));
            peer_take(peer, wire_root(doc));
            wire_doc_free(doc);
        }
        zmq_msg_close(&msg);
        if (!got)
            return;
    }
}

/* ---- turning the loop ---- */

static int on_stop(zloop_t *loop, int timer_id, void *arg)
{
    (void)loop, (void)timer_id, (void)arg;
    return -1;
}

static void turn(struct desk *desk, struct peer *a, struct peer *b)
{
    zloop_timer(desk->loop, 2, 1, on_stop, NULL);
    zloop_start(desk->loop);
    if (a != NULL)
        peer_read(a);
    if (b != NULL)
        peer_read(b);
}

/* Turns the loop until the condition holds; fails the test after five seconds. Peers keep themselves alive.
 */
#define UNTIL(desk, a, b, condition)                            \
    do {                                                        \
        int64_t until_turn_us = clock_mono_us() + DEADLINE_US;  \
        while (!(condition) && clock_mono_us() < until_turn_us) \
            turn((desk), (a), (b));                             \
        assert_true(condition);                                 \
    } while (0)

static void peer_join(struct peer *peer, struct desk *desk, const char *name, const char *ready)
{
    char hello[200];
    size_t before = workers_credits(desk->workers);
    peer_open(peer, desk);
    (void)snprintf(hello, sizeof hello,
                   "{\"name\": \"%s\", \"version\": \"1\", \"zones\": \"2026a\", \"new\": 1}", name);
    peer_say(peer, "hello", 0, hello);
    UNTIL(desk, peer, NULL, strcmp(peer->op, "welcome") == 0);
    peer_say(peer, "ready", 0, ready);
    UNTIL(desk, peer, NULL, workers_credits(desk->workers) > before);
}

static size_t count_of(const struct desk *desk, enum what what)
{
    size_t count = 0;
    for (size_t i = 0; i < desk->happened_count; i++)
        count += desk->happened[i].what == what;
    return count;
}

/* ---- tests ---- */

static void test_workers_work_comes_and_is_decided(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer a;
    (void)state;
    set_process(desk, "h1");
    assert_false(hand(desk, 0));
    peer_join(&a, desk, "w1", "{\"credits\": 4, \"process\": \"h1\"}");
    assert_string_equal(a.process, "h1");
    UNTIL(desk, &a, NULL, desk->turns > 0);
    assert_int_equal(workers_room(desk->workers, false), 3);
    assert_int_equal(workers_room(desk->workers, true), 4);
    assert_int_equal(workers_count_hash(desk->workers, "h1"), 1);
    assert_true(hand(desk, 0));
    UNTIL(desk, &a, NULL, a.works == 1);
    assert_string_equal(a.reason, "posted");
    assert_int_equal(a.attempt, 7);
    assert_int_equal(a.now, 1234);
    assert_int_equal(workers_room(desk->workers, false), 2);
    size_t turns = desk->turns;
    peer_say(&a, "decision", a.ids[0], "{\"clocks\": []}");
    UNTIL(desk, &a, NULL, desk->happened_count == 1);
    assert_int_equal(desk->happened[0].what, DECIDED);
    assert_ptr_equal(desk->happened[0].wake, &desk->wakes[0]);
    UNTIL(desk, &a, NULL, desk->turns > turns);
    assert_int_equal(workers_room(desk->workers, false), 3);
    peer_say(&a, "decision", a.ids[0], "{}"); /* once more: unknown now, ignored */
    peer_say(&a, "fail", 99999, "{\"code\": \"x\", \"message\": \"y\"}");
    assert_true(hand(desk, 1));
    UNTIL(desk, &a, NULL, a.works == 2);
    peer_say(&a, "fail", a.ids[1], "{\"code\": \"rule\", \"message\": \"broken\"}");
    UNTIL(desk, &a, NULL, desk->happened_count == 2);
    assert_string_equal(desk->happened[1].code, "rule");
    assert_true(desk->happened[1].alone);
    assert_int_equal(workers_out(desk->workers), 0);
    peer_close(&a);
    desk_close(desk);
}

static void test_workers_no_process_gives_no_work(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer a;
    (void)state;
    peer_join(&a, desk, "w1", "{\"credits\": 4, \"process\": \"\"}");
    assert_string_equal(a.process, "");
    assert_false(hand(desk, 0));
    set_process(desk, "h1");
    UNTIL(desk, &a, NULL, strcmp(a.process, "h1") == 0 && desk->turns > 0);
    assert_true(hand(desk, 0));
    set_process(desk, "h2");
    UNTIL(desk, &a, NULL, strcmp(a.process, "h2") == 0);
    peer_say(&a, "refused", 0, "{\"process\": \"h2\", \"errors\": [\"rules.yaml:1:1: no\"]}");
    UNTIL(desk, &a, NULL, desk->refusals == 1);
    assert_string_equal(desk->refused_by, "w1");
    peer_close(&a);
    desk_close(desk);
}

static void test_workers_kept_back_credits_serve_p1_alone(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer a;
    (void)state;
    set_process(desk, "h1");
    peer_join(&a, desk, "w1", "{\"credits\": 16, \"process\": \"h1\"}");
    int i = 0;
    while (i < WAKES - 4 && hand(desk, i))
        i++;
    assert_int_equal(i, 14);
    desk->wakes[60].class = desk->wakes[61].class = desk->wakes[62].class = WAKE_P1;
    assert_true(hand(desk, 60));
    assert_true(hand(desk, 61));
    assert_false(hand(desk, 62));
    assert_int_equal(workers_room(desk->workers, true), 0);
    peer_close(&a);
    desk_close(desk);
}

static void test_workers_forgotten_wake_is_not_named_again(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer a;
    (void)state;
    set_process(desk, "h1");
    peer_join(&a, desk, "w1", "{\"credits\": 1, \"process\": \"h1\"}");
    assert_true(hand(desk, 0));
    workers_forget(desk->workers, &desk->wakes[0]);
    workers_forget(desk->workers, &desk->wakes[0]);
    assert_false(hand(desk, 1));
    UNTIL(desk, &a, NULL, a.works == 1);
    peer_say(&a, "decision", a.ids[0], "{}");
    UNTIL(desk, &a, NULL, workers_room(desk->workers, true) == 1);
    assert_int_equal(desk->happened_count, 0);
    peer_close(&a);
    desk_close(desk);
}

/* A worker that dies with three tickets gives three suspects; each then goes out alone. */
static void test_workers_dead_worker_leaves_suspects_handed_alone(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer a, b;
    (void)state;
    set_process(desk, "h1");
    peer_join(&a, desk, "w1", "{\"credits\": 8, \"process\": \"h1\"}");
    for (int i = 0; i < 3; i++)
        assert_true(hand(desk, i));
    UNTIL(desk, &a, NULL, a.works == 3);
    peer_close(&a);
    UNTIL(desk, NULL, NULL, desk->happened_count == 3);
    assert_int_equal(count_of(desk, LOST), 3);
    assert_int_equal(workers_count(desk->workers), 0);

    peer_join(&b, desk, "w2", "{\"credits\": 8, \"process\": \"h1\"}");
    assert_true(hand(desk, 10));
    assert_true(desk->wakes[0].suspect);
    assert_true(hand(desk, 0));   /* promised: waits until 10 is decided */
    assert_false(hand(desk, 1));  /* the only worker is taken */
    assert_false(hand(desk, 11)); /* for others too */
    UNTIL(desk, &b, NULL, b.works == 1);
    peer_say(&b, "decision", b.ids[0], "{}");
    UNTIL(desk, &b, NULL, b.works == 2);
    assert_int_equal(workers_room(desk->workers, true), 0);
    peer_close(&b); /* dies of it: now the culprit is known */
    UNTIL(desk, NULL, NULL, desk->happened_count == 5);
    assert_int_equal(desk->happened[4].what, FAILED);
    assert_string_equal(desk->happened[4].code, "died");
    assert_true(desk->happened[4].alone);
    assert_ptr_equal(desk->happened[4].wake, &desk->wakes[0]);
    desk_close(desk);
}

/* Held works go out when they are released. A worker that was gone by then never saw its work, so the ticket has not failed. How long the
 * connection's end takes to be seen is not ours to know: each try gives it twice as long. */
static void test_workers_held_work_that_could_not_be_sent_has_not_failed(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer peer;
    (void)state;
    set_process(desk, "h1");
    peer_join(&peer, desk, "w0", "{\"credits\": 8, \"process\": \"h1\"}");
    workers_hold(desk->workers);
    assert_true(hand(desk, 40));
    assert_true(hand(desk, 41));
    workers_release(desk->workers);
    UNTIL(desk, &peer, NULL, peer.works == 2);
    peer_close(&peer);
    UNTIL(desk, NULL, NULL, workers_count(desk->workers) == 0);
    for (int try = 0; try < 12 && (try == 0 || desk->happened[desk->happened_count - 1].what != LOST);
         try++) {
        size_t before = desk->happened_count;
        peer_join(&peer, desk, "w1", "{\"credits\": 8, \"process\": \"h1\"}");
        desk->wakes[try].suspect = false;
        workers_hold(desk->workers);
        assert_true(hand(desk, try));
        peer_close(&peer);
        (void)zmq_poll(NULL, 0, 1L << try);
        workers_release(desk->workers);
        UNTIL(desk, NULL, NULL, desk->happened_count > before && workers_count(desk->workers) == 0);
    }
    assert_int_equal(desk->happened[desk->happened_count - 1].what, LOST);
    desk_close(desk);
}

static void test_workers_promised_suspect_comes_back_when_its_worker_leaves(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer a;
    (void)state;
    set_process(desk, "h1");
    peer_join(&a, desk, "w1", "{\"credits\": 8, \"process\": \"h1\"}");
    desk->wakes[0].suspect = desk->wakes[1].suspect = true;
    assert_true(hand(desk, 5));
    assert_true(hand(desk, 0));
    workers_forget(desk->workers, &desk->wakes[0]);
    assert_int_equal(workers_room(desk->workers, true), 7);
    assert_true(hand(desk, 1));
    UNTIL(desk, &a, NULL, a.works == 1);
    peer_say(&a, "bye", 0, "{}");
    UNTIL(desk, &a, NULL, desk->happened_count == 1);
    assert_int_equal(desk->happened[0].what, LOST);
    assert_ptr_equal(desk->happened[0].wake, &desk->wakes[1]);
    assert_int_equal(a.byes, 0);
    peer_say(&a, "decision", a.ids[0], "{}");
    UNTIL(desk, &a, NULL, a.byes == 1);
    assert_int_equal(workers_count(desk->workers), 0);
    assert_int_equal(count_of(desk, DECIDED), 1);
    peer_close(&a);
    desk_close(desk);
}

static void test_workers_late_work_fails_and_closes_the_worker_until_it_answers(void **state)
{
    struct desk *desk = desk_open(100 * 1000);
    struct peer a;
    (void)state;
    set_process(desk, "h1");
    peer_join(&a, desk, "w1", "{\"credits\": 8, \"process\": \"h1\"}");
    assert_true(hand(desk, 0));
    assert_true(hand(desk, 1));
    int64_t beat_us = 0;
    int64_t until_us = clock_mono_us() + DEADLINE_US;
    while (desk->happened_count < 2 && clock_mono_us() < until_us) {
        if (clock_mono_us() - beat_us > HEARTBEAT_US / 2) {
            peer_say(&a, "heartbeat", 0, "{}");
            beat_us = clock_mono_us();
        }
        turn(desk, &a, NULL);
    }
    assert_int_equal(count_of(desk, FAILED), 2);
    assert_string_equal(desk->happened[0].code, "timeout");
    assert_false(desk->happened[0].alone);
    assert_true(desk->happened[1].alone);
    assert_int_equal(workers_room(desk->workers, true), 0);
    peer_say(&a, "decision", a.ids[0], "{}");
    UNTIL(desk, &a, NULL, workers_room(desk->workers, true) == 8);
    assert_int_equal(count_of(desk, DECIDED), 0);
    peer_close(&a);
    desk_close(desk);
}

static void test_workers_silent_connection_is_given_up_and_told_so(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer a;
    (void)state;
    set_process(desk, "h1");
    peer_join(&a, desk, "w1", "{\"credits\": 8, \"process\": \"h1\"}");
    assert_true(hand(desk, 0));
    UNTIL(desk, &a, NULL, workers_count(desk->workers) == 0);
    assert_true(a.heartbeats > 0);
    assert_string_equal(desk->happened[0].code, "died");
    for (int i = 0; i < 3; i++)
        peer_say(&a, "decision", a.ids[0], "{}");
    UNTIL(desk, &a, NULL, a.strangers > 0);
    assert_int_equal(a.strangers, 1); /* once an interval */
    assert_int_equal(count_of(desk, DECIDED), 0);
    peer_say(&a, "hello", 0, "{\"name\": \"w1\", \"version\": \"1\", \"zones\": \"\"}");
    UNTIL(desk, &a, NULL, strcmp(a.op, "welcome") == 0);
    peer_close(&a);
    desk_close(desk);
}

static void test_workers_hello_again_voids_what_is_out(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer a;
    (void)state;
    set_process(desk, "h1");
    peer_join(&a, desk, "w1", "{\"credits\": 8, \"process\": \"h1\"}");
    desk->forget_on_lost = true;
    for (int i = 0; i < 3; i++)
        assert_true(hand(desk, i));
    peer_say(&a, "hello", 0, "{\"name\": \"w1\", \"version\": \"2\", \"zones\": \"\"}");
    UNTIL(desk, &a, NULL, desk->happened_count == 2);
    assert_int_equal(count_of(desk, LOST), 2); /* the one that was taken back meanwhile is not named */
    assert_int_equal(workers_credits(desk->workers), 0);
    assert_int_equal(workers_count(desk->workers), 1);
    peer_close(&a);
    desk_close(desk);
}

static void test_workers_malformed_messages_end_the_session(void **state)
{
    static const char *const broken[] = {"", "\xc1", "\x90",
                                         "\x81\xa3"
                                         "dkt\x02",
                                         "\xdf\xff\xff\xff\xff"};
    struct desk *desk = desk_open(0);
    struct peer a;
    (void)state;
    set_process(desk, "h1");
    peer_join(&a, desk, "w1", "{\"credits\": 8, \"process\": \"h1\"}");
    for (size_t i = 0; i < 4; i++)
        peer_send_bytes(&a, broken[i], strlen(broken[i]));
    peer_say(&a, "from_the_future", 0, "{}"); /* of the form: begins the count anew */
    peer_say(&a, "ready", 0, "{\"credits\": 9, \"process\": \"h1\"}");
    UNTIL(desk, &a, NULL, workers_credits(desk->workers) == 9);
    peer_say(&a, "ready", 0, "{\"credits\": 0, \"process\": \"h1\"}");
    peer_say(&a, "ready", 0, "{\"credits\": 10001}");
    peer_say(&a, "ready", 0, "[]");
    peer_send_bytes(&a, broken[4], 5);
    peer_say(&a, "hello", 0, "{\"name\": 5}");
    UNTIL(desk, &a, NULL, workers_count(desk->workers) == 0);
    peer_close(&a);
    desk_close(desk);
}

static void test_workers_questions_are_answered_once_each(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer a, b;
    struct err err = {0};
    static const char body[] = "\x81\xa4hash\xa2h2";
    struct span span = {body, sizeof body - 1};
    (void)state;
    assert_false(workers_ask(desk->workers, "check", span, true, 1000000, on_answer, desk, &err));
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    set_process(desk, "h1");
    peer_join(&a, desk, "w1", "{\"credits\": 8, \"process\": \"h1\"}");
    peer_join(&b, desk, "w2", "{\"credits\": 8, \"process\": \"h1\"}");
    assert_true(workers_ask(desk->workers, "check", span, true, 5000000, on_answer, desk, &err));
    UNTIL(desk, &a, &b, a.asks == 1 && b.asks == 1);
    size_t turns = desk->turns;
    peer_say(&a, "answer", a.id, "{\"ok\": true, \"result\": {\"errors\": []}}");
    peer_say(&a, "answer", b.id, "{\"ok\": true, \"result\": {}}"); /* another's question */
    UNTIL(desk, &a, &b, desk->answers == 1);
    UNTIL(desk, &a, &b, desk->turns > turns); /* what the asker does with it must not wait for a tick */
    assert_true(desk->answer_ok);
    assert_int_equal(desk->answers_left, 1);
    peer_close(&b);
    UNTIL(desk, &a, NULL, desk->answers == 2);
    assert_string_equal(desk->answer_code, "unavailable");
    assert_int_equal(desk->answers_left, 0);
    peer_say(&a, "heartbeat", 0, "{}");
    assert_true(workers_ask(desk->workers, "explain", span, false, 50000, on_answer, desk, &err));
    UNTIL(desk, &a, NULL, desk->answers == 3);
    assert_string_equal(desk->answer_code, "timeout");
    peer_close(&a);
    desk_close(desk);
}

static void test_workers_draining_gives_nothing_out_and_takes_what_comes(void **state)
{
    struct desk *desk = desk_open(0);
    struct peer a, b;
    (void)state;
    set_process(desk, "h1");
    peer_join(&a, desk, "w1", "{\"credits\": 8, \"process\": \"h1\"}");
    assert_true(hand(desk, 0));
    peer_join(&b, desk, "w2", "{\"credits\": 4, \"process\": \"h1\"}");
    UNTIL(desk, &a, &b, a.works == 1);
    workers_drain(desk->workers);
    assert_false(hand(desk, 1));
    UNTIL(desk, &a, &b, b.byes == 1);
    assert_int_equal(a.byes, 0);
    peer_say(&a, "decision", a.ids[0], "{}");
    UNTIL(desk, &a, &b, a.byes == 1 && count_of(desk, DECIDED) == 1);
    peer_close(&a);
    peer_close(&b);
    desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workers_work_comes_and_is_decided),
        cmocka_unit_test(test_workers_no_process_gives_no_work),
        cmocka_unit_test(test_workers_kept_back_credits_serve_p1_alone),
        cmocka_unit_test(test_workers_forgotten_wake_is_not_named_again),
        cmocka_unit_test(test_workers_dead_worker_leaves_suspects_handed_alone),
        cmocka_unit_test(test_workers_held_work_that_could_not_be_sent_has_not_failed),
        cmocka_unit_test(test_workers_promised_suspect_comes_back_when_its_worker_leaves),
        cmocka_unit_test(test_workers_late_work_fails_and_closes_the_worker_until_it_answers),
        cmocka_unit_test(test_workers_silent_connection_is_given_up_and_told_so),
        cmocka_unit_test(test_workers_hello_again_voids_what_is_out),
        cmocka_unit_test(test_workers_malformed_messages_end_the_session),
        cmocka_unit_test(test_workers_questions_are_answered_once_each),
        cmocka_unit_test(test_workers_draining_gives_nothing_out_and_takes_what_comes),
    };
    zsys_handler_set(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    zsys_shutdown();
    return failed;
}
