/* What people change of the on-call plan: overrides, swaps, absences, and cancelling them; see oncalling.h. */
#include "calls.h"
#include "date.h"
#include "instant.h"
#include "key_known.h"
#include "mem.h"
#include "oncall.h"
#include "op_key.h"
#include "oncalling.h"
#include "oncalling_internal.h"
#include "param_put.h"
#include "pg.h"
#include "statements.h"
#include "writer.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 160, HANDED_MAX = 200 };
#define REV_NONE (-1) /* no plan has it */

/* The change under way: the plan it was checked against, and what is to be written. */
struct plan_change {
    struct unit unit;
    struct plan *plan;
    struct op_key key;
    int64_t cancel; /* an override; 0: a new one */
    char *schedule, *replaces, *staff;
    int64_t from_at, until_at;
    bool hands_over; /* the answer lists the turns that somebody else gets */

    int64_t id;
    bool changed;
};

static void change_free(struct plan_change *change)
{
    free(change->schedule);
    free(change->replaces);
    free(change->staff);
    free(change);
}

/* Ends it and its plan with a refusal. */
static void change_refuse(struct plan_change *change, enum err_code code, const char *field, const char *fmt,
                          ...) __attribute__((format(printf, 4, 5)));
static void change_refuse(struct plan_change *change, enum err_code code, const char *field, const char *fmt,
                          ...)
{
    struct plan *plan = change->plan;
    char text[1024];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    change_free(change);
    plan_refuse(plan, code, field, "%s", text);
}

/* ---- checks ---- */

static bool check_span(const struct request *req, struct err *err)
{
    int64_t from_at = request_int(req, F_SPAN_FROM_AT, 0), until_at = request_int(req, F_UNTIL_AT, 0);

    if (!request_has(req, F_SPAN_FROM_AT) || !request_has(req, F_UNTIL_AT))
        return err_field(err, ERR_INVALID, "until_at", "until_at: from_at and until_at are required");
    if (until_at <= from_at || until_at - from_at > PLAN_DAYS_MAX * DAY_US)
        return err_field(err, ERR_INVALID, "until_at",
                         "until_at: want an instant after from_at, at most %d days", PLAN_DAYS_MAX);
    return true;
}

bool oncalling_check_override(const struct request *req, struct err *err)
{
    if (request_has(req, F_OVERRIDE)) {
        if (!request_bool(req, F_CANCEL, false))
            return err_field(err, ERR_INVALID, "cancel",
                             "cancel: want true with override; a new one has no number yet");
        return true;
    }
    if (request_bool(req, F_CANCEL, false))
        return err_field(err, ERR_INVALID, "override", "override: is required with cancel");
    if (!request_has(req, F_SCHEDULE))
        return err_field(err, ERR_INVALID, "schedule", "schedule: is required for oncall.override");
    if (!request_has(req, F_STAFF))
        return err_field(err, ERR_INVALID, "staff",
                         "staff: is required for oncall.override: who is on call then?");
    return check_span(req, err);
}

bool oncalling_check_away(const struct request *req, struct err *err)
{
    return check_span(req, err);
}

/* A name of staff.yaml, or NULL when it was not given. */
static bool change_person(const struct plan_change *change, enum field field, char **ret, struct err *err)
{
    struct span name = request_text(&change->plan->call->req, field);

    if (name.p == NULL)
        return true;
    if (!plan_has_person(change->plan, name))
        return plan_no_person(field, name, err);
    *ret = mem_strndup(name.p, name.len);
    return true;
}

/* ---- gaps ---- */

/* The plan as it would be. The caller frees items. */
static struct oncall_overrides change_after(const struct plan_change *change)
{
    const struct plan *plan = change->plan;
    struct oncall_override *items = mem_new(plan->count + 1, sizeof *items);
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++)
        if (change->cancel == 0 || plan->rows[i].id != change->cancel)
            items[count++] = plan->items[i];
    if (change->cancel == 0)
        items[count++] = (struct oncall_override){change->schedule, change->replaces, change->staff,
                                                  change->from_at, change->until_at};
    return (struct oncall_overrides){items, count};
}

/* The first instant of a schedule at which somebody is on call now and nobody would be. */
static bool change_gap(const struct plan_change *change, size_t schedule, struct oncall_overrides after,
                       int64_t now, int64_t *ret_from, int64_t *ret_until)
{
    const struct oncall *oncall = plan_oncall(change->plan);
    struct oncall_set was, is;

    for (int64_t at = change->from_at > now ? change->from_at : now; at < change->until_at;) {
        int64_t next = oncall_next_change(oncall, schedule, after, at);
        oncall_at(oncall, schedule, after, at, &is);
        oncall_at(oncall, schedule, plan_overrides(change->plan), at, &was);
        if (is.count == 0 && was.count != 0) {
            *ret_from = at;
            *ret_until = next < change->until_at ? next : change->until_at;
            return true;
        }
        at = next;
    }
    return false;
}

/* False: a schedule would be without anybody. */
static bool change_leaves_no_gap(const struct plan_change *change, struct err *err)
{
    const struct oncall *oncall = plan_oncall(change->plan);
    struct oncall_overrides after = change_after(change);
    int64_t now = broker_now(change->plan->broker), from_at = 0, until_at = 0;
    const struct process_schedule *schedule = NULL;

    for (size_t i = 0; i < oncall_count(oncall) && schedule == NULL; i++)
        if (!oncall_schedule(oncall, i)->may_have_gaps &&
            change_gap(change, i, after, now, &from_at, &until_at))
            schedule = oncall_schedule(oncall, i);
    free((void *)(uintptr_t)after.items);
    if (schedule == NULL)
        return true;
    char from[INSTANT_BYTES], until[INSTANT_BYTES];
    (void)instant_format(from_at, from);
    (void)instant_format(until_at, until);
    return err_field(
        err, ERR_CONFLICT, "staff",
        "nobody would be on call in %s from %s to %s: name somebody who stands in, and is not away then",
        schedule->name, from, until);
}

/* ---- what is handed over ---- */

struct handed {
    const struct plan_change *change;
    struct buf *out;
    struct wire_map list;
    const char *schedule;
};

static bool handed_on_span(void *arg, int64_t from_us, int64_t until_us, const struct oncall_set *set)
{
    struct handed *handed = arg;

    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->names[i], handed->change->replaces) != 0)
            continue;
        wire_put_map(handed->out, 3);
        wire_put_key_text(handed->out, "schedule", handed->schedule);
        wire_put_key_int(handed->out, "from_at", from_us);
        wire_put_key_int(handed->out, "until_at", until_us);
        return ++handed->list.count < HANDED_MAX;
    }
    return true;
}

/* The plan as it was when the change was made: a repeat finds it, and what came later, in the plan. Rows are in the order of their ids. */
static struct oncall_overrides change_before(const struct plan_change *change)
{
    const struct plan *plan = change->plan;
    size_t count = 0;

    while (count < plan->count && plan->rows[count].id < change->id)
        count++;
    return (struct oncall_overrides){plan->items, count};
}

static void change_put_handed(const struct plan_change *change, struct buf *out)
{
    const struct oncall *oncall = plan_oncall(change->plan);
    struct oncall_overrides before = change_before(change);
    struct handed handed = {.change = change, .out = out};
    /* A version whose schedules cannot be used may have come while this one was written. */
    size_t count = oncall == NULL ? 0 : oncall_count(oncall);

    handed.list = wire_list_open(out);
    for (size_t i = 0; i < count && handed.list.count < HANDED_MAX; i++) {
        handed.schedule = oncall_schedule(oncall, i)->name;
        oncall_walk(oncall, i, before, change->from_at, change->until_at, handed_on_span, &handed);
    }
    wire_list_close(out, &handed.list);
}

/* ---- what an override changes ---- */

static bool set_has(const struct oncall_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->names[i], name) == 0)
            return true;
    return false;
}

static bool sets_are_same(const struct oncall_set *a, const struct oncall_set *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!set_has(b, a->names[i]))
            return false;
    return a->count == b->count;
}

/* Whether its schedule is another one with the override than without. ret_replaced: whom it replaces is on call some time then. */
static bool change_has_effect(const struct plan_change *change, size_t schedule, bool *ret_replaced)
{
    const struct oncall *oncall = plan_oncall(change->plan);
    struct oncall_overrides before = change_before(change);
    struct oncall_override *items = mem_new(before.count + 1, sizeof *items);
    bool differs = false;

    for (size_t i = 0; i < before.count; i++)
        items[i] = before.items[i];
    items[before.count] = (struct oncall_override){change->schedule, change->replaces, change->staff,
                                                   change->from_at, change->until_at};
    struct oncall_overrides after = {items, before.count + 1};
    *ret_replaced = false;
    for (int64_t at = change->from_at; at < change->until_at && !differs;) {
        int64_t next = oncall_next_change(oncall, schedule, after, at);
        int64_t other = oncall_next_change(oncall, schedule, before, at);
        struct oncall_set was, is;
        oncall_at(oncall, schedule, before, at, &was);
        oncall_at(oncall, schedule, after, at, &is);
        differs = !sets_are_same(&was, &is);
        *ret_replaced = *ret_replaced || (change->replaces != NULL && set_has(&was, change->replaces));
        at = next < other ? next : other;
    }
    free(items);
    return differs;
}

/* A list of what is allowed and hardly meant: an override that leaves the plan as it was. */
static bool change_put_warnings(const struct plan_change *change, struct buf *out)
{
    const struct oncall *oncall = plan_oncall(change->plan);
    int schedule =
        change->schedule == NULL || oncall == NULL ? -1 : oncall_find(oncall, span_of(change->schedule));
    char text[3 * TEXT_BYTES];
    bool replaced = false;

    if (schedule < 0 || change->staff == NULL || change_has_effect(change, (size_t)schedule, &replaced))
        return false;
    if (change->replaces != NULL && !replaced)
        (void)snprintf(text, sizeof text, "replaces: %s is not on call in %s then: this changes nothing",
                       change->replaces, change->schedule);
    else
        (void)snprintf(text, sizeof text, "staff: %s is on call in %s then anyway: this changes nothing",
                       change->staff, change->schedule);
    wire_put_text(out, "warnings");
    wire_put_list(out, 1);
    wire_put_text(out, text);
    return true;
}

/* ---- writing ---- */

static void change_on_rows(void *arg, PGresult *rows)
{
    enum { ID, CHANGED, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST };
    struct plan_change *change = arg;

    change->id = pg_int(rows, 0, ID);
    change->changed = pg_bool(rows, 0, CHANGED);
    op_key_read(&change->key, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST,
                change->plan->call->req.content_digest);
}

static void change_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct plan_change *change = (struct plan_change *)unit;
    const struct request *req = &change->plan->call->req;

    op_key_put(&change->key, req->key_digest, req->content_digest, params);
    pg_put_int8(params, change->plan->rev);
    pg_put_text(params, req->actor);
    param_put_int8_not_0(params, change->cancel);
    pg_put_text(params, change->schedule);
    pg_put_text(params, change->replaces);
    pg_put_text(params, change->staff);
    pg_put_int8(params, change->from_at);
    pg_put_int8(params, change->until_at);
    pg_put_bytes(params, request_text(req, F_REASON));
    (void)pg_send(pg, W_ONCALL_CHANGE, params, change_on_rows, change);
}

static void change_answer(struct plan_change *change)
{
    struct plan *plan = change->plan;
    struct buf out;

    buf_init(&out, 64 << 10);
    struct wire_map map = wire_map_open(&out);
    wire_put_key_int(&out, "override", change->id), map.count++;
    wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&change->key)), map.count++;
    if (change->hands_over)
        wire_put_text(&out, "handed_over"), change_put_handed(change, &out), map.count++;
    map.count += change_put_warnings(change, &out);
    wire_map_close(&out, &map);
    change_free(change);
    plan_answer(plan, buf_span(&out));
    buf_clear(&out);
}

static void change_done(struct unit *unit, const struct err *err)
{
    struct plan_change *change = (struct plan_change *)unit;
    struct err why;

    if (err != NULL)
        change_refuse(change, err->code, err->field, "%s", err->msg);
    else if (!op_key_check(&change->key, &why))
        change_refuse(change, why.code, why.field, "%s", why.msg);
    else if (!change->changed && !change->key.is_there)
        change_refuse(change, ERR_BUSY, "",
                      "somebody else changed the on-call plan at the same moment: repeat");
    else if (change->id == 0)
        change_refuse(change, ERR_NOT_FOUND, "override",
                      "no override has the number %lld, or it was cancelled", (long long)change->cancel);
    else
        change_answer(change);
}

static void change_write(struct plan_change *change)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = change_send,
                                          .done = change_done};

    change->unit.type = &type;
    change->unit.bytes = wire_doc_bytes(change->plan->call->req.doc).len + 512;
    op_key_begin(&change->key);
    writer_add(change->plan->broker->writer, &change->unit);
}

static struct plan_change *change_new(struct plan *plan)
{
    struct plan_change *change = mem_new(1, sizeof *change);
    const struct request *req = &plan->call->req;

    change->plan = plan;
    change->from_at = request_int(req, F_SPAN_FROM_AT, 0);
    change->until_at = request_int(req, F_UNTIL_AT, 0);
    return change;
}

/* ---- the ops ---- */

static void change_on_known(void *arg, struct call *call, const struct err *err)
{
    struct plan_change *change = arg;

    (void)call; /* the plan's */
    if (err != NULL) {
        change_refuse(change, err->code, err->field, "%s", err->msg);
        return;
    }
    change->plan->rev = REV_NONE; /* it did not pass, so nothing may be written */
    change_write(change);
}

/* Writes it when it passed, or was done before: later overrides may make a gap of it by now. */
static void change_go(struct plan_change *change, bool passed, const struct err *err)
{
    if (passed)
        change_write(change);
    else
        key_known_or(change->plan->broker, change->plan->call, err, change_on_known, change);
}

/* What is cancelled must leave no gap behind either. One that is not there is left to the statement to tell. */
static bool cancel_check(struct plan_change *change, struct err *err)
{
    const struct plan *plan = change->plan;

    change->cancel = request_int(&plan->call->req, F_OVERRIDE, 0);
    for (size_t i = 0; i < plan->count; i++)
        if (plan->rows[i].id == change->cancel) {
            change->from_at = plan->items[i].from_at;
            change->until_at = plan->items[i].until_at;
        }
    return change_leaves_no_gap(change, err);
}

static bool override_check(struct plan_change *change, struct err *err)
{
    const struct oncall *oncall = plan_oncall(change->plan);
    size_t first = 0, end = 0;

    if (!plan_schedule(change->plan, &first, &end, err))
        return false;
    change->schedule = mem_strdup(oncall_schedule(oncall, first)->name);
    return change_person(change, F_STAFF, &change->staff, err) &&
           change_person(change, F_REPLACES, &change->replaces, err) && change_leaves_no_gap(change, err);
}

static void override_then(struct plan *plan)
{
    struct plan_change *change = change_new(plan);
    struct err err;
    bool passed =
        request_has(&plan->call->req, F_OVERRIDE) ? cancel_check(change, &err) : override_check(change, &err);

    change_go(change, passed, &err);
}

void oncalling_override(struct broker *broker, struct call *call)
{
    plan_read(broker, call, broker_now(broker), override_then);
}

static void away_then(struct plan *plan)
{
    struct plan_change *change = change_new(plan);
    struct err err;
    bool passed = change_person(change, F_STAFF, &change->replaces, &err) &&
                  change_person(change, F_TO_STAFF, &change->staff, &err) &&
                  change_leaves_no_gap(change, &err);

    change->hands_over = true;
    change_go(change, passed, &err);
}

/* From its beginning on, as a repeat tells what was handed over then. */
void oncalling_away(struct broker *broker, struct call *call)
{
    int64_t now = broker_now(broker), from_at = request_int(&call->req, F_SPAN_FROM_AT, now);

    plan_read(broker, call, from_at < now ? from_at : now, away_then);
}
