/* The feed; see feed_publish.h. */
#include "feed_publish.h"
#include "clock.h"
#include "desk.h"
#include "event_wire.h"
#include "feed.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "statements.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* Messages that wait for one subscriber: four pages, so that who reads loses none of a page that goes out at once. Of ordinary events these
 * are 2 MiB, of the biggest that the limits of requests allow some 200. ZeroMQ counts messages alone, and to change the number while
 * messages wait would silence a subscriber for good: its side acknowledges each half of the number it knew. */
enum { PAGE = 500, SEND_HWM = 4 * PAGE, EVENT_BYTES_MAX = 2 << 20, HEARTBEAT_MS = 1000, TOPIC_BYTES = 160 };

struct publisher {
    struct notifier *notifier;
    zsock_t *sock;
    struct feed_generation generation;
    struct feed_settle settle;
    int64_t published; /* all numbers up to this one went out; -1: it is not known yet where it begins */
    int64_t n;         /* of messages, so that a listener notices a loss */
    char name[48];
    bool asking;
    int64_t heartbeat_us;
    struct buf out;
};

static void publish_frames(struct publisher *p, const char *topic, struct span event)
{
    void *sock = zsock_resolve(p->sock);
    struct buf head;

    buf_init(&head, 256);
    wire_put_map(&head, 2);
    wire_put_key_text(&head, "publisher", p->name);
    wire_put_key_int(&head, "n", p->n++);
    /* A listener that does not read loses messages at its own limit, and sees the gap; the others do not wait for it. */
    if (zmq_send(sock, topic, strlen(topic), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 &&
        zmq_send(sock, head.p, head.len, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        (void)zmq_send(sock, event.p, event.len, ZMQ_DONTWAIT);
    buf_clear(&head);
}

/* A name of its own for each beginning: a listener that sees a new one reads what lies between by events.since. */
static void publisher_begin_anew(struct publisher *p)
{
    unsigned char tag[6];
    char hex[sizeof tag * 2 + 1];

    p->published = -1;
    p->n = 0;
    randombytes_buf(tag, sizeof tag);
    (void)snprintf(p->name, sizeof p->name, "%.30s-%s", p->notifier->settings.name,
                   sodium_bin2hex(hex, sizeof hex, tag, sizeof tag));
}

static void publish_heartbeat(struct publisher *p)
{
    buf_reset(&p->out);
    wire_put_map(&p->out, 0);
    publish_frames(p, "heartbeat/", buf_span(&p->out));
    p->heartbeat_us = clock_mono_us();
}

static void page_on_rows(void *arg, PGresult *rows)
{
    struct publisher *p = arg;

    for (int i = 0; i < PQntuples(rows); i++) {
        struct event_row row;
        char cursor[FEED_CURSOR_BYTES], topic[TOPIC_BYTES];
        event_row_from_pg(rows, i, &row);
        feed_cursor_format(p->generation, row.seq, cursor);
        buf_reset(&p->out);
        event_wire_put(&p->out, &row, p->notifier->settings.tracking_prefix, cursor);
        (void)snprintf(topic, sizeof topic, "%.*s/%s/", (int)row.customer.len, row.customer.p,
                       desk_event_name((enum desk_event)row.kind));
        publish_frames(p, topic, buf_span(&p->out));
        p->published = row.seq;
    }
    if (PQntuples(rows) < PAGE)
        p->published = p->settle.settled;
}

static void ask_on_end(void *arg, const struct pg_end *end)
{
    struct publisher *p = arg;

    p->asking = false;
    if (end->outcome == PG_FAILED) {
        log_event(LOG_ERROR, "feed_failed", "sqlstate=%s message=%s", end->sqlstate, log_quote(end->message));
        return;
    }
    if (end->outcome != PG_OK)
        return;
    /* Who listens reads what is before by events.since: 0 is a desk without any event. */
    if (p->published < 0 && p->settle.has_looked && p->settle.want == FEED_WANT_SEQ)
        p->published = p->settle.settled;
    bool idle = p->settle.want == FEED_WANT_SEQ && p->settle.has_looked && p->published >= p->settle.settled;
    bool held = p->settle.want == FEED_WANT_XMIN && p->settle.asked > 1;
    if (!idle && !held)
        publisher_tick(p);
}

static void generation_on_rows(void *arg, PGresult *rows)
{
    struct publisher *p = arg;
    struct feed_generation now = {pg_int(rows, 0, 0), (int32_t)pg_int(rows, 0, 1)};

    /* In another history the number that went out last may be another event, or not be there yet. */
    if (p->published >= 0 && (now.system != p->generation.system || now.timeline != p->generation.timeline))
        publisher_begin_anew(p);
    p->generation = now;
}

static void seq_on_rows(void *arg, PGresult *rows)
{
    struct publisher *p = arg;
    feed_settle_seq(&p->settle, pg_int(rows, 0, 0));
}

static void fence_on_rows(void *arg, PGresult *rows)
{
    struct publisher *p = arg;
    feed_settle_fence(&p->settle, pg_int(rows, 0, 0));
}

static void xmin_on_rows(void *arg, PGresult *rows)
{
    struct publisher *p = arg;
    (void)feed_settle_xmin(&p->settle, pg_int(rows, 0, 0));
}

void publisher_tick(struct publisher *p)
{
    static const struct {
        enum feed_statement statement;
        pg_rows_fn *fn;
    } asks[] = {[FEED_WANT_SEQ] = {FEED_SEQ, seq_on_rows},
                [FEED_WANT_FENCE] = {FEED_FENCE, fence_on_rows},
                [FEED_WANT_XMIN] = {FEED_XMIN, xmin_on_rows}};
    struct notifier *notifier = p->notifier;

    /* Not before it knows where it begins: who hears it takes what comes next for all that comes after. */
    if (p->published >= 0 && clock_mono_us() - p->heartbeat_us > HEARTBEAT_MS * US_PER_MS)
        publish_heartbeat(p);
    if (p->asking || !pg_is_up(notifier->feed))
        return;
    p->asking = true;
    if (p->published >= 0 && p->published < p->settle.settled) {
        pg_params_reset(notifier->params);
        pg_put_int8(notifier->params, p->published);
        pg_put_int8(notifier->params, p->settle.settled);
        pg_put_int4(notifier->params, PAGE);
        (void)pg_send(notifier->feed, FEED_PAGE, notifier->params, page_on_rows, p);
    } else {
        (void)pg_send(notifier->feed, asks[p->settle.want].statement, NULL, asks[p->settle.want].fn, p);
    }
    pg_sync(notifier->feed, ask_on_end, p);
}

void publisher_on_up(struct publisher *p)
{
    feed_settle_init(&p->settle);
    p->asking = true;
    (void)pg_send(p->notifier->feed, FEED_GENERATION, NULL, generation_on_rows, p);
    pg_sync(p->notifier->feed, ask_on_end, p);
}

bool publisher_new(struct notifier *notifier, struct publisher **ret_publisher, struct err *err)
{
    zsock_t *sock = zsock_new(ZMQ_PUB);

    zsock_set_sndhwm(sock, SEND_HWM);
    zsock_set_linger(sock, 200);
    if (zsock_bind(sock, "%s", notifier->settings.feed) < 0) {
        (void)err_set(err, ERR_IO, "feed: cannot bind %s: %s", notifier->settings.feed,
                      zmq_strerror(zmq_errno()));
        zsock_destroy(&sock);
        return false;
    }
    struct publisher *p = mem_new(1, sizeof *p);
    p->notifier = notifier;
    p->sock = sock;
    publisher_begin_anew(p);
    buf_init(&p->out, EVENT_BYTES_MAX);
    feed_settle_init(&p->settle);
    *ret_publisher = p;
    return true;
}

void publisher_free(struct publisher *publisher)
{
    if (publisher == NULL)
        return;
    zsock_destroy(&publisher->sock);
    buf_clear(&publisher->out);
    free(publisher);
}
