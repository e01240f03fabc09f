/* What a decision does to the ticket of a trial, as the broker and its database do it; see trial.h. */
#include "states.h"
#include "trial_internal.h"

#include "mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void trial_say(struct trial *trial, enum trial_list list, struct span text)
{
    struct trial_said *said = &trial->said[list];

    if ((said->count & (said->count + 1)) == 0)
        said->texts = mem_grow(said->texts, 2 * (said->count + 1), sizeof *said->texts);
    said->texts[said->count++] = mem_strndup(text.p, text.len);
}

void trial_tell(struct trial *trial, const char *to, const char *what)
{
    char text[2 * TRIAL_NAME_BYTES];

    (void)snprintf(text, sizeof text, "%s %s", to, what);
    trial_say(trial, TRIAL_TOLD, span_of(text));
}

static bool causes_open(struct trial *trial, struct span cause)
{
    for (size_t i = 0; i < trial->cause_count; i++)
        if (span_is(cause, trial->causes[i]))
            return false;
    if (trial->cause_count < TRIAL_CAUSES_MAX)
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

void trial_name_set(char ret[TRIAL_NAME_BYTES], struct span text)
{
    (void)snprintf(ret, TRIAL_NAME_BYTES, "%.*s", (int)text.len, text.len == 0 ? "" : text.p);
}

void trial_add_event(struct trial *trial, enum desk_event kind, const struct trial_as *as, bool public,
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

static void keep_val(struct buf *buf, const struct wire_val *val)
{
    buf_reset(buf);
    wire_put_val(buf, val);
}

/* Puts the entries of set over those of what was posted. */
void trial_posted_merge(struct trial *trial, const struct wire_val *set)
{
    struct wire_doc *doc = NULL;
    struct buf out;

    if (!wire_parse(trial->posted.p, trial->posted.len, TRIAL_DEPTH_MAX, &doc, NULL))
        return;
    buf_init(&out, TRIAL_BYTES_MAX);
    struct wire_map map = wire_map_open(&out);
    const struct wire_val *old = wire_root(doc);
    for (size_t i = 0; i < wire_count(old); i++) {
        char key[TRIAL_NAME_BYTES];
        trial_name_set(key, wire_key_at(old, i));
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
void trial_fields_set(struct trial *trial, const struct wire_val *set, bool by_person)
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
            trial_name_set((char *)trial + names[i].at, wire_find_str(set, names[i].field));
            trial->held |= by_person ? names[i].bit : 0;
        }
    if (wire_find(set, "tags") != NULL && (by_person || (trial->held & HELD_TAGS) == 0)) {
        keep_val(&trial->tags, wire_find(set, "tags"));
        trial->held |= by_person ? HELD_TAGS : 0;
    }
    trial->held |= by_person && wire_find(set, "attributes") != NULL ? HELD_ATTRIBUTES : 0;
}

void trial_state_set(struct trial *trial, enum desk_state state)
{
    if (state == STATE_CLOSED && trial->state != STATE_CLOSED)
        trial->closed_at = trial->now;
    trial->state = state;
}

static void take_set(struct trial *trial, const struct wire_val *set)
{
    int64_t priority = wire_find_int(set, "priority", 0);
    const struct wire_val *attributes = wire_find(set, "attributes");

    if (priority != 0 && (trial->held & HELD_PRIORITY) == 0)
        trial->priority = (int)priority;
    if (trial->state == STATE_NEW)
        trial->state = STATE_TRIAGED;
    enum desk_state state;
    if (desk_state_parse(wire_find_str(set, "state"), &state)) {
        assert(states_may_decide(trial->state, state)); /* else a broker would refuse the decision */
        trial_state_set(trial, state);
    }
    trial_fields_set(trial, set, false);
    if (attributes != NULL && (trial->held & HELD_ATTRIBUTES) == 0) {
        struct buf map;
        struct wire_doc *doc = NULL;
        buf_init(&map, TRIAL_BYTES_MAX);
        wire_put_map(&map, 1);
        wire_put_key_val(&map, "attributes", attributes);
        if (wire_parse(map.p, map.len, TRIAL_DEPTH_MAX, &doc, NULL))
            trial_posted_merge(trial, wire_root(doc));
        wire_doc_free(doc);
        buf_clear(&map);
    }
    trial->reply_pending = wire_find_bool(set, "reply_pending", trial->reply_pending);
}

static struct work_verdict *verdict_find(struct trial *trial, enum clock_kind kind, int64_t cycle)
{
    for (size_t i = 0; i < trial->verdict_count; i++)
        if (trial->verdicts[i].kind == kind && trial->verdicts[i].cycle == cycle)
            return &trial->verdicts[i];
    return NULL;
}

static struct span span_copy(struct span text)
{
    return text.p == NULL ? SPAN_NONE : (struct span){mem_strndup(text.p, text.len), text.len};
}

void trial_verdict_clear(struct work_verdict *verdict)
{
    free((void *)(uintptr_t)verdict->cause.p);
    free((void *)(uintptr_t)verdict->process.p);
    free((void *)(uintptr_t)verdict->zones.p);
}

/* As broker/sql/verdicts.sql: the first one stays; a miss gains when it was met. */
static void take_verdict(struct trial *trial, const struct wire_val *map)
{
    struct work_verdict v;

    if (!work_verdict_parse(map, &v))
        return;
    struct work_verdict *old = verdict_find(trial, v.kind, v.cycle);
    if (old == NULL) {
        v.judged_at = trial->now;
        v.cause = span_copy(v.cause);
        v.process = span_copy(span_of(engine_process(trial->engine)->hash));
        v.zones = span_copy(span_of(engine_zones(trial->engine)));
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
    struct span what = wire_find_str(span_is(kind, "meeting") ? wire_find(body, "meeting") : body, "what");
    char to[TRIAL_NAME_BYTES], text[TRIAL_NAME_BYTES];

    if (alert != NULL && !causes_open(trial, wire_find_str(alert, "cause")))
        return;
    if (span_is(kind,
                "approval_asked")) /* again: "asked approval", unlike the first time, which is the op's own */
        kind = span_of("asked");
    trial_name_set(to, wire_find_str(note, "to"));
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

/* What an event of the desk's own says to customers and boards. */
static void take_said(struct trial *trial, enum desk_event kind, const struct wire_val *body)
{
    const struct wire_val *questions = wire_find(body, "questions");
    char text[TRIAL_NAME_BYTES];

    for (size_t i = 0; kind == EVENT_ASKED && i < wire_count(questions); i++)
        trial_say(trial, TRIAL_ASKED, wire_find_str(wire_at(questions, i), "name"));
    if (kind != EVENT_WARNED)
        return;
    struct span clock = wire_find_str(body, "clock");
    (void)snprintf(text, sizeof text, "%.*s %lld%%", (int)clock.len, clock.p,
                   (long long)wire_find_int(body, "percent", 0));
    trial_say(trial, TRIAL_WARNED, span_of(text));
}

static void take_events(struct trial *trial, const struct wire_val *decision, bool is_new)
{
    const struct wire_val *more = wire_find(decision, "events");
    struct buf body;

    buf_init(&body, TRIAL_BYTES_MAX);
    if (is_new || !list_is_empty(decision, "set") || !list_is_empty(decision, "notify") ||
        !list_is_empty(decision, "deadlines") || !list_is_empty(decision, "events") ||
        !list_is_empty(decision, "changes")) {
        put_decided_body(decision, &body);
        trial_add_event(trial, is_new ? EVENT_TRIAGED : EVENT_DECIDED, NULL, false, buf_span(&body));
    }
    for (size_t i = 0; i < wire_count(more); i++) {
        enum desk_event kind = EVENT_ASKED;
        (void)desk_event_parse(wire_find_str(wire_at(more, i), "kind"), &kind);
        take_said(trial, kind, wire_find(wire_at(more, i), "body"));
        buf_reset(&body);
        wire_put_val(&body, wire_find(wire_at(more, i), "body"));
        trial_add_event(trial, kind, NULL, wire_find_bool(wire_at(more, i), "public", false),
                        buf_span(&body));
    }
    trial->decided = trial->version;
    buf_clear(&body);
}

void trial_take(struct trial *trial, const struct wire_val *decision)
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
