/* Deciding; see deciding.h. */
#include "deciding.h"
#include "broker.h"
#include "broker_metrics.h"
#include "clock.h"
#include "decision.h"
#include "log.h"
#include "mem.h"
#include "param_put.h"
#include "pg.h"
#include "process_room.h"
#include "put_back.h"
#include "statements.h"
#include "wakes.h"

#include <stdlib.h>
#include <string.h>

/* A decision's next wake within this time stays in memory, so that it needs no claim. */
#define LOOKAHEAD_US (INT64_C(2) * US_PER_S)

enum { BODY_BYTES_MAX = 128 << 10 };

struct deciding {
    struct unit unit;
    struct broker *broker;
    struct wire_doc *doc;
    struct decision decision;
    int32_t attempt, version; /* before */
    int32_t version_after;
    /* What it was decided with: process_log.n, as far as is known here (0: none was ever applied), and the version's hash
     * when it is not known here, so that the statement asks for it (else SPAN_NONE). */
    int32_t process;
    struct span process_unseen;
    bool fresh;
    bool writes_event; /* the decision's own: a wake at which nothing changed leaves no event */
    enum desk_event kind;
    struct span body; /* of that event, encoded, owned */
    char *tags;       /* array literal; NULL: not set */
    int64_t now_at;   /* what its work said that it was */
    int64_t early_at; /* the database's clock, when it had not got there yet; else 0 */
    int64_t due_at;   /* the wake time that was waited for; 0: it woke for something else */
    int64_t wake_at;  /* 0: none */
    bool keeps;       /* the next wake is near: it stays ours */
    int class_after;
    bool done;
    bool background; /* computed again: no work of the desk's own */
};

/* ---- what is written ---- */

/* The event of the decision itself: what was set, which rules matched and which did not, what became of each clock. */
static struct span deciding_event_body(const struct decision *d, const struct wire_doc *doc,
                                       const struct wire_val *body)
{
    struct buf out;
    size_t len;
    struct span trace = d->trace, changes = d->changes;

    buf_init(&out, BODY_BYTES_MAX);
    struct wire_map map = wire_map_open(&out);
    if (wire_count(wire_find(body, "set")) != 0) {
        wire_put_text(&out, "set");
        wire_put_raw(&out, wire_find_raw(doc, body, "set")), map.count++;
    }
    if (trace.p != NULL) {
        wire_put_text(&out, "trace");
        wire_put_raw(&out, trace), map.count++;
    }
    if (changes.p != NULL) {
        wire_put_text(&out, "clocks");
        wire_put_raw(&out, changes), map.count++;
    }
    wire_map_close(&out, &map);
    char *bytes = buf_take(&out, &len);
    return (struct span){bytes, bytes == NULL ? 0 : len};
}

/* {"a","b"}: a list of text inside an unnest of columns travels as an array literal. */
static char *deciding_tags(const struct decision *d)
{
    struct buf out;
    size_t len;

    buf_init(&out, 64 << 10);
    (void)buf_add_text(&out, "{");
    for (size_t i = 0; i < d->tag_count; i++) {
        (void)buf_add_text(&out, i == 0 ? "\"" : ",\"");
        for (size_t k = 0; k < d->tags[i].len; k++) {
            if (d->tags[i].p[k] == '"' || d->tags[i].p[k] == '\\')
                (void)buf_add_text(&out, "\\");
            (void)buf_add(&out, &d->tags[i].p[k], 1);
        }
        (void)buf_add_text(&out, "\"");
    }
    (void)buf_add_text(&out, "}");
    return buf_take(&out, &len);
}

/* Set bits of a decision as bits of enum desk_held, the SQL's own. */
static int deciding_fields(unsigned set)
{
    static const struct {
        unsigned set;
        int held;
    } bits[] = {{SET_PRIORITY, HELD_PRIORITY},     {SET_QUEUE, HELD_QUEUE},
                {SET_ASSIGNEE, HELD_ASSIGNEE},     {SET_TAGS, HELD_TAGS},
                {SET_ATTRIBUTES, HELD_ATTRIBUTES}, {SET_KIND, HELD_KIND}};
    int fields = 0;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        fields |= (set & bits[i].set) != 0 ? bits[i].held : 0;
    return fields;
}

/* ---- the end ---- */

static void deciding_free(struct deciding *deciding)
{
    decision_clear(&deciding->decision);
    wire_doc_free(deciding->doc);
    free((void *)(uintptr_t)deciding->body.p);
    free(deciding->tags);
    free(deciding);
}

/* Decided for an instant that the database's clock has not reached: that clock was set back. Nothing was written; we follow it if our
 * reading of it is what was ahead, and the ticket is handed out again when it is due. */
static void deciding_too_early(struct deciding *deciding, struct wake *wake)
{
    struct broker *broker = deciding->broker;

    if (broker_now(broker) >= deciding->now_at) {
        log_event(LOG_WARN, "clock_set_back", "by_us=%lld",
                  (long long)(deciding->now_at - deciding->early_at));
        dbclock_init(&broker->clock);
        dbclock_sample(&broker->clock, clock_mono_us(), deciding->early_at);
    }
    wakes_set_content(broker, wake, SPAN_NONE);
    wakes_place(broker, wake, wake->wake_at > broker_now(broker) ? WAKE_TIMED : WAKE_QUEUED);
}

static void deciding_end(struct unit *unit, const struct err *err)
{
    struct deciding *deciding = (struct deciding *)unit;
    struct broker *broker = deciding->broker;
    struct wake *wake = wakes_find(broker, unit->ticket);
    bool ours = wake != NULL && wake->place == WAKE_COMMITTING && wake->attempt == deciding->attempt;

    if (err != NULL && err->code == ERR_INVALID && ours) {
        put_back_failed(broker, wake, "refused", err->msg, "", true); /* the server refused a value of it */
    } else if (ours && err == NULL && deciding->done && deciding->keeps) {
        wakes_has_desk(broker, wake);
        wakes_set_content(broker, wake, SPAN_NONE);
        wake->attempt = deciding->attempt + 1;
        wake->version = deciding->version_after;
        wake->wake_at = wake->rank = deciding->wake_at;
        wake->class = (uint8_t)deciding->class_after;
        wake->reasons = REASON_DUE;
        wake->failures = 0;
        wakes_decided(wake);
        wakes_set_background(broker, wake, false);
        wakes_place(broker, wake, WAKE_TIMED);
    } else if (ours && err == NULL && deciding->early_at != 0) {
        deciding_too_early(deciding, wake);
    } else if (ours) {
        wakes_free(broker, wake); /* decided and asleep; or stale: whoever changed it owns its wake */
    }
    broker->background_units += deciding->background;
    if (err == NULL && deciding->done) {
        broker->outbox_written = broker->outbox_written || deciding->decision.notify_count != 0;
        health_count(&broker->health, true, clock_mono_us());
        broker_count_decision(broker->metrics, true);
        if (deciding->due_at != 0)
            broker_count_late(broker->metrics, broker_now(broker) - deciding->due_at);
    } else {
        broker_count_decision(broker->metrics, false);
    }
    deciding_free(deciding);
}

static const struct unit_type deciding_type = {.group = GROUP_DECIDE, .locks = true, .done = deciding_end};

/* ---- the beginning ---- */

/* The ticket as it was handed out, for the checks: what the content says. */
static bool deciding_base(const struct wake *wake, struct wire_doc **ret_doc, struct decision_base *ret)
{
    struct err err;
    *ret = (struct decision_base){.state = STATE_NEW};
    if (wake->fresh || wake->content.p == NULL)
        return true;
    if (!wire_parse(wake->content.p, wake->content.len, WIRE_DEPTH_MAX, ret_doc, &err))
        return false;
    const struct wire_val *ticket = wire_find(wire_root(*ret_doc), "ticket");
    (void)desk_state_parse(wire_find_str(ticket, "state"), &ret->state);
    ret->priority = (int)wire_find_int(ticket, "priority", 0);
    if (wire_type(wire_find(ticket, "clocks")) == WIRE_LIST)
        ret->clocks = wire_find_raw(*ret_doc, ticket, "clocks");
    return true;
}

static bool deciding_parse(const struct wake *wake, const struct wire_doc *message,
                           const struct wire_val *body, struct decision *ret, struct decision_base *ret_base,
                           struct err *err)
{
    struct wire_doc *doc = NULL;

    bool ok = deciding_base(wake, &doc, ret_base) ||
              err_set(err, ERR_INTERNAL, "the ticket's content cannot be read");
    ok = ok && decision_parse(message, body, ret_base, ret, err);
    ret_base->clocks = SPAN_NONE;
    wire_doc_free(doc);
    return ok;
}

static void deciding_fill(struct deciding *deciding, const struct wake *wake,
                          const struct decision_base *base, const struct wire_val *body)
{
    struct decision *d = &deciding->decision;
    int64_t now = broker_now(deciding->broker);

    deciding->attempt = wake->attempt;
    deciding->version = wake->version;
    deciding->fresh = wake->fresh;
    deciding->background = wake->background;
    deciding->process = process_room_number(deciding->broker, d->process, &deciding->process_unseen);
    deciding->now_at = wake->now_at;
    deciding->due_at = (wake->reasons & REASON_DUE) != 0 ? wake->wake_at : 0;
    deciding->kind = base->state == STATE_NEW ? EVENT_TRIAGED : EVENT_DECIDED;
    deciding->writes_event = base->state == STATE_NEW || d->set != 0 || d->notify_count != 0 ||
                             d->deadline_count != 0 || d->event_count != 0 || d->changes.len != 0;
    deciding->version_after = wake->version + (deciding->writes_event ? 1 : 0) + (int32_t)d->event_count;
    if (deciding->writes_event)
        deciding->body = deciding_event_body(d, deciding->doc, body);
    if (d->set & SET_TAGS)
        deciding->tags = deciding_tags(d);
    deciding->wake_at = d->next_at == INT64_MAX ? 0 : d->next_at < now ? now : d->next_at;
    deciding->keeps = deciding->wake_at != 0 && deciding->wake_at < now + LOOKAHEAD_US;
    deciding->class_after = (int)wake_class_of((d->set & SET_PRIORITY) != 0 ? d->priority : base->priority);
}

void deciding_take(struct broker *broker, struct wake *wake, struct wire_doc *doc,
                   const struct wire_val *body, const char *worker)
{
    struct deciding *deciding = mem_new(1, sizeof *deciding);
    struct decision_base base;
    struct err err = {0};

    if (!deciding_parse(wake, doc, body, &deciding->decision, &base, &err)) {
        wire_doc_free(doc);
        free(deciding);
        put_back_failed(broker, wake, "bad_decision", err.msg, worker, true);
        return;
    }
    deciding->unit.type = &deciding_type;
    deciding->unit.ticket = wake->ticket;
    deciding->unit.bytes = wire_doc_bytes(doc).len + 256;
    deciding->broker = broker;
    deciding->doc = doc;
    deciding_fill(deciding, wake, &base, body);
    wakes_place(broker, wake, WAKE_COMMITTING);
    writer_add(broker->writer, &deciding->unit);
}

/* ---- the statements ---- */

static void deciding_on_rows(void *arg, PGresult *rows)
{
    struct broker *broker = arg;
    for (int i = 0; i < PQntuples(rows); i++) {
        /* The unit is found by its ticket: at most one of a ticket is in flight. */
        struct deciding *deciding = (struct deciding *)writer_in_flight(broker->writer, pg_int(rows, i, 0));
        if (deciding == NULL || deciding->unit.type != &deciding_type)
            continue;
        if (pg_is_null(rows, i, 1))
            deciding->done = true;
        else
            deciding->early_at = pg_int(rows, i, 1);
    }
}

/* Which decisions a statement is about; all were made with one version of the process. */
struct deciding_set {
    struct broker *broker;
    struct deciding **items;
    size_t count;
    struct pg_params *params;
};

enum column {
    C_TICKET,
    C_VERSION,
    C_ATTEMPT,
    C_VERSION_AFTER,
    C_STATE_FRESH,
    C_STATE,
    C_FIELDS,
    C_PRIORITY,
    C_LANE,
    C_WAKE_AT,
    C_OWNER,
    C_ASSIGNEE,
    C_QUEUE,
    C_KIND,
    C_TAGS,
    C_CLOCKS,
    C_REPLY_PENDING,
    C_DUE_AT,
    C_NOW_AT,
    COLUMNS_COUNT
};

static const enum pg_type column_types[COLUMNS_COUNT] = {
    [C_TICKET] = PG_INT8,        [C_VERSION] = PG_INT4, [C_ATTEMPT] = PG_INT4, [C_VERSION_AFTER] = PG_INT4,
    [C_STATE_FRESH] = PG_INT2,   [C_STATE] = PG_INT2,   [C_FIELDS] = PG_INT2,  [C_PRIORITY] = PG_INT2,
    [C_LANE] = PG_INT2,          [C_WAKE_AT] = PG_INT8, [C_OWNER] = PG_INT8,   [C_ASSIGNEE] = PG_TEXT,
    [C_QUEUE] = PG_TEXT,         [C_KIND] = PG_TEXT,    [C_TAGS] = PG_TEXT,    [C_CLOCKS] = PG_BYTEA,
    [C_REPLY_PENDING] = PG_BOOL, [C_DUE_AT] = PG_INT8,  [C_NOW_AT] = PG_INT8,
};

/* Integers of a decision by column; true: NULL. */
static bool deciding_number(const struct deciding *x, enum column column, int64_t *ret)
{
    const struct decision *d = &x->decision;
    switch (column) {
    case C_TICKET:
        *ret = x->unit.ticket;
        return false;
    case C_VERSION:
        *ret = x->version;
        return false;
    case C_ATTEMPT:
        *ret = x->attempt;
        return false;
    case C_VERSION_AFTER:
        *ret = x->version_after;
        return false;
    case C_STATE_FRESH:
        *ret = (d->set & SET_STATE) != 0 ? (int64_t)d->state : STATE_TRIAGED;
        return false;
    case C_STATE:
        *ret = (int64_t)d->state;
        return (d->set & SET_STATE) == 0;
    case C_FIELDS:
        *ret = deciding_fields(d->set);
        return false;
    case C_PRIORITY:
        *ret = d->priority;
        return (d->set & SET_PRIORITY) == 0;
    case C_LANE:
        *ret = WAKE_CLASSES + x->class_after;
        return x->wake_at == 0;
    case C_WAKE_AT:
        *ret = x->wake_at;
        return x->wake_at == 0;
    case C_OWNER:
        *ret = x->broker->epoch;
        return !x->keeps;
    case C_DUE_AT:
        *ret = d->due_at;
        return d->due_at == INT64_MAX;
    case C_NOW_AT:
        *ret = x->now_at;
        return false;
    case C_REPLY_PENDING:
        *ret = d->reply_pending;
        return (d->set & SET_REPLY_PENDING) == 0;
    default:
        return true;
    }
}

static struct span deciding_text(const struct deciding *x, enum column column)
{
    const struct decision *d = &x->decision;
    switch (column) {
    case C_ASSIGNEE:
        return d->assignee;
    case C_QUEUE:
        return d->queue;
    case C_KIND:
        return d->kind;
    case C_TAGS:
        return x->tags == NULL ? SPAN_NONE : span_of(x->tags);
    default:
        return d->clocks;
    }
}

static void put_column(const struct deciding_set *set, enum column column)
{
    enum pg_type type = column_types[column];

    pg_array_open(set->params, type);
    for (size_t i = 0; i < set->count; i++) {
        int64_t number = 0;
        if (type == PG_TEXT || type == PG_BYTEA)
            pg_array_bytes(set->params, deciding_text(set->items[i], column));
        else if (deciding_number(set->items[i], column, &number))
            pg_array_null(set->params);
        else
            pg_array_int(set->params, number);
    }
    pg_array_close(set->params);
}

static void put_columns(const struct deciding_set *set, const enum column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_column(set, columns[i]);
}

static void put_process(const struct deciding_set *set)
{
    param_put_int4_not_0(set->params, set->items[0]->process);
}

static void put_process_unseen(const struct deciding_set *set)
{
    pg_put_bytes(set->params, set->items[0]->process_unseen);
}

/* Events: the decision's own first, then those it adds, versions rising. */
static void put_events(const struct deciding_set *set)
{
    enum { TICKET, VERSION, KIND, PUBLIC, BODY, FIELDS };
    static const enum pg_type types[FIELDS] = {PG_INT8, PG_INT4, PG_INT2, PG_BOOL, PG_BYTEA};

    for (int field = 0; field < FIELDS; field++) {
        pg_array_open(set->params, types[field]);
        for (size_t i = 0; i < set->count; i++) {
            const struct deciding *x = set->items[i];
            const struct decision *d = &x->decision;
            int32_t version = x->version;
            for (size_t k = 0; k < d->event_count + 1; k++) {
                const struct decision_event *more = k == 0 ? NULL : &d->events[k - 1];
                if (k == 0 && !x->writes_event)
                    continue;
                version++;
                if (field == BODY)
                    pg_array_bytes(set->params, more == NULL ? x->body : more->body);
                else
                    pg_array_int(set->params, field == TICKET    ? x->unit.ticket
                                              : field == VERSION ? version
                                              : field == KIND ? (int64_t)(more == NULL ? x->kind : more->kind)
                                                              : (more != NULL && more->public));
            }
        }
        pg_array_close(set->params);
    }
    put_process(set);
}

static void put_outbox(const struct deciding_set *set)
{
    enum { TICKET, VERSION, AUDIENCE, KIND, GENERATION, BODY, FIELDS };
    static const enum pg_type types[FIELDS] = {PG_INT8, PG_INT4, PG_INT2, PG_TEXT, PG_INT4, PG_BYTEA};

    for (int field = 0; field < FIELDS; field++) {
        pg_array_open(set->params, types[field]);
        for (size_t i = 0; i < set->count; i++) {
            const struct deciding *x = set->items[i];
            for (size_t k = 0; k < x->decision.notify_count; k++) {
                const struct decision_notify *n = &x->decision.notify[k];
                if (n->is_alert)
                    continue;
                if (field == KIND)
                    pg_array_bytes(set->params, n->kind);
                else if (field == BODY)
                    pg_array_bytes(set->params, n->body);
                else
                    pg_array_int(set->params, field == TICKET     ? x->unit.ticket
                                              : field == VERSION  ? x->version_after
                                              : field == AUDIENCE ? (int64_t)n->to
                                                                  : n->generation);
            }
        }
        pg_array_close(set->params);
    }
}

static void send_fresh(const struct deciding_set *set)
{
    static const enum column columns[] = {C_TICKET, C_VERSION_AFTER, C_STATE_FRESH, C_PRIORITY,
                                          C_LANE,   C_WAKE_AT,       C_OWNER,       C_ASSIGNEE,
                                          C_QUEUE,  C_KIND,          C_TAGS,        C_CLOCKS};
    pg_params_reset(set->params);
    put_columns(set, columns, sizeof columns / sizeof columns[0]);
    put_events(set);
    put_outbox(set);
    put_column(set, C_DUE_AT);
    put_column(set, C_NOW_AT);
    put_process_unseen(set);
    (void)pg_send(set->broker->writer_pg, W_DECIDE_FRESH, set->params, deciding_on_rows, set->broker);
}

static void send_again(const struct deciding_set *set)
{
    static const enum column columns[] = {C_TICKET, C_VERSION,  C_ATTEMPT, C_VERSION_AFTER, C_STATE,
                                          C_FIELDS, C_PRIORITY, C_WAKE_AT, C_OWNER,         C_ASSIGNEE,
                                          C_QUEUE,  C_KIND,     C_TAGS,    C_CLOCKS,        C_REPLY_PENDING};
    pg_params_reset(set->params);
    put_columns(set, columns, sizeof columns / sizeof columns[0]);
    pg_put_int8(set->params, set->broker->epoch);
    put_events(set);
    put_outbox(set);
    put_column(set, C_DUE_AT);
    put_column(set, C_NOW_AT);
    put_process_unseen(set);
    (void)pg_send(set->broker->writer_pg, W_DECIDE_AGAIN, set->params, deciding_on_rows, set->broker);
}

/* ---- what is rare: attributes, verdicts, alerts; each guarded by the attempt that its decision just wrote ---- */

static void send_attributes(const struct deciding_set *all)
{
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += (all->items[i]->decision.set & SET_ATTRIBUTES) != 0;
    if (count == 0)
        return;
    pg_params_reset(all->params);
    for (int column = 0; column < 3; column++) {
        pg_array_open(all->params, column == 0 ? PG_INT8 : column == 1 ? PG_INT4 : PG_BYTEA);
        for (size_t i = 0; i < all->count; i++) {
            const struct deciding *x = all->items[i];
            if ((x->decision.set & SET_ATTRIBUTES) == 0)
                continue;
            if (column == 2)
                pg_array_bytes(all->params, x->decision.attributes);
            else
                pg_array_int(all->params, column == 0 ? x->unit.ticket : x->attempt + 1);
        }
        pg_array_close(all->params);
    }
    (void)pg_send(all->broker->writer_pg, W_ATTRIBUTES, all->params, NULL, NULL);
}

enum verdict_column {
    V_TICKET,
    V_ATTEMPT,
    V_CLOCK,
    V_CYCLE,
    V_VERDICT,
    V_CAUSE,
    V_PRIORITY,
    V_PROMISE,
    V_DUE,
    V_MET,
    V_WORKED,
    V_PAUSED,
    V_ZONES,
    V_COLUMNS
};

static void put_verdict(const struct deciding *x, const struct decision_deadline *v,
                        enum verdict_column column, struct pg_params *params)
{
    const int64_t numbers[V_COLUMNS] = {
        [V_TICKET] = x->unit.ticket, [V_ATTEMPT] = x->attempt + 1, [V_CYCLE] = v->cycle,
        [V_PRIORITY] = v->priority,  [V_PROMISE] = v->promise_s,   [V_DUE] = v->due_at,
        [V_MET] = v->met_at,         [V_WORKED] = v->worked_s,     [V_PAUSED] = v->paused_s};
    if (column == V_CLOCK)
        pg_array_bytes(params, v->clock);
    else if (column == V_VERDICT)
        pg_array_bytes(params, span_of(v->missed ? "missed" : "met"));
    else if (column == V_CAUSE)
        pg_array_bytes(params, v->cause);
    else if (column == V_ZONES)
        pg_array_bytes(params, v->zones.p == NULL ? x->decision.zones : v->zones);
    else if ((column == V_MET || column == V_PRIORITY) && numbers[column] == 0)
        pg_array_null(params);
    else
        pg_array_int(params, numbers[column]);
}

static void send_verdicts(const struct deciding_set *all)
{
    static const enum pg_type types[V_COLUMNS] = {PG_INT8, PG_INT4, PG_TEXT, PG_INT4, PG_TEXT,
                                                  PG_TEXT, PG_INT2, PG_INT8, PG_INT8, PG_INT8,
                                                  PG_INT8, PG_INT8, PG_TEXT};
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += all->items[i]->decision.deadline_count;
    if (count == 0)
        return;
    pg_params_reset(all->params);
    for (int column = 0; column < V_COLUMNS; column++) {
        pg_array_open(all->params, types[column]);
        for (size_t i = 0; i < all->count; i++)
            for (size_t k = 0; k < all->items[i]->decision.deadline_count; k++)
                put_verdict(all->items[i], &all->items[i]->decision.deadlines[k], (enum verdict_column)column,
                            all->params);
        pg_array_close(all->params);
    }
    put_process(all);
    put_process_unseen(all);
    (void)pg_send(all->broker->writer_pg, W_VERDICTS, all->params, NULL, NULL);
}

static void send_alerts(const struct deciding_set *all)
{
    enum { TICKET, ATTEMPT, VERSION, CAUSE, KIND, PRIORITY, TEXT, FIELDS };
    static const enum pg_type types[FIELDS] = {PG_INT8, PG_INT4, PG_INT4, PG_TEXT, PG_TEXT, PG_INT2, PG_TEXT};
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->items[i]->decision.notify_count; k++)
            count += all->items[i]->decision.notify[k].is_alert;
    if (count == 0)
        return;
    pg_params_reset(all->params);
    for (int field = 0; field < FIELDS; field++) {
        pg_array_open(all->params, types[field]);
        for (size_t i = 0; i < all->count; i++)
            for (size_t k = 0; k < all->items[i]->decision.notify_count; k++) {
                const struct deciding *x = all->items[i];
                const struct decision_notify *n = &x->decision.notify[k];
                if (!n->is_alert)
                    continue;
                if (field == CAUSE || field == KIND || field == TEXT)
                    pg_array_bytes(all->params, field == CAUSE  ? n->alert_cause
                                                : field == KIND ? n->kind
                                                                : n->alert_text);
                else
                    pg_array_int(all->params, field == TICKET    ? x->unit.ticket
                                              : field == ATTEMPT ? x->attempt + 1
                                              : field == VERSION ? x->version_after
                                                                 : n->alert_priority);
            }
        pg_array_close(all->params);
    }
    (void)pg_send(all->broker->writer_pg, W_ALERTS_OPEN, all->params, NULL, NULL);
}

static void send_resolves(const struct deciding_set *all)
{
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += all->items[i]->decision.resolve_count;
    if (count == 0)
        return;
    pg_params_reset(all->params);
    for (int column = 0; column < 3; column++) {
        pg_array_open(all->params, column == 0 ? PG_INT8 : column == 1 ? PG_INT4 : PG_TEXT);
        for (size_t i = 0; i < all->count; i++)
            for (size_t k = 0; k < all->items[i]->decision.resolve_count; k++) {
                const struct deciding *x = all->items[i];
                if (column == 2)
                    pg_array_bytes(all->params, x->decision.resolve[k]);
                else
                    pg_array_int(all->params, column == 0 ? x->unit.ticket : x->attempt + 1);
            }
        pg_array_close(all->params);
    }
    (void)pg_send(all->broker->writer_pg, W_ALERTS_RESOLVE, all->params, NULL, NULL);
}

static bool process_is_same(const struct deciding *a, const struct deciding *b)
{
    return a->process == b->process && span_equal(a->process_unseen, b->process_unseen);
}

/* Those of units that were decided with the version of the process that like was. sorted: room for all of them. */
static void send_of_process(struct broker *broker, const struct deciding *like, struct unit **units,
                            size_t count, struct deciding **sorted)
{
    size_t fresh = 0, again = count;

    for (size_t i = 0; i < count; i++) {
        struct deciding *deciding = (struct deciding *)units[i];
        if (!process_is_same(deciding, like))
            continue;
        deciding->done = false;
        deciding->early_at = 0;
        if (deciding->fresh)
            sorted[fresh++] = deciding;
        else
            sorted[--again] = deciding;
    }
    memmove(sorted + fresh, sorted + again, (count - again) * sizeof *sorted);
    struct deciding_set all = {broker, sorted, fresh + count - again, broker->writer_params};
    struct deciding_set first = {broker, sorted, fresh, broker->writer_params};
    struct deciding_set rest = {broker, sorted + fresh, count - again, broker->writer_params};
    if (first.count != 0)
        send_fresh(&first);
    if (rest.count != 0)
        send_again(&rest);
    send_attributes(&all);
    send_verdicts(&all);
    send_alerts(&all);
    send_resolves(&all);
}

/* Whether units before this one were decided with the same version of the process. */
static bool process_came_before(struct unit **units, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (process_is_same((struct deciding *)units[k], (struct deciding *)units[i]))
            return true;
    return false;
}

void deciding_send(void *arg, struct unit **units, size_t count, bool repeat)
{
    struct broker *broker = arg;
    struct deciding **sorted = mem_new(count, sizeof *sorted);

    (void)repeat;                      /* a decision is never repeated: its guard ended with the epoch */
    for (size_t i = 0; i < count; i++) /* for a moment after an apply there are two versions */
        if (!process_came_before(units, i))
            send_of_process(broker, (struct deciding *)units[i], units, count, sorted);
    free(sorted);
}
