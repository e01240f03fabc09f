/* From a calendar of the process to one that can be asked; see calendar_build.h. */
#include "calendar_build.h"

#include "date.h"
#include "ics.h"
#include "mem.h"

#include <stdlib.h>

enum {
    HOLIDAY_DAYS_MAX = 100000 /* of a calendar's files; all dates from 1970 to 2100 are half of it */
};

/* What is gathered for one calendar. */
struct building {
    const struct process *process;
    const struct process_calendar *from;
    const struct zone *zone;
    const char *zone_dir;
    struct ics_budget *budget;
    struct faults *faults;
    struct calendar_hours *hours; /* room for all days' */
    struct calendar_special *specials;
    size_t special_count, special_room;
    struct calendar_closure *closures;
    size_t closure_count, closure_room;
};

static void special_add(struct building *b, struct calendar_special special)
{
    if (b->special_count == b->special_room) {
        b->special_room = b->special_room == 0 ? 64 : 2 * b->special_room;
        b->specials = mem_grow(b->specials, b->special_room, sizeof *b->specials);
    }
    b->specials[b->special_count++] = special;
}

static void closure_add(struct building *b, struct calendar_closure closure)
{
    if (b->closure_count == b->closure_room) {
        b->closure_room = b->closure_room == 0 ? 64 : 2 * b->closure_room;
        b->closures = mem_grow(b->closures, b->closure_room, sizeof *b->closures);
    }
    b->closures[b->closure_count++] = closure;
}

/* ---- holiday files ---- */

/* An event closes each date that it covers whole, and of the others its hours. */
static void holiday_add(struct building *b, const struct ics_span *span)
{
    for (int64_t date = span->from_s / DAY_S; date * DAY_S < span->until_s; date++) {
        int64_t from_s = span->from_s - date * DAY_S, until_s = span->until_s - date * DAY_S;
        struct calendar_hours closed = {(int32_t)(from_s > 0 ? from_s : 0),
                                        (int32_t)(until_s < DAY_S ? until_s : DAY_S)};
        if (closed.from_s == 0 && closed.until_s == DAY_S)
            special_add(b, (struct calendar_special){(int32_t)date, true, {NULL, 0}});
        else
            closure_add(b, (struct calendar_closure){(int32_t)date, closed});
    }
}

static bool holidays_read(struct building *b, const char *name)
{
    const struct process_file *file = process_files_find(&b->process->files, name);
    struct ics_spans spans = {.items = NULL};
    bool ok = true;

    if (!ics_read(name, (struct span){file->bytes, file->len}, b->zone, b->zone_dir, b->budget, &spans,
                  b->faults))
        return false;
    for (size_t i = 0; i < spans.count && ok; i++) {
        holiday_add(b, &spans.items[i]);
        if (b->special_count + b->closure_count > HOLIDAY_DAYS_MAX)
            ok = faults_add(b->faults, (struct fault_place){name, spans.items[i].line, 1},
                            "closes more than %d days together with the rest of calendar %s",
                            HOLIDAY_DAYS_MAX, b->from->name);
    }
    ics_spans_clear(&spans);
    return ok;
}

/* ---- the calendar's own ---- */

/* The same two fields under another name: the process's header and the calendar's stand apart on purpose. */
static struct calendar_day day_copy(const struct process_day *from, struct calendar_hours *room)
{
    for (size_t i = 0; i < from->count; i++)
        room[i] = (struct calendar_hours){from->intervals[i].from_s, from->intervals[i].until_s};
    return (struct calendar_day){room, from->count};
}

static size_t hours_count(const struct process_calendar *from)
{
    size_t count = 0;

    for (size_t i = 0; i < 7; i++)
        count += from->week[i].count;
    for (size_t i = 0; i < from->special_count; i++)
        count += from->specials[i].day.count;
    return count;
}

static bool building_make(struct building *b, struct calendar **ret)
{
    const struct process_calendar *from = b->from;
    struct calendar_hours *room = b->hours = mem_new(hours_count(from), sizeof *room);
    struct calendar_spec spec = {.zone = b->zone};
    struct err err = {0};
    bool ok = true;

    for (size_t i = 0; i < 7; i++) {
        spec.week[i] = day_copy(&from->week[i], room);
        room += from->week[i].count;
    }
    for (size_t i = 0; i < from->special_count; i++) {
        const struct process_special *s = &from->specials[i];
        special_add(b, (struct calendar_special){s->date, s->holiday, day_copy(&s->day, room)});
        room += s->day.count;
    }
    for (size_t i = 0; i < from->holiday_file_count; i++)
        ok = holidays_read(b, from->holiday_files[i]) && ok;
    spec.specials = b->specials;
    spec.special_count = b->special_count;
    spec.closures = b->closures;
    spec.closure_count = b->closure_count;
    if (ok && !calendar_new(&spec, ret, &err))
        ok = faults_add(b->faults, from->place, "calendar %s: %s", from->name, err.msg);
    return ok;
}

bool calendar_build(const struct process *process, const struct process_calendar *from, const char *zone_dir,
                    struct ics_budget *budget, struct zone **ret_zone, struct calendar **ret_calendar,
                    struct faults *faults)
{
    struct building b = {
        .process = process, .from = from, .zone_dir = zone_dir, .budget = budget, .faults = faults};
    struct zone *zone = NULL;
    struct err err = {0};

    if (!zone_open(zone_dir, from->zone, &zone, &err))
        return from->zone == process->policy.zone /* the same for all that name none: one fault */
                   ? faults_add(faults, from->zone_place, "zone: %s", err.msg)
                   : faults_add(faults, from->zone_place, "calendar %s: %s", from->name, err.msg);
    b.zone = zone;
    bool ok = building_make(&b, ret_calendar);
    free(b.hours);
    free(b.specials);
    free(b.closures);
    if (ok)
        *ret_zone = zone;
    else
        zone_free(zone);
    return ok;
}
