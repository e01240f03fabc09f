/* ticket.list; see read_list.h. */
#include "read_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "desk.h"
#include "mem.h"
#include "param_put.h"
#include "statements_reader.h"
#include "ticket_row.h"
#include "tracking.h"
#include "wire.h"

enum { LIST_LOOKED = TICKET_COLUMNS, LIST_LAST };
enum { LIST_DEFAULT = 50, LIST_TEXTS = 6 };

/* An id is younger than the second in it by less than this: brokers interpolate the database's clock. */
#define LIST_SLACK_S INT64_C(600)

enum list_from { FROM_TICKETS, FROM_CUSTOMER, FROM_ASSIGNEE, FROM_STATES };

struct listing {
    struct read_list_query query;
    char *texts[LIST_TEXTS]; /* owned copies of the query's spans */
    struct pg *reader;
    struct pg_params *params;
    const char *prefix;
    read_answer_fn *fn;
    void *arg;
    struct buf body;
    struct wire_map list;
    int64_t at;   /* id after which to go on */
    int64_t last; /* of the step: last candidate */
    int looked;   /* of the step */
    int looked_all, step;
    bool is_full;
};

/* ---- the query ---- */

static void list_own(struct listing *listing)
{
    struct span *spans[LIST_TEXTS] = {&listing->query.customer, &listing->query.assignee,
                                      &listing->query.queue,    &listing->query.tag,
                                      &listing->query.text,     &listing->query.cursor};

    for (size_t i = 0; i < LIST_TEXTS; i++)
        if (spans[i]->p != NULL) {
            listing->texts[i] = mem_strndup(spans[i]->p, spans[i]->len);
            spans[i]->p = listing->texts[i];
        }
}

static void list_free(struct listing *listing)
{
    for (size_t i = 0; i < LIST_TEXTS; i++)
        free(listing->texts[i]);
    buf_clear(&listing->body);
    free(listing);
}

/* Cursors are "n" or "o" for the order, and the id in decimal. */
static bool list_start(struct listing *listing, struct err *err)
{
    struct span cursor = listing->query.cursor;
    char order = listing->query.oldest_first ? 'o' : 'n';
    char *end = NULL;

    listing->at = listing->query.oldest_first ? -1 : INT64_MAX;
    if (cursor.p == NULL || cursor.len == 0)
        return true;
    if (cursor.len < 2 || cursor.len > 20 || cursor.p[0] != order || cursor.p[1] < '0' || cursor.p[1] > '9')
        return err_field(err, ERR_INVALID, "cursor", "cursor: not one of this list and order");
    listing->at = strtoll(cursor.p + 1, &end, 10);
    if (*end != '\0')
        return err_field(err, ERR_INVALID, "cursor", "cursor: not one of this list and order");
    return true;
}

static bool list_has_clocks(const struct read_list_query *q)
{
    return q->overdue || q->due_before_at != 0;
}

static enum list_from list_from(const struct read_list_query *q)
{
    bool has_new =
        (q->states & 1u << STATE_NEW) != 0; /* new ones may have no desk row, unless they have a priority */

    if (q->assignee.p != NULL)
        return FROM_ASSIGNEE;
    if (q->customer.p != NULL)
        return FROM_CUSTOMER;
    return q->priority != 0 || (q->states != 0 && !has_new) ? FROM_STATES : FROM_TICKETS;
}

/* Whether filters look at candidates one by one, so that a page may need many. */
static bool list_is_narrow(const struct read_list_query *q)
{
    enum list_from from = list_from(q);
    return list_has_clocks(q) || q->queue.p != NULL || q->tag.p != NULL || q->text.p != NULL ||
           q->posted_from_at != 0 || q->posted_until_at != 0 ||
           (from != FROM_STATES && (q->states != 0 || q->priority != 0)) ||
           (from == FROM_ASSIGNEE && q->customer.p != NULL);
}

/* The id that bounds an instant from below. */
static int64_t list_id_at(int64_t at_us, int64_t slack_s)
{
    int64_t second = at_us / US_PER_S - TRACKING_EPOCH_S + slack_s;
    int64_t most = (INT64_C(1) << TRACKING_SECOND_BITS) - 1;

    return tracking_id(second < 0 ? 0 : second > most ? most : second, 0, 0);
}

static void list_put_states(struct pg_params *params, const struct read_list_query *q)
{
    bool all = q->states == 0 && list_from(q) == FROM_STATES;

    param_put_bits(params, all ? (1u << STATES) - 1 : q->states);
}

static void list_put_bounds(struct pg_params *params, const struct listing *listing)
{
    const struct read_list_query *q = &listing->query;
    int64_t least = q->posted_from_at == 0 ? 0 : list_id_at(q->posted_from_at, -LIST_SLACK_S);
    int64_t most = q->posted_until_at == 0
                       ? INT64_MAX
                       : list_id_at(q->posted_until_at, LIST_SLACK_S + q->posted_late_us / US_PER_S);

    if (q->oldest_first) {
        pg_put_int8(params, listing->at > least - 1 ? listing->at : least - 1);
        pg_put_int8(params, most);
    } else {
        pg_put_int8(params, listing->at < most ? listing->at : most);
        pg_put_int8(params, least);
    }
}

static void list_on_rows(void *arg, PGresult *rows);
static void list_on_end(void *arg, const struct pg_end *end);

static void list_step(struct listing *listing)
{
    const struct read_list_query *q = &listing->query;
    struct pg_params *params = listing->params;

    pg_params_reset(params);
    list_put_bounds(params, listing);
    pg_put_int4(params, listing->step);
    pg_put_int4(params, list_has_clocks(q) ? listing->step : q->limit - (int)listing->list.count);
    pg_put_bytes(params, q->customer);
    list_put_states(params, q);
    param_put_int2_not_0(params, (int16_t)q->priority);
    pg_put_bytes(params, q->assignee);
    pg_put_bytes(params, q->queue);
    pg_put_bytes(params, q->tag);
    pg_put_bytes(params, q->text);
    param_put_int8_not_0(params, q->posted_from_at);
    param_put_int8_not_0(params, q->posted_until_at);
    pg_put_int2(params, (int16_t)list_from(q));
    (void)pg_send(listing->reader, q->oldest_first ? READER_LIST_OLDEST : READER_LIST_NEWEST, params,
                  list_on_rows, listing);
    pg_sync(listing->reader, list_on_end, listing);
}

/* ---- the answer ---- */

static bool clock_passes(const struct wire_val *clock, const struct read_list_query *q)
{
    struct span state = wire_find_str(clock, "state");
    int64_t due_at, met_at;
    bool is_running = span_is(state, "running");
    bool is_late = span_is(state, "missed") && !wire_get_int(wire_find(clock, "met_at"), &met_at);

    if (!wire_get_int(wire_find(clock, "due_at"), &due_at) || (!is_running && !is_late))
        return false;
    return (!q->overdue || due_at < q->now_at) &&
           (q->due_before_at == 0 || (is_running && due_at < q->due_before_at));
}

static bool clocks_pass(struct span clocks, const struct read_list_query *q)
{
    struct wire_doc *doc = NULL;
    struct err unused;
    bool passes = false;

    if (clocks.p == NULL || !wire_parse(clocks.p, clocks.len, WIRE_DEPTH_MAX, &doc, &unused))
        return false;
    for (size_t i = 0; i < wire_count(wire_root(doc)) && !passes; i++)
        passes = clock_passes(wire_at(wire_root(doc), i), q);
    wire_doc_free(doc);
    return passes;
}

static void list_on_rows(void *arg, PGresult *rows)
{
    struct listing *listing = arg;
    const struct read_list_query *q = &listing->query;

    listing->looked = (int)pg_int(rows, 0, LIST_LOOKED);
    listing->last = pg_int(rows, 0, LIST_LAST);
    for (int i = 0; i < PQntuples(rows) && !listing->is_full; i++) {
        struct ticket_row row;
        if (pg_is_null(rows, i, TICKET_ID))
            continue;
        ticket_row_from_pg(rows, i, &row);
        if (list_has_clocks(q) && !clocks_pass(row.clocks, q))
            continue;
        struct wire_map map = ticket_open_answer(&listing->body, &row, listing->prefix, false);
        wire_map_close(&listing->body, &map);
        listing->at = row.id;
        listing->is_full = ++listing->list.count == (size_t)q->limit;
    }
    if (!listing->is_full && listing->looked != 0)
        listing->at = listing->last;
}

static void list_finish(struct listing *listing, bool is_end)
{
    struct err err = {0};

    wire_list_close(&listing->body, &listing->list);
    wire_put_text(&listing->body, "cursor");
    if (is_end) {
        wire_put_nil(&listing->body);
    } else {
        char cursor[32];
        (void)snprintf(cursor, sizeof cursor, "%c%lld", listing->query.oldest_first ? 'o' : 'n',
                       (long long)listing->at);
        wire_put_text(&listing->body, cursor);
    }
    if (listing->body.failed)
        (void)err_set(&err, ERR_TOO_LARGE, "the page does not fit into one answer; ask with a lower limit");
    listing->fn(listing->arg, listing->body.failed ? SPAN_NONE : buf_span(&listing->body),
                listing->body.failed ? &err : NULL);
    list_free(listing);
}

static void list_fail(struct listing *listing, const struct err *err)
{
    listing->fn(listing->arg, SPAN_NONE, err);
    list_free(listing);
}

static void list_on_end(void *arg, const struct pg_end *end)
{
    struct listing *listing = arg;
    struct err err = {0};

    if (!read_end_is_ok(end, "list", &err)) {
        list_fail(listing, &err);
        return;
    }
    listing->looked_all += listing->looked;
    bool is_end = !listing->is_full && listing->looked < listing->step;
    if (is_end || listing->is_full || listing->looked_all >= READ_LIST_CANDIDATES_MAX)
        list_finish(listing, is_end);
    else
        list_step(listing);
}

void read_list_send(struct pg *reader, struct pg_params *params, const struct read_list_query *query,
                    const char *prefix, read_answer_fn *fn, void *arg)
{
    struct err err = {0};
    struct listing *listing = mem_new(1, sizeof *listing);

    *listing = (struct listing){
        .query = *query, .reader = reader, .params = params, .prefix = prefix, .fn = fn, .arg = arg};
    buf_init(&listing->body, READ_LIST_BYTES_MAX);
    list_own(listing);
    if (listing->query.limit <= 0)
        listing->query.limit = LIST_DEFAULT;
    if (listing->query.limit > READ_LIST_LIMIT_MAX)
        listing->query.limit = READ_LIST_LIMIT_MAX;
    listing->step = list_is_narrow(&listing->query) ? READ_LIST_STEP : listing->query.limit;
    if (!list_start(listing, &err)) {
        list_fail(listing, &err);
        return;
    }
    wire_put_map(&listing->body, 2);
    wire_put_text(&listing->body, "tickets");
    listing->list = wire_list_open(&listing->body);
    list_step(listing);
}
