/* One ticket in memory; see trial.h. */
#include "trial.h"

#include "decide.h"
#include "mem.h"
#include "states.h"
#include "work.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BYTES_MAX = 16 << 20,
    NAME_BYTES = 129,
    CAUSES_MAX = 256,
    ROUNDS_MAX = 10000, /* decisions of one trial_pass: more is a loop */
    DEPTH_MAX = 32
};

struct trial {
    const struct engine *engine;
    struct decider *decider;
    struct buf posted;   /* map: what was submitted, with what was changed since */
    struct buf customer; /* map; empty: unknown */
    struct buf tags, clocks;
    struct buf events; /* encoded maps, one after the other */
    size_t event_count;
    char package[NAME_BYTES], queue[NAME_BYTES], assignee[NAME_BYTES], kind[NAME_BYTES]; /* "": none */
    enum desk_state state;
    int priority;
    unsigned held;
    bool reply_pending;
    int64_t posted_at, updated_at, version, decided, now, wake_at;
    bool ops_first, held_back;
    const char *reason;
    struct trial_told *told;
    size_t told_count;
    struct trial_verdict *verdicts;
    size_t verdict_count;
    char *causes[CAUSES_MAX]; /* of open alerts */
    size_t cause_count;
    struct wire_doc *shown;
};

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

/* ---- small things ---- */

static void name_set(char ret[NAME_BYTES], struct span text)
{
    (void)snprintf(ret, NAME_BYTES, "%.*s", (int)text.len, text.len == 0 ? "" : text.p);
}

static void put_name(struct buf *out, const char *key, const char *name)
{
    wire_put_key_text(out, key, name[0] == '\0' ? NULL : name);
}

static void trial_tell(struct trial *trial, const char *to, const char *what)
{
    struct trial_told *told = NULL;

    if ((trial->told_count & (trial->told_count + 1)) == 0)
        trial->told = mem_grow(trial->told, 2 * (trial->told_count + 1), sizeof *trial->told);
    told = &trial->told[trial->told_count++];
    told->at = trial->now;
    (void)snprintf(told->what, sizeof told->what, "%s %s", to, what);
}

static bool causes_open(struct trial *trial, struct span cause)
{
    for (size_t i = 0; i < trial->cause_count; i++)
        if (span_is(cause, trial->causes[i]))
            return false;
    if (trial->cause_count < CAUSES_MAX)
        trial->causes[trial->cause_count++] = mem_strndup(cause.p, cause.len);
    return true;
}

static void causes_resolve(struct trial *trial, struct span cause)
{
    for (size_t i = 0; i < trial->cause_count; i++)
        if (span_is(cause, trial->causes[i])) {
            free(trial->causes[i]);
            trial->causes[i] = trial->causes[--trial->cause_count];
            return;
        }
}

/* ---- the work ---- */

static void put_held(const struct trial *trial, struct buf *out)
{
    static const struct {
        unsigned bit;
        const char *name;
    } rows[] = {{HELD_PRIORITY, "priority"}, {HELD_QUEUE, "queue"},           {HELD_ASSIGNEE, "assignee"},
                {HELD_TAGS, "tags"},         {HELD_ATTRIBUTES, "attributes"}, {HELD_KIND, "kind"}};

    wire_put_text(out, "held");
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((trial->held & rows[i].bit) != 0)
            wire_put_text(out, rows[i].name), list.count++;
    wire_list_close(out, &list);
}

static bool is_own_field(struct span key)
{
    static const char *const own[] = {"tracking", "state",     "priority",   "queue",         "assignee",
                                      "kind",     "tags",      "held",       "reply_pending", "version",
                                      "decided",  "posted_at", "updated_at", "clocks",        "package"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (span_is(key, own[i]))
            return true;
    return false;
}

static void put_posted(const struct trial *trial, struct buf *out, struct wire_map *map)
{
    struct wire_doc *doc = NULL;

    if (!wire_parse(trial->posted.p, trial->posted.len, DEPTH_MAX, &doc, NULL))
        return;
    for (size_t i = 0; i < wire_count(wire_root(doc)); i++)
        if (!is_own_field(wire_key_at(wire_root(doc), i))) {
            wire_put_str(out, wire_key_at(wire_root(doc), i));
            wire_put_val(out, wire_val_at(wire_root(doc), i)), map->count++;
        }
    wire_doc_free(doc);
}

/* What the broker adds to every ticket: the customer's name, the channel. Without it a rule would see here what it never sees in life. */
static void put_given(const struct trial *trial, struct buf *out, struct wire_map *map)
{
    struct wire_doc *posted = NULL, *customer = NULL;

    if (wire_parse(trial->posted.p, trial->posted.len, DEPTH_MAX, &posted, NULL) &&
        wire_find(wire_root(posted), "channel") == NULL)
        wire_put_key_text(out, "channel", "ticket"), map->count++;
    if (posted != NULL && wire_find(wire_root(posted), "customer") == NULL && trial->customer.len != 0 &&
        wire_parse(trial->customer.p, trial->customer.len, DEPTH_MAX, &customer, NULL) &&
        wire_find(wire_root(customer), "id") != NULL)
        wire_put_key_val(out, "customer", wire_find(wire_root(customer), "id")), map->count++;
    wire_doc_free(posted);
    wire_doc_free(customer);
}

static void put_ticket(const struct trial *trial, struct buf *out)
{
    struct wire_map map = wire_map_open(out);

    put_posted(trial, out, &map);
    put_given(trial, out, &map);
    wire_put_key_text(out, "tracking", "DKT-0000-0000-0001-E"), map.count++;
    put_name(out, "package", trial->package), map.count++;
    wire_put_key_text(out, "state", desk_state_name(trial->state)), map.count++;
    wire_put_text(out, "priority"), map.count++;
    if (trial->priority == 0)
        wire_put_nil(out);
    else
        wire_put_int(out, trial->priority);
    put_name(out, "queue", trial->queue), map.count++;
    put_name(out, "assignee", trial->assignee), map.count++;
    put_name(out, "kind", trial->kind), map.count++;
    wire_put_text(out, "tags"), map.count++;
    wire_put_raw(out, buf_span(&trial->tags));
    put_held(trial, out), map.count++;
    wire_put_key_bool(out, "reply_pending", trial->reply_pending), map.count++;
    wire_put_key_int(out, "version", trial->version), map.count++;
    if (trial->version > 1)
        wire_put_key_int(out, "decided", trial->decided), map.count++;
    wire_put_key_int(out, "posted_at", trial->posted_at), map.count++;
    wire_put_key_int(out, "updated_at", trial->updated_at), map.count++;
    wire_put_text(out, "clocks"), map.count++;
    wire_put_raw(out, buf_span(&trial->clocks));
    wire_map_close(out, &map);
}

static void put_verdicts(const struct trial *trial, struct buf *out)
{
    wire_put_text(out, "deadlines");
    wire_put_list(out, trial->verdict_count);
    for (size_t i = 0; i < trial->verdict_count; i++) {
        const struct trial_verdict *v = &trial->verdicts[i];
        wire_put_map(out, 12);
        wire_put_key_text(out, "clock", clock_kind_name(v->kind));
        wire_put_key_int(out, "cycle", v->cycle);
        wire_put_key_text(out, "verdict", v->missed ? "missed" : "met");
        wire_put_key_int(out, "priority", v->priority);
        wire_put_key_int(out, "promise_s", v->promise_s);
        wire_put_key_int(out, "due_at", v->due_at);
        work_put_instant(out, "met_at", v->met_at);
        wire_put_key_int(out, "worked_s", v->worked_s);
        wire_put_key_int(out, "paused_s", v->paused_s);
        wire_put_key_int(out, "judged_at", v->judged_at);
        wire_put_key_text(out, "process", v->process);
        wire_put_key_text(out, "zones", v->zones);
    }
}

void trial_put_work(const struct trial *trial, int64_t now, struct buf *out)
{
    wire_put_map(out, 6);
    wire_put_text(out, "ticket");
    put_ticket(trial, out);
    wire_put_text(out, "customer");
    if (trial->customer.len == 0)
        wire_put_nil(out);
    else
        wire_put_raw(out, buf_span(&trial->customer));
    wire_put_text(out, "events");
    wire_put_list(out, trial->event_count);
    (void)buf_add_span(out, buf_span(&trial->events));
    wire_put_text(out, "reasons");
    wire_put_list(out, 1);
    wire_put_text(out, trial->reason);
    wire_put_key_int(out, "now", now);
    put_verdicts(trial, out);
}

static void trial_add_event(struct trial *trial, enum desk_event kind, const struct trial_as *as, bool public,
                            struct span body)
{
    struct buf *out = &trial->events;

    trial->version++;
    trial->event_count++;
    trial->updated_at = trial->now;
    wire_put_map(out, 6);
    wire_put_key_int(out, "version", trial->version);
    wire_put_key_int(out, "at", trial->now);
    wire_put_key_text(out, "kind", desk_event_name(kind));
    wire_put_text(out, "as");
    if (as == NULL) {
        wire_put_nil(out);
    } else {
        wire_put_map(out, 2);
        wire_put_key_text(out, "name", as->name);
        wire_put_key_text(out, "role", desk_role_name(as->role));
    }
    wire_put_key_bool(out, "public", public);
    wire_put_text(out, "body");
    if (body.len == 0)
        wire_put_map(out, 0);
    else
        wire_put_raw(out, body);
}

/* ---- what a decision does ---- */

static void keep_val(struct buf *buf, const struct wire_val *val)
{
    buf_reset(buf);
    wire_put_val(buf, val);
}

/* Puts the entries of set over those of what was posted. */
static void posted_merge(struct trial *trial, const struct wire_val *set)
{
    struct wire_doc *doc = NULL;
    struct buf out;

    if (!wire_parse(trial->posted.p, trial->posted.len, DEPTH_MAX, &doc, NULL))
        return;
    buf_init(&out, BYTES_MAX);
    struct wire_map map = wire_map_open(&out);
    const struct wire_val *old = wire_root(doc);
    for (size_t i = 0; i < wire_count(old); i++) {
        char key[NAME_BYTES];
        name_set(key, wire_key_at(old, i));
        if (wire_find(set, key) == NULL)
            wire_put_key_val(&out, key, wire_val_at(old, i)), map.count++;
    }
    for (size_t i = 0; i < wire_count(set); i++) {
        wire_put_str(&out, wire_key_at(set, i));
        wire_put_val(&out, wire_val_at(set, i)), map.count++;
    }
    wire_map_close(&out, &map);
    buf_clear(&trial->posted);
    trial->posted = out;
    wire_doc_free(doc);
}

/* Fields that are set, by people (held from then on) or by a decision (what is held stays). */
static void fields_set(struct trial *trial, const struct wire_val *set, bool by_person)
{
    static const struct {
        const char *field;
        unsigned bit;
        size_t at;
    } names[] = {{"queue", HELD_QUEUE, offsetof(struct trial, queue)},
                 {"assignee", HELD_ASSIGNEE, offsetof(struct trial, assignee)},
                 {"kind", HELD_KIND, offsetof(struct trial, kind)}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (wire_find(set, names[i].field) != NULL && (by_person || (trial->held & names[i].bit) == 0)) {
            name_set((char *)trial + names[i].at, wire_find_str(set, names[i].field));
            trial->held |= by_person ? names[i].bit : 0;
        }
    if (wire_find(set, "tags") != NULL && (by_person || (trial->held & HELD_TAGS) == 0)) {
        keep_val(&trial->tags, wire_find(set, "tags"));
        trial->held |= by_person ? HELD_TAGS : 0;
    }
    trial->held |= by_person && wire_find(set, "attributes") != NULL ? HELD_ATTRIBUTES : 0;
}

static void take_set(struct trial *trial, const struct wire_val *set)
{
    int64_t priority = wire_find_int(set, "priority", 0);
    const struct wire_val *attributes = wire_find(set, "attributes");

    if (priority != 0 && (trial->held & HELD_PRIORITY) == 0)
        trial->priority = (int)priority;
    if (trial->state == STATE_NEW)
        trial->state = STATE_TRIAGED;
    (void)desk_state_parse(wire_find_str(set, "state"), &trial->state);
    fields_set(trial, set, false);
    if (attributes != NULL && (trial->held & HELD_ATTRIBUTES) == 0) {
        struct buf map;
        struct wire_doc *doc = NULL;
        buf_init(&map, BYTES_MAX);
        wire_put_map(&map, 1);
        wire_put_key_val(&map, "attributes", attributes);
        if (wire_parse(map.p, map.len, DEPTH_MAX, &doc, NULL))
            posted_merge(trial, wire_root(doc));
        wire_doc_free(doc);
        buf_clear(&map);
    }
    trial->reply_pending = wire_find_bool(set, "reply_pending", trial->reply_pending);
}

static struct trial_verdict *verdict_find(struct trial *trial, enum clock_kind kind, int64_t cycle)
{
    for (size_t i = 0; i < trial->verdict_count; i++)
        if (trial->verdicts[i].kind == kind && trial->verdicts[i].cycle == cycle)
            return &trial->verdicts[i];
    return NULL;
}

/* As broker/sql/verdicts.sql: the first one stays; a miss gains when it was met. */
static void take_verdict(struct trial *trial, const struct wire_val *map)
{
    struct trial_verdict v = {.cycle = wire_find_int(map, "cycle", 0),
                              .priority = wire_find_int(map, "priority", 0),
                              .promise_s = wire_find_int(map, "promise_s", 0),
                              .due_at = wire_find_int(map, "due_at", 0),
                              .met_at = wire_find_int(map, "met_at", CLOCK_NO_INSTANT),
                              .worked_s = wire_find_int(map, "worked_s", 0),
                              .paused_s = wire_find_int(map, "paused_s", 0),
                              .judged_at = trial->now,
                              .missed = span_is(wire_find_str(map, "verdict"), "missed")};
    struct span cause = wire_find_str(map, "cause");

    (void)clock_kind_parse(wire_find_str(map, "clock"), &v.kind);
    (void)snprintf(v.cause, sizeof v.cause, "%.*s", (int)cause.len, cause.len == 0 ? "" : cause.p);
    (void)snprintf(v.process, sizeof v.process, "%s", engine_process(trial->engine)->hash);
    (void)snprintf(v.zones, sizeof v.zones, "%s", engine_zones(trial->engine));
    struct trial_verdict *old = verdict_find(trial, v.kind, v.cycle);
    if (old == NULL) {
        trial->verdicts = mem_grow(trial->verdicts, trial->verdict_count + 1, sizeof v);
        trial->verdicts[trial->verdict_count++] = v;
    } else if (old->missed && old->met_at == CLOCK_NO_INSTANT) {
        old->met_at = v.met_at;
        old->worked_s = v.worked_s;
        old->paused_s = v.paused_s;
    }
}

static void take_note(struct trial *trial, const struct wire_val *note)
{
    const struct wire_val *alert = wire_find(note, "alert"), *body = wire_find(note, "body");
    struct span kind = wire_find_str(note, "kind"), clock = wire_find_str(body, "clock");
    struct span what = wire_find_str(body, "what");
    char to[NAME_BYTES], text[NAME_BYTES];

    if (alert != NULL && !causes_open(trial, wire_find_str(alert, "cause")))
        return;
    name_set(to, wire_find_str(note, "to"));
    (void)snprintf(text, sizeof text, "%.*s", (int)kind.len, kind.p);
    if (clock.len != 0)
        (void)snprintf(text, sizeof text, "%.*s %.*s", (int)kind.len, kind.p, (int)clock.len, clock.p);
    else if (what.len != 0)
        (void)snprintf(text, sizeof text, "%.*s %.*s", (int)kind.len, kind.p, (int)what.len, what.p);
    if (span_is(kind, "warning"))
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), " %lld%%",
                       (long long)wire_find_int(body, "percent", 0));
    trial_tell(trial, to, text);
}

/* As the broker computes it: the earliest of wake_at and the due and warning times of running clocks. */
static int64_t wake_of(const struct wire_val *decision)
{
    const struct wire_val *clocks = wire_find(decision, "clocks");
    int64_t wake_at = wire_find_int(decision, "wake_at", INT64_MAX);

    for (size_t i = 0; i < wire_count(clocks); i++) {
        const struct wire_val *clock = wire_at(clocks, i);
        int64_t due_at = wire_find_int(clock, "due_at", INT64_MAX);
        int64_t warn_at = wire_find_int(clock, "warn_at", INT64_MAX);
        if (!span_is(wire_find_str(clock, "state"), "running"))
            continue;
        wake_at = due_at < wake_at ? due_at : wake_at;
        wake_at = warn_at < wake_at ? warn_at : wake_at;
    }
    return wake_at == INT64_MAX ? CLOCK_NO_INSTANT : wake_at;
}

static bool list_is_empty(const struct wire_val *decision, const char *field)
{
    return wire_count(wire_find(decision, field)) == 0;
}

static void put_decided_body(const struct wire_val *decision, struct buf *out)
{
    wire_put_map(out, 2);
    wire_put_key_val(out, "set", wire_find(decision, "set"));
    wire_put_key_val(out, "clocks", wire_find(decision, "changes"));
}

static void take_events(struct trial *trial, const struct wire_val *decision, bool is_new)
{
    const struct wire_val *more = wire_find(decision, "events");
    struct buf body;

    buf_init(&body, BYTES_MAX);
    if (is_new || !list_is_empty(decision, "set") || !list_is_empty(decision, "notify") ||
        !list_is_empty(decision, "deadlines") || !list_is_empty(decision, "events") ||
        !list_is_empty(decision, "changes")) {
        put_decided_body(decision, &body);
        trial_add_event(trial, is_new ? EVENT_TRIAGED : EVENT_DECIDED, NULL, false, buf_span(&body));
    }
    for (size_t i = 0; i < wire_count(more); i++) {
        enum desk_event kind = EVENT_ASKED;
        (void)desk_event_parse(wire_find_str(wire_at(more, i), "kind"), &kind);
        buf_reset(&body);
        wire_put_val(&body, wire_find(wire_at(more, i), "body"));
        trial_add_event(trial, kind, NULL, wire_find_bool(wire_at(more, i), "public", false),
                        buf_span(&body));
    }
    trial->decided = trial->version;
    buf_clear(&body);
}

static void trial_take(struct trial *trial, const struct wire_val *decision)
{
    const struct wire_val *notes = wire_find(decision, "notify"),
                          *deadlines = wire_find(decision, "deadlines");
    const struct wire_val *resolved = wire_find(decision, "resolve");
    bool is_new = trial->state == STATE_NEW;

    take_set(trial, wire_find(decision, "set"));
    keep_val(&trial->clocks, wire_find(decision, "clocks"));
    for (size_t i = 0; i < wire_count(deadlines); i++)
        take_verdict(trial, wire_at(deadlines, i));
    take_events(trial, decision, is_new);
    for (size_t i = 0; i < wire_count(notes); i++)
        take_note(trial, wire_at(notes, i));
    for (size_t i = 0; i < wire_count(resolved); i++) {
        struct span cause = SPAN_NONE;
        if (wire_get_str(wire_at(resolved, i), &cause))
            causes_resolve(trial, cause);
    }
    trial->wake_at = wake_of(decision);
}

static bool trial_decide(struct trial *trial, const char *reason, struct err *err)
{
    struct wire_doc *work = NULL, *decision = NULL;
    struct buf body, out;

    buf_init(&body, BYTES_MAX);
    buf_init(&out, BYTES_MAX);
    trial->reason = reason;
    trial_put_work(trial, trial->now, &body);
    bool ok = wire_parse(body.p, body.len, DEPTH_MAX, &work, err) &&
              decide(trial->decider, trial->engine, wire_root(work), &out, err) &&
              wire_parse(out.p, out.len, DEPTH_MAX, &decision, err);
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

static void act_fields(struct trial *trial, const struct op_row *row, const struct trial_as *as,
                       const struct wire_val *body)
{
    bool person = as->role != ROLE_SYSTEM;

    if (row->event == EVENT_TAKEN || row->event == EVENT_ASSIGNED) {
        name_set(trial->assignee,
                 row->event == EVENT_TAKEN ? span_of(as->name) : wire_find_str(body, "staff"));
        trial->held |= HELD_ASSIGNEE;
    } else if (row->event == EVENT_RELEASED) {
        trial->assignee[0] = '\0';
    } else if (row->event == EVENT_PRIORITIZED) {
        trial->priority = (int)wire_find_int(body, "priority", trial->priority);
        trial->held |= as->role == ROLE_STAFF || as->role == ROLE_ADMIN ? HELD_PRIORITY : 0;
    } else if (row->event == EVENT_UPDATED) {
        fields_set(trial, wire_find(body, "set"), person);
        posted_merge(trial, wire_find(body, "set"));
    } else if (row->event == EVENT_RESOLVED || row->event == EVENT_APPROVED || row->event == EVENT_REJECTED ||
               row->event == EVENT_CLOSED) {
        trial->reply_pending = false;
    } else if (row->event == EVENT_COMMENTED && person) {
        trial->reply_pending = row->does == DO_REPLY ? trial->state == STATE_RESOLVED : trial->reply_pending;
    }
}

static bool act_is_public(const struct op_row *row, const struct wire_val *body)
{
    return row->public || (row->event == EVENT_COMMENTED && wire_find_bool(body, "public", false));
}

bool trial_do(struct trial *trial, const char *op, struct trial_as as, const struct wire_val *body,
              int64_t at, struct err *err)
{
    const struct op_row *row = op_find(op);
    struct buf encoded;

    if (row == NULL)
        return err_field(err, ERR_INVALID, "do", "there is no op \"%s\"", op);
    if (!trial_pass(trial, trial->ops_first ? at - 1 : at, err))
        return false;
    trial->now = at > trial->now ? at : trial->now;
    enum states_op does = row->event == EVENT_WAITING && span_is(wire_find_str(body, "on"), "vendor")
                              ? DO_WAIT_VENDOR
                              : row->does;
    int next = states_next(does, trial->state);
    if (next == STATE_REFUSED)
        return err_set(err, ERR_CONFLICT, "%s is not possible while the ticket is %s", op,
                       desk_state_name(trial->state));
    act_fields(trial, row, &as, body);
    trial->state = (enum desk_state)next;
    buf_init(&encoded, BYTES_MAX);
    if (wire_type(body) == WIRE_MAP)
        wire_put_val(&encoded, body);
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
            return err_set(err, ERR_INTERNAL, "it wakes without end");
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
    name_set(trial->package, span_of(package));
    buf_init(&body, BYTES_MAX);
    wire_put_map(&body, 1);
    wire_put_key_text(&body, "package", package);
    trial_add_event(trial, EVENT_UPDATED, &as, false, buf_span(&body));
    buf_clear(&body);
    return trial_decide(trial, "event", err);
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
        buf_init(bufs[i], BYTES_MAX);
    trial->engine = engine;
    trial->decider = decider_new();
    trial->posted_at = trial->updated_at = trial->now = posted_at;
    trial->version = trial->decided = 1;
    trial->wake_at = CLOCK_NO_INSTANT;
    wire_put_val(&trial->posted, ticket);
    if (wire_type(customer) == WIRE_MAP)
        wire_put_val(&trial->customer, customer);
    name_set(trial->package, wire_find_str(customer, "package"));
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
    free(trial->told);
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
    buf_init(&out, BYTES_MAX);
    put_ticket(trial, &out);
    bool ok = wire_parse(out.p, out.len, DEPTH_MAX, &trial->shown, NULL);
    buf_clear(&out);
    return ok ? wire_root(trial->shown) : NULL;
}

size_t trial_told_count(const struct trial *trial)
{
    return trial->told_count;
}

const struct trial_told *trial_told(const struct trial *trial, size_t i)
{
    return &trial->told[i];
}

size_t trial_verdict_count(const struct trial *trial)
{
    return trial->verdict_count;
}

const struct trial_verdict *trial_verdict(const struct trial *trial, size_t i)
{
    return &trial->verdicts[i];
}

int64_t trial_wake_at(const struct trial *trial)
{
    return trial->wake_at;
}
