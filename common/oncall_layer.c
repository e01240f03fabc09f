/* One layer of a schedule: whose turn it is, and when that may change. */
#include "oncall_internal.h"

#include "date.h"

enum { HOUR_S = 3600, LOOK_DAYS = 9 };
#define FAR_S INT64_C(4133980800) /* 2101: the zones' tables end there */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* ---- the wall clock ---- */

/* Spans that may show the wall clock: an offset is less than two days. */
static size_t span_before(const struct zone *zone, int64_t wall_s)
{
    return zone_span_at(zone, wall_s - 2 * (int64_t)DAY_S);
}

static bool span_shows(const struct zone *zone, size_t i, int64_t wall_s, int64_t *ret_s)
{
    int64_t at_s = wall_s - zone_span_offset(zone, i);
    if (at_s < zone_span_start(zone, i) || at_s >= zone_span_start(zone, i + 1))
        return false;
    *ret_s = at_s;
    return true;
}

/* The first instant after the gap that skips the wall clock. */
static int64_t after_gap(const struct zone *zone, int64_t wall_s)
{
    size_t i = span_before(zone, wall_s);
    while (i + 1 < zone_spans(zone) && zone_span_start(zone, i + 1) + zone_span_offset(zone, i + 1) <= wall_s)
        i++;
    return i + 1 < zone_spans(zone) ? zone_span_start(zone, i + 1) : wall_s - zone_span_offset(zone, i);
}

int64_t oncall_wall_first(const struct zone *zone, int64_t wall_s)
{
    int64_t at_s = 0;
    for (size_t i = span_before(zone, wall_s);
         i < zone_spans(zone) && zone_span_start(zone, i) <= wall_s + 2 * (int64_t)DAY_S; i++)
        if (span_shows(zone, i, wall_s, &at_s))
            return at_s;
    return after_gap(zone, wall_s);
}

int64_t oncall_wall_last(const struct zone *zone, int64_t wall_s)
{
    int64_t at_s = 0;
    bool shown = false;
    for (size_t i = span_before(zone, wall_s);
         i < zone_spans(zone) && zone_span_start(zone, i) <= wall_s + 2 * (int64_t)DAY_S; i++)
        shown = span_shows(zone, i, wall_s, &at_s) || shown;
    return shown ? at_s : after_gap(zone, wall_s);
}

/* ---- turns ---- */

/* The wall clock at which turn number n begins. */
static int64_t turn_wall(const struct process_layer *plan, int64_t n)
{
    static const int64_t unit_s[] = {
        [ROTATE_HOURS] = HOUR_S, [ROTATE_DAYS] = DAY_S, [ROTATE_WEEKS] = 7 * (int64_t)DAY_S};
    int64_t year = 0;
    int month = 0, day = 0;

    if (plan->unit != ROTATE_MONTHS)
        return (int64_t)plan->start_date * DAY_S + plan->handover_s + n * plan->every * unit_s[plan->unit];
    date_parts(plan->start_date, &year, &month, &day);
    int64_t months = year * 12 + month - 1 + n * plan->every;
    year = floor_div(months, 12);
    month = (int)(months - year * 12) + 1;
    int most = date_month_days(year, month);
    return date_days(year, month, day < most ? day : most) * DAY_S + plan->handover_s;
}

/* A turn near the wall clock; the right one is at most two away. */
static int64_t turn_near(const struct process_layer *plan, int64_t wall_s)
{
    int64_t length_s = turn_wall(plan, 1) - turn_wall(plan, 0);
    if (plan->unit == ROTATE_MONTHS)
        length_s = plan->every * 2629746; /* of the mean month */
    return floor_div(wall_s - turn_wall(plan, 0), length_s);
}

static bool week_is_open(const struct process_day week[7], int64_t wall_s)
{
    int64_t date = floor_div(wall_s, DAY_S);
    int32_t of_day = (int32_t)(wall_s - date * DAY_S);
    const struct process_day *today = &week[date_weekday(date)], *yesterday = &week[date_weekday(date - 1)];

    for (size_t i = 0; i < today->count; i++) {
        const struct process_interval *in = &today->intervals[i];
        bool over_midnight = in->until_s <= in->from_s;
        if (of_day >= in->from_s && (over_midnight || of_day < in->until_s))
            return true;
    }
    for (size_t i = 0; i < yesterday->count; i++) {
        const struct process_interval *in = &yesterday->intervals[i];
        if (in->until_s <= in->from_s && of_day < in->until_s)
            return true;
    }
    return false;
}

static bool imported_at(const struct oncall_layer *layer, int64_t at_s, struct oncall_set *ret)
{
    size_t before = ret->count;
    for (size_t i = 0; i < layer->turn_count && layer->turns[i].from_s <= at_s; i++)
        if (at_s < layer->turns[i].until_s)
            oncall_set_add(ret, layer->turns[i].name);
    return ret->count > before;
}

bool oncall_layer_at(const struct oncall_layer *layer, int64_t at_s, struct oncall_set *ret)
{
    const struct process_layer *plan = layer->plan;
    int64_t wall_s = at_s + zone_offset(layer->zone, at_s);
    bool on = false;

    if (plan->week != NULL && !week_is_open(plan->week, wall_s))
        return false;
    if (plan->import != NULL)
        return imported_at(layer, at_s, ret);
    int64_t near = turn_near(plan, wall_s);
    for (int64_t n = near - 2; n <= near + 2; n++) {
        if (n < 0 || at_s < oncall_wall_first(layer->zone, turn_wall(plan, n)) ||
            at_s >= oncall_wall_last(layer->zone, turn_wall(plan, n + 1)))
            continue;
        oncall_set_add(ret, plan->people.items[n % (int64_t)plan->people.count]);
        on = true;
    }
    return on;
}

/* ---- changes ---- */

struct soonest {
    int64_t after_s, at_s;
};

static void soonest_take(struct soonest *s, int64_t at_s)
{
    if (at_s > s->after_s && at_s < s->at_s)
        s->at_s = at_s;
}

static void soonest_take_wall(struct soonest *s, const struct zone *zone, int64_t wall_s)
{
    soonest_take(s, oncall_wall_first(zone, wall_s));
    soonest_take(s, oncall_wall_last(zone, wall_s));
}

static void soonest_of_hours(struct soonest *s, const struct oncall_layer *layer, int64_t wall_s)
{
    int64_t date = floor_div(wall_s, DAY_S);

    for (int64_t d = date - 1; d < date + LOOK_DAYS; d++) {
        const struct process_day *day = &layer->plan->week[date_weekday(d)];
        for (size_t i = 0; i < day->count; i++) {
            const struct process_interval *in = &day->intervals[i];
            int64_t end = in->until_s <= in->from_s ? in->until_s + DAY_S : in->until_s;
            soonest_take_wall(s, layer->zone, d * DAY_S + in->from_s);
            soonest_take_wall(s, layer->zone, d * DAY_S + end);
        }
    }
}

int64_t oncall_layer_next(const struct oncall_layer *layer, int64_t at_s)
{
    const struct process_layer *plan = layer->plan;
    int64_t wall_s = at_s + zone_offset(layer->zone, at_s);
    struct soonest s = {at_s, INT64_MAX};
    size_t span = zone_span_at(layer->zone, at_s);

    if (at_s >= FAR_S)
        return INT64_MAX;
    if (span + 1 < zone_spans(layer->zone))
        soonest_take(&s, zone_span_start(layer->zone, span + 1));
    if (plan->week != NULL)
        soonest_of_hours(&s, layer, wall_s);
    for (size_t i = 0; i < layer->turn_count; i++) {
        soonest_take(&s, layer->turns[i].from_s);
        soonest_take(&s, layer->turns[i].until_s);
    }
    if (plan->import != NULL)
        return s.at_s;
    int64_t near = turn_near(plan, wall_s);
    for (int64_t n = near - 2; n <= near + 3; n++)
        if (n >= 0)
            soonest_take_wall(&s, layer->zone, turn_wall(plan, n));
    if (near < -2)
        soonest_take_wall(&s, layer->zone, turn_wall(plan, 0));
    return s.at_s;
}
