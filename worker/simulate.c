/* Past tickets decided again; see simulate.h. */
#include "simulate.h"

#include "decide_internal.h"
#include "instant.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 8 << 20, DEPTH_MAX = 32 };

struct simulation {
    const struct engine *engine;
    struct decider *decider;
    struct buf body;
};

struct simulation *simulation_new(const struct engine *engine)
{
    struct simulation *simulation = mem_new(1, sizeof *simulation);

    simulation->engine = engine;
    simulation->decider = decider_new();
    simulation->decider->untraced = true;
    buf_init(&simulation->body, BYTES_MAX);
    return simulation;
}

void simulation_free(struct simulation *simulation)
{
    if (simulation == NULL)
        return;
    decider_free(simulation->decider);
    buf_clear(&simulation->body);
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
static void put_ticket(const struct wire_val *ticket, const struct wire_val *customer, int64_t said,
                       int64_t posted_at, struct buf *out)
{
    const struct wire_val *package = wire_find(ticket, "package");
    struct span tracking = wire_find_str(ticket, "tracking");
    struct wire_map map = wire_map_open(out);

    wire_put_key_str(out, "tracking", tracking.len == 0 ? span_of("DKT-0000-0000-0001-E") : tracking),
        map.count++;
    wire_put_key_text(out, "state", "new"), map.count++;
    wire_put_key_int(out, "posted_at", posted_at), map.count++;
    wire_put_key_val(out, "package", package != NULL ? package : wire_find(customer, "package")), map.count++;
    if (said >= 1 && said <= SIMULATE_PRIORITIES) {
        wire_put_key_int(out, "priority", said), map.count++;
        wire_put_text(out, "held"), map.count++;
        wire_put_list(out, 1);
        wire_put_text(out, "priority");
    }
    for (size_t i = 0; i < wire_count(ticket); i++)
        if (!work_is_made_by_life(wire_key_at(ticket, i))) {
            wire_put_str(out, wire_key_at(ticket, i));
            wire_put_val(out, wire_val_at(ticket, i)), map.count++;
        }
    wire_map_close(out, &map);
}

static bool put_event(const struct wire_val *event, size_t i, int64_t *last, struct buf *out, struct err *err)
{
    int64_t at;

    if (!instant_of(wire_find(event, "at"), &at))
        return err_field(err, ERR_INVALID, "events", "events[%zu].at: want an instant", i);
    if (at < *last)
        return err_field(err, ERR_INVALID, "events", "events[%zu].at lies before the event before it", i);
    *last = at;
    wire_put_map(out, 6);
    wire_put_key_int(out, "version", (int64_t)i + 2);
    wire_put_key_int(out, "at", at);
    wire_put_key_val(out, "kind", wire_find(event, "kind"));
    wire_put_key_val(out, "as", wire_find(event, "as"));
    wire_put_key_bool(out, "public", wire_find_bool(event, "public", false));
    wire_put_text(out, "body");
    if (wire_type(wire_find(event, "body")) == WIRE_MAP)
        wire_put_val(out, wire_find(event, "body"));
    else
        wire_put_map(out, 0);
    return true;
}

/* What a decision of life wrote is not what this process decides. */
static bool is_decision(const struct wire_val *event)
{
    static const struct span kinds[] = {WORD("posted"), WORD("triaged"), WORD("decided"),
                                        WORD("warned"), WORD("missed"),  WORD("asked")};
    return is_one_of(wire_find_str(event, "kind"), kinds, sizeof kinds / sizeof kinds[0]);
}

static bool put_work(const struct wire_val *line, struct simulated *ret, struct buf *out, struct err *err)
{
    const struct wire_val *ticket = wire_find(line, "ticket"), *customer = wire_find(line, "customer");
    const struct wire_val *events = wire_find(line, "events");
    const struct wire_val *posted = wire_find(line, "posted_at");

    if (wire_type(ticket) != WIRE_MAP)
        return err_field(err, ERR_INVALID, "ticket", "ticket: want a map as ticket.submit has it");
    if (!instant_of(posted != NULL ? posted : wire_find(ticket, "posted_at"), &ret->posted_at))
        return err_field(err, ERR_INVALID, "posted_at", "posted_at: want an instant");
    ret->until_at = ret->posted_at;
    wire_put_map(out, 5);
    wire_put_text(out, "ticket");
    put_ticket(ticket, customer, said_priority(events), ret->posted_at, out);
    wire_put_key_val(out, "customer", customer);
    wire_put_text(out, "events");
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < wire_count(events); i++) {
        if (is_decision(wire_at(events, i)))
            continue;
        if (!put_event(wire_at(events, i), i, &ret->until_at, out, err))
            return false;
        list.count++;
    }
    wire_list_close(out, &list);
    const struct wire_val *until = wire_find(line, "until_at");
    int64_t until_at = ret->until_at;
    if (until != NULL && !instant_of(until, &until_at))
        return err_field(err, ERR_INVALID, "until_at", "until_at: want an instant");
    ret->until_at = until_at > ret->until_at ? until_at : ret->until_at;
    wire_put_text(out, "reasons");
    wire_put_list(out, 1);
    wire_put_text(out, "posted");
    wire_put_key_int(out, "now", ret->until_at);
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

static void take_decision(const struct decision *d, struct simulated *ret)
{
    for (size_t k = 0; k < CLOCK_KINDS; k++)
        ret->clocks[k] = (struct simulated_clock){.due_at = CLOCK_NO_INSTANT, .met_at = CLOCK_NO_INSTANT};
    ret->priority = d->priority;
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
    struct wire_doc *work = NULL;
    struct buf *body = &simulation->body;

    buf_reset(body);
    if (wire_type(line) != WIRE_MAP)
        return err_set(err, ERR_INVALID, "want one JSON object a line: {ticket, posted_at, events, …}");
    bool ok = put_work(line, &one, body, err) && wire_parse(body->p, body->len, DEPTH_MAX, &work, err) &&
              decide_make(simulation->decider, simulation->engine, wire_root(work), false, err);
    if (ok) {
        take_decision(&simulation->decider->decision, &one);
        if (wire_find(line, "was") != NULL)
            take_was(wire_find(line, "was"), &one);
        else
            take_life(wire_find(line, "ticket"), &one);
        *ret = one;
    }
    wire_doc_free(work);
    return ok;
}

void simulated_put(const struct simulated *one, struct buf *out)
{
    wire_put_map(out, 3 + CLOCK_KINDS);
    wire_put_key_int(out, "priority", one->priority);
    wire_put_key_int(out, "was", one->was);
    wire_put_text(out, "was_missed");
    if (one->says_missed)
        wire_put_bool(out, one->was_missed);
    else
        wire_put_nil(out);
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
