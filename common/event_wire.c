/* An event as others see it; see event_wire.h. */
#include "event_wire.h"
#include "desk.h"
#include "pg.h"
#include "tracking.h"
#include "wire.h"

#include <assert.h>

void event_row_from_pg(const PGresult *rows, int row, struct event_row *ret)
{
    assert(PQnfields(rows) >= EVENT_ROW_COLUMNS);
    *ret = (struct event_row){
        .seq = pg_int(rows, row, 0),
        .ticket = pg_int(rows, row, 1),
        .at = pg_int(rows, row, 2),
        .version = (int32_t)pg_int(rows, row, 3),
        .kind = (int)pg_int(rows, row, 4),
        .role = pg_is_null(rows, row, 5) ? -1 : (int)pg_int(rows, row, 5),
        .public = pg_bool(rows, row, 6),
        .verified = pg_bool(rows, row, 7),
        .customer = pg_span(rows, row, 8),
        .actor = pg_span(rows, row, 9),
        .body = pg_span(rows, row, 10),
        .title = pg_span(rows, row, 11),
        .problem = pg_span(rows, row, 12),
        .package = pg_span(rows, row, 13),
        .extra = pg_span(rows, row, 14),
    };
}

static void event_put_as(struct buf *out, const struct event_row *row)
{
    wire_put_text(out, "as");
    if (row->role < 0) {
        wire_put_nil(out);
        return;
    }
    wire_put_map(out, row->verified ? 2 : 3);
    wire_put_key_str(out, "name", row->actor.p == NULL ? span_of("") : row->actor);
    wire_put_key_text(out, "role", desk_role_name((enum desk_role)row->role));
    if (!row->verified)
        wire_put_key_bool(out, "unverified", true);
}

/* The posting's body: what was posted. */
static void event_put_posting(struct buf *out, const struct event_row *row)
{
    struct wire_doc *doc = NULL;
    struct err ignored;
    const struct wire_val *extra = NULL;

    if (row->extra.p != NULL && wire_parse(row->extra.p, row->extra.len, WIRE_DEPTH_MAX, &doc, &ignored))
        extra = wire_root(doc);
    wire_put_map(out, 3 + wire_count(extra));
    wire_put_key_str(out, "title", row->title);
    wire_put_key_str(out, "problem", row->problem.p == NULL ? span_of("") : row->problem);
    wire_put_text(out, "package");
    if (row->package.p == NULL)
        wire_put_nil(out);
    else
        wire_put_str(out, row->package);
    for (size_t i = 0; i < wire_count(extra); i++) {
        wire_put_str(out, wire_key_at(extra, i));
        wire_put_val(out, wire_val_at(extra, i));
    }
    wire_doc_free(doc);
}

static void event_put_body(struct buf *out, const struct event_row *row)
{
    wire_put_text(out, "body");
    if (row->title.p != NULL)
        event_put_posting(out, row);
    else if (row->body.p != NULL)
        wire_put_raw(out, row->body);
    else
        wire_put_map(out, 0);
}

void event_wire_put(struct buf *out, const struct event_row *row, const char *prefix, const char *cursor)
{
    char tracking[TRACKING_TEXT_BYTES];

    wire_put_map(out, cursor != NULL ? 9 : 6);
    if (cursor != NULL) {
        tracking_format(row->ticket, prefix, tracking);
        wire_put_key_text(out, "cursor", cursor);
        wire_put_key_text(out, "tracking", tracking);
        wire_put_key_str(out, "customer", row->customer);
    }
    wire_put_key_int(out, "version", row->version);
    wire_put_key_int(out, "at", row->at);
    wire_put_key_text(out, "kind", desk_event_name((enum desk_event)row->kind));
    event_put_as(out, row);
    wire_put_key_bool(out, "public", row->public);
    event_put_body(out, row);
}
