/* Loading work; see load_work.h. */
#include "load_work.h"

#include <assert.h>
#include <stdlib.h>

#include "desk.h"
#include "mem.h"
#include "read_end.h"
#include "statements_reader.h"
#include "wire.h"

/* Columns of load_work.sql after those of ticket_row.h. */
enum work_column {
    WORK_OWNER = TICKET_COLUMNS,
    WORK_ATTEMPT,
    WORK_FAILURES,
    WORK_DECIDED,
    WORK_WAKE_AT,
    WORK_RANK,
    WORK_DEAD,
    WORK_RECORD,
    WORK_POSTED_PACKAGE,
    WORK_PARENT_SPEAKS
};

/* Columns of load_events.sql. */
enum event_column {
    EVENT_TICKET,
    EVENT_VERSION,
    EVENT_AT,
    EVENT_KIND,
    EVENT_ROLE,
    EVENT_ACTOR,
    EVENT_PUBLIC,
    EVENT_BODY
};

/* The facts of an event that was decided already; the rest of its body is history. */
static const char *const head_facts[] = {"on",    "priority", "until_at", "state",
                                         "staff", "package",  "meeting",  "said_at"};

struct loading {
    struct load_work_item *items;
    struct buf *contents;
    size_t count;
    const char *prefix;
    bool whole; /* events of before the last decision too */
    load_work_fn *fn;
    void *arg;
};

static void loading_free(struct loading *loading)
{
    for (size_t i = 0; i < loading->count; i++) {
        buf_clear(&loading->contents[i]);
        free((char *)loading->items[i].customer.p);
        free((char *)loading->items[i].clocks.p);
    }
    free(loading->items);
    free(loading->contents);
    free(loading);
}

static struct span span_copy(struct span from)
{
    return from.p == NULL ? SPAN_NONE : (struct span){mem_dup(from.p, from.len), from.len};
}

/* ---- tickets ---- */

/* {ticket, customer, events: — the list must follow. */
static void put_content(struct buf *out, const struct ticket_row *row, struct span record, const char *prefix)
{
    wire_put_map(out, 3);
    wire_put_text(out, "ticket");
    ticket_put_work(out, row, prefix);
    wire_put_text(out, "customer");
    if (record.p == NULL || record.len == 0)
        wire_put_nil(out);
    else
        wire_put_raw(out, record);
    wire_put_text(out, "events");
}

static void load_on_tickets(void *arg, PGresult *rows)
{
    struct loading *loading = arg;
    int count = PQntuples(rows);

    loading->items = mem_new((size_t)count + 1, sizeof *loading->items);
    loading->contents = mem_new((size_t)count + 1, sizeof *loading->contents);
    loading->count = (size_t)count;
    for (int i = 0; i < count; i++) {
        struct ticket_row row;
        bool has_desk = !pg_is_null(rows, i, TICKET_VERSION);
        ticket_row_from_pg(rows, i, &row);
        row.decided = has_desk ? (int32_t)pg_int(rows, i, WORK_DECIDED) : 0;
        row.posted_package = pg_span(rows, i, WORK_POSTED_PACKAGE);
        loading->items[i] = (struct load_work_item){
            .ticket = row.id,
            .has_desk = has_desk,
            .owner = pg_int(rows, i, WORK_OWNER),
            .attempt = has_desk ? (int32_t)pg_int(rows, i, WORK_ATTEMPT) : 1,
            .version = row.version,
            .decided = has_desk ? (int32_t)pg_int(rows, i, WORK_DECIDED) : 1,
            .state = row.state,
            .priority = row.priority,
            .failures = (int)pg_int(rows, i, WORK_FAILURES),
            .dead = pg_bool(rows, i, WORK_DEAD),
            .parent_speaks = pg_bool(rows, i, WORK_PARENT_SPEAKS),
            .wake_at = pg_int(rows, i, WORK_WAKE_AT),
            .rank = pg_int(rows, i, WORK_RANK),
            .customer = span_copy(row.customer),
            .clocks = span_copy(row.clocks),
        };
        buf_init(&loading->contents[i], LOAD_WORK_BYTES_MAX);
        put_content(&loading->contents[i], &row, pg_span(rows, i, WORK_RECORD), loading->prefix);
    }
}

/* ---- events ---- */

static void put_head(struct buf *out, struct span body)
{
    struct wire_doc *doc = NULL;
    struct err unused;
    struct wire_map map = wire_map_open(out);

    if (body.p != NULL && wire_parse(body.p, body.len, WIRE_DEPTH_MAX, &doc, &unused))
        for (size_t i = 0; i < sizeof head_facts / sizeof head_facts[0]; i++) {
            const struct wire_val *fact = wire_find(wire_root(doc), head_facts[i]);
            if (fact == NULL) /* of a decision: what it set */
                fact = wire_find(wire_find(wire_root(doc), "set"), head_facts[i]);
            if (fact != NULL)
                wire_put_key_val(out, head_facts[i], fact), map.count++;
        }
    wire_map_close(out, &map);
    wire_doc_free(doc);
}

static void put_as(struct buf *out, const PGresult *rows, int row)
{
    wire_put_text(out, "as");
    if (pg_is_null(rows, row, EVENT_ROLE)) {
        wire_put_nil(out);
        return;
    }
    wire_put_map(out, 2);
    wire_put_key_str(out, "name", pg_span(rows, row, EVENT_ACTOR));
    wire_put_key_text(out, "role", desk_role_name((enum desk_role)pg_int(rows, row, EVENT_ROLE)));
}

static void put_event(struct buf *out, const PGresult *rows, int row, bool whole)
{
    struct span body = pg_span(rows, row, EVENT_BODY);

    wire_put_map(out, 6);
    wire_put_key_int(out, "version", pg_int(rows, row, EVENT_VERSION));
    wire_put_key_int(out, "at", pg_int(rows, row, EVENT_AT));
    wire_put_key_text(out, "kind", desk_event_name((enum desk_event)pg_int(rows, row, EVENT_KIND)));
    put_as(out, rows, row);
    wire_put_key_bool(out, "public", pg_bool(rows, row, EVENT_PUBLIC));
    wire_put_text(out, "body");
    if (!whole)
        put_head(out, body);
    else if (body.p == NULL || body.len == 0)
        wire_put_map(out, 0);
    else
        wire_put_raw(out, body);
}

/* Puts the events of one ticket, rows from..until. A row beyond the ticket's version was committed between
 * the two statements: it belongs to a later wake. */
static void put_events(struct buf *out, const PGresult *rows, int from, int until,
                       const struct load_work_item *item, bool all_whole)
{
    struct wire_map list = wire_list_open(out);
    size_t start = out->len;

    for (int i = from; i < until; i++) {
        int64_t version = pg_int(rows, i, EVENT_VERSION);
        if (version > item->version || list.count == UINT16_MAX)
            break;
        put_event(out, rows, i,
                  (all_whole || version > item->decided) && out->len - start < LOAD_WORK_EVENTS_BYTES);
        list.count++;
    }
    wire_list_close(out, &list);
}

/* The first row of the ticket, or the number of rows: they come in order of ticket. */
static int find_first(const PGresult *rows, int64_t ticket)
{
    int low = 0, high = PQntuples(rows);

    while (low < high) {
        int middle = low + (high - low) / 2;
        if (pg_int(rows, middle, EVENT_TICKET) < ticket)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void load_on_events(void *arg, PGresult *rows)
{
    struct loading *loading = arg;

    for (size_t i = 0; i < loading->count; i++) {
        struct load_work_item *item = &loading->items[i];
        int from = find_first(rows, item->ticket), until = from;
        while (until < PQntuples(rows) && pg_int(rows, until, EVENT_TICKET) == item->ticket)
            until++;
        put_events(&loading->contents[i], rows, from, until, item, loading->whole);
        if (!loading->contents[i].failed)
            item->content = buf_span(&loading->contents[i]);
    }
}

static void load_on_end(void *arg, const struct pg_end *end)
{
    struct loading *loading = arg;
    struct err err = {0};

    if (read_end_is_ok(end, "load_work", &err))
        loading->fn(loading->arg, loading->items, loading->count, NULL);
    else
        loading->fn(loading->arg, NULL, 0, &err);
    loading_free(loading);
}

/* ---- public ---- */

static void load_send(struct pg *reader, struct pg_params *params, const int64_t *tickets, size_t count,
                      const char *prefix, bool whole, load_work_fn *fn, void *arg)
{
    struct loading *loading = mem_new(1, sizeof *loading);

    assert(count > 0 && count <= LOAD_WORK_MAX);
    *loading = (struct loading){.prefix = prefix, .whole = whole, .fn = fn, .arg = arg};
    pg_params_reset(params);
    pg_array_open(params, PG_INT8);
    for (size_t i = 0; i < count; i++)
        pg_array_int(params, tickets[i]);
    pg_array_close(params);
    (void)pg_send(reader, READER_LOAD_WORK, params, load_on_tickets, loading);
    (void)pg_send(reader, READER_LOAD_EVENTS, params, load_on_events, loading);
    pg_sync(reader, load_on_end, loading);
}

void load_work_send(struct pg *reader, struct pg_params *params, const int64_t *tickets, size_t count,
                    const char *prefix, load_work_fn *fn, void *arg)
{
    load_send(reader, params, tickets, count, prefix, false, fn, arg);
}

void load_work_send_whole(struct pg *reader, struct pg_params *params, const int64_t *tickets, size_t count,
                          const char *prefix, load_work_fn *fn, void *arg)
{
    load_send(reader, params, tickets, count, prefix, true, fn, arg);
}

void load_work_put_fresh(struct buf *out, const struct ticket_row *row, struct span record,
                         const char *prefix)
{
    put_content(out, row, record, prefix);
    wire_put_list(out, 0);
}
