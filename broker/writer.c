/* The writer; see writer.h. */
#include "writer.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "statements.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

enum {
    BATCHES_IN_FLIGHT = 1,
    GROUP_MAX = 500,
    SINGLES_MAX = 64,
    BATCH_BYTES_MAX = 8 << 20,
    REPEATS_MAX = 5, /* of one batch after serialization failures or deadlocks */
};

struct unit_list {
    struct unit *first, *last;
    size_t count;
};

/* A ticket with a unit under way, and what waits behind it. */
struct busy {
    int64_t ticket;
    struct unit *current;
    struct unit_list waiting;
    UT_hash_handle hh;
};

struct batch {
    struct writer *writer;
    struct unit **units;
    size_t count;
    size_t at_group[GROUPS + 1]; /* units[at_group[g]] … are of group g */
    int64_t sent_us;
    int tries;
    bool repeat; /* in the form that finds what is there */
    struct batch *next;
    struct made *made; /* rows of ensure.sql, told after the commit */
    size_t made_count;
};

struct made {
    int64_t ticket, wake_at;
    int32_t attempt, version;
};

struct writer {
    struct writer_config config;
    struct pg_params *params;
    int64_t epoch; /* 0: closed */
    struct unit_list pending;
    struct unit_list unknown; /* in the order in which they were sent first */
    struct batch *redo;       /* halves of a refused batch, before all that is pending */
    struct busy *busy;
    size_t in_flight;
    bool kicking;
};

/* ---- lists ---- */

static void list_push(struct unit_list *list, struct unit *unit)
{
    unit->next = NULL;
    if (list->last == NULL)
        list->first = unit;
    else
        list->last->next = unit;
    list->last = unit;
    list->count++;
}

static struct unit *list_pop(struct unit_list *list)
{
    struct unit *unit = list->first;
    if (unit == NULL)
        return NULL;
    list->first = unit->next;
    if (list->first == NULL)
        list->last = NULL;
    list->count--;
    unit->next = NULL;
    return unit;
}

/* ---- one unit a ticket ---- */

/* False: another unit of the ticket is under way, and this one waits behind it. */
static bool busy_enter(struct writer *writer, struct unit *unit)
{
    struct busy *busy;

    if (unit->ticket == 0)
        return true;
    HASH_FIND(hh, writer->busy, &unit->ticket, sizeof unit->ticket, busy);
    if (busy != NULL) {
        list_push(&busy->waiting, unit);
        return false;
    }
    busy = mem_new(1, sizeof *busy);
    busy->ticket = unit->ticket;
    busy->current = unit;
    HASH_ADD(hh, writer->busy, ticket, sizeof busy->ticket, busy);
    return true;
}

/* The ticket's unit ended: the next one may go. */
static void busy_leave(struct writer *writer, int64_t ticket)
{
    struct busy *busy;

    if (ticket == 0)
        return;
    HASH_FIND(hh, writer->busy, &ticket, sizeof ticket, busy);
    if (busy == NULL)
        return;
    struct unit *next = list_pop(&busy->waiting);
    busy->current = next;
    if (next != NULL) {
        list_push(&writer->pending, next);
        return;
    }
    HASH_DEL(writer->busy, busy);
    free(busy);
}

static void unit_end(struct writer *writer, struct unit *unit, const struct err *err)
{
    int64_t ticket = unit->ticket;
    unit->type->done(unit, err);
    busy_leave(writer, ticket);
}

/* ---- batches ---- */

static void batch_free(struct batch *batch)
{
    free(batch->units);
    free(batch->made);
    free(batch);
}

/* Takes units that are sorted by nothing and lays them by group; order within a group is kept. */
static struct batch *batch_new(struct writer *writer, struct unit **units, size_t count)
{
    struct batch *batch = mem_new(1, sizeof *batch);

    batch->writer = writer;
    batch->units = mem_new(count, sizeof *batch->units);
    for (int g = 0; g < GROUPS; g++) {
        batch->at_group[g] = batch->count;
        for (size_t i = 0; i < count; i++)
            if ((int)units[i]->type->group == g)
                batch->units[batch->count++] = units[i];
    }
    batch->at_group[GROUPS] = batch->count;
    for (size_t i = 0; i < count; i++)
        batch->repeat = batch->repeat || units[i]->repeat;
    return batch;
}

/* The next batch of what is pending; NULL when nothing is. */
static struct batch *batch_gather(struct writer *writer)
{
    struct unit *units[GROUPS * GROUP_MAX];
    size_t count = 0, bytes = 0, of_group[GROUPS] = {0};

    while (writer->pending.first != NULL) {
        struct unit *unit = writer->pending.first;
        enum unit_group group = unit->type->group;
        size_t most = group == GROUP_SINGLE ? SINGLES_MAX : GROUP_MAX;
        if (of_group[group] == most || (count != 0 && bytes + unit->bytes > BATCH_BYTES_MAX))
            break;
        of_group[group]++;
        bytes += unit->bytes;
        units[count++] = list_pop(&writer->pending);
    }
    return count == 0 ? NULL : batch_new(writer, units, count);
}

/* ---- sending ---- */

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Tickets of the units for which which() holds, sorted: the one order in which all brokers lock. */
static size_t batch_tickets(const struct batch *batch, bool (*which)(const struct unit_type *), int64_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->units[i]->ticket != 0 && which(batch->units[i]->type))
            ret[n++] = batch->units[i]->ticket;
    qsort(ret, n, sizeof *ret, compare_ids);
    return n;
}

static size_t batch_alerts(const struct batch *batch, int64_t *ret)
{
    size_t n = 0;
    for (size_t i = batch->at_group[GROUP_SINGLE]; i < batch->count; i++)
        if (batch->units[i]->alert != 0)
            ret[n++] = batch->units[i]->alert;
    qsort(ret, n, sizeof *ret, compare_ids);
    return n;
}

static bool type_makes_desk(const struct unit_type *type)
{
    return type->makes_desk;
}

static bool type_locks(const struct unit_type *type)
{
    return type->locks;
}

static void on_made_rows(void *arg, PGresult *rows)
{
    struct batch *batch = arg;
    int count = PQntuples(rows);

    batch->made = mem_new((size_t)count, sizeof *batch->made);
    batch->made_count = (size_t)count;
    for (int i = 0; i < count; i++)
        batch->made[i] = (struct made){.ticket = pg_int(rows, i, 0),
                                       .attempt = (int32_t)pg_int(rows, i, 1),
                                       .version = (int32_t)pg_int(rows, i, 2),
                                       .wake_at = pg_int(rows, i, 3)};
}

static void put_ids(struct pg_params *params, const int64_t *ids, size_t count)
{
    pg_params_reset(params);
    pg_array_open(params, PG_INT8);
    for (size_t i = 0; i < count; i++)
        pg_array_int(params, ids[i]);
    pg_array_close(params);
}

static void batch_send_locks(struct batch *batch)
{
    struct writer *writer = batch->writer;
    int64_t tickets[GROUPS * GROUP_MAX], alerts[SINGLES_MAX];
    size_t count = batch_tickets(batch, type_makes_desk, tickets);

    if (count != 0) {
        put_ids(writer->params, tickets, count);
        pg_put_int8(writer->params, writer->epoch);
        (void)pg_send(writer->config.pg, W_ENSURE, writer->params, on_made_rows, batch);
    }
    count = batch_tickets(batch, type_locks, tickets);
    if (count != 0) {
        put_ids(writer->params, tickets, count);
        (void)pg_send(writer->config.pg, W_LOCK, writer->params, NULL, NULL);
    }
    count = batch_alerts(batch, alerts);
    if (count != 0) {
        put_ids(writer->params, alerts, count);
        (void)pg_send(writer->config.pg, W_ALERT_LOCK, writer->params, NULL, NULL);
        (void)pg_send(writer->config.pg, W_ALERT_PAGES_LOCK, writer->params, NULL, NULL);
    }
}

static void on_batch_end(void *arg, const struct pg_end *end);

static void writer_send(struct writer *writer, struct batch *batch)
{
    free(batch->made);
    batch->made = NULL;
    batch->made_count = 0;
    batch->sent_us = clock_mono_us();
    writer->in_flight++;
    batch_send_locks(batch);
    for (int g = 0; g < GROUP_SINGLE; g++) {
        size_t count = batch->at_group[g + 1] - batch->at_group[g];
        if (count != 0)
            writer->config.send_group[g](writer->config.arg, batch->units + batch->at_group[g], count,
                                         batch->repeat);
    }
    for (size_t i = batch->at_group[GROUP_SINGLE]; i < batch->count; i++) {
        pg_params_reset(writer->params);
        batch->units[i]->type->send(batch->units[i], writer->config.pg, writer->params);
    }
    pg_sync(writer->config.pg, on_batch_end, batch);
}

/* ---- ends ---- */

static void batch_done(struct batch *batch, const struct err *err)
{
    struct writer *writer = batch->writer;

    if (err == NULL)
        for (size_t i = 0; i < batch->made_count; i++)
            writer->config.on_made(writer->config.arg, batch->made[i].ticket, batch->made[i].attempt,
                                   batch->made[i].version, batch->made[i].wake_at);
    writer->config.on_ends(writer->config.arg, true);
    for (size_t i = 0; i < batch->count; i++)
        unit_end(writer, batch->units[i], err);
    writer->config.on_ends(writer->config.arg, false);
    if (err == NULL)
        writer->config.on_batch(writer->config.arg, batch->count, clock_mono_us() - batch->sent_us);
    batch_free(batch);
}

/* The commit is unknown, or was never asked for: what can be repeated waits for the next epoch, in order. */
static void batch_park(struct batch *batch, bool sent)
{
    struct err err;
    int64_t now = clock_mono_us();

    (void)err_set(&err, ERR_UNAVAILABLE, "the database went away: repeat with the same key");
    for (size_t i = 0; i < batch->count; i++) {
        struct unit *unit = batch->units[i];
        if (!unit->type->repeatable) {
            unit_end(batch->writer, unit, &err);
            continue;
        }
        unit->repeat = unit->repeat || sent;
        if (unit->since_us == 0)
            unit->since_us = now;
        list_push(&batch->writer->unknown, unit);
    }
    batch_free(batch);
}

static void redo_push(struct writer *writer, struct batch *batch)
{
    batch->next = writer->redo;
    writer->redo = batch;
}

/* Halves a refused batch; a batch of one has found the culprit. */
static void batch_split(struct batch *batch, const struct pg_end *end)
{
    struct writer *writer = batch->writer;

    if (batch->count == 1) {
        struct err err;
        bool held = pg_is_held(end->sqlstate);
        (void)err_set(&err,
                      held                                   ? ERR_UNAVAILABLE
                      : strncmp(end->sqlstate, "22", 2) == 0 ? ERR_INVALID
                                                             : ERR_INTERNAL,
                      held ? "the ticket is held by another session: repeat later"
                           : "the database refused this: %s (%s)",
                      end->message, end->sqlstate);
        if (!held)
            log_event(LOG_ERROR, "row_refused", "sqlstate=%s message=%s", end->sqlstate,
                      log_quote(end->message));
        batch_done(batch, &err);
        return;
    }
    size_t half = batch->count / 2;
    struct batch *first = batch_new(writer, batch->units, half);
    struct batch *second = batch_new(writer, batch->units + half, batch->count - half);
    first->repeat = first->repeat || batch->repeat;
    second->repeat = second->repeat || batch->repeat;
    batch_free(batch);
    redo_push(writer, second);
    redo_push(writer, first);
}

/* A key that is there already: once more, in the form that finds it. */
static bool batch_is_doubled_key(const struct batch *batch, const struct pg_end *end)
{
    return strcmp(end->sqlstate, "23505") == 0 && !batch->repeat && batch->at_group[GROUP_POST + 1] != 0;
}

static void batch_failed(struct batch *batch, const struct pg_end *end)
{
    struct writer *writer = batch->writer;
    struct err err;

    if (batch_is_doubled_key(batch, end)) {
        batch->repeat = true;
        redo_push(writer, batch);
        return;
    }
    switch (pg_remedy(end->sqlstate)) {
    case PG_REPEAT:
        if (++batch->tries < REPEATS_MAX)
            redo_push(writer, batch);
        else
            batch_split(batch, end);
        return;
    case PG_SPLIT:
    case PG_BUG:
        batch_split(batch, end);
        return;
    case PG_WAIT:
        (void)err_set(&err, ERR_UNAVAILABLE, "the database has no room: %s", end->message);
        writer->config.on_full(writer->config.arg, end->sqlstate, end->message);
        batch_done(batch, &err);
        return;
    case PG_RECONNECT:
    case PG_PREPARE:
        batch_park(batch, true);
        pg_drop(writer->config.pg, end->message);
        return;
    }
}

static void on_batch_end(void *arg, const struct pg_end *end)
{
    struct batch *batch = arg;
    struct writer *writer = batch->writer;

    writer->in_flight--;
    switch (end->outcome) {
    case PG_OK:
        writer_kick(writer); /* the next batch is on its way before this one's ends are told */
        batch_done(batch, NULL);
        break;
    case PG_FAILED:
        batch_failed(batch, end);
        break;
    case PG_UNKNOWN:
        batch_park(batch, true);
        if (pg_is_up(writer->config.pg))
            pg_drop(writer->config.pg, end->message);
        break;
    case PG_UNSENT:
        batch_park(batch, false);
        break;
    }
    writer_kick(writer);
}

/* ---- public ---- */

void writer_kick(struct writer *writer)
{
    if (writer->kicking)
        return; /* a done() added a unit: the loop below sees it */
    writer->kicking = true;
    while (writer->epoch != 0 && pg_is_up(writer->config.pg) && writer->in_flight < BATCHES_IN_FLIGHT) {
        struct batch *batch = writer->redo;
        if (batch != NULL)
            writer->redo = batch->next;
        else
            batch = batch_gather(writer);
        if (batch == NULL)
            break;
        writer_send(writer, batch);
    }
    writer->kicking = false;
}

void writer_add(struct writer *writer, struct unit *unit)
{
    struct err err;

    if (writer->epoch == 0)
        (void)err_set(&err, ERR_UNAVAILABLE, "the database is away: repeat later");
    else if (unit->type->group != GROUP_DECIDE && unit->type->group != GROUP_PUT_BACK &&
             writer->pending.count >= (size_t)writer->config.pending_max)
        (void)err_set(&err, ERR_BUSY, "%zu changes wait to be written, which is the limit: repeat later",
                      writer->pending.count);
    else {
        if (busy_enter(writer, unit))
            list_push(&writer->pending, unit);
        return;
    }
    unit->type->done(unit, &err);
}

void writer_begin(struct writer *writer, int64_t epoch)
{
    struct unit_list waiting = writer->pending;

    writer->epoch = epoch;
    /* What may be committed already goes first, in its order. */
    writer->pending = writer->unknown;
    writer->unknown = (struct unit_list){0};
    if (writer->pending.count != 0)
        log_event(LOG_INFO, "unknown_repeated", "units=%zu", writer->pending.count);
    while (waiting.first != NULL)
        list_push(&writer->pending, list_pop(&waiting));
    writer_kick(writer);
}

/* Ends what waits, also behind other units of its ticket. */
static void writer_end_list(struct writer *writer, struct unit_list *list, const struct err *err)
{
    while (list->first != NULL)
        unit_end(writer, list_pop(list), err);
}

void writer_end(struct writer *writer)
{
    struct err err;

    writer->epoch = 0;
    (void)err_set(&err, ERR_UNAVAILABLE, "the database is away: repeat later");
    while (writer->redo != NULL) {
        struct batch *batch = writer->redo;
        writer->redo = batch->next;
        batch_park(batch, false);
    }
    writer_end_list(writer, &writer->pending, &err);
}

void writer_expire(struct writer *writer, int64_t settle_us)
{
    struct err err;
    int64_t now = clock_mono_us();

    (void)err_set(&err, ERR_UNAVAILABLE, "whether this was written is not known: repeat with the same key");
    while (writer->unknown.first != NULL && now - writer->unknown.first->since_us > settle_us)
        unit_end(writer, list_pop(&writer->unknown), &err);
    if (writer->epoch == 0)
        writer_end_list(writer, &writer->pending, &err);
}

struct writer *writer_new(const struct writer_config *config)
{
    struct writer *writer = mem_new(1, sizeof *writer);
    writer->config = *config;
    writer->params = pg_params_new();
    return writer;
}

void writer_free(struct writer *writer)
{
    struct err err;

    if (writer == NULL)
        return;
    writer_end(writer);
    (void)err_set(&err, ERR_UNAVAILABLE, "the broker ends: repeat with the same key");
    writer_end_list(writer, &writer->unknown, &err);
    writer_end_list(writer, &writer->pending, &err);
    assert(writer->in_flight == 0);
    pg_params_free(writer->params);
    free(writer);
}

struct unit *writer_in_flight(const struct writer *writer, int64_t ticket)
{
    struct busy *busy;
    HASH_FIND(hh, writer->busy, &ticket, sizeof ticket, busy);
    return busy == NULL ? NULL : busy->current;
}

bool writer_is_idle(const struct writer *writer)
{
    return writer->in_flight == 0 && writer->pending.count == 0 && writer->redo == NULL;
}

size_t writer_pending(const struct writer *writer)
{
    return writer->pending.count;
}

size_t writer_unknown(const struct writer *writer)
{
    return writer->unknown.count;
}
