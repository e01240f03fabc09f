/* Who is on call, as people ask; see oncalling.h. What changes the plan is in oncalling_change.c. */
#include "oncalling.h"
#include "calls.h"
#include "date.h"
#include "mem.h"
#include "oncall.h"
#include "oncalling_internal.h"
#include "pg.h"
#include "process_room.h"
#include "read_end.h"
#include "statements.h"

#include <stdarg.h>
#include <stdlib.h>

enum { BYTES_MAX = 2 << 20, TURNS = 50, PERSON_BYTES = 130 };
#define LOOK_DAYS 92 /* the farthest that oncall.next looks by itself */

/* ---- the plan of one snapshot ---- */

static void plan_free(struct plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->count; i++) {
        free((void *)(uintptr_t)plan->items[i].schedule);
        free((void *)(uintptr_t)plan->items[i].replaces);
        free((void *)(uintptr_t)plan->items[i].staff);
        free(plan->rows[i].made_by);
        free(plan->rows[i].reason);
    }
    free(plan->items);
    free(plan->rows);
    free(plan);
}

struct oncall_overrides plan_overrides(const struct plan *plan)
{
    return (struct oncall_overrides){plan->items, plan->count};
}

const struct oncall *plan_oncall(const struct plan *plan)
{
    return plan->broker->process.oncall;
}

static const struct process_people *plan_people(const struct plan *plan)
{
    return &plan->broker->process.parsed->people;
}

void plan_refuse(struct plan *plan, enum err_code code, const char *field, const char *fmt, ...)
{
    struct err err;
    char text[sizeof err.msg];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)err_field(&err, code, field, "%s", text);
    call_refuse(plan->call, &err);
    plan_free(plan);
}

void plan_answer(struct plan *plan, struct span body)
{
    call_answer(plan->call, body);
    plan_free(plan);
}

static void plan_on_rev(void *arg, PGresult *rows)
{
    struct plan *plan = arg;
    struct span hash = pg_span(rows, 0, 1);

    plan->rev = pg_int(rows, 0, 0);
    (void)snprintf(plan->process, sizeof plan->process, "%.*s", (int)hash.len, hash.p == NULL ? "" : hash.p);
}

static void plan_on_overrides(void *arg, PGresult *rows)
{
    enum { ID, SCHEDULE, REPLACES, STAFF, FROM_AT, UNTIL_AT, MADE_BY, REASON };
    struct plan *plan = arg;

    plan->count = (size_t)PQntuples(rows);
    plan->items = mem_new(plan->count + 1, sizeof *plan->items);
    plan->rows = mem_new(plan->count + 1, sizeof *plan->rows);
    for (size_t i = 0; i < plan->count; i++) {
        int row = (int)i;
        plan->items[i] = (struct oncall_override){pg_text(rows, row, SCHEDULE), pg_text(rows, row, REPLACES),
                                                  pg_text(rows, row, STAFF), pg_int(rows, row, FROM_AT),
                                                  pg_int(rows, row, UNTIL_AT)};
        plan->rows[i] =
            (struct plan_row){pg_int(rows, row, ID), pg_text(rows, row, MADE_BY), pg_text(rows, row, REASON)};
    }
}

static void plan_on_process(void *arg, bool known)
{
    struct plan *plan = arg;

    if (!known)
        plan_refuse(plan, ERR_UNAVAILABLE, "",
                    "the database does not tell which process is current; please try again");
    else if (plan_oncall(plan) == NULL)
        plan_refuse(plan, ERR_UNAVAILABLE, "",
                    "no process is current, or its schedules cannot be used (see the broker's log)");
    else
        plan->then(plan);
}

/* A process.apply that was answered is followed here, also when another broker answered it. */
static void plan_on_end(void *arg, const struct pg_end *end)
{
    struct plan *plan = arg;
    struct err err;

    if (read_end_is_ok(end, "oncall", &err)) {
        process_room_await(plan->broker, plan->process, plan_on_process, plan);
        return;
    }
    call_refuse(plan->call, &err);
    plan_free(plan);
}

void plan_read(struct broker *broker, struct call *call, int64_t from_at, void (*then)(struct plan *))
{
    struct plan *plan = mem_new(1, sizeof *plan);

    plan->broker = broker;
    plan->call = call;
    plan->then = then;
    (void)pg_send(broker->reader_pg, READER_ONCALL_REV, NULL, plan_on_rev, plan);
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, from_at);
    (void)pg_send(broker->reader_pg, READER_ONCALL_OVERRIDES, broker->params, plan_on_overrides, plan);
    pg_sync(broker->reader_pg, plan_on_end, plan);
}

bool plan_schedule(const struct plan *plan, size_t *ret_first, size_t *ret_end, struct err *err)
{
    struct span name = request_text(&plan->call->req, F_SCHEDULE);
    int i = name.p == NULL ? 0 : oncall_find(plan_oncall(plan), name);

    if (i < 0)
        return err_field(err, ERR_INVALID, "schedule", "schedule: \"%.*s\" is not in oncall.yaml",
                         (int)name.len, name.p);
    *ret_first = (size_t)i;
    *ret_end = name.p == NULL ? oncall_count(plan_oncall(plan)) : (size_t)i + 1;
    return true;
}

bool plan_has_person(const struct plan *plan, struct span name)
{
    char text[PERSON_BYTES];

    (void)snprintf(text, sizeof text, "%.*s", (int)name.len, name.p);
    return process_person_find(plan_people(plan), text) != NULL;
}

bool plan_no_person(enum field field, struct span name, struct err *err)
{
    return err_field(err, ERR_INVALID, request_field_name(field),
                     "%s: \"%.*s\" is none of the people in staff.yaml", request_field_name(field),
                     (int)name.len, name.p);
}

static void put_set(struct buf *out, const struct oncall_set *set)
{
    wire_put_list(out, set->count);
    for (size_t i = 0; i < set->count; i++)
        wire_put_text(out, set->names[i]);
}

/* ---- oncall.who ---- */

static void who_put(const struct plan *plan, size_t schedule, int64_t at, struct buf *out)
{
    struct oncall_set set;
    int64_t until_at = oncall_next_change(plan_oncall(plan), schedule, plan_overrides(plan), at);

    oncall_at(plan_oncall(plan), schedule, plan_overrides(plan), at, &set);
    wire_put_map(out, 4);
    wire_put_key_text(out, "schedule", oncall_schedule(plan_oncall(plan), schedule)->name);
    wire_put_key_text(out, "zone", oncall_schedule(plan_oncall(plan), schedule)->zone);
    wire_put_text(out, "staff");
    put_set(out, &set);
    wire_put_text(out, "change_at");
    if (until_at == INT64_MAX)
        wire_put_nil(out);
    else
        wire_put_int(out, until_at);
}

static int64_t asked_at(const struct plan *plan)
{
    return request_int(&plan->call->req, F_WHO_AT, broker_now(plan->broker));
}

static void who_then(struct plan *plan)
{
    size_t first = 0, end = 0;
    int64_t at = asked_at(plan);
    struct err err;
    struct buf out;

    if (!plan_schedule(plan, &first, &end, &err)) {
        plan_refuse(plan, err.code, err.field, "%s", err.msg);
        return;
    }
    buf_init(&out, BYTES_MAX);
    wire_put_map(&out, 2);
    wire_put_key_int(&out, "at", at);
    wire_put_text(&out, "schedules");
    wire_put_list(&out, end - first);
    for (size_t i = first; i < end; i++)
        who_put(plan, i, at, &out);
    plan_answer(plan, buf_span(&out));
    buf_clear(&out);
}

void oncalling_who(struct broker *broker, struct call *call)
{
    plan_read(broker, call, request_int(&call->req, F_WHO_AT, broker_now(broker)), who_then);
}

/* ---- oncall.next ---- */

struct turns {
    struct buf *out;
    const struct plan *plan;
    struct wire_map list;
    const char *schedule;
    size_t index;      /* of the schedule */
    int64_t from_at;   /* of the whole walk: its first turn may have begun before */
    int64_t ended_at;  /* of the last turn that was put */
    struct span staff; /* p == NULL: everybody */
    size_t limit;
};

static bool set_has(const struct oncall_set *set, struct span name)
{
    for (size_t i = 0; i < set->count; i++)
        if (span_is(name, set->names[i]))
            return true;
    return name.p == NULL;
}

static bool turns_on_span(void *arg, int64_t from_us, int64_t until_us, const struct oncall_set *set)
{
    struct turns *turns = arg;

    if (!set_has(set, turns->staff))
        return true;
    int64_t since_at = from_us > turns->from_at ? from_us
                                                : oncall_since(plan_oncall(turns->plan), turns->index,
                                                               plan_overrides(turns->plan), from_us);
    wire_put_map(turns->out, 5);
    wire_put_key_text(turns->out, "schedule", turns->schedule);
    wire_put_key_int(turns->out, "since_at", since_at);
    wire_put_key_int(turns->out, "from_at", from_us);
    wire_put_key_int(turns->out, "until_at", until_us);
    wire_put_text(turns->out, "staff");
    put_set(turns->out, set);
    turns->ended_at = until_us;
    return ++turns->list.count < turns->limit;
}

/* What is asked for and where it goes on: as a cursor "FROM.UNTIL.AT.SCHEDULE". */
struct stretch {
    int64_t from_at, until_at;
    int64_t at;           /* in the schedule it goes on with; those behind it begin at from_at */
    struct span schedule; /* p == NULL: the first */
};

/* Digits and the dot behind them. */
static bool take_instant(struct span *text, int64_t *ret)
{
    enum { DIGITS_MAX = 18 };
    size_t len = 0;

    *ret = 0;
    for (; len < text->len && len < DIGITS_MAX && text->p[len] >= '0' && text->p[len] <= '9'; len++)
        *ret = *ret * 10 + (text->p[len] - '0');
    if (len == 0 || len == text->len || text->p[len] != '.')
        return false;
    *text = (struct span){text->p + len + 1, text->len - len - 1};
    return true;
}

static bool stretch_read(const struct request *req, int64_t now, struct stretch *ret, struct err *err)
{
    struct span text = request_text(req, F_CURSOR);

    ret->from_at = ret->at = request_int(req, F_SPAN_FROM_AT, now);
    ret->until_at = request_int(req, F_UNTIL_AT, ret->from_at + LOOK_DAYS * DAY_US);
    ret->schedule = SPAN_NONE;
    if (text.len != 0) {
        if (!take_instant(&text, &ret->from_at) || !take_instant(&text, &ret->until_at) ||
            !take_instant(&text, &ret->at) || text.len == 0 || ret->at < ret->from_at ||
            ret->at > ret->until_at)
            return err_field(err, ERR_INVALID, "cursor", "cursor: not one of oncall.next");
        ret->schedule = text;
    }
    if (ret->until_at <= ret->from_at || ret->until_at - ret->from_at > PLAN_DAYS_MAX * DAY_US)
        return err_field(err, ERR_INVALID, "until_at",
                         "until_at: want an instant after from_at, at most %d days", PLAN_DAYS_MAX);
    return true;
}

/* Which schedules are left of those that are asked for. */
static bool stretch_schedules(const struct plan *plan, const struct stretch *stretch, size_t *ret_first,
                              size_t *ret_end, struct err *err)
{
    if (!plan_schedule(plan, ret_first, ret_end, err))
        return false;
    if (stretch->schedule.p == NULL)
        return true;
    int i = oncall_find(plan_oncall(plan), stretch->schedule);
    if (i < 0 || (size_t)i < *ret_first || (size_t)i >= *ret_end)
        return err_field(err, ERR_INVALID, "cursor",
                         "cursor: its schedule is none of those that are asked for");
    *ret_first = (size_t)i;
    return true;
}

/* Nil at the end of all. */
static void put_cursor(const struct turns *turns, const struct stretch *stretch, size_t end, struct buf *out)
{
    char text[160];
    bool is_all =
        turns->list.count < turns->limit || (turns->ended_at >= stretch->until_at && turns->index + 1 == end);

    wire_put_text(out, "cursor");
    if (is_all) {
        wire_put_nil(out);
        return;
    }
    (void)snprintf(text, sizeof text, "%lld.%lld.%lld.%s", (long long)stretch->from_at,
                   (long long)stretch->until_at, (long long)turns->ended_at, turns->schedule);
    wire_put_text(out, text);
}

static void put_overrides(const struct plan *plan, struct buf *out)
{
    wire_put_list(out, plan->count);
    for (size_t i = 0; i < plan->count; i++) {
        wire_put_map(out, 8);
        wire_put_key_int(out, "override", plan->rows[i].id);
        wire_put_key_text(out, "schedule", plan->items[i].schedule);
        wire_put_key_text(out, "replaces", plan->items[i].replaces);
        wire_put_key_text(out, "staff", plan->items[i].staff);
        wire_put_key_int(out, "from_at", plan->items[i].from_at);
        wire_put_key_int(out, "until_at", plan->items[i].until_at);
        wire_put_key_text(out, "by", plan->rows[i].made_by);
        wire_put_key_text(out, "reason", plan->rows[i].reason);
    }
}

/* Somebody of staff.yaml, or who is no more but stood in for others: turns of the past may be asked for. */
static bool next_person_is_fine(const struct plan *plan, struct err *err)
{
    struct span name = request_text(&plan->call->req, F_STAFF);

    if (name.p == NULL || plan_has_person(plan, name))
        return true;
    for (size_t i = 0; i < plan->count; i++)
        if (span_is(name, plan->items[i].staff))
            return true;
    return plan_no_person(F_STAFF, name, err);
}

/* The turns of each schedule, until there are as many as were asked for. */
static void turns_walk(struct turns *turns, const struct stretch *stretch, size_t first, size_t end)
{
    const struct plan *plan = turns->plan;

    for (size_t i = first; i < end && turns->list.count < turns->limit; i++) {
        turns->schedule = oncall_schedule(plan_oncall(plan), i)->name;
        turns->index = i;
        turns->from_at = i == first ? stretch->at : stretch->from_at;
        if (turns->from_at < stretch->until_at)
            oncall_walk(plan_oncall(plan), i, plan_overrides(plan), turns->from_at, stretch->until_at,
                        turns_on_span, turns);
    }
}

static void next_then(struct plan *plan)
{
    const struct request *req = &plan->call->req;
    struct stretch stretch;
    size_t first = 0, end = 0;
    struct err err;
    struct buf out;

    if (!stretch_read(req, broker_now(plan->broker), &stretch, &err) ||
        !stretch_schedules(plan, &stretch, &first, &end, &err) || !next_person_is_fine(plan, &err)) {
        plan_refuse(plan, err.code, err.field, "%s", err.msg);
        return;
    }
    buf_init(&out, BYTES_MAX);
    struct turns turns = {.out = &out,
                          .plan = plan,
                          .staff = request_text(req, F_STAFF),
                          .limit = (size_t)request_int(req, F_LIMIT, TURNS)};
    wire_put_map(&out, 3);
    wire_put_text(&out, "turns");
    turns.list = wire_list_open(&out);
    turns_walk(&turns, &stretch, first, end);
    wire_list_close(&out, &turns.list);
    wire_put_text(&out, "overrides");
    put_overrides(plan, &out);
    put_cursor(&turns, &stretch, end, &out);
    plan_answer(plan, buf_span(&out));
    buf_clear(&out);
}

void oncalling_next(struct broker *broker, struct call *call)
{
    struct stretch stretch;
    struct err err;

    if (stretch_read(&call->req, broker_now(broker), &stretch, &err))
        plan_read(broker, call, stretch.from_at, next_then);
    else
        call_refuse(call, &err);
}
