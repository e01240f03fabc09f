/* Working time; see calendar.h. */
#include "calendar_internal.h"

#include "clock.h"
#include "date.h"

#include <assert.h>
#include <stdlib.h>

struct calendar *calendar_new_always(void)
{
    static const struct calendar_hours all = {0, DAY_S};
    struct calendar_spec spec = {.zone = NULL};
    struct calendar *calendar = NULL;

    for (size_t i = 0; i < 7; i++)
        spec.week[i] = (struct calendar_day){&all, 1};
    bool ok = calendar_new(&spec, &calendar, NULL);
    assert(ok);
    return calendar;
}

void calendar_free(struct calendar *calendar)
{
    if (calendar == NULL)
        return;
    free(calendar->start_s);
    free(calendar->before_s);
    free(calendar->date_first);
    free(calendar->holidays);
    free(calendar);
}

/* The number of rows of sorted[0..count) that are at most value. Branches become conditional moves. */
static size_t rows_until(const uint32_t *sorted, size_t count, uint32_t value)
{
    const uint32_t *base = sorted;
    size_t left = count;

    while (left > 1) {
        size_t half = left / 2;
        base = base[half - 1] <= value ? base + half : base;
        left -= half;
    }
    return (size_t)(base - sorted) + (count != 0 && *base <= value ? 1 : 0);
}

static int64_t span_start_us(const struct calendar *c, size_t i)
{
    return (int64_t)c->start_s[i] * US_PER_S;
}

static int64_t span_end_us(const struct calendar *c, size_t i)
{
    return ((int64_t)c->start_s[i] + (c->before_s[i + 1] - c->before_s[i])) * US_PER_S;
}

/* Open time from 1970 until an instant inside the table. */
static int64_t open_before_us(const struct calendar *c, int64_t at_us)
{
    size_t rows = rows_until(c->start_s, c->count, (uint32_t)(at_us / US_PER_S));

    if (rows == 0)
        return 0;
    int64_t inside = at_us - span_start_us(c, rows - 1);
    int64_t length = (int64_t)(c->before_s[rows] - c->before_s[rows - 1]) * US_PER_S;
    return (int64_t)c->before_s[rows - 1] * US_PER_S + (inside < length ? inside : length);
}

static bool due_error(struct err *err)
{
    return err_set(err, ERR_INVALID, "outside the years 1970 to 2100");
}

/* The span that holds at_us, or the first one after it; count when there is none. */
static size_t span_at_or_after(const struct calendar *c, int64_t at_us)
{
    size_t rows = rows_until(c->start_s, c->count, (uint32_t)(at_us / US_PER_S));
    return rows != 0 && at_us < span_end_us(c, rows - 1) ? rows - 1 : rows;
}

bool calendar_due(const struct calendar *calendar, int64_t start_us, int64_t work_us, int64_t *ret_us,
                  struct err *err)
{
    const struct calendar *c = calendar;

    if (start_us < CALENDAR_BEGIN_US || start_us >= CALENDAR_END_US || work_us < 0 ||
        work_us > CALENDAR_END_US)
        return due_error(err);
    if (work_us == 0) {
        size_t i = span_at_or_after(c, start_us);
        if (i == c->count)
            return due_error(err);
        *ret_us = span_start_us(c, i) > start_us ? span_start_us(c, i) : start_us;
        return true;
    }
    int64_t want_us = open_before_us(c, start_us) + work_us;
    if (want_us > (int64_t)c->before_s[c->count] * US_PER_S)
        return due_error(err);
    /* The last span with less than want before it: the earliest instant, so a closing rather than the opening after it. */
    size_t i = rows_until(c->before_s, c->count, (uint32_t)((want_us - 1) / US_PER_S)) - 1;
    *ret_us = span_start_us(c, i) + want_us - (int64_t)c->before_s[i] * US_PER_S;
    return true;
}

static int64_t instant_clamp(int64_t at_us)
{
    return at_us < CALENDAR_BEGIN_US ? CALENDAR_BEGIN_US : at_us > CALENDAR_END_US ? CALENDAR_END_US : at_us;
}

int64_t calendar_elapsed(const struct calendar *calendar, int64_t a_us, int64_t b_us)
{
    if (b_us <= a_us)
        return 0;
    return open_before_us(calendar, instant_clamp(b_us)) - open_before_us(calendar, instant_clamp(a_us));
}

bool calendar_is_open(const struct calendar *calendar, int64_t at_us)
{
    if (at_us < CALENDAR_BEGIN_US || at_us >= CALENDAR_END_US)
        return false;
    size_t i = span_at_or_after(calendar, at_us);
    return i < calendar->count && span_start_us(calendar, i) <= at_us;
}

int64_t calendar_next_change(const struct calendar *calendar, int64_t at_us)
{
    at_us = instant_clamp(at_us);
    size_t i = span_at_or_after(calendar, at_us);
    if (i >= calendar->count)
        return CALENDAR_END_US;
    return span_start_us(calendar, i) > at_us ? span_start_us(calendar, i) : span_end_us(calendar, i);
}

bool calendar_has_holiday(const struct calendar *calendar, int32_t first, int32_t last)
{
    size_t low = 0, high = calendar->holiday_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (calendar->holidays[middle] < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < calendar->holiday_count && calendar->holidays[low] <= last;
}

int64_t calendar_add_days(const struct calendar *calendar, int64_t at_us, int count)
{
    const struct calendar *c = calendar;
    at_us = instant_clamp(at_us);
    size_t i = rows_until(c->date_first, c->date_count, (uint32_t)(at_us / US_PER_S)) + (size_t)count - 1;
    return i < c->date_count ? (int64_t)c->date_first[i] * US_PER_S : CALENDAR_END_US;
}
