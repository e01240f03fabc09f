/* The ops that change known tickets; see change_ops.h. */
#include "change_ops.h"
#include "broker.h"
#include "calls.h"
#include "change_internal.h"
#include "change_many.h"
#include "change_plans.h"
#include "clock.h"
#include "fan.h"
#include "late.h"
#include "log.h"
#include "mem.h"
#include "op.h"
#include "tracking.h"
#include "wakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { ANSWER_BYTES = 512, DUPLICATES_MAX = 500 };

/* ---- what is said ---- */

/* The words and facts of an op that its event keeps. */
static const enum field kept_fields[] = {F_TEXT,   F_REASON,   F_CLOSE_REASON, F_ON,
                                         F_VENDOR, F_PROPOSAL, F_UNTIL_AT,     F_PRIORITY,
                                         F_STAFF,  F_SET,      F_TO,           F_AS_LINK,
                                         F_TASK,   F_MEETING,  F_ATTENDEE,     F_ANSWER};

struct span change_event_body(const struct request *req, const enum field *kept, size_t count)
{
    struct buf out;

    buf_init(&out, CHANGE_BODY_BYTES_MAX);
    struct wire_map map = wire_map_open(&out);
    for (size_t i = 0; i < count; i++)
        if (request_has(req, kept[i]))
            wire_put_key_val(&out, request_field_name(kept[i]), req->vals[kept[i]]), map.count++;
    wire_map_close(&out, &map);
    return buf_take_span(&out);
}

struct change_input *change_input_of(const struct call *call, const struct change_plan *plan)
{
    const struct request *req = &call->req;
    struct change_input *input = change_input_new();
    struct span staff = request_text(req, F_STAFF);

    input->plan = *plan;
    input->op = req->op->form->name;
    input->role = req->role;
    (void)snprintf(input->actor, sizeof input->actor, "%s", req->actor);
    input->assignee = staff.p == NULL ? NULL : mem_strndup(staff.p, staff.len);
    memcpy(input->content_digest, req->content_digest, sizeof input->content_digest);
    input->set = req->vals[F_SET];                                    /* the call outlives its changes */
    if (request_has(req, F_UNTIL_AT) || request_has(req, F_WHO_AT)) { /* the end of a wait, a meeting */
        enum field field = request_has(req, F_UNTIL_AT) ? F_UNTIL_AT : F_WHO_AT;
        input->come_field = request_field_name(field);
        input->come_at = request_int(req, field, 0);
    }
    input->if_version = (int32_t)request_int(req, F_IF_VERSION, 0);
    input->link_to = req->link_to;
    input->as_link = request_text(req, F_AS_LINK);
    input->attendee = request_text(req, F_ATTENDEE);
    input->answer = request_text(req, F_ANSWER);
    input->answered = input->answer.p == NULL ? SPAN_NONE : request_text(req, F_MEETING);
    input->task = (int32_t)request_int(req, F_TASK, 0);
    input->event_body = change_event_body(req, kept_fields, sizeof kept_fields / sizeof kept_fields[0]);
    return input;
}

/* ---- one ticket ---- */

/* A call that waits for its change. */
struct waiting {
    struct broker *broker;
    struct call *call;
    int64_t posted_at; /* of a submit with take; 0: a change of its own */
    bool submit_duplicate;
};

/* Tickets that a list of ids names; many are cut, and found by the links. */
static void put_duplicates(struct buf *out, const char *ids, const char *prefix)
{
    char tracking[TRACKING_TEXT_BYTES], *end;
    struct wire_map list;

    wire_put_text(out, "open_duplicates");
    list = wire_list_open(out);
    for (; *ids != '\0' && list.count < DUPLICATES_MAX; ids = end + (*end == ' '), list.count++) {
        tracking_format(strtoll(ids, &end, 10), prefix, tracking);
        wire_put_text(out, tracking);
    }
    wire_list_close(out, &list);
}

void change_answer(struct broker *broker, struct call *call, const struct change_result *result,
                   const char *meeting)
{
    struct buf out;

    buf_init(&out, DUPLICATES_MAX * TRACKING_TEXT_BYTES + ANSWER_BYTES);
    struct wire_map map = wire_map_open(&out);
    wire_put_key_int(&out, "version", result->version), map.count++;
    wire_put_key_bool(&out, "duplicate", result->duplicate), map.count++;
    if (meeting != NULL)
        wire_put_key_text(&out, "meeting", meeting), map.count++;
    if (result->duplicates != NULL)
        put_duplicates(&out, result->duplicates, broker->settings.tracking_prefix), map.count++;
    wire_map_close(&out, &map);
    call_answer(call, buf_span(&out));
    buf_clear(&out);
}

static void on_changed(void *arg, const struct change_result *result)
{
    struct waiting *waiting = arg;

    if (result->has_children)
        fan_kick(waiting->broker);
    if (result->is_late)
        late_post(waiting->broker, waiting->call);
    else if (result->err.code != ERR_NONE)
        call_refuse(waiting->call, &result->err);
    else
        change_answer(waiting->broker, waiting->call, result, NULL);
    free(waiting);
}

/* A ticket whose decisions were overtaken again and again is left alone until it is decided. True: the call was refused. */
static bool must_wait(struct broker *broker, struct call *call)
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

/* Does what the request says to its ticket, or to each of its list, and answers. Takes the call, and a use of input. */
static void change_start_input(struct broker *broker, struct call *call, struct change_input *input)
{
    if (input->plan.tell != NULL)
        change_input_tell(input);
    if (call->req.tickets != NULL) {
        change_many(broker, call, input);
    } else if (!must_wait(broker, call)) {
        struct waiting *waiting = mem_new(1, sizeof *waiting);
        waiting->broker = broker;
        waiting->call = call;
        change_order(broker, input,
                     &(struct change_order){.ticket = call->req.ticket,
                                            .key_digest = call->req.key_digest,
                                            .done = on_changed,
                                            .arg = waiting});
    }
    change_input_release(input);
}

static void change_start(struct broker *broker, struct call *call, const struct change_plan *plan)
{
    change_start_input(broker, call, change_input_of(call, plan));
}

/* ---- the ops ---- */

void change_comment(struct broker *broker, struct call *call)
{
    struct change_plan plan = change_plan_comment(call->req.role, request_bool(&call->req, F_PUBLIC, false));
    struct change_input *input = change_input_of(call, &plan);

    /* A customer's words on a ticket that was closed long ago become a new one; of a list each that is too old is refused. */
    if (call->req.role == ROLE_CUSTOMER && broker->process.parsed != NULL)
        input->reopen_us = broker->process.parsed->policy.reopen_within_s * US_PER_S;
    change_start_input(broker, call, input);
}

void change_update(struct broker *broker, struct call *call)
{
    const struct wire_val *set = call->req.vals[F_SET];
    int held = (wire_find(set, "queue") != NULL ? HELD_QUEUE : 0) |
               (wire_find(set, "tags") != NULL ? HELD_TAGS : 0) |
               (wire_find(set, "attributes") != NULL ? HELD_ATTRIBUTES : 0);
    struct change_plan plan = {.row = DO_UPDATE,
                               .event = EVENT_UPDATED,
                               .held =
                                   call->req.role == ROLE_STAFF || call->req.role == ROLE_ADMIN ? held : 0,
                               .reply_pending = -1};
    struct change_input *input = change_input_of(call, &plan);
    struct err unused;

    if (call->req.is_off_form)
        input->off = off_form_new(&call->req, broker->settings.tracking_prefix, &broker->limits, &unused);
    change_start_input(broker, call, input);
}

static const struct change_plan plan_take = {.row = DO_TAKE,
                                             .event = EVENT_TAKEN,
                                             .held = HELD_ASSIGNEE,
                                             .assignee_do = ASSIGNEE_SET,
                                             .reply_pending = -1};

void change_take(struct broker *broker, struct call *call)
{
    change_start(broker, call, &plan_take);
}

/* The answer of a submit with take. Somebody else may have been quicker to take it: it is posted all the same. */
static void on_taken(void *arg, const struct change_result *result)
{
    struct waiting *waiting = arg;
    struct buf out;
    char tracking[TRACKING_TEXT_BYTES];

    if (result->err.code != ERR_NONE && result->err.code != ERR_CONFLICT) {
        call_refuse(waiting->call, &result->err);
    } else {
        buf_init(&out, ANSWER_BYTES);
        tracking_format(result->ticket, waiting->broker->settings.tracking_prefix, tracking);
        wire_put_map(&out, 3);
        wire_put_key_text(&out, "tracking", tracking);
        wire_put_key_int(&out, "posted_at", waiting->posted_at);
        wire_put_key_bool(&out, "duplicate", waiting->submit_duplicate);
        call_answer(waiting->call, buf_span(&out));
        buf_clear(&out);
    }
    free(waiting);
}

void change_take_posted(struct broker *broker, struct call *call, int64_t ticket, int64_t posted_at,
                        bool duplicate)
{
    struct change_input *input = change_input_of(call, &plan_take);
    struct waiting *waiting = mem_new(1, sizeof *waiting);
    unsigned char key[16];

    /* A key of its own, derived from the submit's: a repeated submit repeats the take. */
    (void)crypto_generichash(key, sizeof key, call->req.key_digest, sizeof call->req.key_digest,
                             (const unsigned char *)"docket take 0001", 16);
    *waiting = (struct waiting){broker, call, posted_at, duplicate};
    change_order(
        broker, input,
        &(struct change_order){.ticket = ticket, .key_digest = key, .done = on_taken, .arg = waiting});
    change_input_release(input);
}

static void on_linked(void *arg, const struct change_result *result)
{
    const struct broker *broker = arg;
    char tracking[TRACKING_TEXT_BYTES];

    if (result->err.code == ERR_NONE)
        return;
    tracking_format(result->ticket, broker->settings.tracking_prefix, tracking);
    log_event(LOG_WARN, "not_linked", "tracking=%s reason=%s", tracking, log_quote(result->err.msg));
}

void change_link_posted(struct broker *broker, const struct call *call, int64_t ticket, int64_t to)
{
    static const struct change_plan plan = {.row = DO_LINK, .event = EVENT_LINKED, .reply_pending = -1};
    struct change_input *input = change_input_of(call, &plan);
    char tracking[TRACKING_TEXT_BYTES];
    unsigned char key[16];
    struct buf body;

    tracking_format(to, broker->settings.tracking_prefix, tracking);
    buf_init(&body, ANSWER_BYTES);
    wire_put_map(&body, 2);
    wire_put_key_text(&body, "to", tracking);
    wire_put_key_text(&body, "as_link", "related");
    change_input_say(input, buf_take_span(&body));
    input->link_to = to;
    input->as_link = span_of("related");
    randombytes_buf(key, sizeof key);
    change_order(
        broker, input,
        &(struct change_order){.ticket = ticket, .key_digest = key, .done = on_linked, .arg = broker});
    change_input_release(input);
}

void change_assign(struct broker *broker, struct call *call)
{
    static const struct change_plan plan = {.row = DO_ASSIGN,
                                            .event = EVENT_ASSIGNED,
                                            .held = HELD_ASSIGNEE,
                                            .assignee_do = ASSIGNEE_SET,
                                            .reply_pending = -1};
    change_start(broker, call, &plan);
}

void change_release(struct broker *broker, struct call *call)
{
    static const struct change_plan plan = {.row = DO_RELEASE,
                                            .event = EVENT_RELEASED,
                                            .assignee_do = ASSIGNEE_CLEAR,
                                            .reply_pending = -1};
    change_start(broker, call, &plan);
}

void change_prioritize(struct broker *broker, struct call *call)
{
    enum desk_role role = call->req.role;
    struct change_plan plan = {.row = DO_PRIORITIZE,
                               .event = EVENT_PRIORITIZED,
                               .held = role == ROLE_STAFF || role == ROLE_ADMIN ? HELD_PRIORITY : 0,
                               .priority = (int)request_int(&call->req, F_PRIORITY, 0),
                               .reply_pending = -1};
    change_start(broker, call, &plan);
}

void change_wait(struct broker *broker, struct call *call)
{
    struct change_plan plan = change_plan_wait(request_text(&call->req, F_ON));
    change_start(broker, call, &plan);
}

void change_resume(struct broker *broker, struct call *call)
{
    struct change_plan plan = change_plan_resume;

    plan.row = states_resume(request_text(&call->req, F_ON));
    change_start(broker, call, &plan);
}

void change_cannot_resolve(struct broker *broker, struct call *call)
{
    change_start(broker, call, &change_plan_cannot_resolve);
}

void change_agree(struct broker *broker, struct call *call)
{
    static const struct change_plan plan = {.row = DO_AGREE,
                                            .event = EVENT_AGREED,
                                            .public = true,
                                            .reply_pending = -1};
    change_start(broker, call, &plan);
}

void change_decline(struct broker *broker, struct call *call)
{
    static const struct change_plan plan = {.row = DO_DECLINE,
                                            .event = EVENT_DECLINED,
                                            .public = true,
                                            .reply_pending = -1};
    change_start(broker, call, &plan);
}

void change_resolve(struct broker *broker, struct call *call)
{
    change_start(broker, call, &change_plan_resolve);
}

void change_approve(struct broker *broker, struct call *call)
{
    static const struct change_plan plan = {
        .row = DO_APPROVE, .event = EVENT_APPROVED, .public = true, .tell = "closed", .reply_pending = 0};
    change_start(broker, call, &plan);
}

void change_reject(struct broker *broker, struct call *call)
{
    static const struct change_plan plan = {.row = DO_REJECT,
                                            .event = EVENT_REJECTED,
                                            .public = true,
                                            .reply_pending = 0};
    change_start(broker, call, &plan);
}

void change_close(struct broker *broker, struct call *call)
{
    /* Spam is not answered. */
    bool spam = span_is(request_text(&call->req, F_CLOSE_REASON), "spam");
    struct change_plan plan = {.row = DO_CLOSE,
                               .event = EVENT_CLOSED,
                               .public = !spam,
                               .tell = spam ? NULL : "closed",
                               .reply_pending = 0};
    change_start(broker, call, &plan);
}

void change_reopen(struct broker *broker, struct call *call)
{
    static const struct change_plan plan = {
        .row = DO_REOPEN, .event = EVENT_REOPENED, .public = true, .tell = "reopened", .reply_pending = 0};
    change_start(broker, call, &plan);
}

void change_task_done(struct broker *broker, struct call *call)
{
    static const struct change_plan plan = {.row = DO_UPDATE, .event = EVENT_UPDATED, .reply_pending = -1};
    change_start(broker, call, &plan);
}

bool change_check_link(const struct request *req, struct err *err)
{
    bool itself = req->link_to == req->ticket;

    for (size_t i = 0; i < req->ticket_count; i++)
        itself = itself || req->tickets[i] == req->link_to;
    if (itself)
        return err_field(err, ERR_INVALID, "to", "to: a ticket cannot be linked to itself");
    return true;
}

void change_link(struct broker *broker, struct call *call)
{
    static const struct change_plan plan = {.row = DO_LINK, .event = EVENT_LINKED, .reply_pending = -1};
    change_start(broker, call, &plan);
}
