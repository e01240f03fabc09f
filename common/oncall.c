/* Schedules from layers and overrides; see oncall.h. */
#include "oncall_internal.h"

#include "clock.h"
#include "date.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { STAND_IN_STEPS_MAX = 16 }; /* a stand-in may be away too; a ring of them is nobody */

/* ---- life ---- */

static const struct zone *zone_of(struct oncall *oncall, const char *zone_dir, const char *name,
                                  struct fault_place place, struct faults *faults)
{
    struct zone *zone = NULL;
    struct err err;

    for (size_t i = 0; i < oncall->zone_count; i++)
        if (strcmp(oncall->zone_names[i], name) == 0)
            return oncall->zones[i];
    if (!zone_open(zone_dir, name, &zone, &err)) {
        (void)faults_add(faults, place, "zone: %s", err.msg);
        return NULL;
    }
    oncall->zones = mem_grow(oncall->zones, oncall->zone_count + 1, sizeof(struct zone *));
    oncall->zone_names = mem_grow(oncall->zone_names, oncall->zone_count + 1, sizeof *oncall->zone_names);
    oncall->zones[oncall->zone_count] = zone;
    oncall->zone_names[oncall->zone_count++] = name;
    return zone;
}

static bool plan_new(struct oncall *oncall, struct oncall_plan *plan, const char *zone_dir,
                     struct ics_budget *budget, struct faults *faults)
{
    bool ok = true;

    plan->layers = mem_new(plan->schedule->layer_count, sizeof *plan->layers);
    for (size_t i = 0; i < plan->schedule->layer_count; i++) {
        struct oncall_layer *layer = &plan->layers[i];
        layer->plan = &plan->schedule->layers[i];
        layer->zone = zone_of(oncall, zone_dir, layer->plan->zone, layer->plan->place, faults);
        ok = layer->zone != NULL && ok;
        if (layer->zone != NULL && layer->plan->import != NULL)
            ok = oncall_import(oncall, layer, zone_dir, budget, faults) && ok;
    }
    return ok;
}

bool oncall_new(const struct process *process, const char *zone_dir, struct oncall **ret,
                struct faults *faults)
{
    struct oncall *oncall = mem_new(1, sizeof *oncall);
    struct ics_budget budget = {0};
    bool ok = true;

    oncall->process = process;
    oncall->count = process->people.schedule_count;
    oncall->plans = mem_new(oncall->count, sizeof *oncall->plans);
    for (size_t i = 0; i < oncall->count; i++) {
        oncall->plans[i].schedule = &process->people.schedules[i];
        ok = plan_new(oncall, &oncall->plans[i], zone_dir, &budget, faults) && ok;
    }
    if (!ok) {
        oncall_free(oncall);
        return false;
    }
    *ret = oncall;
    return true;
}

void oncall_free(struct oncall *oncall)
{
    if (oncall == NULL)
        return;
    for (size_t i = 0; i < oncall->count; i++) {
        for (size_t k = 0; oncall->plans[i].layers != NULL && k < oncall->plans[i].schedule->layer_count; k++)
            free(oncall->plans[i].layers[k].turns);
        free(oncall->plans[i].layers);
    }
    for (size_t i = 0; i < oncall->zone_count; i++)
        zone_free(oncall->zones[i]);
    free(oncall->zones);
    free(oncall->zone_names);
    free(oncall->plans);
    faults_clear(&oncall->warnings);
    free(oncall);
}

void oncall_take_warnings(struct oncall *oncall, struct faults *to)
{
    if (oncall == NULL || oncall->warnings.count == 0)
        return;
    faults_take(to, &oncall->warnings);
    faults_sort(to);
}

size_t oncall_count(const struct oncall *oncall)
{
    return oncall->count;
}

const struct process_schedule *oncall_schedule(const struct oncall *oncall, size_t i)
{
    return oncall->plans[i].schedule;
}

int oncall_find(const struct oncall *oncall, struct span name)
{
    for (size_t i = 0; i < oncall->count; i++)
        if (span_is(name, oncall->plans[i].schedule->name))
            return (int)i;
    return -1;
}

/* ---- sets ---- */

void oncall_set_add(struct oncall_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->names[i], name) == 0)
            return;
    if (set->count < ONCALL_SET_MAX)
        set->names[set->count++] = name;
}

/* The same with one name exchanged, or left out for NULL. */
static void set_replace(struct oncall_set *set, const char *name, const char *by)
{
    struct oncall_set was = *set;

    set->count = 0;
    for (size_t i = 0; i < was.count; i++)
        if (strcmp(was.names[i], name) != 0)
            oncall_set_add(set, was.names[i]);
        else if (by != NULL)
            oncall_set_add(set, by);
}

static bool set_equal(const struct oncall_set *a, const struct oncall_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->names[i], b->names[i]) != 0)
            return false;
    return true;
}

/* ---- overrides ---- */

static bool override_is_on(const struct oncall_override *o, int64_t at_us)
{
    return o->from_at <= at_us && at_us < o->until_at;
}

static bool override_is_for(const struct oncall_override *o, const char *schedule)
{
    return o->schedule != NULL && strcmp(o->schedule, schedule) == 0;
}

const char *oncall_stand_in(struct oncall_overrides overrides, const char *name, int64_t at_us)
{
    for (int step = 0; name != NULL && step < STAND_IN_STEPS_MAX; step++) {
        const struct oncall_override *away = NULL;
        for (size_t i = 0; i < overrides.count; i++) {
            const struct oncall_override *o = &overrides.items[i];
            if (o->schedule == NULL && override_is_on(o, at_us) && strcmp(o->replaces, name) == 0)
                away = o; /* the latest one holds */
        }
        if (away == NULL)
            return name;
        name = away->staff;
    }
    return NULL;
}

/* Swaps in their order; then who was put there alone; then who is away. */
static void set_override(struct oncall_set *set, const char *schedule, struct oncall_overrides overrides,
                         int64_t at_us)
{
    for (size_t i = 0; i < overrides.count; i++) {
        const struct oncall_override *o = &overrides.items[i];
        if (!override_is_for(o, schedule) || !override_is_on(o, at_us))
            continue;
        if (o->replaces != NULL) {
            set_replace(set, o->replaces, o->staff);
        } else {
            set->count = 0;
            oncall_set_add(set, o->staff);
        }
    }
    struct oncall_set was = *set;
    set->count = 0;
    for (size_t i = 0; i < was.count; i++) {
        const char *name = oncall_stand_in(overrides, was.names[i], at_us);
        if (name != NULL)
            oncall_set_add(set, name);
    }
}

/* ---- questions ---- */

static int64_t floor_s(int64_t at_us)
{
    return at_us / US_PER_S - (at_us % US_PER_S < 0);
}

void oncall_at(const struct oncall *oncall, size_t schedule, struct oncall_overrides overrides, int64_t at_us,
               struct oncall_set *ret)
{
    const struct oncall_plan *plan = &oncall->plans[schedule];

    ret->count = 0;
    for (size_t i = plan->schedule->layer_count; i-- > 0;)
        if (oncall_layer_at(&plan->layers[i], floor_s(at_us), ret))
            break;
    set_override(ret, plan->schedule->name, overrides, at_us);
}

int64_t oncall_next_change(const struct oncall *oncall, size_t schedule, struct oncall_overrides overrides,
                           int64_t at_us)
{
    const struct oncall_plan *plan = &oncall->plans[schedule];
    int64_t next_us = INT64_MAX;

    for (size_t i = 0; i < plan->schedule->layer_count; i++) {
        int64_t at_s = oncall_layer_next(&plan->layers[i], floor_s(at_us));
        if (at_s != INT64_MAX && at_s * US_PER_S < next_us)
            next_us = at_s * US_PER_S;
    }
    for (size_t i = 0; i < overrides.count; i++) {
        const struct oncall_override *o = &overrides.items[i];
        if (o->from_at > at_us && o->from_at < next_us)
            next_us = o->from_at;
        if (o->until_at > at_us && o->until_at < next_us)
            next_us = o->until_at;
    }
    return next_us;
}

void oncall_walk(const struct oncall *oncall, size_t schedule, struct oncall_overrides overrides,
                 int64_t from_us, int64_t until_us, oncall_span_fn *fn, void *arg)
{
    struct oncall_set set, next = {.count = 0};
    int64_t begun_us = from_us;

    oncall_at(oncall, schedule, overrides, from_us, &set);
    for (int64_t at_us = from_us; at_us < until_us;) {
        int64_t then_us = oncall_next_change(oncall, schedule, overrides, at_us);
        at_us = then_us < until_us ? then_us : until_us;
        if (at_us < until_us)
            oncall_at(oncall, schedule, overrides, at_us, &next);
        if (at_us < until_us && set_equal(&set, &next))
            continue;
        if (!fn(arg, begun_us, at_us, &set))
            return;
        begun_us = at_us;
        set = next;
    }
}

static bool since_on_span(void *arg, int64_t from_us, int64_t until_us, const struct oncall_set *set)
{
    int64_t *since_us = arg;
    (void)until_us;
    (void)set;
    *since_us = from_us;
    return true;
}

int64_t oncall_since(const struct oncall *oncall, size_t schedule, struct oncall_overrides overrides,
                     int64_t at_us)
{
    int64_t since_us = at_us;

    /* Further and further back, until the last span begins inside: hours are found without a year's walk. */
    for (int days = 1; days <= 512; days *= 2) {
        int64_t from_us = at_us - days * DAY_US;
        oncall_walk(oncall, schedule, overrides, from_us, at_us + 1, since_on_span, &since_us);
        if (since_us > from_us)
            break;
    }
    return since_us;
}

struct gap {
    bool found;
    int64_t from_us, until_us;
};

static bool gap_on_span(void *arg, int64_t from_us, int64_t until_us, const struct oncall_set *set)
{
    struct gap *gap = arg;
    if (set->count != 0)
        return true;
    *gap = (struct gap){true, from_us, until_us};
    return false;
}

bool oncall_gap(const struct oncall *oncall, size_t schedule, struct oncall_overrides overrides,
                int64_t from_us, int64_t until_us, int64_t *ret_from_us, int64_t *ret_until_us)
{
    struct gap gap = {false, 0, 0};

    oncall_walk(oncall, schedule, overrides, from_us, until_us, gap_on_span, &gap);
    if (gap.found) {
        *ret_from_us = gap.from_us;
        *ret_until_us = gap.until_us;
    }
    return gap.found;
}
