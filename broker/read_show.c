/* ticket.show; see read_show.h. */
#include "read_show.h"

#include <stdlib.h>

#include "event_wire.h"
#include "mem.h"
#include "read_deadlines.h"
#include "read_messages.h"
#include "row_put.h"
#include "statements_reader.h"
#include "ticket_row.h"
#include "tracking.h"
#include "wire.h"

enum show_column { SHOW_DEAD = TICKET_COLUMNS, SHOW_DECIDED, SHOW_POSTED_PACKAGE };
enum link_column { LINK_OUTGOING, LINK_OTHER, LINK_AS, LINK_AT };

struct showing {
    struct buf body;
    struct wire_map map; /* of the ticket, open until the end */
    bool found;
    int32_t after, version;
    int64_t reminder_s; /* before meetings that say nothing of it; -1: not known */
    enum read_taken taken;
    const char *prefix;
    read_answer_fn *fn;
    void *arg;
};

static struct showing *showing_new(const char *prefix, read_answer_fn *fn, void *arg)
{
    struct showing *showing = mem_new(1, sizeof *showing);
    *showing = (struct showing){.prefix = prefix, .fn = fn, .arg = arg};
    buf_init(&showing->body, READ_SHOW_BYTES_MAX);
    return showing;
}

static void show_on_ticket(void *arg, PGresult *rows)
{
    struct showing *showing = arg;
    struct ticket_row row;

    showing->found = PQntuples(rows) == 1;
    if (!showing->found)
        return;
    ticket_row_from_pg(rows, 0, &row);
    row.decided = (int32_t)pg_int(rows, 0, SHOW_DECIDED);
    row.posted_package = pg_span(rows, 0, SHOW_POSTED_PACKAGE);
    showing->version = row.version;
    showing->map = ticket_open_answer(&showing->body, &row, showing->prefix, true);
    wire_put_key_bool(&showing->body, "dead", pg_bool(rows, 0, SHOW_DEAD)), showing->map.count++;
}

static void show_on_links(void *arg, PGresult *rows)
{
    struct showing *showing = arg;
    struct buf *out = &showing->body;

    if (!showing->found)
        return;
    wire_put_text(out, "links");
    wire_put_list(out, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++) {
        char tracking[TRACKING_TEXT_BYTES];
        tracking_format(pg_int(rows, i, LINK_OTHER), showing->prefix, tracking);
        wire_put_map(out, 3);
        wire_put_key_text(out, pg_bool(rows, i, LINK_OUTGOING) ? "to" : "from", tracking);
        wire_put_key_str(out, "as_link", pg_span(rows, i, LINK_AS));
        wire_put_key_int(out, "at", pg_int(rows, i, LINK_AT));
    }
    showing->map.count++;
}

enum task_column { TASK_VERSION, TASK_BODY, TASK_AGREED_AT, TASK_AGREED_BY, TASK_DONE_AT, TASK_DONE_BY };

/* A step as it was proposed; of a proposal without one, its reason. */
static void put_task(struct buf *out, const PGresult *rows, int row)
{
    struct span bytes = pg_span(rows, row, TASK_BODY);
    struct wire_doc *doc = NULL;
    struct err unused;

    if (!wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &unused))
        doc = NULL;
    const struct wire_val *body = doc == NULL ? NULL : wire_root(doc);
    struct span what = wire_find_str(body, "proposal");
    wire_put_map(out, 7);
    wire_put_key_int(out, "task", pg_int(rows, row, TASK_VERSION));
    wire_put_key_str_or_nil(out, "what", what.p != NULL ? what : wire_find_str(body, "reason"));
    wire_put_key_str_or_nil(out, "vendor", wire_find_str(body, "vendor"));
    wire_put_key_int(out, "agreed_at", pg_int(rows, row, TASK_AGREED_AT));
    wire_put_key_str_or_nil(out, "agreed_by", pg_span(rows, row, TASK_AGREED_BY));
    row_put_int(out, "done_at", rows, row, TASK_DONE_AT);
    wire_put_key_str_or_nil(out, "done_by", pg_span(rows, row, TASK_DONE_BY));
    wire_doc_free(doc);
}

static void show_on_tasks(void *arg, PGresult *rows)
{
    struct showing *showing = arg;

    if (!showing->found)
        return;
    wire_put_text(&showing->body, "tasks");
    wire_put_list(&showing->body, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++)
        put_task(&showing->body, rows, i);
    showing->map.count++;
}

enum meeting_column {
    MEETING_ID,
    MEETING_CANCELLED,
    MEETING_MEDIUM,
    MEETING_AT,
    MEETING_DURATION,
    MEETING_PLACE,
    MEETING_REMINDER,
    MEETING_ATTENDEE,
    MEETING_ANSWER,
    MEETING_ANSWERED_AT,
    MEETING_VERSION
};

/* The meeting that begins at a row; its attendees are this row and those behind it of the same one. Gives the row after it. */
static int put_meeting(const struct showing *showing, struct buf *out, const PGresult *rows, int row)
{
    struct span id = pg_span(rows, row, MEETING_ID);
    int end = row + 1;

    while (end < PQntuples(rows) && span_equal(pg_span(rows, end, MEETING_ID), id))
        end++;
    wire_put_map(out, 9);
    wire_put_key_str(out, "meeting", id);
    wire_put_key_int(out, "sequence", pg_int(rows, row, MEETING_VERSION));
    wire_put_key_bool(out, "cancelled", pg_bool(rows, row, MEETING_CANCELLED));
    wire_put_key_str(out, "medium", pg_span(rows, row, MEETING_MEDIUM));
    wire_put_key_int(out, "at", pg_int(rows, row, MEETING_AT));
    wire_put_key_int(out, "duration_s", pg_int(rows, row, MEETING_DURATION));
    int64_t reminder_s =
        pg_is_null(rows, row, MEETING_REMINDER) ? showing->reminder_s : pg_int(rows, row, MEETING_REMINDER);
    wire_put_text(out, "reminder_s");
    if (reminder_s < 0)
        wire_put_nil(out);
    else
        wire_put_int(out, reminder_s);
    wire_put_key_str_or_nil(out, "where", pg_span(rows, row, MEETING_PLACE));
    wire_put_text(out, "attendees");
    wire_put_list(out, (size_t)(end - row));
    for (; row < end; row++) {
        wire_put_map(out, 3);
        wire_put_key_str(out, "attendee", pg_span(rows, row, MEETING_ATTENDEE));
        wire_put_key_str_or_nil(out, "answer", pg_span(rows, row, MEETING_ANSWER));
        row_put_int(out, "answered_at", rows, row, MEETING_ANSWERED_AT);
    }
    return end;
}

static void show_on_meetings(void *arg, PGresult *rows)
{
    struct showing *showing = arg;

    if (!showing->found)
        return;
    wire_put_text(&showing->body, "meetings");
    struct wire_map list = wire_list_open(&showing->body);
    for (int row = 0; row < PQntuples(rows); list.count++)
        row = put_meeting(showing, &showing->body, rows, row);
    wire_list_close(&showing->body, &list);
    showing->map.count++;
}

static void show_on_deadlines(void *arg, PGresult *rows)
{
    struct showing *showing = arg;

    if (!showing->found)
        return;
    wire_put_text(&showing->body, "deadlines");
    read_deadlines_put(&showing->body, rows, showing->prefix);
    showing->map.count++;
}

static void show_on_messages(void *arg, PGresult *rows)
{
    struct showing *showing = arg;

    if (!showing->found)
        return;
    wire_put_text(&showing->body, "messages");
    read_messages_put(&showing->body, rows);
    showing->map.count++;
}

/* Puts events while they fit; the first one always goes. */
static void show_on_events(void *arg, PGresult *rows)
{
    struct showing *showing = arg;
    struct buf *out = &showing->body;
    int32_t last = showing->after;

    if (!showing->found)
        return;
    wire_put_text(out, "events");
    struct wire_map list = wire_list_open(out);
    size_t start = out->len;
    for (int i = 0; i < PQntuples(rows) && !out->failed; i++) {
        struct event_row row;
        size_t before = out->len;
        event_row_from_pg(rows, i, &row);
        event_wire_put(out, &row, showing->prefix, NULL);
        if (list.count != 0 && out->len - start > READ_SHOW_EVENTS_BYTES) {
            out->len = before; /* taken back: it does not fit */
            break;
        }
        last = row.version;
        list.count++;
    }
    wire_list_close(out, &list);
    wire_put_key_bool(out, "events_more", last < showing->version);
    showing->map.count += 2;
}

static void show_on_end(void *arg, const struct pg_end *end)
{
    struct showing *showing = arg;
    struct err err = {0};
    bool ok = read_end_is_ok(end, "show", &err);

    if (ok && !showing->found)
        ok = err_field(&err, ERR_NOT_FOUND, "tracking", "there is no ticket with this tracking number");
    if (ok) {
        wire_map_close(&showing->body, &showing->map);
        if (showing->body.failed)
            ok = err_set(&err, ERR_TOO_LARGE, "the ticket does not fit into one answer");
    }
    showing->fn(showing->arg, ok ? buf_span(&showing->body) : SPAN_NONE, ok ? NULL : &err);
    buf_clear(&showing->body);
    free(showing);
}

void read_show_send(struct pg *reader, struct pg_params *params, int64_t ticket, int32_t after,
                    int64_t reminder_s, const char *prefix, read_answer_fn *fn, void *arg)
{
    struct showing *showing = showing_new(prefix, fn, arg);

    showing->after = after;
    showing->reminder_s = reminder_s;
    pg_params_reset(params);
    pg_put_int8(params, ticket);
    (void)pg_send(reader, READER_READ_SHOW, params, show_on_ticket, showing);
    (void)pg_send(reader, READER_READ_LINKS, params, show_on_links, showing);
    (void)pg_send(reader, READER_READ_TASKS, params, show_on_tasks, showing);
    (void)pg_send(reader, READER_READ_MEETINGS, params, show_on_meetings, showing);
    (void)pg_send(reader, READER_READ_DEADLINES, params, show_on_deadlines, showing);
    (void)pg_send(reader, READER_READ_MESSAGES, params, show_on_messages, showing);
    pg_put_int4(params, after);
    pg_put_int8(params, READ_SHOW_EVENTS_BYTES);
    (void)pg_send(reader, READER_READ_HISTORY, params, show_on_events, showing);
    pg_sync(reader, show_on_end, showing);
}

/* ---- ticket.next ---- */

static void ticket_on_row(void *arg, PGresult *rows)
{
    struct showing *showing = arg;

    wire_put_map(&showing->body, showing->taken == TAKEN_NOT ? 1 : 2);
    if (showing->taken != TAKEN_NOT)
        wire_put_key_bool(&showing->body, "duplicate", showing->taken == TAKEN_BEFORE);
    wire_put_text(&showing->body, "ticket");
    show_on_ticket(showing, rows);
}

void read_ticket_send(struct pg *reader, struct pg_params *params, int64_t ticket, const char *prefix,
                      enum read_taken taken, read_answer_fn *fn, void *arg)
{
    struct showing *showing = showing_new(prefix, fn, arg);

    showing->taken = taken;
    pg_params_reset(params);
    pg_put_int8(params, ticket);
    (void)pg_send(reader, READER_READ_SHOW, params, ticket_on_row, showing);
    (void)pg_send(reader, READER_READ_LINKS, params, show_on_links, showing);
    pg_sync(reader, show_on_end, showing);
}
