/* Changes of a ticket; see change.h. */
#include "change.h"
#include "broker.h"
#include "clock.h"
#include "mem.h"
#include "ops.h"
#include "statements.h"
#include "tracking.h"
#include "wakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { EVENT_BYTES_MAX = 512 << 10, ANSWER_BYTES = 512 };

struct change {
    struct unit unit;
    struct broker *broker;
    struct call *call;
    struct change_plan plan;
    int64_t request;              /* random: tells our own repeat from a duplicate */
    struct span event_body, told; /* encoded, owned */
    char *assignee;               /* of an assignment; owned */
    int64_t posted_at;            /* of a submit with take; 0: a change of its own */
    bool submit_duplicate;

    /* what the row said: believed after the commit only */
    struct {
        bool changed, is_there, key_taken, link_is, has_key, key_same, key_ours;
        int old_state, priority;
        int32_t version, old_version, attempt, key_version;
        int64_t at;
        char customer[65];
    } row;
};

/* ---- what goes into the event ---- */

/* The words and facts of an op, as the event keeps them. */
static struct span change_event_body(const struct request *req)
{
    static const enum field kept[] = {F_TEXT,     F_REASON,   F_CLOSE_REASON, F_ON,  F_VENDOR, F_PROPOSAL,
                                      F_UNTIL_AT, F_PRIORITY, F_STAFF,        F_SET, F_AS_LINK};
    struct buf out;
    size_t len;

    buf_init(&out, EVENT_BYTES_MAX);
    struct wire_map map = wire_map_open(&out);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (request_has(req, kept[i]))
            wire_put_key_val(&out, request_field_name(kept[i]), req->vals[kept[i]]), map.count++;
    if (req->link_to != 0)
        wire_put_key_str(&out, "to", request_text(req, F_TO)), map.count++;
    wire_map_close(&out, &map);
    char *bytes = buf_take(&out, &len);
    return (struct span){bytes, bytes == NULL ? 0 : len};
}

/* What the customer's message is made of: the public words only. */
static struct span change_told(const struct request *req, const struct change_plan *plan)
{
    static const enum field kept[] = {F_TEXT, F_REASON, F_CLOSE_REASON, F_ON, F_VENDOR, F_PROPOSAL};
    struct buf out;
    size_t len;

    buf_init(&out, EVENT_BYTES_MAX);
    struct wire_map map = wire_map_open(&out);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (request_has(req, kept[i]))
            wire_put_key_val(&out, request_field_name(kept[i]), req->vals[kept[i]]), map.count++;
    wire_put_key_text(&out, "by", req->actor), map.count++;
    if (plan->event == EVENT_APPROVED || plan->event == EVENT_CLOSED)
        wire_put_key_bool(&out, "approved", plan->event == EVENT_APPROVED), map.count++;
    wire_map_close(&out, &map);
    char *bytes = buf_take(&out, &len);
    return (struct span){bytes, bytes == NULL ? 0 : len};
}

/* ---- answers ---- */

static void change_answer(struct change *change, int32_t version, bool duplicate)
{
    struct buf out;
    char tracking[TRACKING_TEXT_BYTES];

    buf_init(&out, ANSWER_BYTES);
    if (change->posted_at != 0) {
        tracking_format(change->unit.ticket, change->broker->settings.tracking_prefix, tracking);
        wire_put_map(&out, 3);
        wire_put_key_text(&out, "tracking", tracking);
        wire_put_key_int(&out, "posted_at", change->posted_at);
        wire_put_key_bool(&out, "duplicate", change->submit_duplicate);
    } else {
        wire_put_map(&out, 2);
        wire_put_key_int(&out, "version", version);
        wire_put_key_bool(&out, "duplicate", duplicate);
    }
    call_answer(change->call, buf_span(&out));
    buf_clear(&out);
}

/* Why nothing was changed. */
static void change_why_not(const struct change *change, struct err *err)
{
    char allowed[160];

    if (change->row.key_taken || (change->row.has_key && !change->row.key_same)) {
        (void)err_field(err, ERR_CONFLICT, "key", "key: it was used before with another op or other content");
    } else if (!change->row.is_there) {
        (void)err_field(err, ERR_NOT_FOUND, "tracking", "no ticket has this tracking number");
    } else if (!change->row.link_is) {
        (void)err_field(err, ERR_NOT_FOUND, "to", "to: no ticket has this tracking number");
    } else if (request_int(&change->call->req, F_IF_VERSION, change->row.old_version) !=
               change->row.old_version) {
        (void)err_field(err, ERR_CONFLICT, "if_version", "the ticket is at version %d by now",
                        (int)change->row.old_version);
    } else {
        states_allowed(change->plan.row, allowed, sizeof allowed);
        (void)err_field(err, ERR_CONFLICT, "state", "the ticket is %s; %s is possible when it is %s",
                        desk_state_name((enum desk_state)change->row.old_state), change->call->req.op->name,
                        allowed);
    }
}

static void change_committed(struct change *change)
{
    struct broker *broker = change->broker;
    struct err err;

    if (change->row.changed) {
        wakes_changed(broker, change->unit.ticket, change->row.attempt, change->row.version,
                      change->row.priority, span_of(change->row.customer), change->row.at, REASON_EVENT);
        broker->outbox_written = broker->outbox_written || change->plan.tell != NULL;
        change_answer(change, change->row.version, false);
    } else if (change->row.has_key && change->row.key_same && !change->row.key_taken) {
        change_answer(change, change->row.key_version, !change->row.key_ours);
    } else if (change->posted_at != 0) {
        change_answer(
            change, 1,
            change->submit_duplicate); /* somebody else was quicker to take it: it is posted all the same */
    } else {
        change_why_not(change, &err);
        call_refuse(change->call, &err);
    }
}

static void change_done(struct unit *unit, const struct err *err)
{
    struct change *change = (struct change *)unit;
    bool changed = err == NULL && change->row.changed;

    if (err == NULL)
        change_committed(change);
    else
        call_refuse(change->call, err);
    if (!changed)
        wakes_not_overtaken(change->broker, unit->ticket);
    free((void *)(uintptr_t)change->event_body.p);
    free((void *)(uintptr_t)change->told.p);
    free(change->assignee);
    free(change);
}

/* ---- the statement ---- */

static void change_on_rows(void *arg, PGresult *rows)
{
    struct change *change = arg;
    const struct request *req = &change->call->req;
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
        KEY_CONTENT,
        KEY_REQUEST,
        KEY_VERSION,
        AT
    };
    struct span content = pg_span(rows, 0, KEY_CONTENT), customer = pg_span(rows, 0, CUSTOMER);

    change->row.changed = pg_bool(rows, 0, CHANGED);
    change->row.version = (int32_t)pg_int(rows, 0, VERSION);
    change->row.attempt = (int32_t)pg_int(rows, 0, ATTEMPT);
    change->row.priority = (int)pg_int(rows, 0, PRIORITY);
    change->row.is_there = pg_bool(rows, 0, IS_THERE);
    change->row.old_state = (int)pg_int(rows, 0, OLD_STATE);
    change->row.old_version = (int32_t)pg_int(rows, 0, OLD_VERSION);
    change->row.key_taken = pg_bool(rows, 0, KEY_TAKEN);
    change->row.link_is = pg_bool(rows, 0, LINK_IS);
    change->row.has_key = content.p != NULL;
    change->row.key_same = content.len == 16 && memcmp(content.p, req->content_digest, 16) == 0;
    change->row.key_ours = pg_int(rows, 0, KEY_REQUEST) == change->request;
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
    buf_init(&out, EVENT_BYTES_MAX);
    wire_put_val(&out, wire_find(set, key));
    pg_put_bytes(params, buf_span(&out));
    buf_clear(&out);
}

static void put_tags(struct pg_params *params, const struct wire_val *tags)
{
    struct span tag;

    pg_put_int2(params, tags == NULL ? 0 : 1);
    if (tags == NULL) {
        pg_put_null(params);
        return;
    }
    pg_array_open(params, PG_TEXT);
    for (size_t i = 0; i < wire_count(tags); i++)
        if (wire_get_str(wire_at(tags, i), &tag))
            pg_array_bytes(params, tag);
    pg_array_close(params);
}

static void put_int_or_null(struct pg_params *params, const struct request *req, enum field field)
{
    if (request_has(req, field))
        pg_put_int4(params, (int32_t)request_int(req, field, 0));
    else
        pg_put_null(params);
}

static void put_states(struct pg_params *params, enum states_op op)
{
    int16_t next[STATES];
    states_row(op, next);
    pg_array_open(params, PG_INT2);
    for (int i = 0; i < STATES; i++)
        pg_array_int(params, next[i]);
    pg_array_close(params);
}

/* $1 to $29 of change.sql, in their order. */
static void change_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct change *change = (struct change *)unit;
    const struct request *req = &change->call->req;
    const struct change_plan *plan = &change->plan;
    const struct wire_val *set = req->vals[F_SET];
    struct span queue = wire_find_str(set, "queue");

    pg_put_int8(params, unit->ticket);
    pg_put_bytes(params, (struct span){(const char *)req->key_digest, 16});
    pg_put_bytes(params, (struct span){(const char *)req->content_digest, 16});
    pg_put_int8(params, change->request);
    pg_put_int8(params, change->broker->epoch);
    put_states(params, plan->row);
    pg_put_int2(params, (int16_t)plan->event);
    pg_put_int2(params, (int16_t)req->role);
    pg_put_text(params, req->actor);
    pg_put_bool(params, plan->public);
    pg_put_bytes(params, change->event_body);
    pg_put_int2(params, (int16_t)plan->held);
    if (plan->priority == 0)
        pg_put_null(params);
    else
        pg_put_int2(params, (int16_t)plan->priority);
    pg_put_int2(params, (int16_t)plan->assignee_do);
    pg_put_text(params, plan->assignee);
    pg_put_int2(params, queue.p == NULL ? 0 : 1);
    pg_put_bytes(params, queue);
    put_tags(params, wire_find(set, "tags"));
    if (plan->reply_pending < 0)
        pg_put_null(params);
    else
        pg_put_bool(params, plan->reply_pending != 0);
    put_int_or_null(params, req, F_IF_VERSION);
    pg_put_text(params, plan->tell);
    pg_put_bytes(params, plan->tell == NULL ? SPAN_NONE : change->told);
    pg_put_bytes(params, wire_find_str(set, "title"));
    put_map_or_null(params, set, "equipment");
    put_map_or_null(params, set, "configuration");
    put_map_or_null(params, set, "attributes");
    if (req->link_to == 0)
        pg_put_null(params);
    else
        pg_put_int8(params, req->link_to);
    pg_put_bytes(params, request_text(req, F_AS_LINK));
    (void)pg_send(pg, W_CHANGE, params, change_on_rows, change);
}

static const struct unit_type change_type = {.group = GROUP_SINGLE,
                                             .repeatable = true,
                                             .makes_desk = true,
                                             .locks = true,
                                             .send = change_send,
                                             .done = change_done};

/* An op is about to change the ticket: a decision that comes now would be stale, so it is not even sent. */
static void change_overtake(struct broker *broker, int64_t ticket)
{
    struct wake *wake = wakes_find(broker, ticket);
    if (wake != NULL && (wake->place == WAKE_HANDED || wake->place == WAKE_LOADING))
        wake->overtaken = true;
}

/* A ticket whose decisions were overtaken again and again is left alone until it is decided (reliability: rule of writing 6). True: the call
 * was refused. */
static bool change_must_wait(struct broker *broker, struct call *call)
{
    struct err err;

    if (!wakes_rests(broker, call->req.ticket))
        return false;
    (void)err_set(&err, ERR_BUSY,
                  "the ticket changes faster than it can be decided: repeat in a moment, it is left alone "
                  "for 2 s at most");
    call_refuse(call, &err);
    return true;
}

static struct change *change_new(struct broker *broker, struct call *call, int64_t ticket,
                                 struct change_plan plan)
{
    struct change *change = mem_new(1, sizeof *change);

    change->unit.type = &change_type;
    change->unit.ticket = ticket;
    change->unit.bytes = wire_doc_bytes(call->req.doc).len + 512;
    change->broker = broker;
    change->call = call;
    change->plan = plan;
    randombytes_buf(&change->request, sizeof change->request);
    change->event_body = change_event_body(&call->req);
    change->told = change_told(&call->req, &plan);
    return change;
}

static void change_start(struct broker *broker, struct call *call, struct change_plan plan)
{
    if (change_must_wait(broker, call))
        return;
    struct change *change = change_new(broker, call, call->req.ticket, plan);
    change_overtake(broker, call->req.ticket);
    writer_add(broker->writer, &change->unit);
}

/* ---- the ops ---- */

static bool is_person(const struct request *req)
{
    return req->role != ROLE_SYSTEM;
}

void change_comment(struct broker *broker, struct call *call)
{
    bool customer = call->req.role == ROLE_CUSTOMER;
    /* A customer's own words are always public, and are not told back to the customer. */
    bool public = customer || request_bool(&call->req, F_PUBLIC, false);

    change_start(broker, call,
                 (struct change_plan){.row = customer ? DO_REPLY : DO_COMMENT,
                                      .event = EVENT_COMMENTED,
                                      .public = public,
                                      .tell = public && !customer ? "update" : NULL,
                                      .reply_pending = customer                          ? 1
                                                       : public && is_person(&call->req) ? 0
                                                                                         : -1});
}

void change_update(struct broker *broker, struct call *call)
{
    const struct wire_val *set = call->req.vals[F_SET];
    int held = (wire_find(set, "queue") != NULL ? HELD_QUEUE : 0) |
               (wire_find(set, "tags") != NULL ? HELD_TAGS : 0) |
               (wire_find(set, "attributes") != NULL ? HELD_ATTRIBUTES : 0);

    change_start(broker, call,
                 (struct change_plan){.row = DO_UPDATE,
                                      .event = EVENT_UPDATED,
                                      .held = is_person(&call->req) ? held : 0,
                                      .reply_pending = -1});
}

static struct change_plan plan_take(const struct call *call)
{
    return (struct change_plan){.row = DO_TAKE,
                                .event = EVENT_TAKEN,
                                .held = HELD_ASSIGNEE,
                                .assignee_do = ASSIGNEE_SET,
                                .assignee = call->req.actor,
                                .reply_pending = -1};
}

void change_take(struct broker *broker, struct call *call)
{
    change_start(broker, call, plan_take(call));
}

void change_take_posted(struct broker *broker, struct call *call, int64_t ticket, int64_t posted_at,
                        bool duplicate)
{
    unsigned char key[16];

    /* A key of its own, derived from the submit's: a repeated submit repeats the take. */
    (void)crypto_generichash(key, sizeof key, call->req.key_digest, sizeof call->req.key_digest,
                             (const unsigned char *)"docket take 0001", 16);
    memcpy(call->req.key_digest, key, sizeof key);
    struct change *change = change_new(broker, call, ticket, plan_take(call));
    change->posted_at = posted_at;
    change->submit_duplicate = duplicate;
    change_overtake(broker, ticket);
    writer_add(broker->writer, &change->unit);
}

void change_assign(struct broker *broker, struct call *call)
{
    struct span staff = request_text(&call->req, F_STAFF);
    if (change_must_wait(broker, call))
        return;
    struct change *change = change_new(broker, call, call->req.ticket,
                                       (struct change_plan){.row = DO_ASSIGN,
                                                            .event = EVENT_ASSIGNED,
                                                            .held = HELD_ASSIGNEE,
                                                            .assignee_do = ASSIGNEE_SET,
                                                            .reply_pending = -1});
    change->assignee = mem_strndup(staff.p, staff.len);
    change->plan.assignee = change->assignee;
    change_overtake(broker, call->req.ticket);
    writer_add(broker->writer, &change->unit);
}

void change_release(struct broker *broker, struct call *call)
{
    change_start(broker, call,
                 (struct change_plan){.row = DO_RELEASE,
                                      .event = EVENT_RELEASED,
                                      .assignee_do = ASSIGNEE_CLEAR,
                                      .reply_pending = -1});
}

void change_prioritize(struct broker *broker, struct call *call)
{
    change_start(broker, call,
                 (struct change_plan){.row = DO_PRIORITIZE,
                                      .event = EVENT_PRIORITIZED,
                                      .held = call->req.role == ROLE_STAFF || call->req.role == ROLE_ADMIN
                                                  ? HELD_PRIORITY
                                                  : 0,
                                      .priority = (int)request_int(&call->req, F_PRIORITY, 0),
                                      .reply_pending = -1});
}

bool change_check_wait(const struct request *req, struct err *err)
{
    bool vendor = span_is(request_text(req, F_ON), "vendor");

    if (vendor && !request_has(req, F_VENDOR))
        return err_field(err, ERR_INVALID, "vendor", "vendor: is required when waiting for a vendor");
    if (vendor && !request_has(req, F_PROPOSAL))
        return err_field(
            err, ERR_INVALID, "proposal",
            "proposal: is required when waiting for a vendor: the customer is told what is proposed");
    if (!vendor && (request_has(req, F_VENDOR) || request_has(req, F_PROPOSAL)))
        return err_field(err, ERR_INVALID, request_has(req, F_VENDOR) ? "vendor" : "proposal",
                         "vendor and proposal belong to on: vendor");
    return true;
}

void change_wait(struct broker *broker, struct call *call)
{
    bool vendor = span_is(request_text(&call->req, F_ON), "vendor");

    change_start(broker, call,
                 (struct change_plan){.row = vendor ? DO_WAIT_VENDOR : DO_WAIT_CUSTOMER,
                                      .event = EVENT_WAITING,
                                      .public = true,
                                      .tell = "waiting",
                                      .reply_pending = -1});
}

void change_resume(struct broker *broker, struct call *call)
{
    change_start(broker, call,
                 (struct change_plan){.row = DO_RESUME, .event = EVENT_RESUMED, .reply_pending = -1});
}

void change_cannot_resolve(struct broker *broker, struct call *call)
{
    change_start(broker, call,
                 (struct change_plan){.row = DO_CANNOT_RESOLVE,
                                      .event = EVENT_CANNOT_RESOLVE,
                                      .public = true,
                                      .tell = "cannot_resolve",
                                      .reply_pending = -1});
}

/* Staff who say yes or no for a customer tell how the customer said so. */
bool change_check_said(const struct request *req, struct err *err)
{
    if (req->role != ROLE_CUSTOMER && !request_has(req, F_TEXT))
        return err_field(err, ERR_INVALID, "text", "text: is required from %s: how did the customer say so?",
                         desk_role_name(req->role));
    return true;
}

void change_agree(struct broker *broker, struct call *call)
{
    change_start(
        broker, call,
        (struct change_plan){.row = DO_AGREE, .event = EVENT_AGREED, .public = true, .reply_pending = -1});
}

void change_decline(struct broker *broker, struct call *call)
{
    change_start(broker, call,
                 (struct change_plan){
                     .row = DO_DECLINE, .event = EVENT_DECLINED, .public = true, .reply_pending = -1});
}

void change_resolve(struct broker *broker, struct call *call)
{
    change_start(broker, call,
                 (struct change_plan){.row = DO_RESOLVE,
                                      .event = EVENT_RESOLVED,
                                      .public = true,
                                      .tell = "approval_asked",
                                      .reply_pending = 0});
}

void change_approve(struct broker *broker, struct call *call)
{
    change_start(broker, call,
                 (struct change_plan){.row = DO_APPROVE,
                                      .event = EVENT_APPROVED,
                                      .public = true,
                                      .tell = "closed",
                                      .reply_pending = 0});
}

void change_reject(struct broker *broker, struct call *call)
{
    change_start(
        broker, call,
        (struct change_plan){.row = DO_REJECT, .event = EVENT_REJECTED, .public = true, .reply_pending = 0});
}

void change_close(struct broker *broker, struct call *call)
{
    /* Spam is not answered. */
    bool spam = span_is(request_text(&call->req, F_CLOSE_REASON), "spam");
    change_start(broker, call,
                 (struct change_plan){.row = DO_CLOSE,
                                      .event = EVENT_CLOSED,
                                      .public = !spam,
                                      .tell = spam ? NULL : "closed",
                                      .reply_pending = 0});
}

void change_reopen(struct broker *broker, struct call *call)
{
    change_start(broker, call,
                 (struct change_plan){.row = DO_REOPEN,
                                      .event = EVENT_REOPENED,
                                      .public = true,
                                      .tell = "reopened",
                                      .reply_pending = -1});
}

bool change_check_link(const struct request *req, struct err *err)
{
    if (req->link_to == req->ticket)
        return err_field(err, ERR_INVALID, "to", "to: a ticket cannot be linked to itself");
    return true;
}

void change_link(struct broker *broker, struct call *call)
{
    change_start(broker, call,
                 (struct change_plan){.row = DO_LINK, .event = EVENT_LINKED, .reply_pending = -1});
}
