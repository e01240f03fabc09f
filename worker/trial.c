/* One ticket in memory; see trial.h. */
#include "trial_internal.h"

#include "clock.h"
#include "faults.h"
#include "mem.h"
#include "states.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 10000 }; /* decisions of one trial_pass: more is a loop */

/* Op → event, state, what the customer is told by the op itself. */
static const struct op_row {
    const char *op;
    enum states_op does;
    enum desk_event event;
    bool public;
    const char *tells;
} op_rows[] = {
    {"take", DO_TAKE, EVENT_TAKEN, false, NULL},
    {"assign", DO_ASSIGN, EVENT_ASSIGNED, false, NULL},
    {"release", DO_RELEASE, EVENT_RELEASED, false, NULL},
    {"comment", DO_COMMENT, EVENT_COMMENTED, false, "update"},
    {"reply", DO_REPLY, EVENT_COMMENTED, true, NULL},
    {"update", DO_UPDATE, EVENT_UPDATED, false, NULL},
    {"prioritize", DO_PRIORITIZE, EVENT_PRIORITIZED, false, NULL},
    {"wait", DO_WAIT_CUSTOMER, EVENT_WAITING, true, "waiting"},
    {"resume", DO_RESUME, EVENT_RESUMED, false, NULL},
    {"cannot_resolve", DO_CANNOT_RESOLVE, EVENT_CANNOT_RESOLVE, true, "cannot_resolve"},
    {"agree", DO_AGREE, EVENT_AGREED, true, NULL},
    {"decline", DO_DECLINE, EVENT_DECLINED, true, NULL},
    {"meeting", DO_MEETING, EVENT_MEETING, true, "meeting"},
    {"resolve", DO_RESOLVE, EVENT_RESOLVED, true, "approval_asked"},
    {"approve", DO_APPROVE, EVENT_APPROVED, true, "closed"},
    {"reject", DO_REJECT, EVENT_REJECTED, true, NULL},
    {"close", DO_CLOSE, EVENT_CLOSED, true, "closed"},
    {"reopen", DO_REOPEN, EVENT_REOPENED, true, "reopened"},
};

/* ---- deciding ---- */

static bool trial_decide(struct trial *trial, const char *reason, struct err *err)
{
    struct wire_doc *work = NULL, *decision = NULL;
    struct buf body, out;

    buf_init(&body, TRIAL_BYTES_MAX);
    buf_init(&out, TRIAL_BYTES_MAX);
    trial->reason = reason;
    trial_put_work(trial, trial->now, &body);
    bool ok = wire_parse(body.p, body.len, TRIAL_DEPTH_MAX, &work, err) &&
              decide(trial->decider, trial->engine, wire_root(work), &out, err) &&
              wire_parse(out.p, out.len, TRIAL_DEPTH_MAX, &decision, err);
    if (ok)
        trial_take(trial, wire_root(decision));
    wire_doc_free(work);
    wire_doc_free(decision);
    buf_clear(&body);
    buf_clear(&out);
    return ok;
}

/* ---- what people do ---- */

static const struct op_row *op_find(const char *op)
{
    for (size_t i = 0; i < sizeof op_rows / sizeof op_rows[0]; i++)
        if (strcmp(op, op_rows[i].op) == 0)
            return &op_rows[i];
    return NULL;
}

static bool op_unknown(const char *op, struct err *err)
{
    const char *names[sizeof op_rows / sizeof op_rows[0]];
    char allowed[300];

    for (size_t i = 0; i < sizeof op_rows / sizeof op_rows[0]; i++)
        names[i] = op_rows[i].op;
    faults_hint(op, names, sizeof op_rows / sizeof op_rows[0], allowed, sizeof allowed);
    return err_field(err, ERR_INVALID, "do", "do: there is no op \"%s\"%s", op, allowed);
}

static void act_fields(struct trial *trial, const struct op_row *row, const struct trial_as *as,
                       const struct wire_val *body)
{
    bool person = as->role != ROLE_SYSTEM;

    if (row->event == EVENT_TAKEN || row->event == EVENT_ASSIGNED) {
        trial_name_set(trial->assignee,
                       row->event == EVENT_TAKEN ? span_of(as->name) : wire_find_str(body, "staff"));
        trial->held |= HELD_ASSIGNEE;
    } else if (row->event == EVENT_RELEASED) {
        trial->assignee[0] = '\0';
    } else if (row->event == EVENT_PRIORITIZED) {
        trial->priority = (int)wire_find_int(body, "priority", trial->priority);
        trial->held |= as->role == ROLE_STAFF || as->role == ROLE_ADMIN ? HELD_PRIORITY : 0;
    } else if (row->event == EVENT_UPDATED) {
        trial_fields_set(trial, wire_find(body, "set"), person);
        trial_posted_merge(trial, wire_find(body, "set"));
    } else if (row->event == EVENT_RESOLVED || row->event == EVENT_APPROVED || row->event == EVENT_REJECTED ||
               row->event == EVENT_CLOSED || row->event == EVENT_REOPENED) {
        trial->reply_pending = false;
    } else if (row->event == EVENT_COMMENTED && person) {
        trial->reply_pending = row->does == DO_REPLY ? trial->state == STATE_RESOLVED : trial->reply_pending;
    }
}

static bool act_is_public(const struct op_row *row, const struct wire_val *body)
{
    return row->public || (row->event == EVENT_COMMENTED && wire_find_bool(body, "public", false));
}

/* What a broker finds out only by looking at the ticket and the clock. */
static bool act_may(const struct trial *trial, const struct op_row *row, const struct wire_val *body,
                    struct err *err)
{
    /* What is replayed was taken, whatever this process says. */
    if (row->does == DO_REPLY && trial->state == STATE_CLOSED && !trial->ops_first &&
        trial->now > trial->closed_at + engine_process(trial->engine)->policy.reopen_within_s * US_PER_S)
        return err_set(err, ERR_CONFLICT,
                       "closed for longer than reopen_within: the words become a new ticket");
    if (wire_find_int(body, "until_at", INT64_MAX) <= trial->now)
        return err_field(err, ERR_INVALID, "until_at", "until_at: lies in the past");
    return true;
}

/* The body of the op's event. */
static bool act_put(const struct trial *trial, const struct op_row *row, const struct wire_val *body,
                    struct buf *out, struct err *err)
{
    if (row->event == EVENT_MEETING)
        return trial_meeting_put(trial, body, out, err);
    if (wire_type(body) == WIRE_MAP)
        wire_put_val(out, body);
    return true;
}

bool trial_do(struct trial *trial, const char *op, struct trial_as as, const struct wire_val *body,
              int64_t at, struct err *err)
{
    const struct op_row *row = op_find(op);
    struct buf encoded;

    if (row == NULL)
        return op_unknown(op, err);
    if (!trial_pass(trial, trial->ops_first ? at - 1 : at, err))
        return false;
    trial->now = at > trial->now ? at : trial->now;
    struct span on = wire_find_str(body, "on");
    enum states_op does = row->event == EVENT_WAITING   ? states_wait(on)
                          : row->event == EVENT_RESUMED ? states_resume(on)
                                                        : row->does;
    int next = states_next(does, trial->state);
    if (next == STATE_REFUSED)
        return err_set(err, ERR_CONFLICT, "%s is not possible while the ticket is %s", op,
                       desk_state_name(trial->state));
    buf_init(&encoded, TRIAL_BYTES_MAX);
    if (!act_may(trial, row, body, err) || !act_put(trial, row, body, &encoded, err)) {
        buf_clear(&encoded);
        return false;
    }
    act_fields(trial, row, &as, body);
    trial_state_set(trial, (enum desk_state)next);
    trial_add_event(trial, row->event, &as, act_is_public(row, body), buf_span(&encoded));
    buf_clear(&encoded);
    if (row->tells != NULL && act_is_public(row, body) && !span_is(wire_find_str(body, "reason"), "spam"))
        trial_tell(trial, "customer", row->tells);
    return trial->held_back || trial_decide(trial, "event", err);
}

void trial_hold(struct trial *trial, bool hold)
{
    trial->held_back = hold;
}

void trial_ops_first(struct trial *trial)
{
    trial->ops_first = true;
}

bool trial_pass(struct trial *trial, int64_t until, struct err *err)
{
    int rounds = 0;

    while (trial->wake_at != CLOCK_NO_INSTANT && trial->wake_at <= until) {
        if (++rounds > ROUNDS_MAX)
            return err_set(
                err, ERR_INTERNAL,
                "the ticket wakes by itself more than %d times until then: the step is too long, or a "
                "rule's wake_in too short",
                ROUNDS_MAX);
        if (trial->wake_at > trial->now)
            trial->now = trial->wake_at;
        if (!trial_decide(trial, "due", err))
            return false;
    }
    if (until > trial->now)
        trial->now = until;
    return true;
}

bool trial_use(struct trial *trial, const struct engine *engine, int64_t at, struct err *err)
{
    bool ok = trial_pass(trial, at, err);
    trial->engine = engine;
    return ok && trial_decide(trial, "process", err);
}

bool trial_set_package(struct trial *trial, const char *package, int64_t at, struct err *err)
{
    struct trial_as as = {ROLE_STAFF, "customer.put"};
    struct buf body;

    if (!trial_pass(trial, at, err))
        return false;
    if (!trial->moved)
        memcpy(trial->posted_package, trial->package, sizeof trial->package);
    trial->moved = true;
    trial_name_set(trial->package, span_of(package));
    buf_init(&body, TRIAL_BYTES_MAX);
    wire_put_map(&body, 1);
    wire_put_key_text(&body, "package", package);
    trial_add_event(trial, EVENT_UPDATED, &as, false, buf_span(&body));
    buf_clear(&body);
    return trial->held_back || trial_decide(trial, "event", err);
}

bool trial_restart(struct trial *trial, int64_t at, struct err *err)
{
    bool ok = trial_pass(trial, at, err);
    decider_free(trial->decider);
    trial->decider = decider_new();
    return ok && trial_decide(trial, "retry", err);
}

/* ---- beginning and end ---- */

bool trial_new(const struct engine *engine, const struct wire_val *ticket, const struct wire_val *customer,
               int64_t posted_at, struct trial **ret, struct err *err)
{
    struct trial *trial = mem_new(1, sizeof *trial);
    struct buf *bufs[] = {&trial->posted, &trial->customer, &trial->tags, &trial->clocks, &trial->events};

    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        buf_init(bufs[i], TRIAL_BYTES_MAX);
    trial->engine = engine;
    trial->decider = decider_new();
    trial->posted_at = trial->updated_at = trial->now = posted_at;
    trial->version = trial->decided = 1;
    trial->wake_at = CLOCK_NO_INSTANT;
    wire_put_val(&trial->posted, ticket);
    if (wire_type(customer) == WIRE_MAP)
        wire_put_val(&trial->customer, customer);
    trial_name_set(trial->package, wire_find_str(customer, "package"));
    wire_put_list(&trial->tags, 0);
    wire_put_list(&trial->clocks, 0);
    trial_tell(trial, "customer", "received");
    if (!trial_decide(trial, "posted", err)) {
        trial_free(trial);
        return false;
    }
    *ret = trial;
    return true;
}

void trial_free(struct trial *trial)
{
    if (trial == NULL)
        return;
    buf_clear(&trial->posted);
    buf_clear(&trial->customer);
    buf_clear(&trial->tags);
    buf_clear(&trial->clocks);
    buf_clear(&trial->events);
    for (size_t i = 0; i < trial->cause_count; i++)
        free(trial->causes[i]);
    for (size_t list = 0; list < TRIAL_LISTS; list++) {
        for (size_t i = 0; i < trial->said[list].count; i++)
            free(trial->said[list].texts[i]);
        free(trial->said[list].texts);
    }
    for (size_t i = 0; i < trial->verdict_count; i++)
        trial_verdict_clear(&trial->verdicts[i]);
    free(trial->verdicts);
    wire_doc_free(trial->shown);
    decider_free(trial->decider);
    free(trial);
}

/* ---- what there is to see ---- */

const struct wire_val *trial_ticket(struct trial *trial)
{
    struct buf out;

    wire_doc_free(trial->shown);
    trial->shown = NULL;
    buf_init(&out, TRIAL_BYTES_MAX);
    trial_put_ticket(trial, &out);
    bool ok = wire_parse(out.p, out.len, TRIAL_DEPTH_MAX, &trial->shown, NULL);
    buf_clear(&out);
    return ok ? wire_root(trial->shown) : NULL;
}

size_t trial_said_count(const struct trial *trial, enum trial_list list)
{
    return trial->said[list].count;
}

const char *trial_said(const struct trial *trial, enum trial_list list, size_t i)
{
    return trial->said[list].texts[i];
}

size_t trial_verdict_count(const struct trial *trial)
{
    return trial->verdict_count;
}

const struct work_verdict *trial_verdict(const struct trial *trial, size_t i)
{
    return &trial->verdicts[i];
}

int64_t trial_wake_at(const struct trial *trial)
{
    return trial->wake_at;
}
