/* One change of one ticket; see change.h. */
#include "change.h"
#include "broker.h"
#include "change_internal.h"
#include "mem.h"
#include "op_key.h"
#include "param_put.h"
#include "pg.h"
#include "statements.h"
#include "wakes.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct change {
    struct unit unit;
    struct broker *broker;
    struct change_input *input;
    unsigned char key_digest[16];
    char *told_elsewhere; /* owned */
    struct op_key key;
    change_done_fn *done;
    void *arg;

    /* what the row said: believed after the commit only */
    struct {
        bool changed, is_there, link_is, link_may, has_children, meeting_is, meeting_same;
        bool task_is, in_time, to_come, off_same[OFF_FIELDS];
        int old_state, priority;
        int32_t version, old_version, attempt, key_version;
        int64_t at;
        char customer[65];
        char *duplicates; /* owned */
    } row;
};

/* ---- what is said ---- */

struct change_input *change_input_new(void)
{
    struct change_input *input = mem_new(1, sizeof *input);
    input->uses = 1;
    return input;
}

void change_input_release(struct change_input *input)
{
    if (input == NULL || --input->uses != 0)
        return;
    for (char **name = input->meeting.packages; name != NULL && *name != NULL; name++)
        free(*name);
    free(input->meeting.packages);
    free((void *)(uintptr_t)input->event_body.p);
    free((void *)(uintptr_t)input->told.p);
    free(input->assignee);
    free(input->off);
    wire_doc_free(input->doc);
    free(input);
}

void change_input_say(struct change_input *input, struct span body)
{
    free((void *)(uintptr_t)input->event_body.p);
    input->event_body = body;
}

void change_input_tell(struct change_input *input)
{
    static const char *const kept[] = {"text", "reason", "on", "vendor", "proposal", "meeting"};
    struct wire_doc *doc = NULL;
    struct err unused;
    struct buf out;

    if (!wire_parse(input->event_body.p, input->event_body.len, WIRE_DEPTH_MAX, &doc, &unused))
        return; /* it cannot be: the fields have limits */
    buf_init(&out, CHANGE_BODY_BYTES_MAX);
    struct wire_map map = wire_map_open(&out);
    wire_put_key_text(&out, "by", input->actor), map.count++;
    if (input->role == ROLE_STAFF || input->role == ROLE_ADMIN)
        wire_put_key_bool(&out, "by_staff", true), map.count++;
    if (input->plan.event == EVENT_APPROVED || input->plan.event == EVENT_CLOSED)
        wire_put_key_bool(&out, "approved", input->plan.event == EVENT_APPROVED), map.count++;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (wire_find(wire_root(doc), kept[i]) != NULL)
            wire_put_key_val(&out, kept[i], wire_find(wire_root(doc), kept[i])), map.count++;
    wire_map_close(&out, &map);
    wire_doc_free(doc);
    input->told = buf_take_span(&out);
}

/* ---- the end ---- */

static void why_not_link(const struct change *change, struct err *err)
{
    if (!change->row.link_is)
        (void)err_field(err, ERR_NOT_FOUND, "to", "to: no ticket has this tracking number");
    else
        (void)err_field(err, ERR_CONFLICT, "as_link",
                        "as_link: a child has no children of its own: link all to the one main ticket");
}

static void why_not_meeting(const struct change *change, struct err *err)
{
    const struct change_meeting *meeting = &change->input->meeting;

    if (!change->row.meeting_is)
        (void)err_field(err, ERR_NOT_FOUND, "meeting", "meeting: the ticket has none of this name to come");
    else if (!change->row.meeting_same)
        (void)err_field(err, ERR_BUSY, "meeting", "meeting: somebody else changed it just now: repeat");
    else
        (void)err_field(err, ERR_CONFLICT, "medium", "medium: the ticket's package has no meetings by %.*s",
                        (int)meeting->medium.len, meeting->medium.p);
}

/* What is off its form today is not what the ticket has. */
static bool off_differs(const struct change *change, struct err *err)
{
    for (int field = 0; field < OFF_FIELDS; field++)
        if (!change->row.off_same[field]) {
            *err = change->input->off->refusals[field];
            return true;
        }
    return false;
}

/* Why nothing was changed. */
static void why_not(const struct change *change, struct change_result *ret)
{
    const struct change_input *input = change->input;
    char allowed[160];

    if (!op_key_check(&change->key, &ret->err))
        return;
    if (!change->row.is_there) {
        (void)err_field(&ret->err, ERR_NOT_FOUND, "tracking", "no ticket has this tracking number");
    } else if (input->if_version != 0 && input->if_version != change->row.old_version) {
        (void)err_field(&ret->err, ERR_CONFLICT, "if_version", "the ticket is at version %d by now",
                        (int)change->row.old_version);
    } else if (states_next(input->plan.row, (enum desk_state)change->row.old_state) == STATE_REFUSED) {
        states_allowed(input->plan.row, allowed, sizeof allowed);
        (void)err_field(&ret->err, ERR_CONFLICT, "state", "the ticket is %s; %s is possible when it is %s",
                        desk_state_name((enum desk_state)change->row.old_state), input->op, allowed);
    } else if (off_differs(change, &ret->err)) {
        return;
    } else if (!change->row.to_come) {
        (void)err_field(&ret->err, ERR_INVALID, input->come_field, "%s: lies in the past", input->come_field);
    } else if (!change->row.link_is || !change->row.link_may) {
        why_not_link(change, &ret->err);
    } else if (!change->row.in_time) {
        ret->is_late = true;
        (void)err_field(&ret->err, ERR_CONFLICT, "state",
                        "the ticket was closed too long ago: comment on it alone, which makes a new one");
    } else if (!change->row.task_is) {
        (void)err_field(&ret->err, ERR_NOT_FOUND, "task", "task: the ticket has no open one of this number");
    } else if (input->package.p != NULL) {
        (void)err_set(&ret->err, ERR_CONFLICT, "the ticket has the package %.*s already",
                      (int)input->package.len, input->package.p);
    } else {
        why_not_meeting(change, &ret->err);
    }
}

static void change_committed(struct change *change, struct change_result *ret)
{
    struct broker *broker = change->broker;

    ret->old_state = (enum desk_state)change->row.old_state;
    if (change->row.changed) {
        wakes_changed(broker, change->unit.ticket, change->row.attempt, change->row.version,
                      change->row.priority, span_of(change->row.customer), change->row.at, REASON_EVENT);
        broker->outbox_written = broker->outbox_written || change->input->plan.tell != NULL;
        ret->version = change->row.version;
        ret->has_children = change->row.has_children;
        ret->duplicates = change->row.duplicates;
    } else if (change->key.is_there && change->key.same && !change->key.taken) {
        ret->version = change->row.key_version;
        ret->duplicate = !change->key.ours;
    } else {
        why_not(change, ret);
    }
}

static void change_done(struct unit *unit, const struct err *err)
{
    struct change *change = (struct change *)unit;
    struct change_result result = {.ticket = unit->ticket};
    bool changed = err == NULL && change->row.changed;

    if (err == NULL)
        change_committed(change, &result);
    else
        result.err = *err;
    if (!changed)
        wakes_not_overtaken(change->broker, unit->ticket);
    change->done(change->arg, &result);
    change_input_release(change->input);
    free(change->told_elsewhere);
    free(change->row.duplicates);
    free(change);
}

/* ---- the statement ---- */

static void change_on_rows(void *arg, PGresult *rows)
{
    struct change *change = arg;
    enum {
        CHANGED,
        VERSION,
        ATTEMPT,
        PRIORITY,
        IS_THERE,
        OLD_STATE,
        OLD_VERSION,
        CUSTOMER,
        KEY_TAKEN,
        LINK_IS,
        LINK_MAY,
        MEETING_IS,
        MEETING_SAME,
        PACKAGE_MAY,
        TASK_IS,
        IN_TIME,
        TO_COME,
        TITLE_SAME,
        QUEUE_SAME,
        TAGS_SAME,
        HAS_CHILDREN,
        DUPLICATES,
        KEY_CONTENT,
        KEY_REQUEST,
        KEY_VERSION,
        AT
    };
    struct span customer = pg_span(rows, 0, CUSTOMER);
    struct span duplicates = pg_span(rows, 0, DUPLICATES);

    change->row.changed = pg_bool(rows, 0, CHANGED);
    change->row.version = (int32_t)pg_int(rows, 0, VERSION);
    change->row.attempt = (int32_t)pg_int(rows, 0, ATTEMPT);
    change->row.priority = (int)pg_int(rows, 0, PRIORITY);
    change->row.is_there = pg_bool(rows, 0, IS_THERE);
    change->row.old_state = (int)pg_int(rows, 0, OLD_STATE);
    change->row.old_version = (int32_t)pg_int(rows, 0, OLD_VERSION);
    change->row.link_is = pg_bool(rows, 0, LINK_IS);
    change->row.link_may = pg_bool(rows, 0, LINK_MAY);
    change->row.meeting_is = pg_bool(rows, 0, MEETING_IS);
    change->row.meeting_same = pg_bool(rows, 0, MEETING_SAME);
    change->row.task_is = pg_bool(rows, 0, TASK_IS);
    change->row.in_time = pg_bool(rows, 0, IN_TIME);
    change->row.to_come = pg_bool(rows, 0, TO_COME);
    change->row.off_same[OFF_TITLE] = pg_bool(rows, 0, TITLE_SAME);
    change->row.off_same[OFF_QUEUE] = pg_bool(rows, 0, QUEUE_SAME);
    change->row.off_same[OFF_TAGS] = pg_bool(rows, 0, TAGS_SAME);
    change->row.has_children = pg_bool(rows, 0, HAS_CHILDREN);
    free(change->row.duplicates);
    change->row.duplicates = duplicates.len == 0 ? NULL : mem_strndup(duplicates.p, duplicates.len);
    op_key_read(&change->key, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST, change->input->content_digest);
    change->row.key_version = (int32_t)pg_int(rows, 0, KEY_VERSION);
    change->row.at = pg_int(rows, 0, AT);
    (void)snprintf(change->row.customer, sizeof change->row.customer, "%.*s", (int)customer.len,
                   customer.p == NULL ? "" : customer.p);
}

/* A map of "set", encoded; NULL when it is not there. */
static void put_map_or_null(struct pg_params *params, const struct wire_val *set, const char *key)
{
    struct buf out;
    if (wire_find(set, key) == NULL) {
        pg_put_null(params);
        return;
    }
    buf_init(&out, CHANGE_BODY_BYTES_MAX);
    wire_put_val(&out, wire_find(set, key));
    pg_put_bytes(params, buf_span(&out));
    buf_clear(&out);
}

/* $32 to $40 */
static void put_meeting(struct pg_params *params, const struct change_meeting *meeting)
{
    pg_put_text(params, meeting->id[0] == '\0' ? NULL : meeting->id);
    pg_put_bool(params, meeting->is_new);
    pg_put_bool(params, meeting->cancelled);
    pg_put_bytes(params, meeting->medium);
    pg_put_int8(params, meeting->at);
    pg_put_int8(params, meeting->duration_s);
    pg_put_bytes(params, meeting->where);
    param_put_texts(params, meeting->attendees);
    if (meeting->packages == NULL) {
        pg_put_null(params);
        return;
    }
    pg_array_open(params, PG_TEXT);
    for (char **name = meeting->packages; *name != NULL; name++)
        pg_array_bytes(params, span_of(*name));
    pg_array_close(params);
}

/* $47, $48 */
static void put_meeting_terms(struct pg_params *params, const struct change_meeting *meeting)
{
    if (meeting->reminder_s < 0)
        pg_put_null(params);
    else
        pg_put_int8(params, meeting->reminder_s);
    param_put_int4_not_0(params, meeting->version);
}

/* $50 to $52 */
static void put_off_form(struct pg_params *params, const struct off_form *off)
{
    struct span tag;

    pg_put_bytes(params, off == NULL ? SPAN_NONE : off->texts[OFF_TITLE]);
    pg_put_bytes(params, off == NULL ? SPAN_NONE : off->texts[OFF_QUEUE]);
    if (off == NULL || off->off_tags == 0) {
        pg_put_null(params);
        return;
    }
    pg_array_open(params, PG_TEXT);
    for (size_t i = 0; i < wire_count(off->tags); i++)
        if ((off->off_tags & UINT32_C(1) << i) != 0 && wire_get_str(wire_at(off->tags, i), &tag))
            pg_array_bytes(params, tag);
    pg_array_close(params);
}

/* $1 to $52 of change.sql, in their order. */
static void change_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct change *change = (struct change *)unit;
    const struct change_input *input = change->input;
    const struct change_plan *plan = &input->plan;
    const struct wire_val *set = input->set, *tags = wire_find(set, "tags");
    struct span queue = wire_find_str(set, "queue");

    pg_put_int8(params, unit->ticket);
    op_key_put(&change->key, change->key_digest, input->content_digest, params);
    pg_put_int8(params, change->broker->epoch);
    param_put_states(params, plan->row);
    pg_put_int2(params, (int16_t)plan->event);
    pg_put_int2(params, (int16_t)input->role);
    pg_put_text(params, input->actor);
    pg_put_bool(params, plan->public);
    pg_put_bytes(params, input->event_body);
    pg_put_int2(params, (int16_t)plan->held);
    param_put_int2_not_0(params, (int16_t)plan->priority);
    pg_put_int2(params, (int16_t)plan->assignee_do);
    pg_put_text(params, input->assignee != NULL ? input->assignee : input->actor);
    pg_put_int2(params, queue.p == NULL ? 0 : 1);
    pg_put_bytes(params, queue);
    pg_put_int2(params, tags == NULL ? 0 : 1);
    param_put_texts_or_null(params, tags);
    if (plan->reply_pending < 0)
        pg_put_null(params);
    else
        pg_put_bool(params, plan->reply_pending != 0);
    param_put_int4_not_0(params, input->if_version);
    pg_put_text(params, plan->tell);
    pg_put_bytes(params, plan->tell == NULL ? SPAN_NONE : input->told);
    pg_put_bytes(params, wire_find_str(set, "title"));
    put_map_or_null(params, set, "equipment");
    put_map_or_null(params, set, "configuration");
    put_map_or_null(params, set, "attributes");
    param_put_int8_not_0(params, input->link_to);
    pg_put_bytes(params, input->as_link);
    pg_put_text(params, change->told_elsewhere);
    pg_put_bool(params, plan->to_children);
    put_meeting(params, &input->meeting);
    pg_put_bytes(params, input->package);
    param_put_int4_not_0(params, input->task);
    param_put_int8_not_0(params, input->reopen_us);
    pg_put_bytes(params, input->answered);
    pg_put_bytes(params, input->attendee);
    pg_put_bytes(params, input->answer);
    put_meeting_terms(params, &input->meeting);
    if (input->come_field == NULL)
        pg_put_null(params);
    else
        pg_put_int8(params, input->come_at);
    put_off_form(params, input->off);
    (void)pg_send(pg, W_CHANGE, params, change_on_rows, change);
}

static const struct unit_type change_type = {.group = GROUP_SINGLE,
                                             .repeatable = true,
                                             .makes_desk = true,
                                             .locks = true,
                                             .send = change_send,
                                             .done = change_done};

/* A change is about to come: a decision that comes now would be stale, so it is not even sent. */
static void change_overtake(struct broker *broker, int64_t ticket)
{
    struct wake *wake = wakes_find(broker, ticket);
    if (wake != NULL && (wake->place == WAKE_HANDED || wake->place == WAKE_LOADING))
        wake->overtaken = true;
}

void change_order(struct broker *broker, struct change_input *input, const struct change_order *order)
{
    struct change *change = mem_new(1, sizeof *change);

    change->unit.type = &change_type;
    change->unit.ticket = order->ticket;
    change->unit.bytes = input->event_body.len + input->told.len + 512;
    change->broker = broker;
    change->input = input;
    input->uses++;
    memcpy(change->key_digest, order->key_digest, sizeof change->key_digest);
    if (order->told_elsewhere != NULL)
        change->told_elsewhere = mem_strndup(order->told_elsewhere, strlen(order->told_elsewhere));
    change->done = order->done;
    change->arg = order->arg;
    op_key_begin(&change->key);
    change_overtake(broker, order->ticket);
    writer_add(broker->writer, &change->unit);
}
