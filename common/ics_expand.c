/* From events to spans: recurrences stepped through by libical, exceptions and overrides applied by us. */
#include "ics_internal.h"

#include "date.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libical/ical.h>

enum { HOUR_S = 3600 };

/* Nanoseconds: of an instance, of each exception it is compared with, and of each day that a rule steps over. */
enum { INSTANCE_WORK = 2000, COMPARE_WORK = 6, DAILY_WORK = 3000, BY_WORK = 100, PLAIN_WORK = 10 };

#define FIRST_WALL_S INT64_C(0)
#define LAST_WALL_S INT64_C(4133980800) /* 2101-01-01 */

struct expansion {
    const struct ics_reader *reader;
    struct ics_spans *spans;
    size_t room;
    size_t stepped; /* instances looked at, kept or not */
};

/* ---- lengths ---- */

/* The length on the wall clock; 0: the event takes no time. A date without an end, or with the same one, is a day. */
static bool event_length(const struct ics_reader *reader, const struct ics_event *event, int64_t *ret_s)
{
    int64_t length_s = event->duration_s;

    if (event->has_end)
        length_s = ics_wall_in(reader, &event->end, &event->start) - event->start.time.wall_s;
    if (length_s < 0)
        return ics_fault(reader, event->line, "VEVENT: ends before it begins");
    if (event->start.time.is_date && length_s % DAY_S != 0)
        return ics_fault(reader, event->line, "VEVENT: begins with a date and lasts no whole days");
    if (event->start.time.is_date && length_s == 0)
        length_s = DAY_S;
    if (length_s > (int64_t)ICS_SPAN_DAYS_MAX * DAY_S)
        return ics_fault(reader, event->line, "VEVENT: lasts longer than %d days", ICS_SPAN_DAYS_MAX);
    *ret_s = length_s;
    return true;
}

/* ---- instances ---- */

/* Whether two of one event's instances are the same; a date names the instance of that day. */
static bool same_instance(const struct ics_reader *reader, const struct ics_event *event,
                          int64_t start_wall_s, const struct ics_moment *named)
{
    int64_t wall_s = ics_wall_in(reader, named, &event->start);

    if (named->time.is_date || event->start.time.is_date)
        return date_of_wall(wall_s) == date_of_wall(start_wall_s);
    return wall_s == start_wall_s;
}

/* Taken out by EXDATE, or replaced (or cancelled) by an event with this instance's RECURRENCE-ID. */
static bool is_dropped(const struct ics_reader *reader, const struct ics_event *event, int64_t start_wall_s)
{
    for (size_t i = 0; i < event->exdates.count; i++)
        if (same_instance(reader, event, start_wall_s, &event->exdates.items[i]))
            return true;
    for (size_t i = 0; i < reader->event_count && event->uid != NULL; i++) {
        const struct ics_event *other = &reader->events[i];
        if (other->has_recurrence_id && other->uid != NULL && strcmp(other->uid, event->uid) == 0 &&
            same_instance(reader, event, start_wall_s, &other->recurrence_id))
            return true;
    }
    return false;
}

static bool step_count(struct expansion *x, const struct ics_event *event)
{
    return ++x->stepped <= ICS_SPANS_MAX ||
           ics_fault(x->reader, event->rule_line != 0 ? event->rule_line : event->line,
                     "more than %d instances in a file, want an UNTIL or COUNT", ICS_SPANS_MAX);
}

/* Each instance is compared with all exceptions and, in a file with many events, with these. */
static int64_t instance_work(const struct ics_reader *reader, const struct ics_event *event)
{
    size_t compared = event->exdates.count + (event->uid != NULL ? reader->event_count : 0);
    return INSTANCE_WORK + COMPARE_WORK * (int64_t)compared;
}

static bool instance_add(struct expansion *x, const struct ics_event *event, int64_t start_wall_s,
                         int64_t length_s)
{
    struct ics_moment from = event->start, until = event->start, home = {.frame = ICS_FLOATING};

    if (!step_count(x, event) || !ics_work(x->reader, event->line, instance_work(x->reader, event)))
        return false;
    if (!event->has_recurrence_id && is_dropped(x->reader, event, start_wall_s))
        return true;
    from.time.wall_s = start_wall_s;
    int64_t exact_s = event->has_end ? 0 : event->exact_s;
    until.time.wall_s = start_wall_s + length_s - exact_s;
    until.time.wall_s = ics_wall_after(x->reader, &until, exact_s);
    struct ics_span span = {ics_wall_in(x->reader, &from, &home), ics_wall_in(x->reader, &until, &home),
                            event->start.time.is_date, event->line, NULL};
    if (span.until_s <= span.from_s || span.until_s <= FIRST_WALL_S || span.from_s >= LAST_WALL_S)
        return true;
    if (x->spans->count == x->room) {
        x->room = x->room == 0 ? 64 : 2 * x->room;
        x->spans->items = mem_grow(x->spans->items, x->room, sizeof *x->spans->items);
    }
    span.summary = mem_strdup(event->summary == NULL ? "" : event->summary);
    x->spans->items[x->spans->count++] = span;
    return true;
}

/* ---- recurrences ---- */

static struct icaltimetype time_of_wall(int64_t wall_s, bool is_date)
{
    struct icaltimetype time = icaltime_null_time();
    int64_t days = date_of_wall(wall_s), year, rest = wall_s - days * DAY_S;

    date_parts(days, &year, &time.month, &time.day);
    time.year = (int)year;
    time.is_date = is_date;
    if (!is_date) {
        time.hour = (int)(rest / HOUR_S);
        time.minute = (int)(rest / 60 % 60);
        time.second = (int)(rest % 60);
    }
    return time;
}

static int64_t wall_of_time(struct icaltimetype time)
{
    int64_t wall_s = date_days(time.year, time.month, time.day) * DAY_S;
    return time.is_date ? wall_s : wall_s + time.hour * HOUR_S + time.minute * 60 + time.second;
}

/* The last wall clock at which an instance may start. */
static int64_t rule_until(const struct ics_reader *reader, const struct ics_event *event)
{
    const char *text = event->rule;
    struct ics_moment until;

    while (text != NULL && strncasecmp(text, "UNTIL=", 6) != 0) {
        text = strchr(text, ';');
        text = text == NULL ? NULL : text + 1;
    }
    if (text == NULL || !ics_moment_parse((struct span){text + 6, strcspn(text + 6, ";")}, &until))
        return LAST_WALL_S;
    int64_t wall_s = ics_wall_in(reader, &until, &event->start);
    if (until.time.is_date || event->start.time.is_date)
        wall_s = date_of_wall(wall_s) * DAY_S + DAY_S - 1; /* that day still */
    return wall_s < LAST_WALL_S ? wall_s : LAST_WALL_S;
}

static bool rule_steps(struct expansion *x, const struct ics_event *event, icalrecur_iterator *steps,
                       int64_t until_s, int64_t length_s)
{
    bool is_date = event->start.time.is_date, is_first = true;

    for (;;) {
        struct icaltimetype next = icalrecur_iterator_next(steps);
        bool is_end = icaltime_is_null_time(next) || next.year > 2100;
        int64_t wall_s = is_end ? LAST_WALL_S : wall_of_time(next);
        if (is_first && is_end)
            return ics_fault(x->reader, event->rule_line, "RRULE: matches no date until 2100");
        /* The start is an instance even when the rule does not name it. */
        if (is_first && wall_s != event->start.time.wall_s &&
            !instance_add(x, event, event->start.time.wall_s, length_s))
            return false;
        is_first = false;
        if (is_end || wall_s > until_s)
            return true;
        next.is_date = is_date;
        if (!instance_add(x, event, wall_s, length_s))
            return false;
    }
}

/* What libical may take to step through a rule, measured with the slowest found; plain ones have no BY. */
static int64_t rule_work(const struct ics_event *event, int64_t until_s)
{
    int64_t days = (until_s - event->start.time.wall_s) / DAY_S + 1;

    return days * (event->is_daily                                            ? DAILY_WORK
                   : event->rule != NULL && strstr(event->rule, "BY") != NULL ? BY_WORK
                                                                              : PLAIN_WORK);
}

static bool expand_rule(struct expansion *x, const struct ics_event *event, int64_t length_s)
{
    struct icalrecurrencetype rule = icalrecurrencetype_from_string(event->rule);
    int64_t start_s = event->start.time.wall_s, until_s = rule_until(x->reader, event);

    if (rule.freq == ICAL_NO_RECURRENCE)
        return ics_fault(x->reader, event->rule_line, "RRULE: \"%.100s\" is no rule", event->rule);
    if (until_s < start_s)
        return instance_add(x, event, start_s, length_s);
    if (!ics_work(x->reader, event->rule_line, rule_work(event, until_s)))
        return false;
    /* libical's bound only has to end its search; which instance is the last is looked at here. */
    rule.until = time_of_wall(until_s + DAY_S, true);
    icalrecur_iterator *steps =
        icalrecur_iterator_new(rule, time_of_wall(start_s, event->start.time.is_date));
    if (steps == NULL)
        return ics_fault(x->reader, event->rule_line, "RRULE: \"%.100s\" matches no date", event->rule);
    bool ok = rule_steps(x, event, steps, until_s, length_s);
    icalrecur_iterator_free(steps);
    return ok;
}

static bool expand_event(struct expansion *x, const struct ics_event *event)
{
    int64_t length_s = 0;

    if (!event_length(x->reader, event, &length_s))
        return false;
    if (event->is_cancelled)
        return true;
    if (length_s == 0) {
        x->spans->idle[x->spans->idle_count++] = event->line;
        return true;
    }
    bool ok = event->rule != NULL ? expand_rule(x, event, length_s)
                                  : instance_add(x, event, event->start.time.wall_s, length_s);
    for (size_t i = 0; i < event->rdates.count && ok; i++)
        ok = instance_add(x, event, ics_wall_in(x->reader, &event->rdates.items[i], &event->start), length_s);
    return ok;
}

static int span_compare(const void *a, const void *b)
{
    const struct ics_span *x = a, *y = b;
    if (x->from_s != y->from_s)
        return x->from_s < y->from_s ? -1 : 1;
    return (x->until_s > y->until_s) - (x->until_s < y->until_s);
}

bool ics_expand(const struct ics_reader *reader, struct ics_spans *ret)
{
    struct ics_spans spans = {.idle = mem_new(reader->event_count + 1, sizeof *spans.idle)};
    struct expansion x = {.reader = reader, .spans = &spans};

    for (size_t i = 0; i < reader->event_count; i++)
        if (!expand_event(&x, &reader->events[i])) { /* the first one ends it: a hostile rule costs time */
            ics_spans_clear(&spans);
            return false;
        }
    if (spans.count != 0)
        qsort(spans.items, spans.count, sizeof *spans.items, span_compare);
    *ret = spans;
    return true;
}
