/* Dispatch; see dispatch.h. */
#include "dispatch.h"
#include "broker.h"
#include "broker_metrics.h"
#include "clock.h"
#include "deciding.h"
#include "load_work.h"
#include "mem.h"
#include "pg.h"
#include "put_back.h"
#include "queue.h"
#include "wakes.h"
#include "workers.h"

#include <stdlib.h>
#include <string.h>

/* Workers decide faster than a busy database commits. Beyond so many decisions that wait for their commit only P1 is handed out, beyond twice as
 * many nothing: they would fill the memory, and what is urgent, postings and ops, would wait behind them. Some batches, so that the
 * writer never runs dry. */
enum { LOAD_MAX = 200, COMMITTING_MAX = 2000 };

/* How long a deadline waits before it looks again whether its parent's words have come. */
#define PARENT_WAIT_US (INT64_C(200) * US_PER_MS)

/* ---- handing out ---- */

static void dispatch_hand(struct broker *broker, struct wake *wake)
{
    struct err err;
    /* Our reading of the database's clock may be a round trip behind an instant that the database just stamped itself. */
    int64_t now_at = broker_now(broker) > wake->wake_at ? broker_now(broker) : wake->wake_at;

    wakes_place(broker, wake, WAKE_NOWHERE);
    wake->overtaken = false;
    wake->now_at = now_at;
    if (!workers_hand(broker->workers, wake, wake->content, now_at, &err)) {
        if (err.code != ERR_BUSY)
            put_back_failed(broker, wake, "content", err.msg, "", true);
        else
            wakes_place(broker, wake, WAKE_QUEUED);
        return;
    }
    if (!wake->background)
        broker_count_wait(broker->metrics, (enum wake_class)wake->class, now_at - wake->wake_at);
    broker->wake_count[wake->place]--;
    wake->place = WAKE_HANDED;
    broker->wake_count[WAKE_HANDED]++;
}

/* ---- reading content ---- */

/* One load: the wakes it is for, by ticket, as they were asked. */
struct load {
    struct broker *broker;
    int64_t epoch;
    size_t count;
    int64_t tickets[LOAD_MAX];
};

/* What was said to thousands of children in one op comes to each in its turn: what is due meanwhile may have been met already, and is
 * not told as missed. What happened to the child itself is decided at once. */
static bool load_awaits_parent(struct broker *broker, struct wake *wake, const struct load_work_item *item)
{
    if (!item->parent_speaks || item->version != item->decided)
        return false;
    wake->wake_at = broker_now(broker) + PARENT_WAIT_US;
    wakes_place(broker, wake, WAKE_TIMED);
    return true;
}

static void load_take(struct broker *broker, const struct load_work_item *item)
{
    struct wake *wake = wakes_find(broker, item->ticket);

    if (wake == NULL || wake->place != WAKE_LOADING)
        return;
    if (wake->overtaken) {
        wakes_place(broker, wake, WAKE_QUEUED); /* an op is changing it now: read again afterwards */
        wake->overtaken = false;
        return;
    }
    bool ours = item->has_desk ? item->owner == broker->epoch && item->attempt == wake->attempt : wake->fresh;
    if (!ours) {
        wakes_free(broker, wake); /* somebody else owns it by now */
        return;
    }
    if (load_awaits_parent(broker, wake, item))
        return;
    if (item->content.p == NULL) {
        put_back_failed(broker, wake, "too_large",
                        "the ticket's content does not fit into a message to a worker", "", true);
        return;
    }
    wake->version = item->version;
    wake->class = (uint8_t)wake_class_of(item->priority);
    wakes_set_content(broker, wake,
                      (struct span){mem_dup(item->content.p, item->content.len), item->content.len});
    if (wake->customer == NULL && item->customer.p != NULL) {
        wake->customer = mem_strndup(item->customer.p, item->customer.len);
    }
    dispatch_hand(broker, wake);
}

static void load_on_items(void *arg, const struct load_work_item *items, size_t count, const struct err *err)
{
    struct load *load = arg;
    struct broker *broker = load->broker;

    broker->reader_busy = false;
    if (broker->epoch == load->epoch) {
        workers_hold(broker->workers);
        for (size_t i = 0; i < count; i++)
            load_take(broker, &items[i]);
        workers_release(broker->workers);
        /* What did not come back: the session broke, or the ticket is gone from the database. */
        for (size_t i = 0; i < load->count; i++) {
            struct wake *wake = wakes_find(broker, load->tickets[i]);
            if (wake == NULL || wake->place != WAKE_LOADING)
                continue;
            if (err != NULL)
                wakes_place(broker, wake, WAKE_QUEUED);
            else
                wakes_free(broker, wake);
        }
    }
    free(load);
}

static void load_send(struct broker *broker, struct load *load)
{
    if (load->count == 0) {
        free(load);
        return;
    }
    broker->reader_busy = true;
    load_work_send(broker->reader_pg, broker->params, load->tickets, load->count,
                   broker->settings.tracking_prefix, load_on_items, load);
}

/* ---- a turn ---- */

void dispatch_run(struct broker *broker)
{
    if (broker->epoch == 0 || broker->stopping || !lease_holds(&broker->lease, clock_mono_us()))
        return;
    struct load *load = mem_new(1, sizeof *load);
    load->broker = broker;
    load->epoch = broker->epoch;
    workers_hold(broker->workers);
    for (;;) {
        size_t committing = broker->wake_count[WAKE_COMMITTING];
        bool p1_only = workers_room(broker->workers, false) <= load->count || committing >= COMMITTING_MAX;
        if (workers_room(broker->workers, true) <= load->count || committing >= 2 * COMMITTING_MAX)
            break;
        struct wake *wake = queue_peek(broker->queue, p1_only);
        if (wake == NULL)
            break;
        if (wake->content.p != NULL) {
            size_t before = broker->wake_count[WAKE_HANDED];
            dispatch_hand(broker, wake);
            if (broker->wake_count[WAKE_HANDED] == before)
                break;
            continue;
        }
        if (broker->reader_busy || load->count == LOAD_MAX || !pg_is_up(broker->reader_pg))
            break;
        load->tickets[load->count++] = wake->ticket;
        wakes_place(broker, wake, WAKE_LOADING);
    }
    workers_release(broker->workers);
    load_send(broker, load);
}

int64_t dispatch_due(struct broker *broker)
{
    struct wake *wake;
    int64_t now = broker_now(broker);

    while ((wake = timers_pop_due(&broker->timers, now)) != NULL) {
        /* Popped: it is in no heap any more; its place follows by hand. */
        broker->wake_count[WAKE_TIMED]--;
        wake->place = WAKE_NOWHERE;
        broker->wake_count[WAKE_NOWHERE]++;
        wake->since_us = clock_mono_us();
        wakes_place(broker, wake, WAKE_QUEUED);
    }
    int64_t next = timers_next_at(&broker->timers);
    return next == INT64_MAX ? -1 : next - now;
}

/* ---- what comes back ---- */

void dispatch_on_decision(void *arg, struct wake *wake, struct wire_doc *doc, const struct wire_val *body,
                          const char *worker)
{
    struct broker *broker = arg;

    if (wake->overtaken) {
        wire_doc_free(doc); /* stale already: the op's commit wakes the ticket again */
        wakes_place(broker, wake, WAKE_COMMITTING);
        return;
    }
    deciding_take(broker, wake, doc, body, worker);
}

void dispatch_on_fail(void *arg, struct wake *wake, const char *code, const char *message, const char *worker,
                      bool alone)
{
    struct broker *broker = arg;
    bool lost = strcmp(code, "died") == 0 || strcmp(code, "timeout") == 0;

    health_count(&broker->health, false, clock_mono_us());
    if (wake->overtaken) {
        wakes_place(broker, wake, WAKE_COMMITTING); /* the op's commit wakes it again */
        return;
    }
    if (lost && !alone)
        wake->suspect = true;
    put_back_failed(broker, wake, code, message, worker,
                    !health_fails(&broker->health, clock_mono_us()) && (alone || !lost));
}

void dispatch_on_lost(void *arg, struct wake *wake)
{
    struct broker *broker = arg;

    wake->reasons |= REASON_RETRY;
    if (wake->overtaken)
        wakes_place(broker, wake, WAKE_COMMITTING);
    else
        wakes_place(broker, wake, WAKE_QUEUED);
}
