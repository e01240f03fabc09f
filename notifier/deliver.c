/* Deliveries; see deliver.h. A claim takes what is due over one channel, its bytes are composed where they are not
 * stored yet, all of it is committed as started, and only then the first byte goes out. */
#include "deliver.h"
#include "clock.h"
#include "compose.h"
#include "endings.h"
#include "escal_people.h"
#include "lanes.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "policy.h"
#include "predecessor.h"
#include "process.h"
#include "statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { CLAIM_MAX = 64, START_TRIES_MAX = 4, KIND_BYTES = 40, PAGE_FAILURES_MAX = 2 };
enum delivery_state { DELIVERY_PENDING = 0, DELIVERY_DELIVERED = 3, DELIVERY_FAILED = 4, DELIVERY_DEAD = 5 };

#define PAGE_ALONE_US (30 * US_PER_S)                /* then the person's next channel starts as well */
#define MERGE_AFTER_US (15 * 60 * US_PER_S)          /* then progress updates behind it become one */
#define DELAYED_US (3600 * US_PER_S)                 /* shows on the ticket */
#define SUPPRESS_US (INT64_C(60) * 86400 * US_PER_S) /* an address that does not exist */

/* One delivery that is ours. */
struct job {
    struct notifier *notifier;
    struct job *next, *previous; /* of those under way */
    int channel;
    int64_t id, token;
    /* monotonic; how old it is, is the database's to say: this machine's clock may be wrong */
    int64_t born_us;
    int attempt;  /* of this one, from 1; 0: not started */
    int priority; /* of its alert, else of its ticket; 0: none */
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
    int64_t mark;      /* of the addresses locked by this claim */
    int64_t at_us;     /* monotonic: when it began */
    int64_t leased_us; /* monotonic: before the lease was renewed for the attempts */
    int64_t next_us;   /* until the next address is ready; 0: none is known */
    struct job *jobs[CLAIM_MAX];
    size_t count, slots; /* how many there are, and how many could have been */
    int tries;           /* of their start */
    bool urgent;         /* the relay has had its share: only pages of P1 */
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

    buf_init(&out, COMPOSE_BYTES_MAX);
    if (compose_row(job->notifier, job->channel, rows, row, job->message_id, &out, &err)) {
        job->bytes = buf_take_span(&out);
        return;
    }
    job->refused = true;
    copy_text(span_cut(span_of(err.msg), sizeof job->why - 1), job->why, sizeof job->why);
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
    job->born_us = clock_mono_us() - (pg_int(rows, row, C_NOW) - pg_int(rows, row, C_CREATED_AT));
    job->priority = (int)pg_int(rows, row, C_TOLD_PRIORITY);
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

static void claim_on_next(void *arg, PGresult *rows)
{
    struct claim *claim = arg;
    if (PQntuples(rows) == 1 && !pg_is_null(rows, 0, 0))
        claim->next_us = pg_int(rows, 0, 0) > 0 ? pg_int(rows, 0, 0) : 1;
}

/* ---- the end of an attempt ---- */

static bool job_is_page(const struct job *job)
{
    bool is_alert = strcmp(job->kind, "alert") == 0 || strcmp(job->kind, "alerts") == 0;
    return is_alert && job->priority >= 1 && job->priority <= 2;
}

/* What follows from how the attempt ended: done, refused for good, given up, or again after a pause. */
static void ending_decide(struct ending *ending, const struct job *job, const struct outcome *outcome)
{
    const struct schedule *schedule =
        channel_table[job->channel]->schedules[job_is_page(job) ? SCHEDULE_PAGE : SCHEDULE_MESSAGE];
    int64_t age_us = clock_mono_us() - job->born_us;

    if (outcome->result == SEND_DELIVERED) {
        ending->state = DELIVERY_DELIVERED;
    } else if (outcome->result == SEND_PERMANENT) {
        ending->state = DELIVERY_FAILED;
        ending->reason = "refused for good";
    } else if (!schedule_next(schedule, job->attempt, age_us, outcome->retry_after_us, randombytes_random(),
                              &ending->pause_us)) {
        ending->state = DELIVERY_DEAD;
        ending->reason = "tried for too long";
    } else if (age_us > DELAYED_US) {
        ending->reason = "delayed";
    }
    bool over = ending->state == DELIVERY_FAILED || ending->state == DELIVERY_DEAD;
    ending->next_channel = over || (job_is_page(job) && ending->state == DELIVERY_PENDING &&
                                    (job->attempt >= PAGE_FAILURES_MAX || age_us > PAGE_ALONE_US));
}

static void job_on_end(void *arg, const struct outcome *outcome)
{
    struct job *job = arg;
    struct notifier *notifier = job->notifier;
    struct ending *ending = mem_new(1, sizeof *ending);

    ending->delivery = job->id;
    ending->token = job->token;
    ending->attempt = job->attempt;
    ending->result = send_result_name(outcome->result);
    ending->reply = mem_strdup(outcome->reply);
    ending_decide(ending, job, outcome);
    if (ending->state == DELIVERY_FAILED || ending->state == DELIVERY_DEAD)
        metric_add(notifier->dead, ending->state == DELIVERY_FAILED ? DEAD_REFUSED : DEAD_EXPIRED, 1);
    ending->suppress_us = outcome->address_is_dead ? SUPPRESS_US : 0;
    ending->rest_us = channel_table[job->channel]->breaker_per_address ? outcome->retry_after_us : 0;
    if (channel_table[job->channel]->breaker_per_address)
        ending->endpoint = outcome->result == SEND_DELIVERED ? ENDPOINT_ANSWERED : ENDPOINT_FAILED;
    metric_add(notifier->attempts, (size_t)outcome->result, 1);
    if (outcome->result != SEND_DELIVERED)
        log_event(LOG_WARN, "attempt_failed", "delivery=%lld channel=%s attempt=%d result=%s reply=%s",
                  (long long)job->id, channel_rows[job->channel].name, job->attempt,
                  send_result_name(outcome->result), log_quote(outcome->reply));
    job_unlink(job);
    job_free(job);
    endings_add(notifier, ending);
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
                                 .is_page = job_is_page(job),
                                 .attempt = job->attempt,
                                 .bytes = job->bytes};
    job_link(job);
    lanes_start(job->notifier->lanes, job->channel, &job->out, job_on_end, job);
}

/* The database's answer came so late (this program or its network stood still) that another notifier may have taken it over before the
 * attempt could end: not a byte goes out. */
static void job_give_up(struct job *job)
{
    const struct outcome outcome = {.result = SEND_CONNECTION,
                                    .reply = "not begun: half of its lease was over"};

    job_link(job);
    job_on_end(job, &outcome);
}

static void claim_free(struct claim *claim)
{
    claim->notifier->claiming[claim->channel] = false;
    free(claim);
}

static void claim_start(struct claim *claim);

/* Committed as started: only now the first byte may go out. */
static void start_on_end(void *arg, const struct pg_end *end)
{
    struct claim *claim = arg;
    struct notifier *notifier = claim->notifier;
    bool is_late = clock_mono_us() - claim->leased_us > notifier->settings.lease_us / 2;

    if (pg_end_is_passing(end) && claim->tries < START_TRIES_MAX && !notifier->stopping) {
        claim_start(claim);
        return;
    }
    for (size_t i = 0; i < claim->count; i++) {
        struct job *job = claim->jobs[i];
        if (end->outcome == PG_OK && job->refused)
            metric_add(notifier->dead, DEAD_UNSENDABLE, 1);
        if (end->outcome != PG_OK || job->attempt == 0 || job->refused)
            job_free(job);
        else if (is_late)
            job_give_up(job);
        else
            job_start(job);
    }
    claim_free(claim);
    if (end->outcome == PG_OK)
        notifier->may_deliver = true;
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

/* A page that several alerts were joined into begins only while one of them is unanswered: nobody answers them meanwhile. */
static void send_joined_lock(const struct claim *claim, struct pg_params *params)
{
    size_t joined = 0;

    pg_params_reset(params);
    pg_array_open(params, PG_INT8);
    for (size_t i = 0; i < claim->count; i++) {
        if (strcmp(claim->jobs[i]->kind, "alerts") != 0)
            continue;
        pg_array_int(params, claim->jobs[i]->id);
        joined++;
    }
    pg_array_close(params);
    if (joined != 0)
        (void)pg_send(claim->notifier->tell, TELL_JOINED_LOCK, params, NULL, NULL);
}

/* When deliver_tick looks again: for the next address, and for what the relay may not get yet. */
static void claim_plan_next(const struct claim *claim)
{
    struct notifier *notifier = claim->notifier;
    int64_t now = clock_mono_us(), due = claim->next_us == 0 ? 0 : now + claim->next_us;
    int64_t wait_us = lanes_relay_wait_us(notifier->lanes, claim->channel, now);

    if ((claim->urgent || wait_us > 0) && (due == 0 || due > now + wait_us))
        due = now + wait_us;
    notifier->due_us[claim->channel] = due;
}

static void claim_start(struct claim *claim)
{
    struct notifier *notifier = claim->notifier;
    bool refused = false;

    claim->tries++;
    claim->leased_us = clock_mono_us();
    for (size_t i = 0; i < claim->count; i++) {
        claim->jobs[i]->attempt = 0;
        refused = refused || claim->jobs[i]->refused;
    }
    send_joined_lock(claim, notifier->params);
    pg_params_reset(notifier->params);
    pg_put_int8(notifier->params, notifier->settings.lease_us);
    pg_put_text(notifier->params, notifier->settings.name);
    put_starts(notifier->params, claim);
    (void)pg_send(notifier->tell, TELL_ATTEMPT_START, notifier->params, start_on_rows, claim);
    if (refused)
        send_refused(claim, notifier->params);
    pg_sync(notifier->tell, start_on_end, claim);
}

static void claim_on_end(void *arg, const struct pg_end *end)
{
    struct claim *claim = arg;
    struct notifier *notifier = claim->notifier;

    if (end->outcome == PG_FAILED)
        log_event(LOG_ERROR, "claim_failed", "sqlstate=%s message=%s", end->sqlstate,
                  log_quote(end->message));
    if (!claim->urgent)
        notifier->fed[claim->channel] = claim->count >= claim->slots;
    claim_plan_next(claim);
    if (end->outcome != PG_OK || claim->count == 0) {
        for (size_t i = 0; i < claim->count; i++)
            job_free(claim->jobs[i]);
        claim_free(claim);
        return;
    }
    claim_start(claim);
}

/* What of a channel has less than its share of slots now: the names of those that have none, all names, and how many each has. */
enum limited_what { LIMITED_FULL, LIMITED_NAMES, LIMITED_FREE };
struct limited {
    struct pg_params *params;
    enum limited_what what;
};

static void put_limited(void *arg, const char *name, int free_slots)
{
    const struct limited *limited = arg;

    if (limited->what == LIMITED_FREE)
        pg_array_int(limited->params, free_slots);
    else if (limited->what == LIMITED_NAMES || free_slots == 0)
        pg_array_bytes(limited->params, span_of(name));
}

static void put_limited_list(struct notifier *notifier, const struct claim *claim, enum limited_what what)
{
    struct limited limited = {.params = notifier->params, .what = what};

    pg_array_open(notifier->params, what == LIMITED_FREE ? PG_INT4 : PG_TEXT);
    lanes_visit_limited(notifier->lanes, claim->channel, claim->at_us, put_limited, &limited);
    pg_array_close(notifier->params);
}

static void send_lock(struct notifier *notifier, const struct claim *claim, int slots)
{
    struct pg_params *params = notifier->params;

    pg_params_reset(params);
    pg_put_int8(params, claim->mark);
    pg_put_text(params, channel_rows[claim->channel].name);
    put_limited_list(notifier, claim, LIMITED_FULL);
    pg_put_int4(params, slots);
    (void)pg_send(notifier->tell, claim->urgent ? TELL_TARGET_URGENT : TELL_TARGET_LOCK, params, NULL, NULL);
}

static void send_merge(struct notifier *notifier, const struct claim *claim)
{
    struct pg_params *params = notifier->params;

    pg_params_reset(params);
    pg_put_int8(params, claim->mark);
    pg_put_text(params, channel_rows[claim->channel].name);
    pg_put_int8(params, MERGE_AFTER_US);
    (void)pg_send(notifier->tell, TELL_TARGET_MERGE, params, NULL, NULL);
}

static void send_limits(struct notifier *notifier, const struct claim *claim)
{
    const struct channel *channel = channel_table[claim->channel];
    const struct process_limits *limits = &notifier->people->process->notify.limits;
    const struct policy_rate rate = policy_rate_of(limits, channel->limit);
    struct pg_params *params = notifier->params;

    pg_params_reset(params);
    pg_put_int8(params, claim->mark);
    pg_put_text(params, channel_rows[claim->channel].name);
    pg_put_int4(params, (int32_t)rate.customer_short);
    pg_put_int4(params, (int32_t)rate.customer_long);
    pg_put_int4(params, (int32_t)rate.staff_short);
    pg_put_int4(params, (int32_t)rate.staff_long);
    pg_put_int8(params, rate.short_us);
    pg_put_int8(params, rate.long_us);
    pg_put_int8(params, limits->summary_after_s * US_PER_S);
    pg_put_bool(params, channel->joins_pages);
    pg_put_int4(params, (int32_t)limits->ticket_ten_minutes);
    pg_put_int4(params, (int32_t)limits->ticket_hour);
    (void)pg_send(notifier->tell, TELL_TARGET_LIMIT, params, NULL, NULL);
    pg_params_reset(params);
    pg_put_int8(params, claim->mark);
    pg_put_text(params, channel_rows[claim->channel].name);
    pg_put_int4(params, (int32_t)limits->receipts_alone);
    pg_put_int8(params, limits->summary_after_s * US_PER_S);
    (void)pg_send(notifier->tell, TELL_TARGET_BUNDLE, params, NULL, NULL);
}

static void claim_channel(struct notifier *notifier, int channel, int slots, bool urgent)
{
    struct pg_params *params = notifier->params;
    struct claim *claim = mem_new(1, sizeof *claim);

    slots = slots < CLAIM_MAX ? slots : CLAIM_MAX;
    claim->notifier = notifier;
    claim->channel = channel;
    claim->token = predecessor_token(notifier);
    claim->at_us = clock_mono_us();
    claim->slots = (size_t)slots;
    claim->urgent = urgent;
    claim->mark = -1 - (int64_t)((uint64_t)claim->token >> 1);
    notifier->claiming[channel] = true;
    send_lock(notifier, claim, slots);
    send_merge(notifier, claim);
    send_limits(notifier, claim);
    pg_params_reset(params);
    pg_put_int8(params, claim->mark);
    pg_put_text(params, channel_rows[channel].name);
    pg_put_int8(params, claim->token);
    pg_put_int8(params, settings_notifier_claim_us(&notifier->settings)); /* the start renews it */
    pg_put_int4(params, channel_table[channel]->address_slots);
    pg_put_int4(params, slots);
    pg_put_bool(params, channel_table[channel]->joins_pages);
    put_limited_list(notifier, claim, LIMITED_NAMES);
    put_limited_list(notifier, claim, LIMITED_FREE);
    pg_put_bool(params, urgent);
    (void)pg_send(notifier->tell, TELL_DELIVERY_CLAIM, params, claim_on_rows, claim);
    pg_params_reset(params);
    pg_put_text(params, channel_rows[channel].name);
    (void)pg_send(notifier->tell, TELL_TARGET_NEXT, params, claim_on_next, claim);
    pg_sync(notifier->tell, claim_on_end, claim);
}

void deliver_run(struct notifier *notifier)
{
    if (notifier->stopping || !pg_is_up(notifier->tell) || notifier->held ||
        notifier->people->process == NULL)
        return;
    for (int channel = 0; channel < CHANNELS; channel++) {
        int64_t now = clock_mono_us();
        int slots = lanes_free_slots(notifier->lanes, channel, now);
        int allowed = lanes_relay_allows(notifier->lanes, channel, now, slots);
        if (slots > 0 && !notifier->claiming[channel])
            claim_channel(notifier, channel, allowed > 0 ? allowed : slots, allowed <= 0);
    }
}

void deliver_tick(struct notifier *notifier)
{
    int64_t now_us = clock_mono_us();
    bool due = false;

    for (int channel = 0; channel < CHANNELS; channel++)
        if (notifier->due_us[channel] != 0 && notifier->due_us[channel] <= now_us) {
            notifier->due_us[channel] = 0;
            due = true;
        }
    if (due)
        deliver_run(notifier);
}
