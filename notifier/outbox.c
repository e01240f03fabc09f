/* The outbox; see outbox.h. */
#include "outbox.h"
#include "clock.h"
#include "desk.h"
#include "escal_people.h"
#include "escal_targets.h"
#include "escal_who.h"
#include "expand.h"
#include "lanes.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "policy.h"
#include "predecessor.h"
#include "process.h"
#include "statements.h"
#include "wire.h"
#include "zones.h"

#include <stdlib.h>
#include <string.h>

enum { CLAIM_MAX = 200, TRIES_MAX = 4, KIND_BYTES = 40, PLANNED_FOR_MIN = 200 };
enum { MESSAGE_TOLD = 2, MESSAGE_SUPPRESSED = 3 }; /* outbox.state */

/* A backlog is unpacked as fast as it is sent: no faster while a channel has all it can carry, but so fast at least that what is behind it
 * for other channels comes. */
#define FED_PAUSE_US (250 * US_PER_MS)

/* Alerts, then receipts overtake what waits (deliveries are claimed in order of next_at): what a relay gets in a quarter of an hour. */
#define ALERT_HEAD_START_US (INT64_C(3600) * US_PER_S)
#define RECEIPT_HEAD_START_US (INT64_C(900) * US_PER_S)

/* One claimed row. */
struct told {
    int64_t ticket;
    int32_t version, generation;
    int16_t audience, priority;
    char kind[KIND_BYTES];
    bool merged;                /* joins its receipt */
    char why[POLICY_WHY_BYTES]; /* it is told to nobody, or waits */
    int64_t not_before;         /* 0: it goes at once */
    struct recipients recipients;
};

struct claim {
    struct notifier *notifier;
    int64_t token;
    struct told *rows;
    size_t count;
    bool *joins; /* owned: which of the rows are told in another's message */
    int tries;   /* of writing what became of them */
};

static void claim_free(struct claim *claim)
{
    for (size_t i = 0; i < claim->count; i++)
        recipients_clear(&claim->rows[i].recipients);
    free(claim->rows);
    free(claim->joins);
    free(claim);
}

/* What is no alert goes to the first of the people that escalation.yaml names for it. */
static void told_staff(struct notifier *notifier, struct span assignee, struct span queue, int64_t now,
                       struct told *ret)
{
    struct pages pages;

    escal_who_notice(notifier, ret->kind, assignee, queue, now, &pages);
    expand_pages(&pages, &ret->recipients);
}

/* An endpoint is disabled: its owner hears of it. */
static void told_owner(struct notifier *notifier, struct span body, int64_t now, struct told *ret)
{
    char url[CHANNEL_ADDRESS_BYTES] = "";
    struct wire_doc *doc = NULL;
    struct pages pages;
    struct err ignored;

    if (body.p != NULL && wire_parse(body.p, body.len, WIRE_DEPTH_MAX, &doc, &ignored)) {
        struct span at = wire_find_str(wire_root(doc), "address");
        (void)snprintf(url, sizeof url, "%.*s", (int)(at.len < sizeof url ? at.len : 0), at.p);
    }
    const char *email = escal_who_owner(notifier, url, now, &pages);
    if (email != NULL)
        expand_address(email, "", &ret->recipients);
    else
        expand_pages(&pages, &ret->recipients);
    if (ret->recipients.count == 0)
        ret->recipients.reason = "webhooks.yaml names no owner who can be reached";
    wire_doc_free(doc);
}

static const struct zone *zone_named(void *arg, const char *name)
{
    struct notifier *notifier = arg;
    return zones_find(notifier->zones, span_of(name));
}

/* Quiet hours, windows; and one message that collects for a while how many alerts another stands for. */
static void told_wait(struct notifier *notifier, struct told *row, struct span package, struct span record,
                      int64_t now)
{
    const struct process *process = notifier->people->process;
    struct policy_message message = {.audience = (enum desk_audience)row->audience,
                                     .kind = row->kind,
                                     .package =
                                         package, /* the ticket's, which the customer's may no longer be */
                                     .priority = row->priority,
                                     .now = now};
    struct wire_doc *doc = NULL;
    struct err ignored;

    if (row->recipients.count == 0 || process == NULL)
        return;
    if (strcmp(row->kind, "inhibited") == 0) {
        row->not_before = now + process->notify.limits.summary_after_s * US_PER_S;
        (void)snprintf(row->why, sizeof row->why, "counts for a while");
        return;
    }
    if (row->audience == AUDIENCE_CUSTOMER && record.p != NULL &&
        wire_parse(record.p, record.len, WIRE_DEPTH_MAX, &doc, &ignored)) {
        message.reader_zone = zones_find(notifier->zones, wire_find_str(wire_root(doc), "zone"));
    }
    if (!policy_holds(&process->notify, &message, zone_named, notifier, &row->not_before, row->why))
        row->not_before = 0;
    wire_doc_free(doc);
}

static void told_from_row(struct notifier *notifier, const PGresult *rows, int row, struct told *ret)
{
    enum {
        TICKET,
        VERSION,
        AUDIENCE,
        KIND,
        GENERATION,
        EXTRA,
        RECORD,
        PRIORITY,
        CUSTOMER,
        NOW,
        ASSIGNEE,
        QUEUE,
        MUTE,
        BODY,
        PACKAGE
    };
    struct span kind = pg_span(rows, row, KIND);
    bool open[CHANNELS];

    for (int i = 0; i < CHANNELS; i++)
        open[i] = lanes_is_open(notifier->lanes, i);

    ret->ticket = pg_int(rows, row, TICKET);
    ret->version = (int32_t)pg_int(rows, row, VERSION);
    ret->generation = (int32_t)pg_int(rows, row, GENERATION);
    ret->audience = (int16_t)pg_int(rows, row, AUDIENCE);
    ret->priority = (int16_t)pg_int(rows, row, PRIORITY);
    (void)snprintf(ret->kind, sizeof ret->kind, "%.*s", (int)kind.len, kind.p);
    if (!pg_is_null(rows, row, MUTE)) {
        (void)snprintf(ret->why, sizeof ret->why, "muted by mute %lld", (long long)pg_int(rows, row, MUTE));
        ret->recipients.reason = ret->why;
    } else if (ret->audience == AUDIENCE_CUSTOMER) {
        expand_customer(open, ret->kind, ret->priority, pg_span(rows, row, EXTRA), pg_span(rows, row, RECORD),
                        &ret->recipients);
        expand_guests(open, pg_span(rows, row, BODY), &ret->recipients);
    } else if (strcmp(ret->kind, "endpoint_disabled") == 0) {
        told_owner(notifier, pg_span(rows, row, BODY), pg_int(rows, row, NOW), ret);
    } else if (ret->audience == AUDIENCE_STAFF) {
        told_staff(notifier, pg_span(rows, row, ASSIGNEE), pg_span(rows, row, QUEUE), pg_int(rows, row, NOW),
                   ret);
    } else {
        expand_address(settings_notifier_ops(&notifier->settings), "ops", &ret->recipients);
    }
    escal_who_left_out(notifier, ret->recipients.left_out, 0, "message", ret->kind);
    told_wait(notifier, ret, pg_span(rows, row, PACKAGE), pg_span(rows, row, RECORD), pg_int(rows, row, NOW));
}

static void claim_on_rows(void *arg, PGresult *rows)
{
    struct claim *claim = arg;
    claim->count = (size_t)PQntuples(rows);
    claim->rows = mem_new(claim->count, sizeof *claim->rows);
    for (size_t i = 0; i < claim->count; i++)
        told_from_row(claim->notifier, rows, (int)i, &claim->rows[i]);
}

/* Rows that joined a receipt which waits already: told, not to be expanded. */
static void claim_on_merged(void *arg, PGresult *rows)
{
    struct claim *claim = arg;
    for (int i = 0; i < PQntuples(rows); i++)
        for (size_t k = 0; k < claim->count; k++)
            if (claim->rows[k].ticket == pg_int(rows, i, 0) &&
                claim->rows[k].version == (int32_t)pg_int(rows, i, 1) &&
                span_is(pg_span(rows, i, 2), claim->rows[k].kind) &&
                claim->rows[k].generation == (int32_t)pg_int(rows, i, 3)) {
                claim->rows[k].merged = true;
                claim->rows[k].recipients.reason = "merged";
            }
}

/* ---- expanding ---- */

static const struct told *claim_receipt_of(const struct claim *claim, const struct told *triaged)
{
    for (size_t i = 0; i < claim->count; i++)
        if (claim->rows[i].ticket == triaged->ticket && strcmp(claim->rows[i].kind, "received") == 0 &&
            claim->rows[i].recipients.count != 0)
            return &claim->rows[i];
    return NULL;
}

/* The priority that the same decision gave. */
static const struct told *claim_priority_of(const struct claim *claim, const struct told *asked)
{
    for (size_t i = 0; i < claim->count; i++)
        if (claim->rows[i].ticket == asked->ticket && claim->rows[i].version == asked->version &&
            claim->rows[i].audience == AUDIENCE_CUSTOMER && strcmp(claim->rows[i].kind, "triaged") == 0 &&
            claim->rows[i].recipients.count != 0)
            return &claim->rows[i];
    return NULL;
}

/* What was claimed together with the message that tells it goes inside: a triaged row in its receipt, questions with their priority. */
static bool claim_joins(const struct claim *claim, const struct told *row)
{
    if (row->merged || row->audience != AUDIENCE_CUSTOMER)
        return false;
    if (strcmp(row->kind, "triaged") == 0)
        return claim_receipt_of(claim, row) != NULL;
    return strcmp(row->kind, "asked") == 0 && templates_join_questions(claim->notifier->templates) &&
           claim_priority_of(claim, row) != NULL;
}

static void claim_pair(struct claim *claim)
{
    claim->joins = mem_new(claim->count, sizeof *claim->joins);
    for (size_t i = 0; i < claim->count; i++)
        claim->joins[i] = claim_joins(claim, &claim->rows[i]);
}

static bool claim_has_triaged(const struct claim *claim, const struct told *receipt, const bool *joins)
{
    for (size_t i = 0; i < claim->count; i++)
        if (joins[i] && claim->rows[i].ticket == receipt->ticket &&
            strcmp(claim->rows[i].kind, "triaged") == 0)
            return true;
    return false;
}

enum row_column { R_TICKET, R_VERSION, R_AUDIENCE, R_KIND, R_GENERATION, R_STATE, R_REASON, R_COLUMNS };

static void put_rows(struct pg_params *params, const struct claim *claim, const bool *joins)
{
    static const enum pg_type types[R_COLUMNS] = {PG_INT8, PG_INT4, PG_INT2, PG_TEXT,
                                                  PG_INT4, PG_INT2, PG_TEXT};

    for (int column = 0; column < R_COLUMNS; column++) {
        pg_array_open(params, types[column]);
        for (size_t i = 0; i < claim->count; i++) {
            const struct told *row = &claim->rows[i];
            if (row->merged || joins[i])
                continue;
            const int64_t numbers[R_COLUMNS] = {[R_TICKET] = row->ticket,
                                                [R_VERSION] = row->version,
                                                [R_AUDIENCE] = row->audience,
                                                [R_GENERATION] = row->generation,
                                                [R_STATE] = row->recipients.count != 0 ? MESSAGE_TOLD
                                                                                       : MESSAGE_SUPPRESSED};
            if (column == R_KIND)
                pg_array_bytes(params, span_of(row->kind));
            else if (column == R_REASON)
                pg_array_bytes(params, span_of(row->recipients.count != 0 ? NULL : row->recipients.reason));
            else
                pg_array_int(params, numbers[column]);
        }
        pg_array_close(params);
    }
}

enum delivery_column {
    D_ROW,
    D_CHANNEL,
    D_RECIPIENT,
    D_ADDRESS,
    D_HEAD_START,
    D_REASON,
    D_OTHERS,
    D_NOT_BEFORE,
    D_PRIORITY,
    D_GUEST,
    D_COLUMNS
};

/* Alerts, then receipts overtake what waits. */
static int64_t told_head_start(const struct told *row)
{
    return strcmp(row->kind, "alert") == 0      ? ALERT_HEAD_START_US
           : strcmp(row->kind, "received") == 0 ? RECEIPT_HEAD_START_US
                                                : 0;
}

/* ord: which of the rows it belongs to, from 1. */
static void put_delivery(struct pg_params *params, int column, int ord, const struct told *row,
                         const struct recipient *r, const char *reason)
{
    if (column == D_ROW)
        pg_array_int(params, ord);
    else if (column == D_HEAD_START)
        pg_array_int(params, told_head_start(row));
    else if (column == D_PRIORITY && row->priority != 0)
        pg_array_int(params, row->priority);
    else if (column == D_GUEST)
        pg_array_int(params, r->is_guest);
    else if (column == D_NOT_BEFORE && (row->not_before != 0 || r->not_before != 0))
        pg_array_int(params, row->not_before > r->not_before ? row->not_before : r->not_before);
    else if (column == D_NOT_BEFORE || column == D_PRIORITY)
        pg_array_null(params);
    else
        pg_array_bytes(params, span_of(column == D_CHANNEL     ? r->channel
                                       : column == D_RECIPIENT ? r->name
                                       : column == D_ADDRESS   ? r->address
                                       : column == D_OTHERS    ? r->others
                                       : r->not_before != 0    ? "waits for their working hours"
                                                               : reason));
}

static void put_deliveries(struct pg_params *params, const struct claim *claim, const bool *joins)
{
    static const enum pg_type types[D_COLUMNS] = {PG_INT4, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8,
                                                  PG_TEXT, PG_TEXT, PG_INT8, PG_INT2, PG_BOOL};

    for (int column = 0; column < D_COLUMNS; column++) {
        int ord = 0;
        pg_array_open(params, types[column]);
        for (size_t i = 0; i < claim->count; i++) {
            const struct told *row = &claim->rows[i];
            if (row->merged || joins[i])
                continue;
            bool with = strcmp(row->kind, "received") == 0 && claim_has_triaged(claim, row, joins);
            ord++;
            for (size_t k = 0; k < row->recipients.count; k++)
                put_delivery(params, column, ord, row, &row->recipients.items[k],
                             with                   ? "with triaged"
                             : row->not_before != 0 ? row->why
                                                    : NULL);
        }
        pg_array_close(params);
    }
}

static void send_merged(struct claim *claim, const bool *joins)
{
    struct pg_params *params = claim->notifier->params;

    pg_params_reset(params);
    pg_put_int8(params, claim->token);
    for (int column = 0; column < 4; column++) {
        static const enum pg_type types[] = {PG_INT8, PG_INT4, PG_TEXT, PG_INT4};
        pg_array_open(params, types[column]);
        for (size_t i = 0; i < claim->count; i++) {
            const struct told *row = &claim->rows[i];
            if (!joins[i])
                continue;
            if (column == 2)
                pg_array_bytes(params, span_of(row->kind));
            else
                pg_array_int(params, column == 0   ? row->ticket
                                     : column == 1 ? row->version
                                                   : row->generation);
        }
        pg_array_close(params);
    }
    (void)pg_send(claim->notifier->unpack, UNPACK_MERGED, params, NULL, NULL);
}

/* Statements planned for a short queue read a long one from end to end: they are planned again when it has doubled, not only when the
 * database's statistics notice a minute later. */
static void plans_follow(struct notifier *notifier, size_t expanded)
{
    notifier->expanded += (int64_t)expanded;
    if (notifier->expanded < PLANNED_FOR_MIN || notifier->expanded < 2 * notifier->planned_for)
        return;
    notifier->planned_for = notifier->expanded;
    (void)pg_send(notifier->unpack, UNPACK_PLANS_DISCARD, NULL, NULL, NULL);
    pg_sync(notifier->unpack, NULL, NULL);
    if (!pg_is_up(notifier->tell))
        return;
    (void)pg_send(notifier->tell, TELL_PLANS_DISCARD, NULL, NULL, NULL);
    pg_sync(notifier->tell, NULL, NULL);
}

static void claim_expand(struct claim *claim);

static void expand_on_end(void *arg, const struct pg_end *end)
{
    struct claim *claim = arg;
    struct notifier *notifier = claim->notifier;
    bool full = claim->count >= CLAIM_MAX; /* questions come beside the limit */

    if (pg_end_is_passing(end) && claim->tries < TRIES_MAX && !notifier->stopping) {
        claim_expand(claim);
        return;
    }
    notifier->expanding = false;
    if (end->outcome == PG_FAILED)
        log_event(LOG_ERROR, "expand_failed", "sqlstate=%s message=%s", end->sqlstate,
                  log_quote(end->message));
    for (size_t i = 0; i < claim->count && end->outcome == PG_OK; i++)
        metric_add(notifier->told,
                   claim->rows[i].merged                  ? TOLD_MERGED
                   : claim->rows[i].recipients.count != 0 ? TOLD_EXPANDED
                                                          : TOLD_SUPPRESSED,
                   1);
    if (end->outcome == PG_OK)
        plans_follow(notifier, claim->count);
    claim_free(claim);
    if (end->outcome != PG_OK)
        return; /* the leases run out, and the rows come again */
    notifier->expand_more = full;
    if (!full && notifier->look_again)
        outbox_run(notifier);
    notifier->may_deliver = true;
}

static void claim_expand(struct claim *claim)
{
    struct notifier *notifier = claim->notifier;
    bool joined = false;

    claim->tries++;
    pg_params_reset(notifier->params);
    pg_put_int8(notifier->params, claim->token);
    put_rows(notifier->params, claim, claim->joins);
    put_deliveries(notifier->params, claim, claim->joins);
    (void)pg_send(notifier->unpack, UNPACK_EXPAND, notifier->params, NULL, NULL);
    for (size_t i = 0; i < claim->count; i++)
        joined = joined || claim->joins[i];
    if (joined)
        send_merged(claim, claim->joins);
    pg_sync(notifier->unpack, expand_on_end, claim);
}

static void claim_on_end(void *arg, const struct pg_end *end)
{
    struct claim *claim = arg;
    struct notifier *notifier = claim->notifier;

    if (end->outcome != PG_OK || claim->count == 0) {
        if (end->outcome == PG_FAILED)
            log_event(LOG_ERROR, "claim_failed", "sqlstate=%s message=%s", end->sqlstate,
                      log_quote(end->message));
        notifier->expanding = false;
        claim_free(claim);
        notifier->may_deliver = notifier->may_deliver || end->outcome == PG_OK;
        return;
    }
    claim_pair(claim);
    claim_expand(claim);
}

void outbox_run(struct notifier *notifier)
{
    if (notifier->expanding || notifier->stopping || !pg_is_up(notifier->unpack) || !notifier->process_read) {
        notifier->look_again = true;
        return;
    }
    struct claim *claim = mem_new(1, sizeof *claim);
    claim->notifier = notifier;
    claim->token = predecessor_token(notifier);
    notifier->expanding = true;
    notifier->expand_at_us = clock_mono_us() + FED_PAUSE_US;
    notifier->look_again = notifier->expand_more = false;
    pg_params_reset(notifier->params);
    pg_put_int8(notifier->params, claim->token);
    pg_put_int8(notifier->params, settings_notifier_claim_us(&notifier->settings));
    pg_put_int4(notifier->params, CLAIM_MAX);
    (void)pg_send(notifier->unpack, UNPACK_CLAIM, notifier->params, claim_on_rows, claim);
    pg_params_reset(notifier->params);
    pg_put_int8(notifier->params, claim->token);
    pg_put_bool(notifier->params, templates_join_questions(notifier->templates));
    (void)pg_send(notifier->unpack, UNPACK_MERGE, notifier->params, claim_on_merged, claim);
    pg_sync(notifier->unpack, claim_on_end, claim);
}

void outbox_go_on(struct notifier *notifier)
{
    bool fed = false;

    for (int channel = 0; channel < CHANNELS; channel++)
        fed = fed || notifier->fed[channel];
    if (notifier->expand_more && (!fed || clock_mono_us() >= notifier->expand_at_us))
        outbox_run(notifier);
}
