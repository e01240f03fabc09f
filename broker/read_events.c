/* events.since; see read_events.h. */
#include "read_events.h"

#include <stddef.h>
#include <stdlib.h>

#include "clock.h"
#include "event_wire.h"
#include "fair.h"
#include "mem.h"
#include "param_put.h"
#include "statements_reader.h"
#include "wire.h"

enum {
    EVENTS_DEFAULT = 100,
    HELD_PATIENCE_MS =
        2000 /* that a waiter without wait_ms gives a held-up feed; then it is told that there may be more */
};

/* How a page of one customer's events is read while much lies before it: span by span; ticket by ticket; or so once a
 * span held nothing. */
enum route { ROUTE_UNKNOWN, ROUTE_SPANS, ROUTE_TICKETS, ROUTE_TICKETS_LATER };

struct waiter {
    struct read_events_query query;
    enum route route;
    char *customer; /* owned */
    int64_t at;     /* looked through up to this number */
    int64_t looked; /* numbers looked at for this page */
    int64_t deadline_us, patience_us;
    uint64_t cycle;                  /* the first cycle that began after it came */
    bool parsed, reading, has_place; /* it reads, or waits for its turn to */
    struct fair_turn turn;
    int64_t upto; /* of the statement under way */
    struct buf body;
    struct wire_map map, list;
    read_answer_fn *fn;
    void *arg;
    struct read_events *events;
    struct waiter *next;
};

struct read_events {
    zloop_t *loop;
    struct pg *reader;
    struct pg_params *params;
    const char *prefix;
    struct waiter *waiters;
    size_t count;
    struct feed_history history;
    struct feed_branch *branches; /* the history's */
    struct feed_settle settle;
    struct fair fair;
    bool is_up, has_history, asking;
    uint64_t begun, ended; /* cycles */
    int64_t last_seq;      /* of the last cycle: the newest number that was given */
    int timer;             /* -1: none */
};

static void cycle_step(struct read_events *events);
static void waiters_serve(struct read_events *events);
static void waiters_read(struct read_events *events);

/* ---- waiters ---- */

static void waiter_free(struct waiter *waiter)
{
    buf_clear(&waiter->body);
    free(waiter->customer);
    free(waiter);
}

static void waiter_unlink(struct waiter *waiter)
{
    struct waiter **at = &waiter->events->waiters;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    waiter->events->count--;
}

static void waiter_fail(struct waiter *waiter, const struct err *err)
{
    waiter_unlink(waiter);
    waiter->fn(waiter->arg, SPAN_NONE, err);
    waiter_free(waiter);
}

/* Whether what is settled now holds all numbers that were given when it came. */
static bool waiter_has_seen(const struct waiter *waiter)
{
    return waiter->events->ended >= waiter->cycle;
}

/* Whether it may be told that there is nothing: not before all was seen, or somebody holds the feed up for too long. */
static bool waiter_is_over(const struct waiter *waiter)
{
    int64_t now_us = clock_mono_us();

    return now_us >= waiter->deadline_us &&
           (waiter_has_seen(waiter) || (now_us >= waiter->patience_us && waiter->events->settle.asked > 1));
}

static void waiter_answer(struct waiter *waiter)
{
    bool more =
        waiter->list.count == 0 && (waiter->at < waiter->events->settle.settled || !waiter_has_seen(waiter));
    char cursor[FEED_CURSOR_BYTES];
    struct buf *out = &waiter->body;

    feed_cursor_format(waiter->events->history.generation, waiter->at, cursor);
    wire_list_close(out, &waiter->list);
    wire_put_key_text(out, "cursor", cursor);
    if (more)
        wire_put_key_bool(out, "more", true), waiter->map.count++;
    wire_map_close(out, &waiter->map);
    waiter_unlink(waiter);
    waiter->fn(waiter->arg, buf_span(out), NULL);
    waiter_free(waiter);
}

/* Its cursor can be read once the history is known. False: it was answered. */
static bool waiter_parse(struct waiter *waiter)
{
    struct err err = {0};

    if (waiter->parsed)
        return true;
    if (!feed_cursor_parse(waiter->query.cursor, &waiter->events->history, &waiter->at, &err)) {
        waiter_fail(waiter, &err);
        return false;
    }
    waiter->parsed = true;
    return true;
}

static void waiter_on_rows(void *arg, PGresult *rows)
{
    struct waiter *waiter = arg;
    int count = PQntuples(rows);
    int64_t from = waiter->at;

    waiter->at = waiter->upto;
    for (int i = 0; i < count; i++) {
        char cursor[FEED_CURSOR_BYTES];
        struct event_row row;
        size_t before = waiter->body.len;
        event_row_from_pg(rows, i, &row);
        feed_cursor_format(waiter->events->history.generation, row.seq, cursor);
        event_wire_put(&waiter->body, &row, waiter->events->prefix, cursor);
        if (waiter->list.count != 0 && waiter->body.len > READ_EVENTS_BYTES) {
            waiter->body.len = before; /* taken back: the next page's */
            break;
        }
        from = row.seq;
        waiter->list.count++;
    }
    if (count == waiter->query.limit || waiter->body.len > READ_EVENTS_BYTES ||
        (size_t)count > waiter->list.count)
        waiter->at = from;
}

static void waiter_on_end(void *arg, const struct pg_end *end)
{
    struct waiter *waiter = arg;
    struct read_events *events = waiter->events;
    struct err err = {0};

    waiter->reading = waiter->has_place = false;
    fair_over(&events->fair);
    if (!read_end_is_ok(end, "events", &err))
        waiter_fail(waiter, &err);
    else if (waiter->list.count != 0 || waiter->looked >= READ_EVENTS_SPAN_MAX ||
             (waiter->at >= events->settle.settled && waiter_is_over(waiter)))
        waiter_answer(waiter);
    else
        waiters_serve(events);
    waiters_read(events);
}

static void waiter_on_size(void *arg, PGresult *rows)
{
    struct waiter *waiter = arg;
    int64_t tickets = pg_int(rows, 0, 0);

    waiter->route = tickets <= READ_EVENTS_TICKETS_FEW   ? ROUTE_TICKETS
                    : tickets <= READ_EVENTS_TICKETS_MAX ? ROUTE_TICKETS_LATER
                                                         : ROUTE_SPANS;
}

static void waiter_ask_size(struct waiter *waiter)
{
    struct pg_params *params = waiter->events->params;

    waiter->reading = true;
    pg_params_reset(params);
    pg_put_text(params, waiter->customer);
    pg_put_int4(params, READ_EVENTS_TICKETS_MAX + 1);
    (void)pg_send(waiter->events->reader, READER_CUSTOMER_SIZE, params, waiter_on_size, waiter);
    pg_sync(waiter->events->reader, waiter_on_end, waiter);
}

static void waiter_read(struct waiter *waiter)
{
    const struct read_events_query *q = &waiter->query;
    struct pg_params *params = waiter->events->params;
    bool far = waiter->events->settle.settled > waiter->at + READ_EVENTS_SPAN;
    /* One ticket's events are found by its own index, and those of few tickets too, however many others lie
     * between. */
    bool by_ticket =
        q->ticket != 0 || (far && (waiter->route == ROUTE_TICKETS ||
                                   (waiter->route == ROUTE_TICKETS_LATER && waiter->looked != 0)));

    if (far && q->ticket == 0 && waiter->customer != NULL && waiter->route == ROUTE_UNKNOWN) {
        waiter_ask_size(waiter);
        return;
    }
    waiter->upto = waiter->events->settle.settled;
    if (far && !by_ticket)
        waiter->upto = waiter->at + READ_EVENTS_SPAN;
    if (!by_ticket)
        waiter->looked += waiter->upto - waiter->at;
    waiter->reading = true;
    pg_params_reset(params);
    pg_put_int8(params, waiter->at);
    pg_put_int8(params, waiter->upto);
    pg_put_int4(params, q->limit);
    pg_put_text(params, waiter->customer);
    param_put_int8_not_0(params, q->ticket);
    param_put_bits(params, q->kinds);
    q->has_public ? pg_put_bool(params, q->public) : pg_put_null(params);
    param_put_int8_not_0(params, q->from_at);
    (void)pg_send(waiter->events->reader,
                  by_ticket && q->ticket == 0 ? READER_READ_EVENTS_FEW : READER_READ_EVENTS, params,
                  waiter_on_rows, waiter);
    pg_sync(waiter->events->reader, waiter_on_end, waiter);
}

/* False: it waits on, or was answered. */
static bool waiter_may_go(struct waiter *waiter)
{
    const struct read_events *events = waiter->events;
    struct err err = {0};

    if (events->has_history) {
        if (!waiter_parse(waiter))
            return false;
        if (waiter->at <= events->last_seq || !waiter_has_seen(waiter))
            return true;
        (void)feed_cursor_lost(
            &err); /* a number that was never given here: the files of the server went back */
    } else if (clock_mono_us() < waiter->patience_us) {
        return false;
    } else {
        (void)err_set(&err, ERR_UNAVAILABLE, "no broker has begun on this history of the database yet");
    }
    waiter_fail(waiter, &err);
    return false;
}

/* Those whose turn it is. Not while the session's batches are being ended: each would end at once, within the end of the one before it, thousands
 * deep. read_events_on_down, which follows, tells them. */
static void waiters_read(struct read_events *events)
{
    struct fair_turn *turn;

    while (pg_is_up(events->reader) && (turn = fair_next(&events->fair)) != NULL)
        waiter_read((struct waiter *)((char *)turn - offsetof(struct waiter, turn)));
}

static void waiters_serve(struct read_events *events)
{
    for (struct waiter *waiter = events->waiters, *next; waiter != NULL && events->is_up; waiter = next) {
        next = waiter->next;
        if (waiter->has_place || !waiter_may_go(waiter))
            continue;
        if (waiter->at < events->settle.settled) {
            waiter->has_place = true;
            fair_wait(&events->fair, &waiter->turn, waiter->query.peer);
        } else if (waiter_is_over(waiter)) {
            waiter_answer(waiter);
        }
    }
    waiters_read(events);
}

/* ---- the cycle ---- */

static int cycle_on_timer(zloop_t *loop, int timer, void *arg)
{
    struct read_events *events = arg;
    (void)loop;
    (void)timer;
    events->timer = -1;
    waiters_serve(events);
    cycle_step(events);
    return 0;
}

static void cycle_pause(struct read_events *events)
{
    if (events->timer < 0 && events->count != 0)
        events->timer = zloop_timer(events->loop, READ_EVENTS_TICK_MS, 1, cycle_on_timer, events);
}

/* Not known before a broker has begun on this timeline: asked again with the next step. */
static void cycle_on_histories(void *arg, PGresult *rows)
{
    enum { SYSTEM, TIMELINE, BEGAN, SEQ };
    struct read_events *events = arg;
    size_t count = (size_t)PQntuples(rows);

    if (count == 0)
        return;
    free(events->branches);
    events->branches = mem_new(count, sizeof *events->branches);
    for (size_t i = 0; i < count; i++)
        events->branches[i] =
            (struct feed_branch){(int32_t)pg_int(rows, (int)i, BEGAN), pg_int(rows, (int)i, SEQ)};
    events->history =
        (struct feed_history){.generation = {pg_int(rows, 0, SYSTEM), (int32_t)pg_int(rows, 0, TIMELINE)},
                              .branches = events->branches,
                              .count = count};
    events->has_history = feed_history_is_known(&events->history);
}

static void cycle_on_row(void *arg, PGresult *rows)
{
    struct read_events *events = arg;
    int64_t value = pg_int(rows, 0, 0);
    enum feed_want wanted = events->settle.want;

    if (wanted == FEED_WANT_SEQ) {
        events->last_seq = value;
        feed_settle_seq(&events->settle, value);
        if (events->settle.want == FEED_WANT_SEQ)
            events->ended = events->begun;
    } else if (wanted == FEED_WANT_FENCE) {
        feed_settle_fence(&events->settle, value);
    } else if (feed_settle_xmin(&events->settle, value)) {
        events->ended = events->begun;
    }
}

static void cycle_on_end(void *arg, const struct pg_end *end)
{
    struct read_events *events = arg;
    enum feed_want want = events->settle.want;

    events->asking = false;
    if (end->outcome != PG_OK) {
        cycle_pause(events);
        return;
    }
    waiters_serve(events);
    /* On at once within a cycle; a pause between cycles, and while somebody holds the feed up. */
    if (want == FEED_WANT_FENCE || (want == FEED_WANT_XMIN && events->settle.asked == 0) ||
        (events->waiters != NULL && events->waiters->cycle > events->begun))
        cycle_step(events);
    else
        cycle_pause(events);
}

static void cycle_step(struct read_events *events)
{
    static const size_t statements[] = {[FEED_WANT_SEQ] = READER_FEED_SEQ,
                                        [FEED_WANT_FENCE] = READER_FEED_FENCE,
                                        [FEED_WANT_XMIN] = READER_FEED_XMIN};

    if (!events->is_up || events->asking || events->count == 0)
        return;
    events->asking = true;
    if (events->settle.want == FEED_WANT_SEQ)
        events->begun++;
    if (!events->has_history)
        (void)pg_send(events->reader, READER_FEED_HISTORIES, NULL, cycle_on_histories, events);
    (void)pg_send(events->reader, statements[events->settle.want], NULL, cycle_on_row, events);
    pg_sync(events->reader, cycle_on_end, events);
}

/* ---- public ---- */

struct read_events *read_events_new(zloop_t *loop, struct pg *reader, const char *prefix)
{
    struct read_events *events = mem_new(1, sizeof *events);

    *events = (struct read_events){
        .loop = loop, .reader = reader, .params = pg_params_new(), .prefix = prefix, .timer = -1};
    feed_settle_init(&events->settle);
    fair_init(&events->fair, READ_EVENTS_AT_ONCE);
    return events;
}

void read_events_free(struct read_events *events)
{
    struct err err = {0};

    if (events == NULL)
        return;
    if (events->timer >= 0)
        (void)zloop_timer_end(events->loop, events->timer);
    (void)err_set(&err, ERR_UNAVAILABLE, "the broker ends: ask another one, with the same cursor");
    while (events->waiters != NULL)
        waiter_fail(events->waiters, &err);
    pg_params_free(events->params);
    free(events->branches);
    free(events);
}

void read_events_on_up(struct read_events *events)
{
    events->is_up = true;
    events->has_history = false;
    events->asking = false;
    feed_settle_init(&events->settle);
    cycle_step(events);
}

void read_events_on_down(struct read_events *events)
{
    struct err err = {0};

    events->is_up = false;
    events->asking = false;
    (void)err_set(&err, ERR_UNAVAILABLE, "the database is away");
    fair_forget(&events->fair);
    for (struct waiter *waiter = events->waiters, *next; waiter != NULL; waiter = next) {
        next = waiter->next;
        if (!waiter->reading) /* the others are told by the end of their batch */
            waiter_fail(waiter, &err);
    }
}

void read_events_send(struct read_events *events, const struct read_events_query *query, read_answer_fn *fn,
                      void *arg)
{
    struct err err = {0};

    if (!events->is_up || events->count >= READ_EVENTS_WAITERS_MAX) {
        (void)err_set(&err, events->is_up ? ERR_BUSY : ERR_UNAVAILABLE, "%s",
                      events->is_up ? "too many wait for events already" : "the database is away");
        fn(arg, SPAN_NONE, &err);
        return;
    }
    int64_t now_us = clock_mono_us(), patience_ms = HELD_PATIENCE_MS;
    struct waiter *waiter = mem_new(1, sizeof *waiter);
    if (query->wait_ms > patience_ms)
        patience_ms = query->wait_ms;
    *waiter = (struct waiter){.query = *query,
                              .deadline_us = now_us + query->wait_ms * US_PER_MS,
                              .patience_us = now_us + patience_ms * US_PER_MS,
                              .cycle = events->begun + 1,
                              .fn = fn,
                              .arg = arg,
                              .events = events,
                              .next = events->waiters};
    if (waiter->query.limit <= 0 || waiter->query.limit > READ_EVENTS_LIMIT_MAX)
        waiter->query.limit = query->limit <= 0 ? EVENTS_DEFAULT : READ_EVENTS_LIMIT_MAX;
    if (query->customer.p != NULL)
        waiter->customer = mem_strndup(query->customer.p, query->customer.len);
    buf_init(&waiter->body, 4 * READ_EVENTS_BYTES);
    events->waiters = waiter;
    events->count++;
    /* The cursor is checked now when the history is known; else its text, which is the caller's, must be
     * kept. */
    if (events->has_history && !waiter_parse(waiter))
        return;
    waiter->map = wire_map_open(&waiter->body);
    waiter->map.count = 2;
    wire_put_text(&waiter->body, "events");
    waiter->list = wire_list_open(&waiter->body);
    if (events->timer >= 0) {
        (void)zloop_timer_end(events->loop, events->timer);
        events->timer = -1;
    }
    cycle_step(events);
}
