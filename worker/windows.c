/* Windows of a clock; see windows.h. */
#include "windows.h"

#include "clock.h"
#include "date.h"

#include <stdio.h>
#include <string.h>

static const char *const why_names[WINDOW_WHYS] = {"counted", "vendor", "closed",
                                                   "holiday", "lunch",  "customer"};

struct maker {
    const struct calendar *calendar;
    const struct zone *zone;             /* NULL: UTC */
    const struct process_calendar *week; /* its usual hours; NULL: none are known */
    const struct clock_event *events;
    size_t event_count;
    struct windows *out;
};

static void window_add(struct maker *m, int64_t from, int64_t until, enum window_why why)
{
    struct windows *out = m->out;
    struct window *last = out->count == 0 ? NULL : &out->items[out->count - 1];

    if (until <= from)
        return;
    if (last != NULL && last->why == why && last->until == from) {
        last->until = until;
        return;
    }
    if (out->count == WINDOWS_MAX) {
        memmove(out->items, out->items + 1, --out->count * sizeof out->items[0]);
        out->left_out++;
    }
    out->items[out->count++] = (struct window){from, until, why};
}

/* ---- dates of the calendar's zone ---- */

static int64_t local_date(const struct maker *m, int64_t at)
{
    int64_t at_s = at / US_PER_S;
    return date_of_wall(at_s + (m->zone == NULL ? 0 : zone_offset(m->zone, at_s)));
}

/* The first instant of a date: where the wall clock is put forward over midnight, the change. */
static int64_t date_start(const struct maker *m, int64_t date)
{
    int64_t low = (date - 1) * DAY_S, high = (date + 1) * DAY_S;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (local_date(m, middle * US_PER_S) >= date)
            high = middle;
        else
            low = middle + 1;
    }
    return low * US_PER_S;
}

static enum window_why closed_why(const struct maker *m, int64_t date, int64_t from, int64_t until)
{
    int64_t begin = date_start(m, date), end = date_start(m, date + 1);
    int64_t open = calendar_elapsed(m->calendar, begin, end);

    if (open == 0 && m->week != NULL && m->week->week[date_weekday(date)].count != 0)
        return WINDOW_HOLIDAY;
    if (calendar_elapsed(m->calendar, begin, from) != 0 && calendar_elapsed(m->calendar, until, end) != 0)
        return WINDOW_LUNCH;
    return WINDOW_CLOSED;
}

/* A closed span, date by date. Whether it is lunch is asked of the whole span, not of the part that a clock saw. */
static void add_closed(struct maker *m, int64_t from, int64_t until)
{
    int64_t opens = calendar_next_change(m->calendar, from);

    while (from < until) {
        int64_t date = local_date(m, from), next = date_start(m, date + 1);
        int64_t end = next < until ? next : until;
        window_add(m, from, end, closed_why(m, date, from, opens < next ? opens : next));
        from = end;
    }
}

/* ---- stretches ---- */

/* Whether a vendor is waited for at an instant, and until when that is so. */
static bool vendor_at(const struct maker *m, int64_t at, int64_t *ret_until)
{
    bool waits = false;

    *ret_until = INT64_MAX;
    for (size_t i = 0; i < m->event_count; i++) {
        const struct clock_event *e = &m->events[i];
        bool ends = e->kind == EVENT_TAKEN || e->kind == EVENT_RESUMED || e->kind == EVENT_WAITING ||
                    e->kind == EVENT_CANNOT_RESOLVE || e->kind == EVENT_RESOLVED || e->kind == EVENT_AGREED ||
                    e->kind == EVENT_DECLINED || e->kind == EVENT_CLOSED;
        if (!ends)
            continue;
        if (e->at > at) {
            *ret_until = e->at;
            return waits;
        }
        waits = e->kind == EVENT_WAITING && e->on == CLOCK_ON_VENDOR;
    }
    return waits;
}

static void add_counted(struct maker *m, int64_t from, int64_t until)
{
    while (from < until) {
        int64_t changes;
        bool vendor = vendor_at(m, from, &changes);
        int64_t end = changes < until ? changes : until;
        window_add(m, from, end, vendor ? WINDOW_VENDOR : WINDOW_COUNTED);
        from = end;
    }
}

static void add_running(struct maker *m, int64_t from, int64_t until, bool working)
{
    if (!working || m->calendar == NULL) {
        add_counted(m, from, until);
        return;
    }
    while (from < until) {
        int64_t changes = calendar_next_change(m->calendar, from);
        int64_t end = changes < until ? changes : until;
        if (calendar_is_open(m->calendar, from))
            add_counted(m, from, end);
        else
            add_closed(m, from, end);
        from = end;
    }
}

static const struct process_calendar *week_of(const struct engine *engine, struct span name)
{
    char text[PROCESS_NAME_MAX + 1];

    (void)snprintf(text, sizeof text, "%.*s", (int)name.len, name.p);
    return process_calendar_find(engine_process(engine), text);
}

void windows_make(const struct engine *engine, const struct clock_promise *promise, const struct clock *clock,
                  const struct clock_log *log, const struct clock_event *events, size_t event_count,
                  struct windows *ret)
{
    /* A clock that was kept stands as it was judged, by a promise that may be another one by now. */
    bool stays = clock->state == CLOCK_MET && engine_calendar(engine, clock->calendar) != NULL;
    struct span name = stays ? clock->calendar : span_of(promise->calendar_name);
    struct maker m = {.calendar = stays ? engine_calendar(engine, name) : promise->calendar,
                      .zone = engine_calendar_zone(engine, name),
                      .week = week_of(engine, name),
                      .events = events,
                      .event_count = event_count,
                      .out = ret};

    ret->count = ret->left_out = 0;
    for (size_t i = 0; i < log->count; i++) {
        const struct clock_stretch *s = &log->items[i];
        /* A resolution that runs on after a rejection has the stretches of its earlier cycles too: the same start. */
        if (s->kind != clock->kind || s->cycle > clock->cycle || s->from < clock->started_at)
            continue;
        if (s->paused)
            window_add(&m, s->from, s->until, WINDOW_CUSTOMER);
        else
            add_running(&m, s->from, s->until, stays ? clock->working : promise->working);
    }
}

const char *window_why_name(enum window_why why)
{
    return why_names[why];
}
