/* What the rules of one wake chose; see choice.h. */
#include "choice.h"

#include <string.h>

struct choosing {
    const struct engine *engine;
    const struct work *work;
    struct conditions *conditions;
    struct choice *choice;
    struct buf *trace; /* NULL: nobody reads it */
    struct wire_map list;
    bool values; /* reasons name the ticket's values */
    int64_t at;  /* when the event at hand came: never before one before it, nor after now */
    int stands;  /* the priority when the event at hand came; 0: none, or not known */
    bool held;   /* staff set it by then */
    /* Of the event at hand: what happens after it is looked at, whether it is decided with it or later. */
    int proposed; /* a priority; 0: none */
    bool forced;  /* one that no other rule overrules */
    bool stopped;
    bool ran[CHOICE_RULES_MAX]; /* on an earlier event of the wake */
};

static void texts_add(const char **list, size_t *count, const char *text)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i], text) == 0)
            return;
    if (*count < CHOICE_LIST_MAX)
        list[(*count)++] = text;
}

static bool ticket_has_tag(const struct work *work, const char *tag)
{
    const struct wire_val *tags = wire_find(work->ticket, "tags");

    for (size_t i = 0; i < wire_count(tags); i++) {
        struct span item = SPAN_NONE;
        if (wire_get_str(wire_at(tags, i), &item) && span_is(item, tag))
            return true;
    }
    return false;
}

/* The most urgent wins, unless one is forced; after the posting rules may raise, never lower. */
static void choose_priority(struct choosing *c, const struct rule_action *then, unsigned on)
{
    int priority = then->priority;

    if (priority == 0 || c->held || (c->forced && !then->force))
        return;
    if (on != RULE_ON_POSTED && c->stands != 0 && priority >= c->stands)
        return;
    if (then->force || c->proposed == 0 || priority < c->proposed)
        c->proposed = priority;
    c->forced = c->forced || then->force;
}

/* What staff set by hand stays. */
static void choose_fields(struct choosing *c, const struct rule_action *then)
{
    struct choice *choice = c->choice;
    unsigned held = c->work->held;
    const char *queue = then->queue != NULL ? then->queue : then->team;

    if (queue != NULL && (held & HELD_QUEUE) == 0)
        choice->queue = queue;
    if (then->assignee != NULL && (held & HELD_ASSIGNEE) == 0)
        choice->assignee = then->assignee;
    if (then->kind != NULL && (held & HELD_KIND) == 0)
        choice->kind = then->kind;
    if (then->calendar != NULL)
        choice->calendar = then->calendar;
    for (size_t i = 0; i < then->tags.count && (held & HELD_TAGS) == 0; i++)
        if (!ticket_has_tag(c->work, then->tags.items[i]))
            texts_add(choice->tags, &choice->tag_count, then->tags.items[i]);
    for (size_t i = 0; i < then->attribute_count && (held & HELD_ATTRIBUTES) == 0; i++) {
        size_t k = 0;
        while (k < choice->attribute_count &&
               strcmp(choice->attributes[k]->name, then->attributes[i].name) != 0)
            k++;
        if (k < CHOICE_LIST_MAX)
            choice->attributes[k] = &then->attributes[i];
        if (k == choice->attribute_count && k < CHOICE_LIST_MAX)
            choice->attribute_count++;
    }
}

/* in: again  the rule did it for an earlier event of this wake: as if that had been decided alone, what may be said once only is not
 *            said again, and of two rules the later one of this event wins */
static void choose(struct choosing *c, const struct process_rule *rule, unsigned on, bool again)
{
    const struct rule_action *then = &rule->then;
    struct choice *choice = c->choice;

    choose_priority(c, then, on);
    choose_fields(c, then);
    if (then->wake_in_s != 0) {
        choice->wake_in_s = then->wake_in_s;
        choice->wake_in_working = then->wake_in_working;
    }
    c->stopped = c->stopped || then->stop;
    if (again)
        return;
    if (then->alert != NULL)
        texts_add(choice->alerts, &choice->alert_count, then->alert);
    for (size_t i = 0; i < then->asks.count; i++)
        texts_add(choice->asks, &choice->ask_count, then->asks.items[i]);
    for (size_t i = 0; i < then->tell_count && choice->tell_count < CHOICE_LIST_MAX; i++)
        choice->tells[choice->tell_count++] = &then->tells[i];
}

static void trace_rule(struct choosing *c, const struct process_rule *rule, bool matched, struct span why)
{
    if (c->trace == NULL || c->list.count >= CHOICE_TRACE_MAX)
        return;
    wire_put_map(c->trace, 3);
    wire_put_key_text(c->trace, "rule", rule->name);
    wire_put_key_bool(c->trace, "matched", matched);
    wire_put_key_str(c->trace, "why", why);
    c->list.count++;
}

/* The default speaks when no other rule gave a priority and the ticket has none; also after stop, for no ticket stays without one. */
static bool default_holds(const struct choosing *c, struct span *ret_why)
{
    bool given = c->proposed != 0 || c->stands != 0;
    *ret_why = span_of(given ? "a priority is given already" : "no rule gave a priority");
    return !given;
}

/* To explain, the ticket is seen as it stands, now. */
static const struct wire_val *ticket_seen(const struct choosing *c, unsigned on)
{
    return c->values ? c->work->ticket
                     : choice_ticket(c->work, c->choice, c->stands, on != RULE_ON_POSTED,
                                     conditions_made(c->conditions));
}

/* All rules of one event see the same frozen ticket. */
static void choose_for(struct choosing *c, unsigned on, const struct wire_val *event)
{
    const struct process *process = engine_process(c->engine);

    c->proposed = 0;
    c->forced = c->stopped = false;
    conditions_look(c->conditions, &(struct conditions_view){.engine = c->engine,
                                                             .work = c->work,
                                                             .ticket = ticket_seen(c, on),
                                                             .event = event,
                                                             .at = c->values ? c->work->now : c->at,
                                                             .values = c->values});
    for (size_t i = 0; i < process->rule_count && i < CHOICE_RULES_MAX; i++) {
        const struct process_rule *rule = &process->rules[i];
        struct span why = SPAN_NONE;
        bool again = c->ran[i];
        if ((rule->on & on) == 0 || (c->stopped && !rule->is_default))
            continue;
        bool holds = rule->is_default
                         ? default_holds(c, &why)
                         : conditions_hold(c->conditions, rule->when, c->trace != NULL ? &why : NULL);
        if (!again) {
            trace_rule(c, rule, holds, why);
            c->ran[i] = holds;
        }
        if (holds)
            choose(c, rule, on, again);
    }
    if (c->proposed != 0)
        c->choice->priority = c->stands = c->proposed;
}

static unsigned event_on(const struct clock_event *fact)
{
    static const struct {
        enum desk_event kind;
        unsigned on;
    } rows[] = {{EVENT_UPDATED, RULE_ON_UPDATED},
                {EVENT_REOPENED, RULE_ON_REOPENED},
                {EVENT_REPEATED, RULE_ON_REPEATED}};

    if (fact->kind == EVENT_COMMENTED && !fact->is_public)
        return 0;
    if (fact->kind == EVENT_COMMENTED || fact->kind == EVENT_REJECTED || fact->kind == EVENT_DECLINED)
        return fact->by_customer ? RULE_ON_REPLY : 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].kind == fact->kind)
            return rows[i].on;
    return 0;
}

static bool is_held_by(const struct work *work, size_t i)
{
    return work->facts[i].kind == EVENT_PRIORITIZED && work->facts[i].by_person;
}

/* What no event tells was so all the while: that the priority is held, and which one a ticket has that was never decided. */
static void choose_begin(struct choosing *c)
{
    bool told = false;

    c->held = (c->work->held & HELD_PRIORITY) != 0;
    for (size_t i = 0; i < c->work->event_count; i++) {
        c->held = c->held && !is_held_by(c->work, i);
        told = told || work_event_priority(c->work, i) != 0;
    }
    c->stands = c->work->is_first && !told ? c->work->priority : 0;
}

static void at_move(struct choosing *c, int64_t at)
{
    c->at = at > c->at ? at : c->at;
    c->at = c->at < c->work->now ? c->at : c->work->now;
}

static void choose_event(struct choosing *c, struct work *work, size_t i, bool as_posted)
{
    int told = work_event_priority(work, i);
    unsigned on = work->events[i].is_new && !as_posted ? event_on(&work->facts[i]) : 0;

    c->held = c->held || is_held_by(work, i);
    at_move(c, work->facts[i].at);
    if (told != 0) {
        c->stands = told;
        c->choice->priority = 0;
    }
    if (on != 0 && c->stands == 0)
        c->stands = work->priority;
    if (on != 0)
        choose_for(c, on, work->events[i].map);
    work->events[i].priority = c->stands;
}

void choice_make(const struct engine *engine, struct work *work, struct conditions *conditions,
                 bool as_posted, struct choice *ret, struct buf *trace, bool *ret_traced)
{
    struct choosing c = {.engine = engine,
                         .work = work,
                         .conditions = conditions,
                         .choice = ret,
                         .trace = trace,
                         .values = as_posted};
    int64_t due_at = work->kept.wake_in_at;

    memset(ret, 0, sizeof *ret);
    choose_begin(&c);
    at_move(&c, work->posted_at);
    if (trace != NULL)
        c.list = wire_list_open(trace);
    if (work->is_first || as_posted)
        choose_for(&c, RULE_ON_POSTED, NULL);
    ret->posted = c.stands;
    c.stands = work->is_first ? c.stands : 0; /* of what was decided the events tell */
    for (size_t i = 0; i < work->event_count; i++)
        choose_event(&c, work, i, as_posted);
    if (due_at != CLOCK_NO_INSTANT && due_at <= work->now && !as_posted) {
        c.stands = c.stands != 0 ? c.stands : work->priority;
        at_move(&c, due_at);
        choose_for(&c, RULE_ON_DUE, NULL);
    }
    if (trace != NULL)
        wire_list_close(trace, &c.list);
    *ret_traced = c.list.count != 0;
}
