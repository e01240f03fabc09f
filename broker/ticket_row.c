/* A ticket from a row to the wire; see ticket_row.h. */
#include "ticket_row.h"

#include <arpa/inet.h>
#include <string.h>

#include "desk.h"
#include "pg.h"
#include "tracking.h"

enum { ARRAY_HEAD = 20 /* dimensions, flags, element type, length, lower bound: four bytes each */ };

enum reader { FOR_PEOPLE, FOR_WORKER };

void ticket_row_from_pg(const PGresult *rows, int row, struct ticket_row *ret)
{
    *ret = (struct ticket_row){
        .id = pg_int(rows, row, TICKET_ID),
        .posted_at = pg_int(rows, row, TICKET_POSTED_AT),
        .updated_at = pg_int(rows, row, TICKET_UPDATED_AT),
        .version = pg_is_null(rows, row, TICKET_VERSION) ? 1 : (int32_t)pg_int(rows, row, TICKET_VERSION),
        .state = (int)pg_int(rows, row, TICKET_STATE),
        .priority = (int)pg_int(rows, row, TICKET_PRIORITY),
        .held = (int)pg_int(rows, row, TICKET_HELD),
        .reply_pending = pg_bool(rows, row, TICKET_REPLY_PENDING),
        .customer = pg_span(rows, row, TICKET_CUSTOMER),
        .package = pg_span(rows, row, TICKET_PACKAGE),
        .title = pg_span(rows, row, TICKET_TITLE),
        .problem = pg_span(rows, row, TICKET_PROBLEM),
        .assignee = pg_span(rows, row, TICKET_ASSIGNEE),
        .queue = pg_span(rows, row, TICKET_QUEUE),
        .kind = pg_span(rows, row, TICKET_KIND),
        .extra = pg_span(rows, row, TICKET_EXTRA),
        .equipment = pg_span(rows, row, TICKET_EQUIPMENT),
        .configuration = pg_span(rows, row, TICKET_CONFIGURATION),
        .attributes = pg_span(rows, row, TICKET_ATTRIBUTES),
        .clocks = pg_span(rows, row, TICKET_CLOCKS),
        .tags = pg_span(rows, row, TICKET_TAGS),
    };
}

static uint32_t array_u32(struct span array, size_t at)
{
    uint32_t value;
    memcpy(&value, array.p + at, sizeof value);
    return ntohl(value);
}

/* Appends a one-dimensional text[] in PostgreSQL's binary form as a list of text; none, or not of this form:
 * an empty list. */
static void put_text_array(struct buf *out, struct span array)
{
    struct wire_map list = wire_list_open(out);
    uint32_t count =
        array.p != NULL && array.len >= ARRAY_HEAD && array_u32(array, 0) == 1 ? array_u32(array, 12) : 0;
    size_t at = ARRAY_HEAD;

    for (uint32_t i = 0; i < count && at + 4 <= array.len && list.count < UINT16_MAX; i++) {
        uint32_t len = array_u32(array, at);
        at += 4;
        if (len == UINT32_MAX) /* NULL */
            continue;
        if (len > array.len - at)
            break;
        wire_put_str(out, (struct span){array.p + at, len});
        list.count++;
        at += len;
    }
    wire_list_close(out, &list);
}

/* ---- pieces ---- */

static void put_text(struct buf *out, struct wire_map *map, const char *key, struct span text)
{
    wire_put_text(out, key);
    if (text.p == NULL)
        wire_put_nil(out);
    else
        wire_put_str(out, text);
    map->count++;
}

static void put_int(struct buf *out, struct wire_map *map, const char *key, int64_t value)
{
    wire_put_key_int(out, key, value);
    map->count++;
}

/* A value of the posting's map; nil when it is not there. */
static void put_extra(struct buf *out, struct wire_map *map, const struct wire_val *extra, const char *key)
{
    wire_put_text(out, key);
    wire_put_val(out, wire_find(extra, key));
    map->count++;
}

/* One of the maps: the amended one, else the posting's, else an empty one. */
static void put_map(struct buf *out, struct wire_map *map, const struct wire_val *extra, const char *key,
                    struct span amended)
{
    const struct wire_val *posted = wire_find(extra, key);

    wire_put_text(out, key);
    if (amended.p != NULL && amended.len != 0)
        wire_put_raw(out, amended);
    else if (wire_type(posted) == WIRE_MAP)
        wire_put_val(out, posted);
    else
        wire_put_map(out, 0);
    map->count++;
}

static void put_channel(struct buf *out, struct wire_map *map, const struct wire_val *extra)
{
    struct span channel = wire_find_str(extra, "channel");
    put_text(out, map, "channel", channel.p == NULL ? span_of("ticket") : channel);
}

static void put_priority(struct buf *out, struct wire_map *map, int priority)
{
    wire_put_text(out, "priority");
    if (priority == 0)
        wire_put_nil(out);
    else
        wire_put_int(out, priority);
    map->count++;
}

static void put_tags(struct buf *out, struct wire_map *map, struct span tags)
{
    wire_put_text(out, "tags");
    put_text_array(out, tags);
    map->count++;
}

/* A promise that went away with a change of priority or package, before it was missed: kept for the worker, and nothing to people. Also what
 * the worker keeps where nothing is promised at all. */
static bool clock_is_gone(const struct wire_val *clock)
{
    return wire_find_bool(clock, "unpromised", false) && span_is(wire_find_str(clock, "state"), "met");
}

static bool has_key(const struct wire_val *map, struct span key)
{
    for (size_t i = 0; i < wire_count(map); i++)
        if (span_equal(wire_key_at(map, i), key))
            return true;
    return false;
}

/* A clock, and what the worker keeps with the list's first one, where that is not this one. */
static void put_clock(struct buf *out, const struct wire_val *clock, const struct wire_val *first)
{
    struct wire_map map = wire_map_open(out);

    for (size_t i = 0; i < wire_count(clock); i++, map.count++) {
        wire_put_str(out, wire_key_at(clock, i));
        wire_put_val(out, wire_val_at(clock, i));
    }
    for (size_t i = 0; i < wire_count(first); i++) {
        struct span key = wire_key_at(first, i);
        if (has_key(clock, key) || span_is(key, "unpromised"))
            continue;
        wire_put_str(out, key);
        wire_put_val(out, wire_val_at(first, i)), map.count++;
    }
    wire_map_close(out, &map);
}

static void put_promised(struct buf *out, const struct wire_val *clocks)
{
    const struct wire_val *first = wire_at(clocks, 0);
    struct wire_map list = wire_list_open(out);

    for (size_t i = 0; i < wire_count(clocks); i++)
        if (!clock_is_gone(wire_at(clocks, i)))
            put_clock(out, wire_at(clocks, i), list.count == 0 ? first : NULL), list.count++;
    wire_list_close(out, &list);
}

static void put_clocks(struct buf *out, struct wire_map *map, struct span clocks, enum reader reader)
{
    struct wire_doc *doc = NULL;
    struct err ignored;

    wire_put_text(out, "clocks");
    if (clocks.p == NULL || clocks.len == 0)
        wire_put_list(out, 0);
    else if (reader == FOR_WORKER || !wire_parse(clocks.p, clocks.len, WIRE_DEPTH_MAX, &doc, &ignored))
        wire_put_raw(out, clocks);
    else
        put_promised(out, wire_root(doc));
    wire_doc_free(doc);
    map->count++;
}

static void put_held(struct buf *out, struct wire_map *map, int held)
{
    static const struct {
        int bit;
        const char *name;
    } fields[] = {{HELD_PRIORITY, "priority"}, {HELD_QUEUE, "queue"},           {HELD_ASSIGNEE, "assignee"},
                  {HELD_TAGS, "tags"},         {HELD_ATTRIBUTES, "attributes"}, {HELD_KIND, "kind"}};

    wire_put_text(out, "held");
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if ((held & fields[i].bit) != 0)
            wire_put_text(out, fields[i].name), list.count++;
    wire_list_close(out, &list);
    map->count++;
}

static void put_tracking(struct buf *out, struct wire_map *map, int64_t id, const char *prefix)
{
    char tracking[TRACKING_TEXT_BYTES];
    tracking_format(id, prefix, tracking);
    put_text(out, map, "tracking", span_of(tracking));
}

/* What every form of a ticket has. */
static void put_common(struct buf *out, struct wire_map *map, const struct ticket_row *row,
                       const char *prefix, const struct wire_val *extra, enum reader reader)
{
    put_tracking(out, map, row->id, prefix);
    put_text(out, map, "customer", row->customer);
    put_text(out, map, "package", row->package);
    put_text(out, map, "title", row->title);
    put_text(out, map, "kind", row->kind);
    put_extra(out, map, extra, "impact");
    put_channel(out, map, extra);
    put_text(out, map, "state", span_of(desk_state_name((enum desk_state)row->state)));
    put_priority(out, map, row->priority);
    put_text(out, map, "queue", row->queue);
    put_text(out, map, "assignee", row->assignee);
    put_tags(out, map, row->tags);
    wire_put_key_bool(out, "reply_pending", row->reply_pending), map->count++;
    put_int(out, map, "version", row->version);
    put_int(out, map, "posted_at", row->posted_at);
    put_int(out, map, "updated_at", row->updated_at == 0 ? row->posted_at : row->updated_at);
    put_clocks(out, map, row->clocks, reader);
}

static void put_whole(struct buf *out, struct wire_map *map, const struct ticket_row *row,
                      const struct wire_val *extra)
{
    put_text(out, map, "problem", row->problem);
    put_map(out, map, extra, "equipment", row->equipment);
    put_map(out, map, extra, "configuration", row->configuration);
    put_map(out, map, extra, "attributes", row->attributes);
    put_extra(out, map, extra, "contact");
    put_extra(out, map, extra, "correlation");
}

/* What the next decision goes by, beside what people see. */
static void put_for_decision(struct buf *out, struct wire_map *map, const struct ticket_row *row)
{
    put_held(out, map, row->held);
    if (row->decided != 0)
        put_int(out, map, "decided", row->decided);
    if (row->posted_package.p != NULL)
        put_text(out, map, "posted_package", row->posted_package);
}

/* The posting's map as a tree; NULL (everything absent) for none, or for bytes that are no map. */
static struct wire_doc *parse_extra(struct span extra)
{
    struct wire_doc *doc = NULL;
    struct err unused;

    if (extra.p == NULL || !wire_parse(extra.p, extra.len, WIRE_DEPTH_MAX, &doc, &unused))
        return NULL;
    return doc;
}

static const struct wire_val *extra_root(const struct wire_doc *doc)
{
    return doc == NULL ? NULL : wire_root(doc);
}

/* ---- public ---- */

void ticket_put_work(struct buf *out, const struct ticket_row *row, const char *prefix)
{
    struct wire_doc *doc = parse_extra(row->extra);
    struct wire_map map = wire_map_open(out);

    put_common(out, &map, row, prefix, extra_root(doc), FOR_WORKER);
    put_whole(out, &map, row, extra_root(doc));
    put_for_decision(out, &map, row);
    wire_map_close(out, &map);
    wire_doc_free(doc);
}

struct wire_map ticket_open_answer(struct buf *out, const struct ticket_row *row, const char *prefix,
                                   bool whole)
{
    struct wire_doc *doc = parse_extra(row->extra);
    struct wire_map map = wire_map_open(out);

    put_common(out, &map, row, prefix, extra_root(doc), FOR_PEOPLE);
    if (whole) {
        put_whole(out, &map, row, extra_root(doc));
        put_for_decision(out, &map, row);
    }
    wire_doc_free(doc);
    return map;
}
