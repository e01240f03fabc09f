/* The clocks and verdicts of a decision, checked; see decision.h. */
#include "decision_internal.h"

#include "mem.h"

static const char *const clock_names[] = {"response", "update", "resolution"};
static const char *const clock_states[] = {"running", "paused", "met", "missed"};
static const char *const verdicts[] = {"met", "missed"};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What is only carried, but must be of its type, for the desk shows it. */
static const char *const clock_instants[] = {"started_at", "as_of_at"};
static const char *const clock_spans[] = {"worked_s", "paused_s", "left_s"};

static bool read_carried(const struct decision_at *at, const struct wire_val *map)
{
    int64_t number;
    bool flag;
    struct span text;
    for (size_t i = 0; i < COUNT_OF(clock_instants); i++)
        if (!decision_int(at, map, clock_instants[i], false, 0, DECISION_INSTANT_MAX, &number))
            return false;
    for (size_t i = 0; i < COUNT_OF(clock_spans); i++)
        if (!decision_int(at, map, clock_spans[i], false, -DECISION_SPAN_S_MAX, DECISION_SPAN_S_MAX, &number))
            return false;
    return decision_int(at, map, "promise_s", false, 0, DECISION_SPAN_S_MAX, &number) &&
           decision_int(at, map, "warned", false, 0, INT32_MAX, &number) &&
           decision_bool(at, map, "working", false, &flag) &&
           decision_text(at, map, "calendar", false, DECISION_NAME_BYTES_MAX, &text);
}

static bool read_clock(const struct decision_at *at, const struct wire_val *map, struct decision_clock *ret)
{
    size_t name, state;
    *ret = (struct decision_clock){.due_at = INT64_MIN, .warn_at = INT64_MIN, .met_at = INT64_MIN};
    if (!decision_word(at, map, "clock", clock_names, COUNT_OF(clock_names), &name) ||
        !decision_int(at, map, "cycle", true, 1, INT32_MAX, &ret->cycle) ||
        !decision_word(at, map, "state", clock_states, COUNT_OF(clock_states), &state) ||
        !decision_int(at, map, "due_at", state == CLOCK_RUNNING, 0, DECISION_INSTANT_MAX, &ret->due_at) ||
        !decision_int(at, map, "warn_at", false, 0, DECISION_INSTANT_MAX, &ret->warn_at) ||
        !decision_int(at, map, "met_at", false, 0, DECISION_INSTANT_MAX, &ret->met_at) ||
        !read_carried(at, map))
        return false;
    ret->clock = span_of(clock_names[name]);
    ret->state = state;
    return true;
}

static bool clock_is_open(const struct decision_clock *clock)
{
    return clock->state == CLOCK_RUNNING || clock->state == CLOCK_PAUSED ||
           (clock->state == CLOCK_MISSED && clock->met_at == INT64_MIN);
}

/* Reads a list of clocks into ret (DECISION_CLOCKS_MAX). None may be there twice. */
static bool read_clocks(const struct wire_doc *doc, const struct wire_val *list, struct decision_clock *ret,
                        struct err *err)
{
    for (size_t i = 0; i < wire_count(list); i++) {
        struct decision_at at = {doc, "clocks", i, err};
        if (!read_clock(&at, wire_at(list, i), &ret[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (ret[k].cycle == ret[i].cycle && span_equal(ret[k].clock, ret[i].clock))
                return decision_fail(&at, "cycle", "each clock and cycle once");
    }
    return true;
}

/* Whether the clock goes on in the list: itself, or a later cycle of it (its own was met then). */
static bool clock_goes_on(const struct decision_clock *old, const struct decision_clock *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal(list[i].clock, old->clock) && list[i].cycle >= old->cycle)
            return true;
    return false;
}

/* What was open and is left out would be a promise that nobody watches any more. Old clocks were checked when
 * they were written; what cannot be read of them is not held against this decision. */
static bool check_left_out(struct span encoded, const struct decision_clock *list, size_t count,
                           struct err *err)
{
    struct wire_doc *doc = NULL;
    struct decision_clock old;
    struct err ignored = {0};
    bool ok = true;

    if (encoded.len == 0 || !wire_parse(encoded.p, encoded.len, WIRE_DEPTH_MAX, &doc, &ignored))
        return true;
    for (size_t i = 0; i < wire_count(wire_root(doc)) && ok; i++) {
        struct decision_at at = {doc, "clocks", i, &ignored};
        if (!read_clock(&at, wire_at(wire_root(doc), i), &old) || !clock_is_open(&old))
            continue;
        if (!clock_goes_on(&old, list, count))
            ok = err_field(err, ERR_INVALID, "clocks", "the open clock %.*s, cycle %lld, was left out",
                           (int)old.clock.len, old.clock.p, (long long)old.cycle);
    }
    wire_doc_free(doc);
    return ok;
}

/* The next time at which something of this clock comes due. A promise that is missed already, or rests, has
 * none. */
static void clock_bring_forward(const struct decision_clock *clock, struct decision *decision)
{
    if (clock->state != CLOCK_RUNNING)
        return;
    if (clock->due_at < decision->due_at)
        decision->due_at = clock->due_at;
    if (clock->due_at < decision->next_at)
        decision->next_at = clock->due_at;
    if (clock->warn_at != INT64_MIN && clock->warn_at < decision->next_at)
        decision->next_at = clock->warn_at;
}

bool decision_read_clocks(const struct wire_doc *doc, const struct wire_val *body,
                          const struct decision_base *base, struct decision *decision, struct err *err)
{
    struct decision_at top = {doc, "", 0, err};
    struct decision_clock clocks[DECISION_CLOCKS_MAX];
    const struct wire_val *list = NULL;

    if (!decision_list(&top, body, "clocks", DECISION_CLOCKS_MAX, &list) ||
        !read_clocks(doc, list, clocks, err) || !check_left_out(base->clocks, clocks, wire_count(list), err))
        return false;
    if (list == NULL) {
        if (base->priority != 0 || (decision->set & SET_PRIORITY) != 0)
            return decision_fail(&top, "clocks", "the list of clocks, for the ticket has a priority");
        return true;
    }
    for (size_t i = 0; i < wire_count(list); i++)
        clock_bring_forward(&clocks[i], decision);
    return decision_keep(&top, body, "clocks", WIRE_LIST, DECISION_CLOCKS_BYTES_MAX, &decision->clocks);
}

/* ---- verdicts ---- */

static bool read_deadline(const struct decision_at *at, const struct wire_val *map,
                          struct decision_deadline *ret)
{
    size_t name, verdict;
    int64_t cycle, priority = 0;
    if (!decision_word(at, map, "clock", clock_names, COUNT_OF(clock_names), &name) ||
        !decision_int(at, map, "cycle", true, 1, INT32_MAX, &cycle) ||
        !decision_word(at, map, "verdict", verdicts, COUNT_OF(verdicts), &verdict) ||
        !decision_text(at, map, "cause", false, DECISION_NAME_BYTES_MAX, &ret->cause) ||
        !decision_int(at, map, "priority", false, 1, 4, &priority) ||
        !decision_int(at, map, "promise_s", true, 0, DECISION_SPAN_S_MAX, &ret->promise_s) ||
        !decision_int(at, map, "due_at", true, 0, DECISION_INSTANT_MAX, &ret->due_at) ||
        !decision_int(at, map, "met_at", false, 0, DECISION_INSTANT_MAX, &ret->met_at) ||
        !decision_int(at, map, "worked_s", false, 0, DECISION_SPAN_S_MAX, &ret->worked_s) ||
        !decision_int(at, map, "paused_s", false, 0, DECISION_SPAN_S_MAX, &ret->paused_s) ||
        !decision_text(at, map, "zones", false, DECISION_NAME_BYTES_MAX, &ret->zones) ||
        !decision_text(at, map, "package", false, DECISION_NAME_BYTES_MAX, &ret->package))
        return false;
    ret->clock = span_of(clock_names[name]);
    ret->cycle = (int32_t)cycle;
    ret->missed = verdict == 1;
    ret->priority = (int16_t)priority;
    return true;
}

bool decision_read_deadlines(const struct wire_doc *doc, const struct wire_val *body,
                             struct decision *decision, struct err *err)
{
    struct decision_at top = {doc, "", 0, err};
    const struct wire_val *list = NULL;

    if (!decision_list(&top, body, "deadlines", DECISION_DEADLINES_MAX, &list))
        return false;
    size_t count = wire_count(list);
    if (count == 0)
        return true;
    struct decision_deadline *all = decision->deadlines = mem_new(count, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        struct decision_at at = {doc, "deadlines", i, err};
        if (!read_deadline(&at, wire_at(list, i), &all[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (all[k].cycle == all[i].cycle && span_equal(all[k].clock, all[i].clock))
                return decision_fail(&at, "cycle", "each clock and cycle once");
    }
    decision->deadline_count = count;
    return true;
}
