/* Lays a calendar out: all its open spans from 1970 to 2100, in UTC; see calendar.h. */
#include "calendar_internal.h"

#include "clock.h"
#include "date.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* The merged hours of one date. */
struct day {
    struct calendar_hours hours[CALENDAR_INTERVALS_MAX];
    size_t count;
};

struct layout {
    struct calendar *calendar;
    const struct calendar_special **specials; /* sorted by date, holidays after others */
    size_t special_count;
    const struct calendar_closure *closures; /* sorted by date */
    size_t closure_count;
    struct day week[7];
    struct day scratch;
    int64_t last_end_s; /* where the span laid last ends */
    int64_t last_date;
    size_t date_room;
};

static bool day_add(struct day *day, int32_t from_s, int32_t until_s, struct err *err)
{
    if (from_s >= until_s)
        return true;
    if (day->count == CALENDAR_INTERVALS_MAX)
        return err_set(err, ERR_INVALID, "more than %d intervals a day", CALENDAR_INTERVALS_MAX);
    day->hours[day->count++] = (struct calendar_hours){from_s, until_s};
    return true;
}

/* The parts of a day's hours before midnight (tail false), or those after it. */
static bool day_add_hours(struct day *day, const struct calendar_day *from, bool tail, struct err *err)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct calendar_hours *h = &from->hours[i];
        bool over = h->until_s <= h->from_s;
        if (tail ? over && !day_add(day, 0, h->until_s, err)
                 : !day_add(day, h->from_s, over ? DAY_S : h->until_s, err))
            return false;
    }
    return true;
}

static int hours_compare(const void *a, const void *b)
{
    const struct calendar_hours *x = a, *y = b;
    return (x->from_s > y->from_s) - (x->from_s < y->from_s);
}

/* Intervals that overlap or touch become one. */
static void day_merge(struct day *day)
{
    size_t n = 0;

    qsort(day->hours, day->count, sizeof day->hours[0], hours_compare);
    for (size_t i = 0; i < day->count; i++) {
        struct calendar_hours h = day->hours[i];
        if (n != 0 && h.from_s <= day->hours[n - 1].until_s) {
            if (h.until_s > day->hours[n - 1].until_s)
                day->hours[n - 1].until_s = h.until_s;
        } else {
            day->hours[n++] = h;
        }
    }
    day->count = n;
}

static int special_compare(const void *a, const void *b)
{
    const struct calendar_special *x = *(const struct calendar_special *const *)a;
    const struct calendar_special *y = *(const struct calendar_special *const *)b;
    if (x->date != y->date)
        return x->date < y->date ? -1 : 1;
    return (int)x->holiday - (int)y->holiday;
}

/* The entry of a date, or NULL. */
static const struct calendar_special *special_find(const struct layout *layout, int64_t date)
{
    size_t low = 0, high = layout->special_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (layout->specials[middle]->date < date)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == layout->special_count || layout->specials[low]->date != date)
        return NULL;
    return layout->specials[low];
}

static int closure_compare(const void *a, const void *b)
{
    const struct calendar_closure *x = a, *y = b;
    return (x->date > y->date) - (x->date < y->date);
}

/* The first closure of a date or a later one. */
static size_t closure_find(const struct layout *layout, int64_t date)
{
    size_t low = 0, high = layout->closure_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (layout->closures[middle].date < date)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Takes hours out of a merged day: what they cover goes, what they cut becomes two. */
static bool day_close(struct day *day, const struct calendar_hours *closed, struct err *err)
{
    struct day left = {.count = 0};

    for (size_t i = 0; i < day->count; i++) {
        struct calendar_hours h = day->hours[i];
        int32_t until_s = h.until_s < closed->from_s ? h.until_s : closed->from_s;
        int32_t from_s = h.from_s > closed->until_s ? h.from_s : closed->until_s;
        if (!day_add(&left, h.from_s, until_s, err) || !day_add(&left, from_s, h.until_s, err))
            return false;
    }
    *day = left;
    return true;
}

static bool has_closure(const struct layout *layout, int64_t date)
{
    size_t i = closure_find(layout, date);
    return i < layout->closure_count && layout->closures[i].date == date;
}

static bool day_close_all(const struct layout *layout, struct day *day, int64_t date, struct err *err)
{
    for (size_t i = closure_find(layout, date); i < layout->closure_count && layout->closures[i].date == date;
         i++)
        if (!day_close(day, &layout->closures[i].hours, err))
            return false;
    return true;
}

/* The merged hours of a date: its entry's, or its weekday's and what the entry of the date before leaves after midnight. */
static bool layout_day(struct layout *layout, int64_t date, const struct day **ret, struct err *err)
{
    const struct calendar_special *own = special_find(layout, date), *before = special_find(layout, date - 1);
    struct day *day = &layout->scratch;

    if (own == NULL && (before == NULL || before->day.count == 0) && !has_closure(layout, date)) {
        *ret = &layout->week[date_weekday(date)];
        return true;
    }
    day->count = 0;
    if (own == NULL)
        *day = layout->week[date_weekday(date)];
    else if (!day_add_hours(day, &own->day, false, err))
        return false;
    bool takes_tail = before != NULL && (own == NULL || own->holiday);
    if (takes_tail && !day_add_hours(day, &before->day, true, err))
        return false;
    day_merge(day);
    if ((own == NULL || own->holiday) && !day_close_all(layout, day, date, err))
        return false;
    *ret = day;
    return true;
}

/* Notes where a local date's first span begins. A date that comes back (a fold over midnight) is noted once. */
static void layout_note_date(struct layout *layout, int64_t date)
{
    struct calendar *c = layout->calendar;

    if (date <= layout->last_date)
        return;
    layout->last_date = date;
    if (c->date_count == layout->date_room) {
        layout->date_room = layout->date_room == 0 ? 1024 : layout->date_room * 2;
        c->date_first = mem_grow(c->date_first, layout->date_room, sizeof *c->date_first);
    }
    c->date_first[c->date_count++] = 0; /* filled by the caller */
}

/* Lays an open span [from, until) in UTC; one that touches the last goes on with it. */
static void layout_span(struct layout *layout, int64_t from_s, int64_t until_s, int64_t date)
{
    struct calendar *c = layout->calendar;
    const int64_t end_s = CALENDAR_END_US / US_PER_S;

    if (from_s < 0)
        from_s = 0;
    if (until_s > end_s)
        until_s = end_s;
    if (from_s >= until_s)
        return;
    size_t dates = c->date_count;
    layout_note_date(layout, date);
    if (c->date_count != dates)
        c->date_first[dates] = (uint32_t)from_s;
    if (c->count != 0 && from_s == layout->last_end_s) {
        layout->last_end_s = until_s;
        c->before_s[c->count] += (uint32_t)(until_s - from_s);
        return;
    }
    if (c->count + 2 > c->room) {
        c->room = c->room == 0 ? 4096 : c->room * 2;
        c->start_s = mem_grow(c->start_s, c->room, sizeof *c->start_s);
        c->before_s = mem_grow(c->before_s, c->room, sizeof *c->before_s);
        if (c->count == 0)
            c->before_s[0] = 0;
    }
    c->start_s[c->count] = (uint32_t)from_s;
    c->before_s[c->count + 1] = c->before_s[c->count] + (uint32_t)(until_s - from_s);
    c->count++;
    layout->last_end_s = until_s;
}

/* All dates that the wall clock shows between two instants of one offset. */
static bool layout_offset(struct layout *layout, int64_t from_s, int64_t until_s, int32_t offset_s,
                          struct err *err)
{
    int64_t local_from = from_s + offset_s, local_until = until_s + offset_s;
    int64_t date = date_of_wall(local_from);

    for (; date * DAY_S < local_until; date++) {
        const struct day *day;
        if (!layout_day(layout, date, &day, err))
            return false;
        for (size_t i = 0; i < day->count; i++) {
            int64_t open = date * DAY_S + day->hours[i].from_s, close = date * DAY_S + day->hours[i].until_s;
            open = (open > local_from ? open : local_from) - offset_s;
            close = (close < local_until ? close : local_until) - offset_s;
            layout_span(layout, open, close, date);
        }
    }
    return true;
}

static bool layout_zone(struct layout *layout, const struct zone *zone, struct err *err)
{
    const int64_t end_s = CALENDAR_END_US / US_PER_S;

    if (zone == NULL)
        return layout_offset(layout, 0, end_s, 0, err);
    for (size_t i = zone_span_at(zone, 0); zone_span_start(zone, i) < end_s; i++) {
        int64_t from = zone_span_start(zone, i), until = zone_span_start(zone, i + 1);
        from = from < 0 ? 0 : from;
        until = until > end_s ? end_s : until;
        if (!layout_offset(layout, from, until, zone_span_offset(zone, i), err))
            return false;
    }
    return true;
}

/* A desk that is closed for longer than 400 days at a stretch would let a promise sleep for ever. */
static bool layout_check(const struct calendar *c, struct err *err)
{
    const uint32_t most_s = (uint32_t)CALENDAR_CLOSED_DAYS_MAX * DAY_S;
    uint32_t closed_from = 0;

    for (size_t i = 0; i <= c->count; i++) {
        uint32_t opens = i == c->count ? (uint32_t)(CALENDAR_END_US / US_PER_S) : c->start_s[i];
        if (c->count == 0 || opens - closed_from > most_s)
            return err_set(err, ERR_INVALID, "never open within %d days", CALENDAR_CLOSED_DAYS_MAX);
        if (i < c->count)
            closed_from = c->start_s[i] + (c->before_s[i + 1] - c->before_s[i]);
    }
    return true;
}

static bool layout_week(struct layout *layout, const struct calendar_spec *spec, struct err *err)
{
    for (size_t i = 0; i < 7; i++) {
        struct day *day = &layout->week[i];
        if (!day_add_hours(day, &spec->week[i], false, err) ||
            !day_add_hours(day, &spec->week[(i + 6) % 7], true, err))
            return false;
        day_merge(day);
    }
    return true;
}

/* The dates to look up, in order; of an entry for a date of which there are several the first holds. */
static void layout_sort(struct layout *layout, const struct calendar_spec *spec)
{
    struct calendar *calendar = layout->calendar;
    struct calendar_closure *closures = mem_new(spec->closure_count, sizeof *closures);

    layout->special_count = spec->special_count;
    layout->specials = mem_new(spec->special_count, sizeof(const struct calendar_special *));
    for (size_t i = 0; i < spec->special_count; i++)
        layout->specials[i] = &spec->specials[i];
    qsort(layout->specials, layout->special_count, sizeof(const struct calendar_special *), special_compare);
    calendar->holidays = mem_new(spec->special_count, sizeof *calendar->holidays);
    for (size_t i = 0; i < layout->special_count; i++) {
        const struct calendar_special *s = layout->specials[i];
        bool again = i != 0 && layout->specials[i - 1]->date == s->date;
        if (!again && (s->holiday || s->day.count == 0))
            calendar->holidays[calendar->holiday_count++] = s->date;
    }
    if (spec->closure_count != 0)
        memcpy(closures, spec->closures, spec->closure_count * sizeof *closures);
    qsort(closures, spec->closure_count, sizeof *closures, closure_compare);
    layout->closures = closures;
    layout->closure_count = spec->closure_count;
}

bool calendar_new(const struct calendar_spec *spec, struct calendar **ret, struct err *err)
{
    struct layout *layout = mem_new(1, sizeof *layout);

    layout->calendar = mem_new(1, sizeof *layout->calendar);
    layout->last_date = INT64_MIN;
    layout->last_end_s = -1;
    layout_sort(layout, spec);
    bool ok = layout_week(layout, spec, err) && layout_zone(layout, spec->zone, err) &&
              layout_check(layout->calendar, err);
    if (ok) {
        layout->calendar->start_s[layout->calendar->count] = (uint32_t)(CALENDAR_END_US / US_PER_S);
        *ret = layout->calendar;
        layout->calendar = NULL;
    }
    calendar_free(layout->calendar);
    free(layout->specials);
    free((void *)layout->closures);
    free(layout);
    return ok;
}
