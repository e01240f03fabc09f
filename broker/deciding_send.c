/* The statements of a batch's decisions: which columns are written, and what is rare; see deciding.h. Judges nothing. */
#include "broker.h"
#include "deciding_internal.h"
#include "mem.h"
#include "param_put.h"
#include "pg.h"
#include "statements.h"
#include "wake.h"

#include <stdlib.h>
#include <string.h>

static void deciding_on_rows(void *arg, PGresult *rows)
{
    struct broker *broker = arg;
    for (int i = 0; i < PQntuples(rows); i++) {
        /* The unit is found by its ticket: at most one of a ticket is in flight. */
        struct deciding *deciding = (struct deciding *)writer_in_flight(broker->writer, pg_int(rows, i, 0));
        if (deciding == NULL || deciding->unit.type->group != GROUP_DECIDE)
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

/* ---- what is rare: attributes, verdicts, alerts; each guarded by the attempt and the version that its decision just wrote ---- */

/* The columns that they begin with: the ticket, and the attempt and the version after. */
static int64_t guard_of(const struct deciding *x, int column)
{
    return column == 0 ? x->unit.ticket : column == 1 ? x->attempt + 1 : x->version_after;
}

static void send_attributes(const struct deciding_set *all)
{
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += (all->items[i]->decision.set & SET_ATTRIBUTES) != 0;
    if (count == 0)
        return;
    pg_params_reset(all->params);
    for (int column = 0; column < 4; column++) {
        pg_array_open(all->params, column == 0 ? PG_INT8 : column < 3 ? PG_INT4 : PG_BYTEA);
        for (size_t i = 0; i < all->count; i++) {
            const struct deciding *x = all->items[i];
            if ((x->decision.set & SET_ATTRIBUTES) == 0)
                continue;
            if (column == 3)
                pg_array_bytes(all->params, x->decision.attributes);
            else
                pg_array_int(all->params, guard_of(x, column));
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
    V_PACKAGE,
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
    else if (column == V_PACKAGE)
        pg_array_bytes(params, v->package);
    else if ((column == V_MET || column == V_PRIORITY) && numbers[column] == 0)
        pg_array_null(params);
    else
        pg_array_int(params, numbers[column]);
}

static void send_verdicts(const struct deciding_set *all)
{
    static const enum pg_type types[V_COLUMNS] = {PG_INT8, PG_INT4, PG_TEXT, PG_INT4, PG_TEXT,
                                                  PG_TEXT, PG_INT2, PG_INT8, PG_INT8, PG_INT8,
                                                  PG_INT8, PG_INT8, PG_TEXT, PG_TEXT};
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
    pg_array_open(all->params, PG_INT4);
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->items[i]->decision.deadline_count; k++)
            pg_array_int(all->params, all->items[i]->version_after);
    pg_array_close(all->params);
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
    for (int column = 0; column < 4; column++) {
        pg_array_open(all->params, column == 0 ? PG_INT8 : column < 3 ? PG_INT4 : PG_TEXT);
        for (size_t i = 0; i < all->count; i++)
            for (size_t k = 0; k < all->items[i]->decision.resolve_count; k++) {
                const struct deciding *x = all->items[i];
                if (column == 3)
                    pg_array_bytes(all->params, x->decision.resolve[k]);
                else
                    pg_array_int(all->params, guard_of(x, column));
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
