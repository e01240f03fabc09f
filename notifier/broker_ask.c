/* Asks the brokers; see broker_ask.h. */
#include "broker_ask.h"
#include "clock.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>

enum { TICK_MS = 250, ANSWER_DEPTH = WIRE_DEPTH_MAX };

struct question {
    struct question *next;
    int64_t id;
    int64_t try_by_us, end_by_us;
    bool was_unavailable; /* of the last broker's answer */
    struct buf frame;
    broker_ask_fn *fn;
    void *arg;
};

struct broker_ask {
    zloop_t *loop;
    const struct setting_list *endpoints;
    size_t at; /* which endpoint */
    zsock_t *sock;
    struct question *questions; /* oldest first */
    size_t count;
    int64_t last_id;
    int timer; /* -1: none */
};

static int on_answer(zloop_t *loop, zsock_t *sock, void *arg);

/* A connection to the endpoint at hand; linger 0: what was sent and not answered is repeated by us. */
static void ask_connect(struct broker_ask *ask)
{
    if (ask->sock != NULL) {
        zloop_reader_end(ask->loop, ask->sock);
        zsock_destroy(&ask->sock);
    }
    ask->sock = zsock_new(ZMQ_DEALER);
    zsock_set_linger(ask->sock, 0);
    if (zsock_connect(ask->sock, "%s", ask->endpoints->items[ask->at]) < 0)
        log_event(LOG_ERROR, "broker_unreachable", "endpoint=%s", log_quote(ask->endpoints->items[ask->at]));
    (void)zloop_reader(ask->loop, ask->sock, on_answer, ask);
    zloop_reader_set_tolerant(ask->loop, ask->sock);
}

static void question_put(struct broker_ask *ask, struct question *question)
{
    question->try_by_us = clock_mono_us() + ASK_TRY_MS * US_PER_MS;
    /* A queue that is full is as good as a silent broker: the next one is asked when the try is over. */
    (void)zmq_send(zsock_resolve(ask->sock), question->frame.p, question->frame.len, ZMQ_DONTWAIT);
}

static void ask_next_broker(struct broker_ask *ask)
{
    ask->at = (ask->at + 1) % ask->endpoints->count;
    ask_connect(ask);
    for (struct question *q = ask->questions; q != NULL; q = q->next)
        question_put(ask, q);
}

static void question_free(struct question *question)
{
    buf_clear(&question->frame);
    free(question);
}

static void question_end(struct broker_ask *ask, struct question *question, const struct wire_val *body,
                         const struct err *err)
{
    for (struct question **at = &ask->questions; *at != NULL; at = &(*at)->next)
        if (*at == question) {
            *at = question->next;
            break;
        }
    ask->count--;
    broker_ask_fn *fn = question->fn;
    void *arg = question->arg;
    question_free(question);
    fn(arg, body, err);
}

/* ---- answers ---- */

static void read_refusal(const struct wire_val *error, struct err *ret)
{
    struct span code = wire_find_str(error, "code"), message = wire_find_str(error, "message"),
                field = wire_find_str(error, "field");

    (void)err_field(ret, err_code_parse(code.p == NULL ? "" : code.p, code.len), "", "%.*s", (int)message.len,
                    message.p == NULL ? "" : message.p);
    (void)snprintf(ret->field, sizeof ret->field, "%.*s", (int)field.len, field.p == NULL ? "" : field.p);
}

static void take_answer(struct broker_ask *ask, const struct wire_val *root)
{
    int64_t id = wire_find_int(root, "id", 0);
    struct question *question = ask->questions;
    struct err err;

    while (question != NULL && question->id != id)
        question = question->next;
    if (question == NULL)
        return; /* answered before, by another broker */
    if (wire_find_bool(root, "ok", false)) {
        question_end(ask, question, wire_find(root, "body"), NULL);
        return;
    }
    read_refusal(wire_find(root, "error"), &err);
    if (err.code == ERR_UNAVAILABLE && ask->endpoints->count > 1 && !question->was_unavailable) {
        question->was_unavailable = true;
        ask_next_broker(ask);
        return;
    }
    question_end(ask, question, NULL, &err);
}

static int on_answer(zloop_t *loop, zsock_t *sock, void *arg)
{
    struct broker_ask *ask = arg;
    struct wire_doc *doc;
    struct err err;
    zmq_msg_t msg;
    (void)loop;

    /* An answer's callback may ask anew and so replace the socket: one answer a turn. */
    (void)zmq_msg_init(&msg);
    if (zmq_msg_recv(&msg, zsock_resolve(sock), ZMQ_DONTWAIT) >= 0) {
        if (wire_parse(zmq_msg_data(&msg), zmq_msg_size(&msg), ANSWER_DEPTH, &doc, &err)) {
            take_answer(ask, wire_root(doc));
            wire_doc_free(doc);
        } else {
            log_event(LOG_WARN, "answer_unreadable", "reason=%s", log_quote(err.msg));
        }
    }
    (void)zmq_msg_close(&msg);
    return 0;
}

/* ---- time ---- */

static int on_tick(zloop_t *loop, int timer, void *arg)
{
    struct broker_ask *ask = arg;
    int64_t now = clock_mono_us();
    struct err err;
    (void)loop;

    while (ask->questions != NULL && now >= ask->questions->end_by_us) {
        (void)err_set(&err, ERR_TIMEOUT, "no broker answered");
        question_end(ask, ask->questions, NULL, &err);
    }
    for (const struct question *q = ask->questions; q != NULL; q = q->next)
        if (now >= q->try_by_us) {
            ask_next_broker(ask);
            break;
        }
    if (ask->questions == NULL) {
        zloop_timer_end(ask->loop, timer);
        ask->timer = -1;
    }
    return 0;
}

void broker_ask_send(struct broker_ask *ask, const char *op, struct span body, broker_ask_fn *fn, void *arg)
{
    struct err err;

    if (ask->count >= ASK_PENDING_MAX) {
        (void)err_set(&err, ERR_BUSY, "too many requests wait for the broker");
        fn(arg, NULL, &err);
        return;
    }
    struct question *question = mem_new(1, sizeof *question);
    question->id = ++ask->last_id;
    question->end_by_us = clock_mono_us() + ASK_END_MS * US_PER_MS;
    question->fn = fn;
    question->arg = arg;
    buf_init(&question->frame, ASK_BODY_BYTES_MAX);
    wire_put_map(&question->frame, 4);
    wire_put_key_int(&question->frame, "dkt", 1);
    wire_put_key_int(&question->frame, "id", question->id);
    wire_put_key_text(&question->frame, "op", op);
    wire_put_text(&question->frame, "body");
    wire_put_raw(&question->frame, body);
    if (question->frame.failed) {
        (void)err_set(&err, ERR_TOO_LARGE, "what is asked is too large");
        question_free(question);
        fn(arg, NULL, &err);
        return;
    }
    struct question **end = &ask->questions;
    while (*end != NULL)
        end = &(*end)->next;
    *end = question;
    ask->count++;
    if (ask->sock == NULL)
        ask_connect(ask);
    question_put(ask, question);
    if (ask->timer < 0)
        ask->timer = zloop_timer(ask->loop, TICK_MS, 0, on_tick, ask);
}

struct broker_ask *broker_ask_new(zloop_t *loop, const struct setting_list *endpoints)
{
    struct broker_ask *ask = mem_new(1, sizeof *ask);

    ask->loop = loop;
    ask->endpoints = endpoints;
    ask->timer = -1;
    return ask;
}

void broker_ask_free(struct broker_ask *ask)
{
    struct err err;

    if (ask == NULL)
        return;
    (void)err_set(&err, ERR_UNAVAILABLE, "the notifier stops");
    while (ask->questions != NULL)
        question_end(ask, ask->questions, NULL, &err);
    if (ask->timer >= 0)
        zloop_timer_end(ask->loop, ask->timer);
    if (ask->sock != NULL) {
        zloop_reader_end(ask->loop, ask->sock);
        zsock_destroy(&ask->sock);
    }
    free(ask);
}

void broker_ask_put_staff(struct buf *out, const char *who)
{
    wire_put_text(out, "as");
    wire_put_map(out, 2);
    wire_put_key_text(out, "name", who);
    wire_put_key_text(out, "role", "staff");
}

void broker_ask_of_ticket(struct broker_ask *ask, const char *op, const char *who, const char *tracking,
                          broker_ask_fn *fn, void *arg)
{
    struct buf body;

    buf_init(&body, ASK_BODY_BYTES_MAX);
    wire_put_map(&body, 2);
    broker_ask_put_staff(&body, who);
    wire_put_key_text(&body, "tracking", tracking);
    broker_ask_send(ask, op, buf_span(&body), fn, arg);
    buf_clear(&body);
}
