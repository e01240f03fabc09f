/* The footer of a TZif file; see zone_rule.h. */
#include "zone_rule.h"

#include "date.h"

#include <ctype.h>

enum { HOUR_S = 3600, MINUTE_S = 60, NAME_LEAST = 3, HOURS_MAX = 167, OFFSET_HOURS_MAX = 24 };

struct reader {
    const char *p;
    const char *end;
};

static bool reader_take(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool reader_number(struct reader *r, int least, int most, int *ret)
{
    int value = 0;
    const char *start = r->p;

    while (r->p != r->end && isdigit((unsigned char)*r->p) && r->p - start < 4)
        value = value * 10 + (*r->p++ - '0');
    if (r->p == start || value < least || value > most)
        return false;
    *ret = value;
    return true;
}

/* Three letters or more, or anything of letters, digits, '+' and '-' between < and >. */
static bool reader_name(struct reader *r)
{
    bool quoted = reader_take(r, '<');
    const char *start = r->p;

    while (r->p != r->end && (isalpha((unsigned char)*r->p) ||
                              (quoted && (isdigit((unsigned char)*r->p) || *r->p == '+' || *r->p == '-'))))
        r->p++;
    bool ok = r->p - start >= NAME_LEAST;
    return ok && (!quoted || reader_take(r, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds, as written. */
static bool reader_time(struct reader *r, int hours_max, int32_t *ret)
{
    int hours, minutes = 0, seconds = 0;
    bool negative = reader_take(r, '-');

    if (!negative)
        (void)reader_take(r, '+');
    if (!reader_number(r, 0, hours_max, &hours))
        return false;
    if (reader_take(r, ':')) {
        if (!reader_number(r, 0, 59, &minutes))
            return false;
        if (reader_take(r, ':') && !reader_number(r, 0, 59, &seconds))
            return false;
    }
    int32_t value = hours * HOUR_S + minutes * MINUTE_S + seconds;
    *ret = negative ? -value : value;
    return true;
}

static bool reader_date(struct reader *r, struct zone_date *ret)
{
    struct zone_date date = {.time_s = 2 * HOUR_S};

    if (reader_take(r, 'M')) {
        date.kind = ZONE_DAY_MONTH;
        if (!reader_number(r, 1, 12, &date.month) || !reader_take(r, '.') ||
            !reader_number(r, 1, 5, &date.week) || !reader_take(r, '.') || !reader_number(r, 0, 6, &date.day))
            return false;
    } else if (reader_take(r, 'J')) {
        date.kind = ZONE_DAY_JULIAN;
        if (!reader_number(r, 1, 365, &date.day))
            return false;
    } else {
        date.kind = ZONE_DAY_ZERO;
        if (!reader_number(r, 0, 365, &date.day))
            return false;
    }
    if (reader_take(r, '/') && !reader_time(r, HOURS_MAX, &date.time_s))
        return false;
    *ret = date;
    return true;
}

bool zone_rule_parse(struct span text, struct zone_rule *ret)
{
    struct reader r = {text.p, text.p + text.len};
    struct zone_rule rule = {0};

    if (!reader_name(&r) || !reader_time(&r, OFFSET_HOURS_MAX, &rule.standard_s))
        return false;
    rule.standard_s = -rule.standard_s; /* POSIX counts westward */
    if (r.p != r.end) {
        rule.has_summer = true;
        rule.summer_s = rule.standard_s + HOUR_S;
        if (!reader_name(&r))
            return false;
        if (r.p != r.end && *r.p != ',') {
            if (!reader_time(&r, OFFSET_HOURS_MAX, &rule.summer_s))
                return false;
            rule.summer_s = -rule.summer_s;
        }
        if (!reader_take(&r, ',') || !reader_date(&r, &rule.to_summer) || !reader_take(&r, ',') ||
            !reader_date(&r, &rule.to_standard))
            return false;
    }
    if (r.p != r.end)
        return false;
    *ret = rule;
    return true;
}

/* The date of the week-th weekday (0 Sunday) of a month; week 5 is the last. */
static int64_t month_day(int64_t year, const struct zone_date *date)
{
    int64_t first = date_days(year, date->month, 1);
    int64_t next = date->month == 12 ? date_days(year + 1, 1, 1) : date_days(year, date->month + 1, 1);
    int first_weekday = (date_weekday(first) + 1) % 7;
    int64_t day = first + (date->day - first_weekday + 7) % 7 + INT64_C(7) * (date->week - 1);
    return day < next ? day : day - 7;
}

int64_t zone_date_instant(const struct zone_date *date, int64_t year, int32_t before_s)
{
    int64_t day = date_days(year, 1, 1);

    switch (date->kind) {
    case ZONE_DAY_JULIAN:
        day += date->day - 1 + (date->day >= 60 ? date_year_days(year) - 365 : 0);
        break;
    case ZONE_DAY_ZERO:
        day += date->day;
        break;
    case ZONE_DAY_MONTH:
        day = month_day(year, date);
        break;
    }
    return day * DAY_S + date->time_s - before_s;
}
