/* Deliveries; see deliver.h. */
#include "deliver.h"
#include "backoff.h"
#include "clock.h"
#include "desk.h"
#include "log.h"
#include "mail_build.h"
#include "mem.h"
#include "notifier.h"
#include "outbox.h"
#include "render.h"
#include "statements.h"
#include "tracking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { CLAIM_MAX = 64, NAME_BYTES = 256, ID_BYTES = 160, KIND_BYTES = 40 };
enum delivery_state { STATE_PENDING = 0, STATE_DELIVERED = 3, STATE_FAILED = 4 };

/* One delivery that is ours. */
struct job {
    struct notifier *notifier;
    int64_t id, token, created_at;
    int attempt; /* of this one, from 1; 0: not started */
    char kind[KIND_BYTES], address[NAME_BYTES], message_id[ID_BYTES];
    struct span bytes; /* rendered; owned */
    bool refused;
    char why[256];
};

struct claim {
    struct notifier *notifier;
    int64_t token;
    struct job *jobs[CLAIM_MAX];
    size_t count;
};

static void job_free(struct job *job)
{
    free((void *)(uintptr_t)job->bytes.p);
    free(job);
}

static void copy_text(struct span from, char *to, size_t size)
{
    (void)snprintf(to, size, "%.*s", (int)from.len, from.p == NULL ? "" : from.p);
}

/* ---- rendering ---- */

enum column {
    C_ID,
    C_TICKET,
    C_VERSION,
    C_AUDIENCE,
    C_ATTEMPTS,
    C_CREATED_AT,
    C_KIND,
    C_CHANNEL,
    C_RECIPIENT,
    C_ADDRESS,
    C_MESSAGE_ID,
    C_RENDERED,
    C_NOW,
    C_REPEATED,
    C_CUSTOMER,
    C_TITLE,
    C_POSTED_AT,
    C_RECORD,
    C_EXTRA,
    C_STATE,
    C_PRIORITY,
    C_ASSIGNEE,
    C_QUEUE,
    C_BODY,
    C_TRIAGED,
    C_ALERT,
    C_ALERT_PRIORITY,
    C_ROOT
};

static void job_facts(const PGresult *rows, int row, const struct job *job, const char *tracking,
                      const char *recipient, struct facts *ret)
{
    *ret = (struct facts){.audience = (enum desk_audience)pg_int(rows, row, C_AUDIENCE),
                          .kind = job->kind,
                          .tracking = tracking,
                          .recipient = recipient,
                          .title = pg_span(rows, row, C_TITLE),
                          .customer = pg_span(rows, row, C_CUSTOMER),
                          .assignee = pg_span(rows, row, C_ASSIGNEE),
                          .state = (int)pg_int(rows, row, C_STATE),
                          .priority = (int)pg_int(rows, row, C_PRIORITY),
                          .posted_at = pg_int(rows, row, C_POSTED_AT),
                          .record = pg_span(rows, row, C_RECORD),
                          .body = pg_span(rows, row, C_BODY),
                          .triaged = pg_span(rows, row, C_TRIAGED),
                          .alert = pg_span(rows, row, C_ALERT),
                          .alert_priority = (int)pg_int(rows, row, C_ALERT_PRIORITY)};
}

/* Words and headers become bytes once, at the first attempt. What cannot be mail is refused, with the reason. */
static void job_render(struct job *job, const PGresult *rows, int row)
{
    struct notifier *notifier = job->notifier;
    char tracking[TRACKING_TEXT_BYTES] = "", recipient[NAME_BYTES], root[ID_BYTES];
    struct facts facts;
    struct message message;
    struct buf out;
    struct err err;
    size_t len;

    if (pg_int(rows, row, C_TICKET) != 0)
        tracking_format(pg_int(rows, row, C_TICKET), notifier->settings.tracking_prefix, tracking);
    copy_text(pg_span(rows, row, C_RECIPIENT), recipient, sizeof recipient);
    copy_text(pg_span(rows, row, C_ROOT), root, sizeof root);
    (void)snprintf(job->message_id, sizeof job->message_id, "n.%lld@%s", (long long)job->id,
                   notifier->settings.mail_domain);
    job_facts(rows, row, job, tracking, recipient, &facts);
    message_init(&message);
    render_message(notifier->templates, &facts, &message);
    if (message.is_builtin)
        log_event(LOG_WARN, "template_failed", "kind=%s reason=%s", job->kind, log_quote(message.why));
    buf_init(&out, MAIL_BYTES_MAX);
    const struct mail mail = {.from = notifier->settings.mail_from,
                              .to_name = recipient,
                              .to = job->address,
                              .subject = buf_text(&message.subject),
                              .message_id = job->message_id,
                              .root_id = root[0] == '\0' ? NULL : root,
                              .tracking = tracking[0] == '\0' ? NULL : tracking,
                              .kind = job->kind,
                              .is_receipt = strcmp(job->kind, "received") == 0,
                              .date_at = pg_int(rows, row, C_NOW),
                              .text = buf_text(&message.text),
                              .html = buf_text(&message.html)};
    if (mail_build(&mail, &out, &err)) {
        char *bytes = buf_take(&out, &len);
        job->bytes = (struct span){bytes, len};
    } else {
        job->refused = true;
        (void)snprintf(job->why, sizeof job->why, "%.255s", err.msg);
        buf_clear(&out);
    }
    message_clear(&message);
}

static void claim_on_rows(void *arg, PGresult *rows)
{
    struct claim *claim = arg;

    for (int i = 0; i < PQntuples(rows) && claim->count < CLAIM_MAX; i++) {
        struct job *job = mem_new(1, sizeof *job);
        struct span rendered = pg_span(rows, i, C_RENDERED);
        job->notifier = claim->notifier;
        job->id = pg_int(rows, i, C_ID);
        job->token = claim->token;
        job->created_at = pg_int(rows, i, C_CREATED_AT);
        copy_text(pg_span(rows, i, C_KIND), job->kind, sizeof job->kind);
        copy_text(pg_span(rows, i, C_ADDRESS), job->address, sizeof job->address);
        copy_text(pg_span(rows, i, C_MESSAGE_ID), job->message_id, sizeof job->message_id);
        if (rendered.p != NULL)
            job->bytes = (struct span){mem_dup(rendered.p, rendered.len),
                                       rendered.len}; /* a retry sends the same bytes */
        else
            job_render(job, rows, i);
        claim->jobs[claim->count++] = job;
    }
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
static int job_next_state(const struct job *job, enum send_result result, int64_t *ret_pause_us)
{
    bool page = strcmp(job->kind, "alert") == 0;
    bool over = clock_wall_us() - job->created_at > BACKOFF_MAIL_END_US && !page;

    *ret_pause_us = 0;
    if (result == SEND_DELIVERED)
        return STATE_DELIVERED;
    if (result == SEND_PERMANENT || over)
        return STATE_FAILED;
    *ret_pause_us = page ? backoff_page_us(job->attempt, randombytes_random())
                         : backoff_mail_us(job->attempt, randombytes_random());
    return STATE_PENDING;
}

static void job_on_sent(void *arg, enum send_result result, const char *reply)
{
    struct job *job = arg;
    struct notifier *notifier = job->notifier;
    struct pg_params *params = notifier->params;
    int64_t pause_us;
    int state = job_next_state(job, result, &pause_us);

    metric_add(notifier->attempts, (size_t)result, 1);
    if (result != SEND_DELIVERED)
        log_event(LOG_WARN, "attempt_failed", "delivery=%lld attempt=%d result=%s reply=%s",
                  (long long)job->id, job->attempt, send_result_name(result), log_quote(reply));
    pg_params_reset(params);
    put_one_int(params, PG_INT8, job->id);
    put_one_int(params, PG_INT8, job->token);
    put_one_int(params, PG_INT4, job->attempt);
    put_one_text(params, send_result_name(result));
    put_one_text(params, reply);
    put_one_int(params, PG_INT2, state);
    put_one_int(params, PG_INT8, pause_us);
    put_one_text(params, state == STATE_FAILED ? "refused for good, or tried for too long" : NULL);
    (void)pg_send(notifier->tell, TELL_ATTEMPT_END, params, NULL, NULL);
    /* When the session is away the lease runs out, the attempt is found unknown, and the same bytes go out again. */
    pg_sync(notifier->tell, attempt_on_end, notifier);
    job_free(job);
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

/* Committed as started: only now the first byte may go out. */
static void start_on_end(void *arg, const struct pg_end *end)
{
    struct claim *claim = arg;
    struct notifier *notifier = claim->notifier;

    notifier->delivering = false;
    for (size_t i = 0; i < claim->count; i++) {
        struct job *job = claim->jobs[i];
        if (end->outcome == PG_OK && job->attempt != 0 && !job->refused)
            smtp_send(notifier->smtp, job->address, job->bytes, job_on_sent, job);
        else
            job_free(job);
    }
    free(claim);
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
        notifier->delivering = false;
        for (size_t i = 0; i < claim->count; i++)
            job_free(claim->jobs[i]);
        free(claim);
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

void deliver_run(struct notifier *notifier)
{
    int room = smtp_room(notifier->smtp);

    if (notifier->delivering || notifier->stopping || room <= 0 || !pg_is_up(notifier->tell) ||
        strcmp(notifier->settings.notifications, "held") == 0)
        return;
    struct claim *claim = mem_new(1, sizeof *claim);
    claim->notifier = notifier;
    randombytes_buf(&claim->token, sizeof claim->token);
    notifier->delivering = true;
    pg_params_reset(notifier->params);
    pg_put_int8(notifier->params, claim->token);
    pg_put_int8(notifier->params, notifier->settings.lease_us);
    pg_put_int4(notifier->params, room < CLAIM_MAX ? room : CLAIM_MAX);
    put_one_text(notifier->params, "email");
    (void)pg_send(notifier->tell, TELL_DELIVERY_CLAIM, notifier->params, claim_on_rows, claim);
    pg_sync(notifier->tell, claim_on_end, claim);
}
