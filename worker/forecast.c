/* The forecast; see forecast.h. */
#include "forecast.h"

#include "clock.h"
#include "instant.h"
#include "mem.h"

#include <stdlib.h>

enum { PRIORITIES = 4, TEXT_BYTES_MAX = 1 << 20, TICKETS_MAX = 10000, HANDLED_MAX = 10000, LINES_MAX = 100 };

/* Without any sample: what the process suggests of the kinds of request. */
static const int64_t handling_default_s[PRIORITIES + 1] = {0, 7200, 7200, 3600, 1800};

/* A ticket that somebody has to do something about. */
struct item {
    struct span tracking;
    int priority;
    bool begun;                  /* somebody has it: half of the work is left */
    int64_t due_at[CLOCK_KINDS]; /* of running clocks; CLOCK_NO_INSTANT: none */
    int64_t first_due_at;        /* of these, INT64_MAX: none */
};

struct forecast {
    const struct engine *engine;
    const struct calendar *opening; /* P3 and P4 are worked on in it; P1 and P2 around the clock */
    int64_t now;
    int64_t handling_us[PRIORITIES + 1];
    int64_t samples[PRIORITIES + 1];
    struct item *items;
    size_t count;
    int64_t *free_at; /* of each person */
};

/* What becomes of one clock of one ticket. */
struct miss {
    const struct item *item;
    enum clock_kind kind;
    int64_t expected_at;
};

/* ---- reading ---- */

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool is_around_the_clock(int priority)
{
    return priority <= 2;
}

/* The median time from taking to solving, in the time in which such tickets are worked on. */
static void read_handling(struct forecast *f, const struct wire_val *handled)
{
    int64_t *spans = mem_new(HANDLED_MAX, sizeof *spans);

    for (int p = 1; p <= PRIORITIES; p++) {
        size_t count = 0;
        for (size_t i = 0; i < wire_count(handled) && count < HANDLED_MAX; i++) {
            const struct wire_val *one = wire_at(handled, i);
            int64_t from = wire_find_int(one, "from_at", 0), until = wire_find_int(one, "until_at", 0);
            if (wire_find_int(one, "priority", 0) != p || until <= from)
                continue;
            spans[count++] =
                is_around_the_clock(p) ? until - from : calendar_elapsed(f->opening, from, until);
        }
        qsort(spans, count, sizeof *spans, by_number);
        f->samples[p] = (int64_t)count;
        f->handling_us[p] = count == 0 ? handling_default_s[p] * US_PER_S : spans[count / 2];
        if (f->handling_us[p] < US_PER_S)
            f->handling_us[p] = US_PER_S;
    }
    free(spans);
}

static bool waits_for_us(struct span state)
{
    return span_is(state, "new") || span_is(state, "triaged") || span_is(state, "in_progress") ||
           span_is(state, "reopened");
}

static void read_item(const struct wire_val *ticket, struct item *ret)
{
    const struct wire_val *clocks = wire_find(ticket, "clocks");
    int64_t priority = wire_find_int(ticket, "priority", 3);

    *ret = (struct item){.tracking = wire_find_str(ticket, "tracking"),
                         .priority = priority >= 1 && priority <= PRIORITIES ? (int)priority : 3,
                         .begun = span_is(wire_find_str(ticket, "state"), "in_progress"),
                         .first_due_at = INT64_MAX};
    for (size_t k = 0; k < CLOCK_KINDS; k++)
        ret->due_at[k] = CLOCK_NO_INSTANT;
    for (size_t i = 0; i < wire_count(clocks); i++) {
        const struct wire_val *clock = wire_at(clocks, i);
        int64_t due_at = wire_find_int(clock, "due_at", CLOCK_NO_INSTANT);
        enum clock_kind kind;
        if (!span_is(wire_find_str(clock, "state"), "running") || due_at == CLOCK_NO_INSTANT ||
            !clock_kind_parse(wire_find_str(clock, "clock"), &kind))
            continue;
        ret->due_at[kind] = due_at;
        ret->first_due_at = due_at < ret->first_due_at ? due_at : ret->first_due_at;
    }
}

/* What is begun stays with who has it; then P1, then the earliest due: the order of ticket.next. */
static int by_turn(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    bool x1 = x->priority == 1, y1 = y->priority == 1;

    if (x->begun != y->begun)
        return x->begun ? -1 : 1;
    if (x1 != y1)
        return x1 ? -1 : 1;
    if (x->first_due_at != y->first_due_at)
        return x->first_due_at < y->first_due_at ? -1 : 1;
    return 0;
}

static void read_items(struct forecast *f, const struct wire_val *tickets)
{
    size_t count = wire_count(tickets) < TICKETS_MAX ? wire_count(tickets) : TICKETS_MAX;

    f->items = mem_new(count + 1, sizeof *f->items);
    for (size_t i = 0; i < count; i++)
        if (waits_for_us(wire_find_str(wire_at(tickets, i), "state")))
            read_item(wire_at(tickets, i), &f->items[f->count++]);
    qsort(f->items, f->count, sizeof *f->items, by_turn);
}

/* ---- the simulation ---- */

static int64_t worked(const struct forecast *f, int priority, int64_t from, int64_t work_us)
{
    int64_t at;
    if (is_around_the_clock(priority))
        return from + work_us;
    return calendar_due(f->opening, from, work_us, &at, NULL) ? at : CALENDAR_END_US;
}

static size_t who_is_free_first(const struct forecast *f, size_t people)
{
    size_t best = 0;
    for (size_t i = 1; i < people; i++)
        if (f->free_at[i] < f->free_at[best])
            best = i;
    return best;
}

/* Priority 4 is promised an answer, the others that somebody begins; updates and solutions come with the end. */
static int64_t expected_at(const struct item *item, enum clock_kind kind, int64_t begin, int64_t end)
{
    return kind == CLOCK_RESPONSE && item->priority != 4 ? begin : end;
}

/* How many clocks miss with so many people; ret (may be NULL): which, room for all. */
static size_t simulate(const struct forecast *f, size_t people, struct miss *ret)
{
    size_t misses = 0;

    for (size_t i = 0; i < people; i++)
        f->free_at[i] = f->now;
    for (size_t i = 0; i < f->count; i++) {
        const struct item *item = &f->items[i];
        int64_t *free_at = &f->free_at[who_is_free_first(f, people)];
        int64_t begin = worked(f, item->priority, *free_at, 0);
        int64_t end =
            worked(f, item->priority, begin, f->handling_us[item->priority] / (item->begun ? 2 : 1));
        *free_at = end;
        for (size_t k = 0; k < CLOCK_KINDS; k++) {
            int64_t at = expected_at(item, (enum clock_kind)k, begin, end);
            if (item->due_at[k] == CLOCK_NO_INSTANT || at <= item->due_at[k])
                continue;
            if (ret != NULL)
                ret[misses] = (struct miss){item, (enum clock_kind)k, at};
            misses++;
        }
    }
    return misses;
}

static int by_due(const void *a, const void *b)
{
    const struct miss *x = a, *y = b;
    int64_t due_x = x->item->due_at[x->kind], due_y = y->item->due_at[y->kind];
    return (due_x > due_y) - (due_x < due_y);
}

/* The least number of people with whom only what nobody could help is missed; 0: more than may be tried. */
static size_t people_wanted(const struct forecast *f, size_t staff, size_t unavoidable)
{
    for (size_t people = staff; people <= staff + FORECAST_MORE_MAX; people++)
        if (simulate(f, people, NULL) == unavoidable)
            return people;
    return 0;
}

/* ---- the answer ---- */

static void text_span(int64_t us, struct buf *text)
{
    int64_t minutes = us / US_PER_S / 60;
    (void)buf_printf(text, "%lldh%02lldm", (long long)(minutes / 60), (long long)(minutes % 60));
}

static void text_assumptions(const struct forecast *f, size_t staff, int64_t open, struct buf *text)
{
    const char *calendar = engine_process(f->engine)->policy.calendar;

    (void)buf_printf(
        text,
        "Assumed: %zu people, one ticket each at a time, in the order of ticket.next; priorities 1 and 2 "
        "around the clock, "
        "3 and 4 in the hours of %s; no new tickets. %zu tickets wait for us (of %lld open).\nA ticket takes",
        staff, calendar, f->count, (long long)open);
    for (int p = 1; p <= PRIORITIES; p++) {
        (void)buf_printf(text, "%s P%d ", p == 1 ? "" : ",", p);
        text_span(f->handling_us[p], text);
        if (f->samples[p] == 0)
            (void)buf_add_text(text, " (assumed)");
        else
            (void)buf_printf(text, " (median of %lld)", (long long)f->samples[p]);
    }
    (void)buf_add_text(text, "; one that is begun, half of it.\n");
}

static void text_misses(const struct miss *misses, size_t count, struct buf *text)
{
    char due[INSTANT_BYTES], at[INSTANT_BYTES];

    for (size_t i = 0; i < count && i < LINES_MAX; i++) {
        const struct miss *m = &misses[i];
        int64_t due_at = m->item->due_at[m->kind];
        (void)instant_format(due_at / US_PER_S * US_PER_S, due);
        (void)instant_format(m->expected_at / US_PER_S * US_PER_S, at);
        (void)buf_printf(text, "%.*s  P%d  %-10s due %s, expected %s, late by ", (int)m->item->tracking.len,
                         m->item->tracking.p, m->item->priority, clock_kind_name(m->kind), due, at);
        text_span(m->expected_at - due_at, text);
        (void)buf_add_text(text, "\n");
    }
    if (count > LINES_MAX)
        (void)buf_printf(text, "… and %zu more\n", count - LINES_MAX);
}

static void text_end(size_t misses, size_t unavoidable, size_t staff, size_t wanted, struct buf *text)
{
    (void)buf_printf(text, "%zu promises will be missed, %zu of them whoever comes.\n", misses, unavoidable);
    if (misses == unavoidable)
        return;
    if (wanted == 0)
        (void)buf_printf(text, "Even %d more people would not prevent the others.\n", FORECAST_MORE_MAX);
    else
        (void)buf_printf(text, "%zu more %s would prevent the others.\n", wanted - staff,
                         wanted - staff == 1 ? "person" : "people");
}

static void put_misses(const struct miss *misses, size_t count, struct buf *out)
{
    wire_put_list(out, count);
    for (size_t i = 0; i < count; i++) {
        const struct miss *m = &misses[i];
        int64_t due_at = m->item->due_at[m->kind];
        wire_put_map(out, 6);
        wire_put_key_str(out, "tracking", m->item->tracking);
        wire_put_key_int(out, "priority", m->item->priority);
        wire_put_key_text(out, "clock", clock_kind_name(m->kind));
        wire_put_key_int(out, "due_at", due_at);
        wire_put_key_int(out, "expected_at", m->expected_at);
        wire_put_key_int(out, "late_s", (m->expected_at - due_at) / US_PER_S);
    }
}

static void put_numbers(const char *key, const int64_t *numbers, int64_t unit, struct buf *out)
{
    wire_put_text(out, key);
    wire_put_list(out, PRIORITIES);
    for (int p = 1; p <= PRIORITIES; p++)
        wire_put_int(out, numbers[p] / unit);
}

static void answer(const struct forecast *f, size_t staff, int64_t open, struct buf *out)
{
    struct miss *misses = mem_new(f->count * CLOCK_KINDS + 1, sizeof *misses);
    size_t enough = f->count > staff ? f->count : staff; /* as many as tickets: nobody waits for another */
    size_t unavoidable = simulate(f, enough, NULL), wanted = people_wanted(f, staff, unavoidable);
    size_t count = simulate(f, staff, misses);
    struct buf text;

    qsort(misses, count, sizeof *misses, by_due);
    buf_init(&text, TEXT_BYTES_MAX);
    text_assumptions(f, staff, open, &text);
    text_misses(misses, count, &text);
    text_end(count, unavoidable, staff, wanted, &text);
    wire_put_map(out, 8);
    wire_put_key_int(out, "staff", (int64_t)staff);
    wire_put_key_int(out, "wanted", (int64_t)wanted);
    wire_put_key_int(out, "misses", (int64_t)count);
    wire_put_key_int(out, "unavoidable", (int64_t)unavoidable);
    put_numbers("handling_s", f->handling_us, US_PER_S, out);
    put_numbers("samples", f->samples, 1, out);
    wire_put_text(out, "tickets");
    put_misses(misses, count, out);
    wire_put_key_str(out, "text", buf_span(&text));
    buf_clear(&text);
    free(misses);
}

bool forecast_put(const struct engine *engine, const struct wire_val *ask, struct buf *out, struct err *err)
{
    struct forecast f = {.engine = engine};
    int64_t staff = wire_find_int(ask, "staff", 1);

    if (!wire_get_int(wire_find(ask, "now"), &f.now) || f.now < 0 || f.now >= CALENDAR_END_US)
        return err_field(err, ERR_INVALID, "now", "now: want an instant in µs");
    if (staff < 1 || staff > FORECAST_PEOPLE_MAX)
        return err_field(err, ERR_INVALID, "staff", "staff: want 1 to %d people", FORECAST_PEOPLE_MAX);
    f.opening = engine_calendar(engine, span_of(engine_process(engine)->policy.calendar));
    if (f.opening == NULL)
        f.opening = engine_calendar(engine, span_of(PROCESS_ALWAYS));
    read_handling(&f, wire_find(ask, "handled"));
    read_items(&f, wire_find(ask, "tickets"));
    f.free_at =
        mem_new((f.count > (size_t)staff ? f.count : (size_t)staff) + FORECAST_MORE_MAX, sizeof *f.free_at);
    answer(&f, (size_t)staff, wire_find_int(ask, "open", (int64_t)f.count), out);
    free(f.items);
    free(f.free_at);
    return true;
}
