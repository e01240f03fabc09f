/* Deliveries; see deliver.h. A claim takes what is due over one channel, its bytes are composed where they are not
 * stored yet, all of it is committed as started, and only then the first byte goes out. */
#include "deliver.h"
#include "clock.h"
#include "compose.h"
#include "lanes.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "outbox.h"
#include "statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { CLAIM_MAX = 64, KIND_BYTES = 40 };
enum delivery_state { STATE_PENDING = 0, STATE_DELIVERED = 3, STATE_FAILED = 4 };

/* One delivery that is ours. */
struct job {
    struct notifier *notifier;
    struct job *next, *previous; /* of those under way */
    int channel;
    int64_t id, token, created_at;
    int attempt;  /* of this one, from 1; 0: not started */
    int priority; /* of its alert; 0: none */
    char kind[KIND_BYTES], address[CHANNEL_ADDRESS_BYTES], message_id[COMPOSE_ID_BYTES];
    struct span bytes; /* owned */
    struct outgoing out;
    bool refused;
    char why[256];
};

struct claim {
    struct notifier *notifier;
    int channel;
    int64_t token;
    struct job *jobs[CLAIM_MAX];
    size_t count;
};

static void job_free(struct job *job)
{
    free((void *)(uintptr_t)job->bytes.p);
    free(job);
}

static void job_link(struct job *job)
{
    job->next = job->notifier->jobs;
    if (job->next != NULL)
        job->next->previous = job;
    job->notifier->jobs = job;
}

static void job_unlink(struct job *job)
{
    if (job->previous != NULL)
        job->previous->next = job->next;
    else
        job->notifier->jobs = job->next;
    if (job->next != NULL)
        job->next->previous = job->previous;
}

void deliver_close(struct notifier *notifier)
{
    while (notifier->jobs != NULL) {
        struct job *job = notifier->jobs;
        job_unlink(job);
        job_free(job);
    }
}

static void copy_text(struct span from, char *to, size_t size)
{
    (void)snprintf(to, size, "%.*s", (int)from.len, from.p == NULL ? "" : from.p);
}

/* ---- claiming ---- */

/* Words become bytes once, at the first attempt; what the channel cannot say is refused, with the reason. */
static void job_compose(struct job *job, const PGresult *rows, int row)
{
    struct buf out;
    struct err err;
    size_t len;

    buf_init(&out, COMPOSE_BYTES_MAX);
    if (compose_row(job->notifier, job->channel, rows, row, job->message_id, &out, &err)) {
        char *bytes = buf_take(&out, &len);
        job->bytes = (struct span){bytes, len};
        return;
    }
    job->refused = true;
    (void)snprintf(job->why, sizeof job->why, "%.255s", err.msg);
    buf_clear(&out);
}

static struct job *job_from_row(struct claim *claim, const PGresult *rows, int row)
{
    struct job *job = mem_new(1, sizeof *job);
    struct span rendered = pg_span(rows, row, C_RENDERED);

    job->notifier = claim->notifier;
    job->channel = claim->channel;
    job->id = pg_int(rows, row, C_ID);
    job->token = claim->token;
    job->created_at = pg_int(rows, row, C_CREATED_AT);
    job->priority = (int)pg_int(rows, row, C_ALERT_PRIORITY);
    copy_text(pg_span(rows, row, C_KIND), job->kind, sizeof job->kind);
    copy_text(pg_span(rows, row, C_ADDRESS), job->address, sizeof job->address);
    copy_text(pg_span(rows, row, C_MESSAGE_ID), job->message_id, sizeof job->message_id);
    if (pg_bool(rows, row, C_REPEATED))
        metric_add(job->notifier->repeats, 0, 1);
    if (rendered.p == NULL)
        job_compose(job, rows, row);
    else /* a retry sends the same bytes */
        job->bytes = (struct span){mem_dup(rendered.p, rendered.len), rendered.len};
    return job;
}

static void claim_on_rows(void *arg, PGresult *rows)
{
    struct claim *claim = arg;
    for (int i = 0; i < PQntuples(rows) && claim->count < CLAIM_MAX; i++)
        claim->jobs[claim->count++] = job_from_row(claim, rows, i);
}

/* ---- the end of an attempt ---- */

static void attempt_on_end(void *arg, const struct pg_end *end)
{
    struct notifier *notifier = arg;
    if (end->outcome == PG_FAILED)
        log_event(LOG_ERROR, "attempt_unwritten", "sqlstate=%s message=%s", end->sqlstate,
                  log_quote(end->message));
    deliver_run(notifier);
}

static void put_one_text(struct pg_params *params, const char *text)
{
    pg_array_open(params, PG_TEXT);
    pg_array_bytes(params, span_of(text));
    pg_array_close(params);
}

static void put_one_int(struct pg_params *params, enum pg_type type, int64_t value)
{
    pg_array_open(params, type);
    pg_array_int(params, value);
    pg_array_close(params);
}

/* What follows from how the attempt ended: done, failed for good, or again after a pause. */
static int job_next_state(const struct job *job, const struct outcome *outcome, int64_t *ret_pause_us)
{
    bool page = strcmp(job->kind, "alert") == 0 && job->priority <= 2;
    const struct schedule *schedule =
        channel_table[job->channel]->schedules[page ? SCHEDULE_PAGE : SCHEDULE_MESSAGE];

    *ret_pause_us = 0;
    if (outcome->result == SEND_DELIVERED)
        return STATE_DELIVERED;
    if (outcome->result == SEND_PERMANENT ||
        !schedule_next(schedule, job->attempt, clock_wall_us() - job->created_at, outcome->retry_after_us,
                       randombytes_random(), ret_pause_us))
        return STATE_FAILED;
    return STATE_PENDING;
}

static const char *job_failure(const struct job *job, int state, const struct outcome *outcome)
{
    (void)job;
    if (state != STATE_FAILED)
        return NULL;
    return outcome->result == SEND_PERMANENT ? "refused for good" : "tried for too long";
}

static void job_on_end(void *arg, const struct outcome *outcome)
{
    struct job *job = arg;
    struct notifier *notifier = job->notifier;
    struct pg_params *params = notifier->params;
    int64_t pause_us;
    int state = job_next_state(job, outcome, &pause_us);

    metric_add(notifier->attempts, (size_t)outcome->result, 1);
    if (outcome->result != SEND_DELIVERED)
        log_event(LOG_WARN, "attempt_failed", "delivery=%lld channel=%s attempt=%d result=%s reply=%s",
                  (long long)job->id, channel_table[job->channel]->name, job->attempt,
                  send_result_name(outcome->result), log_quote(outcome->reply));
    pg_params_reset(params);
    put_one_int(params, PG_INT8, job->id);
    put_one_int(params, PG_INT8, job->token);
    put_one_int(params, PG_INT4, job->attempt);
    put_one_text(params, send_result_name(outcome->result));
    put_one_text(params, outcome->reply);
    put_one_int(params, PG_INT2, state);
    put_one_int(params, PG_INT8, pause_us);
    put_one_text(params, job_failure(job, state, outcome));
    (void)pg_send(notifier->tell, TELL_ATTEMPT_END, params, NULL, NULL);
    job_unlink(job);
    job_free(job);
    /* When the session is away the lease runs out, the attempt is found unknown, and the same bytes go out again. */
    pg_sync(notifier->tell, attempt_on_end, notifier);
}

/* ---- the start of an attempt ---- */

static void start_on_rows(void *arg, PGresult *rows)
{
    struct claim *claim = arg;
    for (int i = 0; i < PQntuples(rows); i++)
        for (size_t k = 0; k < claim->count; k++)
            if (claim->jobs[k]->id == pg_int(rows, i, 0))
                claim->jobs[k]->attempt = (int)pg_int(rows, i, 1);
}

static void job_start(struct job *job)
{
    job->out = (struct outgoing){.delivery = job->id,
                                 .id = job->message_id,
                                 .address = job->address,
                                 .kind = job->kind,
                                 .attempt = job->attempt,
                                 .bytes = job->bytes};
    job_link(job);
    lanes_start(job->notifier->lanes, job->channel, &job->out, job_on_end, job);
}

static void claim_free(struct claim *claim)
{
    claim->notifier->claiming[claim->channel] = false;
    free(claim);
}

/* Committed as started: only now the first byte may go out. */
static void start_on_end(void *arg, const struct pg_end *end)
{
    struct claim *claim = arg;
    struct notifier *notifier = claim->notifier;

    for (size_t i = 0; i < claim->count; i++) {
        struct job *job = claim->jobs[i];
        if (end->outcome == PG_OK && job->attempt != 0 && !job->refused)
            job_start(job);
        else
            job_free(job);
    }
    claim_free(claim);
    if (end->outcome == PG_OK)
        deliver_run(notifier);
}

static void put_starts(struct pg_params *params, const struct claim *claim)
{
    for (int column = 0; column < 4; column++) {
        pg_array_open(params, column < 2 ? PG_INT8 : column == 2 ? PG_TEXT : PG_BYTEA);
        for (size_t i = 0; i < claim->count; i++) {
            const struct job *job = claim->jobs[i];
            if (job->refused)
                continue;
            if (column < 2)
                pg_array_int(params, column == 0 ? job->id : job->token);
            else
                pg_array_bytes(params, column == 2 ? span_of(job->message_id) : job->bytes);
        }
        pg_array_close(params);
    }
}

static void send_refused(const struct claim *claim, struct pg_params *params)
{
    pg_params_reset(params);
    for (int column = 0; column < 3; column++) {
        pg_array_open(params, column < 2 ? PG_INT8 : PG_TEXT);
        for (size_t i = 0; i < claim->count; i++) {
            const struct job *job = claim->jobs[i];
            if (!job->refused)
                continue;
            if (column < 2)
                pg_array_int(params, column == 0 ? job->id : job->token);
            else
                pg_array_bytes(params, span_of(job->why));
        }
        pg_array_close(params);
    }
    (void)pg_send(claim->notifier->tell, TELL_DELIVERY_REFUSE, params, NULL, NULL);
}

static void claim_on_end(void *arg, const struct pg_end *end)
{
    struct claim *claim = arg;
    struct notifier *notifier = claim->notifier;
    size_t refused = 0;

    if (end->outcome == PG_FAILED)
        log_event(LOG_ERROR, "claim_failed", "sqlstate=%s message=%s", end->sqlstate,
                  log_quote(end->message));
    if (end->outcome != PG_OK || claim->count == 0) {
        for (size_t i = 0; i < claim->count; i++)
            job_free(claim->jobs[i]);
        claim_free(claim);
        return;
    }
    for (size_t i = 0; i < claim->count; i++)
        refused += claim->jobs[i]->refused;
    pg_params_reset(notifier->params);
    pg_put_int8(notifier->params, notifier->settings.lease_us);
    pg_put_text(notifier->params, notifier->settings.name);
    put_starts(notifier->params, claim);
    (void)pg_send(notifier->tell, TELL_ATTEMPT_START, notifier->params, start_on_rows, claim);
    if (refused != 0)
        send_refused(claim, notifier->params);
    pg_sync(notifier->tell, start_on_end, claim);
}

static void put_address(void *arg, const char *address)
{
    pg_array_bytes(arg, span_of(address));
}

static void claim_channel(struct notifier *notifier, int channel, int slots)
{
    struct pg_params *params = notifier->params;
    struct claim *claim = mem_new(1, sizeof *claim);

    claim->notifier = notifier;
    claim->channel = channel;
    randombytes_buf(&claim->token, sizeof claim->token);
    notifier->claiming[channel] = true;
    pg_params_reset(params);
    pg_put_int8(params, claim->token);
    pg_put_int8(params, notifier->settings.lease_us);
    pg_put_int4(params, slots < CLAIM_MAX ? slots : CLAIM_MAX);
    pg_put_text(params, channel_table[channel]->name);
    pg_array_open(params, PG_TEXT);
    lanes_visit_busy(notifier->lanes, channel, clock_mono_us(), put_address, params);
    pg_array_close(params);
    (void)pg_send(notifier->tell, TELL_DELIVERY_CLAIM, params, claim_on_rows, claim);
    pg_sync(notifier->tell, claim_on_end, claim);
}

void deliver_run(struct notifier *notifier)
{
    if (notifier->stopping || !pg_is_up(notifier->tell) ||
        strcmp(notifier->settings.notifications, "held") == 0)
        return;
    for (int channel = 0; channel < CHANNELS; channel++) {
        int slots = lanes_free_slots(notifier->lanes, channel, clock_mono_us());
        if (slots > 0 && !notifier->claiming[channel])
            claim_channel(notifier, channel, slots);
    }
}
