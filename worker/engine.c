/* One version of the process, ready to decide with; see engine.h. */
#include "engine.h"

#include "calendar_build.h"
#include "clock.h"
#include "date.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>

enum { HOLIDAY_DAYS_AHEAD = 400 };

struct engine_calendar {
    const char *name;
    struct zone *zone;
    struct calendar *calendar;
};

struct engine {
    struct process *process;
    struct engine_calendar *calendars; /* the first is PROCESS_ALWAYS */
    size_t calendar_count;
    char zones[ZONE_VERSION_BYTES];
    char by[ZONE_VERSION_BYTES + 16];
};

static const struct engine_calendar *engine_find(const struct engine *engine, struct span name)
{
    for (size_t i = 0; i < engine->calendar_count; i++)
        if (span_is(name, engine->calendars[i].name))
            return &engine->calendars[i];
    return NULL;
}

static void calendars_free(struct engine_calendar *calendars, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        calendar_free(calendars[i].calendar);
        zone_free(calendars[i].zone);
    }
    free(calendars);
}

/* All calendars of the process, PROCESS_ALWAYS first: 1 + process->calendar_count. */
static bool calendars_make(const struct process *process, const char *zone_dir, struct engine_calendar **ret,
                           struct faults *faults)
{
    struct engine_calendar *calendars = mem_new(process->calendar_count + 1, sizeof *calendars);
    struct ics_budget budget = {0};
    bool ok = true;

    calendars[0] = (struct engine_calendar){PROCESS_ALWAYS, NULL, calendar_new_always()};
    for (size_t i = 0; i < process->calendar_count; i++) {
        struct engine_calendar *c = &calendars[i + 1];
        c->name = process->calendars[i].name;
        ok = calendar_build(process, &process->calendars[i], zone_dir, &budget, &c->zone, &c->calendar,
                            faults) &&
             ok;
    }
    if (!ok) {
        calendars_free(calendars, process->calendar_count + 1);
        return false;
    }
    *ret = calendars;
    return true;
}

bool engine_renew(struct engine *engine, const char *zone_dir, struct faults *faults)
{
    struct engine_calendar *calendars = NULL;

    if (!calendars_make(engine->process, zone_dir, &calendars, faults))
        return false;
    calendars_free(engine->calendars, engine->calendar_count);
    engine->calendars = calendars;
    engine->calendar_count = engine->process->calendar_count + 1;
    zone_data_version(zone_dir, engine->zones);
    (void)snprintf(engine->by, sizeof engine->by, "%.12s %s", engine->process->hash, engine->zones);
    return true;
}

bool engine_new(struct process *process, const char *zone_dir, struct engine **ret, struct faults *faults)
{
    struct engine *engine = mem_new(1, sizeof *engine);

    engine->process = process;
    bool ok = process_zones_check(process, zone_dir, faults);
    if (!engine_renew(engine, zone_dir, faults) || !ok) {
        engine_free(engine);
        return false;
    }
    *ret = engine;
    return true;
}

uint64_t engine_zone_mark(const struct engine *engine, const char *zone_dir)
{
    uint64_t mark = zone_file_mark(zone_dir, ZONE_VERSION_FILE);

    for (size_t i = 0; i < engine->process->calendar_count; i++)
        mark = mark * 31 + zone_file_mark(zone_dir, engine->process->calendars[i].zone);
    return mark;
}

void engine_warn(struct engine *engine, int64_t now_us)
{
    const int64_t ahead_us = HOLIDAY_DAYS_AHEAD * DAY_US;

    for (size_t i = 1; i < engine->calendar_count; i++) {
        const struct engine_calendar *c = &engine->calendars[i];
        int32_t today = (int32_t)(now_us / DAY_US);
        bool closes = calendar_elapsed(c->calendar, now_us, now_us + ahead_us) < ahead_us;
        if (closes && !calendar_has_holiday(c->calendar, today, today + HOLIDAY_DAYS_AHEAD))
            (void)faults_add(&engine->process->warnings,
                             process_calendar_find(engine->process, c->name)->place,
                             "%s: has no holiday in the next %d days, want holidays or holiday_files",
                             c->name, HOLIDAY_DAYS_AHEAD);
    }
    faults_sort(&engine->process->warnings);
}

struct faults *engine_warnings(struct engine *engine)
{
    return &engine->process->warnings;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    calendars_free(engine->calendars, engine->calendar_count);
    process_free(engine->process);
    free(engine);
}

const struct process *engine_process(const struct engine *engine)
{
    return engine->process;
}

const char *engine_zones(const struct engine *engine)
{
    return engine->zones;
}

const char *engine_by(const struct engine *engine)
{
    return engine->by;
}

const struct calendar *engine_calendar(const struct engine *engine, struct span name)
{
    const struct engine_calendar *found = engine_find(engine, name);
    return found == NULL ? NULL : found->calendar;
}

const struct zone *engine_calendar_zone(const struct engine *engine, struct span name)
{
    const struct engine_calendar *found = engine_find(engine, name);
    return found == NULL ? NULL : found->zone;
}

/* The warnings of one promise, in order of time; one that would come before the start is left out. */
static void promise_warnings(const struct process_package *package, struct clock_promise *promise)
{
    for (size_t i = 0; i < package->warning_count; i++) {
        const struct process_warning *w = &package->warnings[i];
        int64_t used = w->percent != 0 ? promise->promise_us / 100 * w->percent
                                       : promise->promise_us - w->before_s * US_PER_S;
        size_t at = promise->warning_count;
        if (used <= 0)
            continue;
        for (; at > 0 && promise->warnings[at - 1].used_us > used; at--)
            promise->warnings[at] = promise->warnings[at - 1];
        promise->warnings[at] = (struct clock_warning){used, w->quiet};
        promise->warning_count++;
    }
}

void engine_terms(const struct engine *engine, const struct process_package *package, int priority,
                  struct span calendar, struct clock_terms *ret)
{
    static const enum process_clock clocks[CLOCK_KINDS] = {[CLOCK_RESPONSE] = PROCESS_RESPONSE,
                                                           [CLOCK_UPDATE] = PROCESS_UPDATE,
                                                           [CLOCK_RESOLUTION] = PROCESS_RESOLUTION};
    const struct process_policy *policy = &engine->process->policy;
    const struct engine_calendar *chosen = calendar.len == 0 ? NULL : engine_find(engine, calendar);

    if (chosen == NULL)
        chosen = engine_find(engine, span_of(package->calendar));
    if (chosen == NULL)
        chosen = &engine->calendars[0];
    *ret = (struct clock_terms){.priority = priority,
                                .package = package->name,
                                .reopen_within_us = policy->reopen_within_s * US_PER_S,
                                .reply_reopens = policy->on_reply_when_resolved == ON_REPLY_REJECT,
                                .reply_is_kept = policy->on_reply_when_resolved == ON_REPLY_KEEP,
                                .changed_at = CLOCK_NO_INSTANT};
    for (size_t k = 0; k < CLOCK_KINDS; k++) {
        const struct process_target *target = &package->targets[priority][clocks[k]];
        ret->promises[k] =
            (struct clock_promise){.promised = target->promised,
                                   .promise_us = target->seconds * US_PER_S,
                                   .working = target->working,
                                   .calendar = chosen->calendar,
                                   .calendar_name = target->working ? chosen->name : PROCESS_ALWAYS,
                                   .grace_us = package->grace_s * US_PER_S};
        promise_warnings(package, &ret->promises[k]);
    }
}
