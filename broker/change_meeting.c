/* ticket.meeting: made, moved, cancelled; see change_ops.h.
 *
 * A meeting stands in its table as it is now; each change is an event with the whole of it, so that an invitation (UID, SEQUENCE: the event's
 * version) can be made from the event alone. What a move does not say stays as it was. */
#include "broker.h"
#include "calls.h"
#include "change_internal.h"
#include "change_ops.h"
#include "clock.h"
#include "mem.h"
#include "pg.h"
#include "read_end.h"
#include "statements.h"
#include "tracking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DURATION_S = 1800, ID_LETTERS = 10 };

/* The op while the meeting that it moves or cancels is read. */
struct meeting_op {
    struct broker *broker;
    struct call *call;
    bool found;
    char *medium, *where;
    struct buf attendees; /* encoded list */
    struct wire_doc *attendees_doc;
    int64_t at, duration_s, reminder_s;
    int32_t version;
};

static void meeting_free(struct meeting_op *op)
{
    free(op->medium);
    free(op->where);
    buf_clear(&op->attendees);
    wire_doc_free(op->attendees_doc);
    free(op);
}

/* ---- the change ---- */

static bool change_meeting_is_moved(const struct change_meeting *m)
{
    return !m->is_new && !m->cancelled;
}

static bool is_invited(const struct wire_val *attendees, struct span address)
{
    struct span is;

    for (size_t i = 0; i < wire_count(attendees); i++)
        if (wire_get_str(wire_at(attendees, i), &is) && is.len == address.len &&
            strncasecmp(is.p, address.p, is.len) == 0)
            return true;
    return false;
}

/* A list of those who are among one and not among the other; of a meeting that is moved, else nobody. */
static void put_others(struct buf *out, const char *key, const struct change_meeting *m,
                       const struct wire_val *among, const struct wire_val *not_among)
{
    wire_put_text(out, key);
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; change_meeting_is_moved(m) && i < wire_count(among); i++) {
        struct span address;
        if (wire_get_str(wire_at(among, i), &address) && !is_invited(not_among, address))
            wire_put_str(out, address), list.count++;
    }
    wire_list_close(out, &list);
}

/* How those know it who are left out of a meeting that is moved. */
static void put_was(struct buf *out, const struct change_meeting *m)
{
    wire_put_text(out, "was");
    if (!change_meeting_is_moved(m)) {
        wire_put_nil(out);
        return;
    }
    wire_put_map(out, 5);
    wire_put_key_str(out, "medium", m->was.medium);
    wire_put_key_int(out, "starts_at", m->was.at);
    wire_put_key_int(out, "ends_at", m->was.at + m->was.duration_s * US_PER_S);
    wire_put_key_int(out, "duration_s", m->was.duration_s);
    wire_put_key_str_or_nil(out, "where", m->was.where);
}

/* Packages of the current process that have meetings by this medium; NULL: no process is known here. */
static char **packages_with(const struct process *process, struct span medium)
{
    unsigned bit = span_is(medium, "im") ? CHANNEL_IM : CHANNEL_PHONE;
    size_t count = 0;
    char **names;

    if (process == NULL)
        return NULL;
    names = mem_new(process->package_count + 1, sizeof *names);
    for (size_t i = 0; i < process->package_count; i++)
        if ((process->packages[i].meetings & bit) != 0)
            names[count++] = mem_strndup(process->packages[i].name, strlen(process->packages[i].name));
    return names;
}

static struct span meeting_body(const struct change_input *input, int64_t ticket, const char *prefix)
{
    const struct change_meeting *m = &input->meeting;
    char tracking[TRACKING_TEXT_BYTES], uid[96];
    struct buf out;

    tracking_format(ticket, prefix, tracking);
    (void)snprintf(uid, sizeof uid, "%s@%s.docket", m->id, tracking);
    buf_init(&out, CHANGE_BODY_BYTES_MAX);
    wire_put_map(&out, 1);
    wire_put_text(&out, "meeting");
    wire_put_map(&out, 13);
    wire_put_key_text(&out, "id", m->id);
    wire_put_key_text(&out, "uid", uid);
    wire_put_key_text(&out, "what", m->cancelled ? "cancelled" : m->is_new ? "made" : "moved");
    wire_put_key_str(&out, "medium", m->medium);
    wire_put_key_int(&out, "starts_at", m->at);
    wire_put_key_int(&out, "ends_at", m->at + m->duration_s * US_PER_S);
    wire_put_key_int(&out, "duration_s", m->duration_s);
    wire_put_text(&out, "reminder_s");
    if (m->reminder_s < 0)
        wire_put_nil(&out);
    else
        wire_put_int(&out, m->reminder_s);
    wire_put_key_str_or_nil(&out, "where", m->where);
    wire_put_key_val(&out, "attendees", m->attendees);
    put_others(&out, "invited", m, m->attendees, m->attendees_were);
    put_others(&out, "dropped", m, m->attendees_were, m->attendees);
    put_was(&out, m);
    return buf_take_span(&out);
}

/* What the request says, else what the meeting was. */
static void meeting_fill(const struct meeting_op *op, struct change_meeting *ret)
{
    const struct request *req = &op->call->req;
    struct span where = request_text(req, F_WHERE);

    ret->is_new = !request_has(req, F_MEETING);
    ret->cancelled = request_bool(req, F_CANCEL, false);
    ret->medium = request_has(req, F_MEDIUM) ? request_text(req, F_MEDIUM) : span_of(op->medium);
    ret->at = request_int(req, F_WHO_AT, op->at);
    ret->duration_s = request_int(req, F_DURATION_S, op->duration_s);
    ret->reminder_s = request_int(req, F_REMINDER_S, op->reminder_s);
    ret->version = op->version;
    ret->where = where.p != NULL ? where : op->where == NULL ? SPAN_NONE : span_of(op->where);
    ret->attendees = request_has(req, F_ATTENDEES) ? req->vals[F_ATTENDEES] : wire_root(op->attendees_doc);
    ret->attendees_were = op->attendees_doc == NULL ? NULL : wire_root(op->attendees_doc);
    if (!ret->is_new) {
        ret->was.medium = span_of(op->medium);
        ret->was.at = op->at;
        ret->was.duration_s = op->duration_s;
        ret->was.where = op->where == NULL ? SPAN_NONE : span_of(op->where);
        struct span id = request_text(req, F_MEETING);
        (void)snprintf(ret->id, sizeof ret->id, "%.*s", (int)id.len, id.p);
        return;
    }
    /* Of the key: the same request again means the same meeting. */
    ret->id[0] = 'm';
    for (int i = 0; i < ID_LETTERS / 2; i++)
        (void)snprintf(ret->id + 1 + 2 * i, 3, "%02x", req->key_digest[i]);
}

static void on_changed(void *arg, const struct change_result *result)
{
    struct meeting_op *op = arg;
    struct change_meeting meeting = {0};

    meeting_fill(op, &meeting);
    if (result->err.code != ERR_NONE)
        call_refuse(op->call, &result->err);
    else
        change_answer(op->broker, op->call, result, meeting.id);
    meeting_free(op);
}

static void meeting_change(struct meeting_op *op)
{
    bool by_person = op->call->req.role != ROLE_SYSTEM;
    struct change_plan plan = {.row = DO_MEETING,
                               .event = EVENT_MEETING,
                               .public = true,
                               .tell = "meeting",
                               .reply_pending = by_person ? 0 : -1};
    struct broker *broker = op->broker;
    struct change_input *input = change_input_of(op->call, &plan);
    struct change_meeting *meeting = &input->meeting;

    meeting_fill(op, meeting);
    if (!meeting->cancelled)
        meeting->packages = packages_with(broker->process.parsed, meeting->medium);
    change_input_say(input, meeting_body(input, op->call->req.ticket, broker->settings.tracking_prefix));
    change_input_tell(input);
    change_order(broker, input,
                 &(struct change_order){.ticket = op->call->req.ticket,
                                        .key_digest = op->call->req.key_digest,
                                        .done = on_changed,
                                        .arg = op});
    change_input_release(input);
}

/* ---- the meeting as it was ---- */

static void get_on_rows(void *arg, PGresult *rows)
{
    enum { MEDIUM, AT, DURATION_OF, PLACE, REMINDER, VERSION };
    struct meeting_op *op = arg;

    if (PQntuples(rows) == 0)
        return;
    op->found = true;
    op->medium = pg_text(rows, 0, MEDIUM);
    op->at = pg_int(rows, 0, AT);
    op->duration_s = pg_int(rows, 0, DURATION_OF);
    op->where = pg_text(rows, 0, PLACE);
    op->reminder_s = pg_is_null(rows, 0, REMINDER) ? -1 : pg_int(rows, 0, REMINDER);
    op->version = (int32_t)pg_int(rows, 0, VERSION);
}

static void get_on_attendees(void *arg, PGresult *rows)
{
    struct meeting_op *op = arg;

    wire_put_list(&op->attendees, (size_t)PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++)
        wire_put_str(&op->attendees, pg_span(rows, i, 0));
}

static void get_on_end(void *arg, const struct pg_end *end)
{
    struct meeting_op *op = arg;
    struct err err;

    if (!read_end_is_ok(end, "meeting_get", &err) ||
        (!op->found &&
         !err_field(&err, ERR_NOT_FOUND, "meeting", "meeting: the ticket has none of this name")) ||
        !wire_parse(op->attendees.p, op->attendees.len, WIRE_DEPTH_MAX, &op->attendees_doc, &err) ||
        !broker_may_write(op->broker, &err)) {
        call_refuse(op->call, &err);
        meeting_free(op);
        return;
    }
    meeting_change(op);
}

static void meeting_get(struct meeting_op *op)
{
    struct broker *broker = op->broker;

    pg_params_reset(broker->params);
    pg_put_int8(broker->params, op->call->req.ticket);
    pg_put_bytes(broker->params, request_text(&op->call->req, F_MEETING));
    (void)pg_send(broker->reader_pg, READER_MEETING_GET, broker->params, get_on_rows, op);
    (void)pg_send(broker->reader_pg, READER_MEETING_ATTENDEES, broker->params, get_on_attendees, op);
    pg_sync(broker->reader_pg, get_on_end, op);
}

void change_meeting(struct broker *broker, struct call *call)
{
    struct meeting_op *op = mem_new(1, sizeof *op);
    op->broker = broker;
    op->call = call;
    op->duration_s = DURATION_S;
    op->reminder_s = -1;
    buf_init(&op->attendees, CHANGE_BODY_BYTES_MAX);
    if (request_has(&call->req, F_MEETING))
        meeting_get(op);
    else
        meeting_change(op);
}
