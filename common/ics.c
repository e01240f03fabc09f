/* Reads iCalendar files; see ics.h. */
#include "ics_internal.h"

#include "date.h"
#include "instant.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BYTE_WORK = 60 };

bool ics_fault(const struct ics_reader *reader, unsigned line, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return faults_add(reader->faults, (struct fault_place){reader->file, line, 1}, "%s", text);
}

bool ics_work(const struct ics_reader *reader, unsigned line, int64_t work)
{
    int64_t before = reader->budget->work;

    reader->budget->work += work;
    if (reader->budget->work <= ICS_WORK_MAX)
        return true;
    if (before <= ICS_WORK_MAX)
        (void)ics_fault(
            reader, line,
            "here the holiday files of all calendars, each as often as calendars name it, have taken too "
            "much work to read, want fewer files or rules, or rules with an UNTIL");
    return false;
}

/* ---- times ---- */

bool ics_moment_parse(struct span text, struct ics_moment *ret)
{
    int year, month, day, hour = 0, minute = 0, second = 0;
    bool is_date = text.len == 8, is_utc = text.len == 16 && text.p[15] == 'Z';

    if ((!is_date && text.len != 15 && !is_utc) || !instant_digits(text.p, 4, 1600, 9999, &year) ||
        !instant_digits(text.p + 4, 2, 1, 12, &month) || !instant_digits(text.p + 6, 2, 1, 31, &day))
        return false;
    if (!is_date &&
        (text.p[8] != 'T' || !instant_digits(text.p + 9, 2, 0, 23, &hour) ||
         !instant_digits(text.p + 11, 2, 0, 59, &minute) || !instant_digits(text.p + 13, 2, 0, 60, &second)))
        return false;
    if (!date_is(year, month, day))
        return false;
    *ret = (struct ics_moment){{date_days(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second,
                                is_date},
                               is_utc ? ICS_UTC : ICS_FLOATING,
                               NULL};
    return true;
}

/* The instant of a wall clock: the first one that shows it; in a gap, as the clock before the gap would have it. */
static int64_t zone_instant(const struct zone *zone, int64_t wall_s)
{
    int32_t before = zone_offset(zone, wall_s - DAY_S), after = zone_offset(zone, wall_s + DAY_S);
    int64_t first = wall_s - before, second = wall_s - after;

    if (zone_offset(zone, first) != before && zone_offset(zone, second) == after)
        return second;
    return first;
}

static const struct zone *frame_zone(const struct ics_reader *reader, const struct ics_moment *moment)
{
    return moment->frame == ICS_ZONE ? moment->zone : reader->home;
}

int64_t ics_wall_in(const struct ics_reader *reader, const struct ics_moment *from,
                    const struct ics_moment *to)
{
    if (from->time.is_date || (from->frame == to->frame && from->zone == to->zone))
        return from->time.wall_s;
    int64_t at_s = from->frame == ICS_UTC ? from->time.wall_s
                                          : zone_instant(frame_zone(reader, from), from->time.wall_s);
    return to->frame == ICS_UTC ? at_s : at_s + zone_offset(frame_zone(reader, to), at_s);
}

int64_t ics_wall_after(const struct ics_reader *reader, const struct ics_moment *from, int64_t exact_s)
{
    if (exact_s == 0 || from->time.is_date || from->frame == ICS_UTC)
        return from->time.wall_s + exact_s;
    const struct zone *zone = frame_zone(reader, from);
    int64_t at_s = zone_instant(zone, from->time.wall_s) + exact_s;
    return at_s + zone_offset(zone, at_s);
}

/* ---- the whole ---- */

bool ics_read(const char *file, struct span bytes, const struct zone *home, const char *zone_dir,
              struct ics_budget *budget, struct ics_spans *ret, struct faults *faults)
{
    struct ics_budget alone = {0};
    struct ics_reader reader = {.file = file,
                                .home = home,
                                .zone_dir = zone_dir,
                                .faults = faults,
                                .budget = budget != NULL ? budget : &alone};
    struct ics_lines lines = {NULL, NULL, 0};
    bool ok = ics_work(&reader, 1, (int64_t)bytes.len * BYTE_WORK) &&
              ics_lines_split(file, bytes, &lines, faults) && ics_events_read(&reader, &lines) &&
              ics_expand(&reader, ret);

    ics_events_clear(&reader);
    ics_lines_clear(&lines);
    return ok;
}

void ics_spans_clear(struct ics_spans *spans)
{
    for (size_t i = 0; i < spans->count; i++)
        free(spans->items[i].summary);
    free(spans->items);
    free(spans->idle);
    *spans = (struct ics_spans){.items = NULL};
}
