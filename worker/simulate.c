/* Past tickets decided again; see simulate.h. */
#include "simulate.h"

#include "decide_internal.h"
#include "instant.h"
#include "mem.h"

#include <stdlib.h>

struct simulation {
    const struct engine *engine;
    struct decider *decider;
    struct wire_made *made; /* the work, made of the line's values */
};

struct simulation *simulation_new(const struct engine *engine)
{
    struct simulation *simulation = mem_new(1, sizeof *simulation);

    simulation->engine = engine;
    simulation->decider = decider_new();
    simulation->decider->untraced = true;
    simulation->made = wire_made_new();
    return simulation;
}

void simulation_free(struct simulation *simulation)
{
    if (simulation == NULL)
        return;
    decider_free(simulation->decider);
    wire_made_free(simulation->made);
    free(simulation);
}

/* ---- a line as a work ---- */

/* An integer in µs, or RFC 3339. */
static bool instant_of(const struct wire_val *val, int64_t *ret)
{
    struct span text;
    return wire_get_int(val, ret) || (wire_get_str(val, &text) && instant_parse(text, ret));
}

static bool is_one_of(struct span word, const struct span *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal(word, words[i]))
            return true;
    return false;
}

#define WORD(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }

/* What staff said of the priority, last: it holds here too. 0: nothing. */
static int64_t said_priority(const struct wire_val *events)
{
    int64_t said = 0;

    for (size_t i = 0; i < wire_count(events); i++) {
        const struct wire_val *event = wire_at(events, i);
        struct span role = wire_find_str(wire_find(event, "as"), "role");
        if (span_is(wire_find_str(event, "kind"), "prioritized") &&
            (span_is(role, "staff") || span_is(role, "admin")))
            said = wire_find_int(wire_find(event, "body"), "priority", said);
    }
    return said;
}

/* What life made of a ticket of a broker is left out: it is to be decided as it was posted. */
static void make_ticket(const struct wire_val *ticket, const struct wire_val *customer, int64_t said,
                        int64_t posted_at, struct wire_made *made)
{
    const struct wire_val *package = wire_find(ticket, "package");
    struct span tracking = wire_find_str(ticket, "tracking");
    size_t map = wire_made_open(made);

    wire_made_key_str(made, "tracking", tracking.len == 0 ? span_of("DKT-0000-0000-0001-E") : tracking);
    wire_made_key_str(made, "state", span_of("new"));
    wire_made_key_int(made, "posted_at", posted_at);
    wire_made_key_val(made, "package", package != NULL ? package : wire_find(customer, "package"));
    if (said >= 1 && said <= SIMULATE_PRIORITIES) {
        wire_made_key_int(made, "priority", said);
        wire_made_str(made, span_of("held"));
        size_t held = wire_made_open(made);
        wire_made_str(made, span_of("priority"));
        wire_made_close_list(made, held);
    }
    if (wire_find(ticket, "channel") == NULL) /* as the broker does */
        wire_made_key_str(made, "channel", span_of("ticket"));
    if (wire_find(ticket, "customer") == NULL && wire_find(customer, "id") != NULL)
        wire_made_key_val(made, "customer", wire_find(customer, "id"));
    for (size_t i = 0; i < wire_count(ticket); i++)
        if (!work_is_made_by_life(wire_key_at(ticket, i))) {
            wire_made_str(made, wire_key_at(ticket, i));
            wire_made_val(made, wire_val_at(ticket, i));
        }
    wire_made_close_map(made, map);
}

static bool make_event(const struct wire_val *event, size_t i, int64_t *last, struct wire_made *made,
                       struct err *err)
{
    const struct wire_val *body = wire_find(event, "body");
    int64_t at;

    if (!instant_of(wire_find(event, "at"), &at))
        return err_field(err, ERR_INVALID, "events", "events[%zu].at: want an instant", i);
    if (at < *last)
        return err_field(err, ERR_INVALID, "events", "events[%zu].at lies before the event before it", i);
    *last = at;
    size_t map = wire_made_open(made);
    wire_made_key_int(made, "version", (int64_t)i + 2);
    wire_made_key_int(made, "at", at);
    wire_made_key_val(made, "kind", wire_find(event, "kind"));
    wire_made_key_val(made, "as", wire_find(event, "as"));
    wire_made_key_bool(made, "public", wire_find_bool(event, "public", false));
    wire_made_str(made, span_of("body"));
    if (wire_type(body) == WIRE_MAP)
        wire_made_val(made, body);
    else
        wire_made_close_map(made, wire_made_open(made));
    wire_made_close_map(made, map);
    return true;
}

/* What a decision of life wrote is not what this process decides. */
static bool is_decision(const struct wire_val *event)
{
    static const struct span kinds[] = {WORD("posted"), WORD("triaged"), WORD("decided"),
                                        WORD("warned"), WORD("missed"),  WORD("asked")};
    return is_one_of(wire_find_str(event, "kind"), kinds, sizeof kinds / sizeof kinds[0]);
}

/* last: when the last one was */
static bool make_events(const struct wire_val *events, int64_t *last, struct wire_made *made, struct err *err)
{
    size_t list = wire_made_open(made);

    for (size_t i = 0; i < wire_count(events); i++)
        if (!is_decision(wire_at(events, i)) && !make_event(wire_at(events, i), i, last, made, err))
            return false;
    wire_made_close_list(made, list);
    return true;
}

/* The line as a work, made of its own values. */
static bool make_work(const struct wire_val *line, struct simulated *ret, struct wire_made *made,
                      struct err *err)
{
    const struct wire_val *ticket = wire_find(line, "ticket"), *customer = wire_find(line, "customer");
    const struct wire_val *events = wire_find(line, "events"), *until = wire_find(line, "until_at");
    const struct wire_val *posted = wire_find(line, "posted_at");

    if (wire_type(ticket) != WIRE_MAP)
        return err_field(err, ERR_INVALID, "ticket", "ticket: want a map as ticket.submit has it");
    if (!instant_of(posted != NULL ? posted : wire_find(ticket, "posted_at"), &ret->posted_at))
        return err_field(err, ERR_INVALID, "posted_at", "posted_at: want an instant");
    ret->until_at = ret->posted_at;
    wire_made_reset(made);
    size_t map = wire_made_open(made);
    wire_made_str(made, span_of("ticket"));
    make_ticket(ticket, customer, said_priority(events), ret->posted_at, made);
    wire_made_key_val(made, "customer", customer);
    wire_made_str(made, span_of("events"));
    if (!make_events(events, &ret->until_at, made, err))
        return false;
    int64_t until_at = ret->until_at;
    if (until != NULL && !instant_of(until, &until_at))
        return err_field(err, ERR_INVALID, "until_at", "until_at: want an instant");
    ret->until_at = until_at > ret->until_at ? until_at : ret->until_at;
    wire_made_str(made, span_of("reasons"));
    size_t reasons = wire_made_open(made);
    wire_made_str(made, span_of("posted"));
    wire_made_close_list(made, reasons);
    wire_made_key_int(made, "now", ret->until_at);
    wire_made_close_map(made, map);
    return true;
}

/* ---- what came out ---- */

static void take_cycle(struct simulated *ret, const struct clock *clock, bool judged, bool missed)
{
    struct simulated_clock *c = &ret->clocks[clock->kind];

    c->promised++;
    if (c->promised == 1) {
        c->due_at = clock->due_at;
        c->met_at = clock->met_at;
    }
    if (!judged) {
        c->open++;
        return;
    }
    c->met += !missed;
    c->missed += missed;
    int64_t end = clock->met_at != CLOCK_NO_INSTANT ? clock->met_at : ret->until_at;
    if (missed && end - clock->due_at > c->late_us)
        c->late_us = end - clock->due_at;
}

static bool has_rules_of_due(const struct process *process)
{
    for (size_t i = 0; i < process->rule_count; i++)
        if ((process->rules[i].on & RULE_ON_DUE) != 0)
            return true;
    return false;
}

static void take_decision(const struct decision *d, struct simulated *ret)
{
    for (size_t k = 0; k < CLOCK_KINDS; k++)
        ret->clocks[k] = (struct simulated_clock){.due_at = CLOCK_NO_INSTANT, .met_at = CLOCK_NO_INSTANT};
    ret->priority = d->priority;
    ret->wake_in = d->choice.wake_in_s != 0 && has_rules_of_due(engine_process(d->engine));
    for (size_t i = 0; i < d->clocks.verdict_count; i++)
        take_cycle(ret, &d->clocks.verdicts[i].clock, true, d->clocks.verdicts[i].missed);
    for (size_t i = 0; i < d->clocks.count; i++) {
        const struct clock *clock = &d->clocks.items[i];
        if (clock->state == CLOCK_RUNNING || clock->state == CLOCK_PAUSED)
            take_cycle(ret, clock, false, false);
    }
}

/* A ticket of a broker tells itself what became of it. */
static void take_life(const struct wire_val *ticket, struct simulated *ret)
{
    const struct wire_val *clocks = wire_find(ticket, "clocks");
    int64_t priority = wire_find_int(ticket, "priority", 0);

    if (wire_type(clocks) != WIRE_LIST || priority < 1 || priority > SIMULATE_PRIORITIES)
        return;
    ret->was = (int)priority;
    ret->says_missed = true;
    for (size_t i = 0; i < wire_count(clocks); i++)
        ret->was_missed = ret->was_missed || (span_is(wire_find_str(wire_at(clocks, i), "state"), "missed") &&
                                              !span_is(wire_find_str(wire_at(clocks, i), "clock"), "update"));
}

static void take_was(const struct wire_val *was, struct simulated *ret)
{
    int64_t priority = wire_find_int(was, "priority", 0);

    ret->was = priority >= 1 && priority <= SIMULATE_PRIORITIES ? (int)priority : 0;
    ret->says_missed = wire_get_bool(wire_find(was, "missed"), &ret->was_missed);
}

bool simulation_run(struct simulation *simulation, const struct wire_val *line, struct simulated *ret,
                    struct err *err)
{
    struct simulated one = {0};

    if (wire_type(line) != WIRE_MAP)
        return err_set(err, ERR_INVALID, "want one JSON object a line: {ticket, posted_at, events, …}");
    if (!make_work(line, &one, simulation->made, err) ||
        !decide_make(simulation->decider, simulation->engine, wire_made_root(simulation->made), false, err))
        return false;
    take_decision(&simulation->decider->decision, &one);
    if (wire_find(line, "was") != NULL)
        take_was(wire_find(line, "was"), &one);
    else
        take_life(wire_find(line, "ticket"), &one);
    *ret = one;
    return true;
}

void simulated_put(const struct simulated *one, struct buf *out)
{
    wire_put_map(out, 4 + CLOCK_KINDS);
    wire_put_key_int(out, "priority", one->priority);
    wire_put_key_int(out, "was", one->was);
    wire_put_text(out, "was_missed");
    if (one->says_missed)
        wire_put_bool(out, one->was_missed);
    else
        wire_put_nil(out);
    wire_put_key_bool(out, "wake_in", one->wake_in);
    for (size_t k = 0; k < CLOCK_KINDS; k++) {
        const struct simulated_clock *c = &one->clocks[k];
        wire_put_text(out, clock_kind_name((enum clock_kind)k));
        wire_put_map(out, 5);
        wire_put_key_int(out, "promised", c->promised);
        wire_put_key_int(out, "met", c->met);
        wire_put_key_int(out, "missed", c->missed);
        wire_put_key_int(out, "open", c->open);
        wire_put_key_int(out, "late_s", c->late_us / 1000000);
    }
}
