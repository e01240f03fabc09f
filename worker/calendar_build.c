/* From a calendar of the process to one that can be asked; see calendar_build.h. */
#include "calendar_build.h"

#include "mem.h"

#include <stdlib.h>

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

bool calendar_build(const struct process *process, const struct process_calendar *from, const char *zone_dir,
                    struct zone **ret_zone, struct calendar **ret_calendar, struct faults *faults)
{
    struct zone *zone = NULL;
    struct err err = {0};

    (void)process;
    if (!zone_open(zone_dir, from->zone, &zone, &err))
        return faults_add(faults, from->place, "calendar %s: %s", from->name, err.msg);
    struct calendar_hours *hours = mem_new(hours_count(from), sizeof *hours), *room = hours;
    struct calendar_special *specials = mem_new(from->special_count, sizeof *specials);
    struct calendar_spec spec = {.zone = zone, .specials = specials, .special_count = from->special_count};
    for (size_t i = 0; i < 7; i++) {
        spec.week[i] = day_copy(&from->week[i], room);
        room += from->week[i].count;
    }
    for (size_t i = 0; i < from->special_count; i++) {
        const struct process_special *s = &from->specials[i];
        specials[i] = (struct calendar_special){s->date, s->holiday, day_copy(&s->day, room)};
        room += s->day.count;
    }
    bool ok = calendar_new(&spec, ret_calendar, &err);
    free(hours);
    free(specials);
    if (!ok) {
        zone_free(zone);
        return faults_add(faults, from->place, "calendar %s: %s", from->name, err.msg);
    }
    *ret_zone = zone;
    return true;
}
