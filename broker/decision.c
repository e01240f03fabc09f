/* A worker's decision, checked; see decision.h. */
#include "decision_internal.h"
#include "states.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { NOTIFY_KIND_BYTES_MAX = 32, UNKNOWN_FIELD_SHOWN_MAX = 64 };

struct setting {
    struct decision *decision;
    const struct decision_base *base;
    const struct wire_val *set;
    struct decision_at at;
};

/* ---- set ---- */

static bool set_priority(struct setting *s, const char *field)
{
    int64_t priority = 0;
    if (!decision_int(&s->at, s->set, field, true, 1, 4, &priority))
        return false;
    s->decision->priority = (int16_t)priority;
    return true;
}

static bool set_state(struct setting *s, const char *field)
{
    struct span name;
    enum desk_state state;
    if (!wire_get_str(wire_find(s->set, field), &name) || !desk_state_parse(name, &state))
        return decision_fail(&s->at, field, "the name of a state");
    if (!states_may_decide(s->base->state, state))
        return err_field(s->at.err, ERR_INVALID, "set.state", "a decision does not lead from %s to %s",
                         desk_state_name(s->base->state), desk_state_name(state));
    s->decision->state = state;
    return true;
}

static bool set_queue(struct setting *s, const char *field)
{
    return decision_text(&s->at, s->set, field, false, DECISION_NAME_BYTES_MAX, &s->decision->queue);
}

static bool set_assignee(struct setting *s, const char *field)
{
    return decision_text(&s->at, s->set, field, false, DECISION_NAME_BYTES_MAX, &s->decision->assignee);
}

static bool set_kind(struct setting *s, const char *field)
{
    return decision_text(&s->at, s->set, field, false, DECISION_NAME_BYTES_MAX, &s->decision->kind);
}

static bool set_reply_pending(struct setting *s, const char *field)
{
    return decision_bool(&s->at, s->set, field, true, &s->decision->reply_pending);
}

static bool set_attributes(struct setting *s, const char *field)
{
    if (wire_type(wire_find(s->set, field)) != WIRE_MAP)
        return decision_fail(&s->at, field, "a map");
    return decision_keep(&s->at, s->set, field, WIRE_MAP, DECISION_ATTRIBUTES_BYTES_MAX,
                         &s->decision->attributes);
}

/* Reads a list of texts into a new array. */
static bool read_texts(const struct decision_at *at, const struct wire_val *map, const char *field,
                       size_t max, struct span **ret, size_t *ret_count)
{
    const struct wire_val *list = NULL;
    char want[48];

    if (!decision_list(at, map, field, max, &list))
        return false;
    size_t count = wire_count(list);
    if (count == 0)
        return true;
    *ret = mem_new(count, sizeof **ret);
    for (size_t i = 0; i < count; i++)
        if (!wire_get_str(wire_at(list, i), &(*ret)[i]) || (*ret)[i].len == 0 ||
            (*ret)[i].len > DECISION_NAME_BYTES_MAX) {
            (void)snprintf(want, sizeof want, "texts of 1 to %d bytes", DECISION_NAME_BYTES_MAX);
            return decision_fail(at, field, want);
        }
    *ret_count = count;
    return true;
}

static bool set_tags(struct setting *s, const char *field)
{
    if (wire_type(wire_find(s->set, field)) != WIRE_LIST)
        return decision_fail(&s->at, field, "a list of texts");
    return read_texts(&s->at, s->set, field, DECISION_TAGS_MAX, &s->decision->tags, &s->decision->tag_count);
}

static const struct setter {
    const char *name;
    enum decision_set bit;
    bool (*read)(struct setting *s, const char *field);
} setters[] = {
    {"priority", SET_PRIORITY, set_priority},
    {"state", SET_STATE, set_state},
    {"queue", SET_QUEUE, set_queue},
    {"assignee", SET_ASSIGNEE, set_assignee},
    {"kind", SET_KIND, set_kind},
    {"tags", SET_TAGS, set_tags},
    {"attributes", SET_ATTRIBUTES, set_attributes},
    {"reply_pending", SET_REPLY_PENDING, set_reply_pending},
};
enum { SETTERS = sizeof setters / sizeof setters[0] };

static const struct setter *setter_find(struct span name)
{
    for (size_t i = 0; i < SETTERS; i++)
        if (span_is(name, setters[i].name))
            return &setters[i];
    return NULL;
}

static bool read_set(const struct wire_doc *doc, const struct wire_val *body,
                     const struct decision_base *base, struct decision *decision, struct err *err)
{
    struct decision_at top = {doc, "", 0, err};
    struct setting s = {decision, base, wire_find(body, "set"), {doc, "", 0, err}};
    if (wire_type(s.set) != WIRE_NIL && wire_type(s.set) != WIRE_MAP)
        return decision_fail(&top, "set", "a map");
    for (size_t i = 0; i < wire_count(s.set); i++) {
        struct span key = wire_key_at(s.set, i), shown = span_cut(key, UNKNOWN_FIELD_SHOWN_MAX);
        const struct setter *setter = setter_find(key);
        if (setter == NULL)
            return err_field(err, ERR_INVALID, "set", "set has no field %.*s", (int)shown.len, shown.p);
        if ((decision->set & setter->bit) != 0)
            return decision_fail(&top, "set", "each field once");
        if (!setter->read(&s, setter->name))
            return false;
        decision->set |= setter->bit;
    }
    if (base->state == STATE_NEW) {
        decision->set |= SET_STATE;
        decision->state = STATE_TRIAGED;
    }
    return true;
}

/* ---- lists ---- */

static bool read_events(const struct wire_doc *doc, const struct wire_val *body, struct decision *decision,
                        struct err *err)
{
    static const char *const names[] = {"asked", "warned", "missed"};
    static const enum desk_event kinds[] = {EVENT_ASKED, EVENT_WARNED, EVENT_MISSED};
    struct decision_at top = {doc, "", 0, err};
    const struct wire_val *list = NULL;
    size_t kind;

    if (!decision_list(&top, body, "events", DECISION_EVENTS_MAX, &list))
        return false;
    size_t count = wire_count(list);
    if (count == 0)
        return true;
    decision->events = mem_new(count, sizeof *decision->events);
    for (size_t i = 0; i < count; i++) {
        struct decision_at at = {doc, "events", i, err};
        struct decision_event *event = &decision->events[i];
        if (!decision_word(&at, wire_at(list, i), "kind", names, sizeof names / sizeof names[0], &kind) ||
            !decision_bool(&at, wire_at(list, i), "public", false, &event->public) ||
            !decision_keep(&at, wire_at(list, i), "body", WIRE_MAP, DECISION_BODY_BYTES_MAX, &event->body))
            return false;
        event->kind = kinds[kind];
    }
    decision->event_count = count;
    return true;
}

static bool read_alert(const struct decision_at *at, const struct wire_val *alert,
                       struct decision_notify *ret)
{
    int64_t priority = 0;
    if (wire_type(alert) == WIRE_NIL)
        return true;
    if (wire_type(alert) != WIRE_MAP)
        return decision_fail(at, "alert", "a map");
    if (!decision_text(at, alert, "cause", true, DECISION_NAME_BYTES_MAX, &ret->alert_cause) ||
        !decision_int(at, alert, "priority", true, 1, 4, &priority) ||
        !decision_text(at, alert, "text", true, DECISION_TEXT_BYTES_MAX, &ret->alert_text))
        return false;
    ret->is_alert = true;
    ret->alert_priority = (int16_t)priority;
    return true;
}

static bool read_one_notify(const struct decision_at *at, const struct wire_val *map,
                            struct decision_notify *ret)
{
    static const char *const names[] = {"customer", "staff", "ops"};
    static const enum desk_audience audiences[] = {AUDIENCE_CUSTOMER, AUDIENCE_STAFF, AUDIENCE_OPS};
    int64_t generation = 0;
    size_t to;
    if (!decision_word(at, map, "to", names, sizeof names / sizeof names[0], &to) ||
        !decision_text(at, map, "kind", true, NOTIFY_KIND_BYTES_MAX, &ret->kind) ||
        !decision_int(at, map, "generation", false, 0, INT32_MAX, &generation) ||
        !decision_keep(at, map, "body", WIRE_MAP, DECISION_BODY_BYTES_MAX, &ret->body) ||
        !read_alert(at, wire_find(map, "alert"), ret))
        return false;
    ret->to = audiences[to];
    ret->generation = (int32_t)generation;
    return true;
}

static bool notify_is_same(const struct decision_notify *a, const struct decision_notify *b)
{
    return a->to == b->to && a->generation == b->generation && span_equal(a->kind, b->kind);
}

static bool read_notify(const struct wire_doc *doc, const struct wire_val *body, struct decision *decision,
                        struct err *err)
{
    struct decision_at top = {doc, "", 0, err};
    const struct wire_val *list = NULL;

    if (!decision_list(&top, body, "notify", DECISION_NOTIFY_MAX, &list))
        return false;
    size_t count = wire_count(list);
    if (count == 0)
        return true;
    struct decision_notify *all = decision->notify = mem_new(count, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        struct decision_at at = {doc, "notify", i, err};
        if (!read_one_notify(&at, wire_at(list, i), &all[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (notify_is_same(&all[k], &all[i]))
                return decision_fail(&at, "generation", "another generation for the same kind to the same");
    }
    decision->notify_count = count;
    return true;
}

/* ---- the whole ---- */

static bool read_changes(const struct wire_doc *doc, const struct wire_val *body, struct decision *decision,
                         struct err *err)
{
    struct decision_at top = {doc, "", 0, err};
    const struct wire_val *list = NULL;

    if (!decision_list(&top, body, "changes", DECISION_CHANGES_MAX, &list))
        return false;
    return wire_count(list) == 0 ||
           decision_keep(&top, body, "changes", WIRE_LIST, DECISION_CHANGES_BYTES_MAX, &decision->changes);
}

static bool read_rest(const struct wire_doc *doc, const struct wire_val *body, struct decision *decision,
                      struct err *err)
{
    struct decision_at top = {doc, "", 0, err};
    int64_t wake_at = INT64_MAX;
    if (!decision_int(&top, body, "wake_at", false, 0, DECISION_INSTANT_MAX, &wake_at) ||
        !read_texts(&top, body, "resolve", DECISION_RESOLVE_MAX, &decision->resolve,
                    &decision->resolve_count) ||
        !decision_keep(&top, body, "trace", WIRE_MAP, DECISION_TRACE_BYTES_MAX, &decision->trace) ||
        !read_changes(doc, body, decision, err) ||
        !decision_text(&top, body, "process", false, DECISION_NAME_BYTES_MAX, &decision->process) ||
        !decision_text(&top, body, "zones", false, DECISION_NAME_BYTES_MAX, &decision->zones))
        return false;
    if (wake_at < decision->next_at)
        decision->next_at = wake_at;
    return true;
}

bool decision_parse(const struct wire_doc *doc, const struct wire_val *body, const struct decision_base *base,
                    struct decision *ret_decision, struct err *err)
{
    struct decision decision = {.next_at = INT64_MAX, .due_at = INT64_MAX};
    if (wire_type(body) != WIRE_MAP) {
        decision_clear(&decision);
        return err_field(err, ERR_INVALID, "body", "the body of a decision is a map");
    }
    if (!read_set(doc, body, base, &decision, err) ||
        !decision_read_clocks(doc, body, base, &decision, err) ||
        !decision_read_deadlines(doc, body, &decision, err) || !read_events(doc, body, &decision, err) ||
        !read_notify(doc, body, &decision, err) || !read_rest(doc, body, &decision, err)) {
        decision_clear(&decision);
        return false;
    }
    *ret_decision = decision;
    return true;
}

void decision_clear(struct decision *decision)
{
    free(decision->tags);
    free(decision->deadlines);
    free(decision->events);
    free(decision->notify);
    free(decision->resolve);
    memset(decision, 0, sizeof *decision);
}
