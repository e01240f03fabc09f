/* Putting wakes back into the table; see put_back.h. */
#include "put_back.h"
#include "broker.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "pg.h"
#include "statements.h"
#include "tracking.h"
#include "wakes.h"

#include <stdio.h>
#include <stdlib.h>

enum { FAILURES_MAX = 5, RETRY_FIRST_MS = 1000, HEALTH_PAUSE_MS = 2000, UNWRITTEN_PAUSE_MS = 1000 };
enum {
    MESSAGE_SHOWN_BYTES = 300,
    ALERT_BYTES = 640
}; /* of a worker's message in the alert, which has room for all around it */

struct put_back {
    struct unit unit;
    struct broker *broker;
    int32_t attempt, version; /* before */
    int64_t wake_at, rank;
    int16_t lane; /* -1: none */
    int16_t failures;
    bool keeps, dead, done;
    char *code, *message, *worker; /* of a dead letter; owned */
};

static void put_back_free(struct put_back *put)
{
    free(put->code);
    free(put->message);
    free(put->worker);
    free(put);
}

void put_back_unwritten(struct broker *broker, struct wake *wake)
{
    wakes_set_content(broker, wake, SPAN_NONE);
    wake->reasons |= REASON_RETRY;
    wake->wake_at = broker_now(broker) + UNWRITTEN_PAUSE_MS * US_PER_MS;
    wakes_place(broker, wake, WAKE_TIMED);
}

/* Committed and still ours: the wake goes on under its new attempt, or leaves memory. */
static void put_back_end(struct unit *unit, const struct err *err)
{
    struct put_back *put = (struct put_back *)unit;
    struct broker *broker = put->broker;
    struct wake *wake = wakes_find(broker, unit->ticket);

    if (wake != NULL && wake->place == WAKE_COMMITTING && wake->attempt == put->attempt) {
        if (err != NULL) {
            put_back_unwritten(broker, wake);
        } else if (!put->done || !put->keeps) {
            wakes_free(broker, wake); /* given away, or somebody else's by now */
        } else {
            wakes_has_desk(broker, wake);
            wakes_set_content(broker, wake, SPAN_NONE);
            wake->attempt = put->attempt + 1;
            wake->wake_at = put->wake_at;
            wake->rank = put->rank;
            wake->failures = (uint8_t)put->failures;
            wakes_place(broker, wake, put->wake_at > broker_now(broker) ? WAKE_TIMED : WAKE_QUEUED);
        }
    }
    if (err == NULL && put->dead && put->done)
        broker->outbox_written = true;
    put_back_free(put);
}

static const struct unit_type put_back_type = {.group = GROUP_PUT_BACK, .locks = true, .done = put_back_end};

static struct put_back *put_back_new(struct broker *broker, struct wake *wake)
{
    struct put_back *put = mem_new(1, sizeof *put);

    put->unit.type = &put_back_type;
    put->unit.ticket = wake->ticket;
    put->unit.bytes = 128;
    put->broker = broker;
    put->attempt = wake->attempt;
    put->version = wake->version;
    put->wake_at = wake->wake_at;
    put->rank = wake->rank;
    put->failures = wake->failures;
    put->lane = (int16_t)wake->class;
    return put;
}

static void put_back_add(struct broker *broker, struct wake *wake, struct put_back *put)
{
    wakes_place(broker, wake, WAKE_COMMITTING);
    wakes_set_background(broker, wake, false);
    writer_add(broker->writer, &put->unit);
}

void put_back_give(struct broker *broker, struct wake *wake)
{
    struct put_back *put = put_back_new(broker, wake);
    if (wake->wake_at > broker_now(broker)) { /* it slept here for its time: it sleeps on in the table */
        put->lane = (int16_t)(WAKE_CLASSES + wake->class);
        put->rank = wake->wake_at;
    }
    put_back_add(broker, wake, put);
}

void put_back_keep(struct broker *broker, struct wake *wake)
{
    struct put_back *put = put_back_new(broker, wake);
    put->keeps = true;
    put_back_add(broker, wake, put);
}

void put_back_failed(struct broker *broker, struct wake *wake, const char *code, const char *message,
                     const char *worker, bool counts)
{
    struct put_back *put = put_back_new(broker, wake);
    int failures = wake->failures + (counts ? 1 : 0);

    wake->reasons |= REASON_RETRY;
    put->failures = (int16_t)failures;
    put->keeps = true;
    if (failures >= FAILURES_MAX) {
        put->dead = true;
        put->keeps = false;
        put->lane = -1;
        put->code = mem_strdup(code);
        put->message = mem_strdup(message);
        put->worker = mem_strdup(worker);
        log_event(LOG_ERROR, "dead_letter", "ticket=%lld failures=%d code=%s worker=%s",
                  (long long)wake->ticket, failures, log_quote(code), log_quote(worker));
    } else {
        int64_t wait_ms = counts ? RETRY_FIRST_MS << (failures - 1) : HEALTH_PAUSE_MS;
        put->wake_at = broker_now(broker) + wait_ms * US_PER_MS;
        put->rank = put->wake_at;
        put->lane = (int16_t)(WAKE_CLASSES + wake->class);
        log_event(LOG_WARN, "decision_failed", "ticket=%lld failures=%d code=%s worker=%s message=%s",
                  (long long)wake->ticket, failures, log_quote(code), log_quote(worker), log_quote(message));
    }
    put_back_add(broker, wake, put);
}

/* ---- the statements ---- */

static void put_back_on_rows(void *arg, PGresult *rows)
{
    struct put_back **puts = arg;
    size_t at = 0;

    /* The rows come in the order of the arrays, without those that belong to somebody else. */
    for (int i = 0; i < PQntuples(rows); i++) {
        while (puts[at]->unit.ticket != pg_int(rows, i, 0))
            at++;
        puts[at++]->done = true;
    }
}

/* The letters of those that are given up. */
static void put_back_send_letters(struct broker *broker, struct put_back **dead, size_t count)
{
    enum { TICKET, ATTEMPT, FAILURES, CODE, MESSAGE, WORKER, COLUMNS };
    static const enum pg_type types[COLUMNS] = {PG_INT8, PG_INT4, PG_INT2, PG_TEXT, PG_TEXT, PG_TEXT};
    struct pg_params *params = broker->writer_params;

    pg_params_reset(params);
    for (int column = 0; column < COLUMNS; column++) {
        pg_array_open(params, types[column]);
        for (size_t i = 0; i < count; i++) {
            const struct put_back *put = dead[i];
            const int64_t numbers[] = {put->unit.ticket, put->attempt + 1, put->failures};
            const char *const texts[] = {put->code, put->message, put->worker};
            if (column < CODE)
                pg_array_int(params, numbers[column]);
            else
                pg_array_bytes(params, span_of(texts[column - CODE]));
        }
        pg_array_close(params);
    }
    (void)pg_send(broker->writer_pg, W_DEAD_LETTERS, params, NULL, NULL);
}

/* Their alerts. */
static void put_back_send_alerts(struct broker *broker, struct put_back **dead, size_t count)
{
    enum { TICKET, ATTEMPT, VERSION, CAUSE, KIND, PRIORITY, TEXT, COLUMNS, DEAD_PRIORITY = 2 };
    static const enum pg_type types[COLUMNS] = {PG_INT8, PG_INT4, PG_INT4, PG_TEXT,
                                                PG_TEXT, PG_INT2, PG_TEXT};
    struct pg_params *params = broker->writer_params;

    pg_params_reset(params);
    for (int column = 0; column < COLUMNS; column++) {
        pg_array_open(params, types[column]);
        for (size_t i = 0; i < count; i++) {
            const struct put_back *put = dead[i];
            const int64_t numbers[COLUMNS] = {[TICKET] = put->unit.ticket,
                                              [ATTEMPT] = put->attempt + 1,
                                              [VERSION] = put->version,
                                              [PRIORITY] = DEAD_PRIORITY};
            struct span message = span_cut(span_of(put->message), MESSAGE_SHOWN_BYTES);
            char tracking[TRACKING_TEXT_BYTES], text[ALERT_BYTES] = "dead";
            tracking_format(put->unit.ticket, broker->settings.tracking_prefix, tracking);
            if (column == CAUSE)
                (void)snprintf(text, sizeof text, "dead:%s", tracking);
            else if (column == TEXT)
                (void)snprintf(text, sizeof text,
                               "Ticket %s could not be decided %d times (%s: %.*s%s). It stays open and "
                               "waits for a person; \"docket dead retry %s\" tries again.",
                               tracking, put->failures, put->code, (int)message.len, message.p,
                               message.len < strlen(put->message) ? "…" : "", tracking);
            if (types[column] == PG_TEXT)
                pg_array_bytes(params, span_of(text));
            else
                pg_array_int(params, numbers[column]);
        }
        pg_array_close(params);
    }
    (void)pg_send(broker->writer_pg, W_ALERTS_OPEN, params, NULL, NULL);
}

/* What those leave that are given up. */
static void put_back_send_dead(struct broker *broker, struct put_back **puts, size_t count)
{
    struct put_back **dead = mem_new(count, sizeof *dead);
    size_t dead_count = 0;

    for (size_t i = 0; i < count; i++)
        if (puts[i]->dead)
            dead[dead_count++] = puts[i];
    if (dead_count != 0) {
        put_back_send_letters(broker, dead, dead_count);
        put_back_send_alerts(broker, dead, dead_count);
    }
    free(dead);
}

void put_back_send(void *arg, struct unit **units, size_t count, bool repeat)
{
    struct broker *broker = arg;
    struct put_back **puts = (struct put_back **)units;
    struct pg_params *params = broker->writer_params;
    enum { TICKET, ATTEMPT, WAKE_AT, RANK, LANE, OWNER, FAILURES, DEAD, COLUMNS };
    static const enum pg_type types[COLUMNS] = {PG_INT8, PG_INT4, PG_INT8, PG_INT8,
                                                PG_INT2, PG_INT8, PG_INT2, PG_BOOL};

    (void)repeat;
    pg_params_reset(params);
    for (int column = 0; column < COLUMNS; column++) {
        pg_array_open(params, types[column]);
        for (size_t i = 0; i < count; i++) {
            const struct put_back *put = puts[i];
            const int64_t values[COLUMNS] = {put->unit.ticket, put->attempt,  put->wake_at,  put->rank,
                                             put->lane,        broker->epoch, put->failures, put->dead};
            bool null = (column == LANE && put->lane < 0) || (column == OWNER && !put->keeps);
            if (null)
                pg_array_null(params);
            else
                pg_array_int(params, values[column]);
        }
        pg_array_close(params);
    }
    for (size_t i = 0; i < count; i++)
        puts[i]->done = false;
    pg_put_int8(params, broker->epoch);
    (void)pg_send(broker->writer_pg, W_PUT_BACK, params, put_back_on_rows, puts);
    put_back_send_dead(broker, puts, count);
}
