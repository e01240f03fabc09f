/* Instants and spans as people write and read them. Stored times are µs since the epoch, UTC; only here do
 * they meet the machine's zone. */
#include "cli.h"

#include "clock.h"
#include "date.h"
#include "instant.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RELATIVE_MAX = 1000000 };

struct moment {
    int year, month, day, hour, minute, second;
    int64_t fraction_us;
};

/* Exactly n digits. */
static bool take_number(const char **p, int n, int *ret)
{
    int value = 0;

    for (int i = 0; i < n; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        value = value * 10 + (**p - '0');
    }
    *ret = value;
    return true;
}

static bool take_char(const char **p, const char *any)
{
    if (**p == '\0' || strchr(any, **p) == NULL)
        return false;
    (*p)++;
    return true;
}

static void take_fraction(const char **p, int64_t *ret_us)
{
    int64_t scale = 100000;

    if (**p != '.')
        return;
    for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
        *ret_us += scale * (**p - '0');
}

/* "2026-11-24[T10:00[:00[.5]]]"; the rest (a zone) is left at *p. */
static bool take_moment(const char **p, struct moment *m)
{
    if (!take_number(p, 4, &m->year) || !take_char(p, "-") || !take_number(p, 2, &m->month) ||
        !take_char(p, "-") || !take_number(p, 2, &m->day))
        return false;
    if (!date_is(m->year, m->month, m->day))
        return false;
    if (!take_char(p, "Tt "))
        return **p == '\0';
    if (!take_number(p, 2, &m->hour) || !take_char(p, ":") || !take_number(p, 2, &m->minute))
        return false;
    if (take_char(p, ":") && !take_number(p, 2, &m->second))
        return false;
    take_fraction(p, &m->fraction_us);
    return m->hour < 24 && m->minute < 60 && m->second < 60;
}

static int64_t moment_local(const struct moment *m)
{
    struct tm tm = {.tm_year = m->year - 1900,
                    .tm_mon = m->month - 1,
                    .tm_mday = m->day,
                    .tm_hour = m->hour,
                    .tm_min = m->minute,
                    .tm_sec = m->second,
                    .tm_isdst = -1};
    return (int64_t)mktime(&tm) * US_PER_S + m->fraction_us;
}

static bool parse_absolute(const char *text, int64_t *ret_us)
{
    struct moment m = {0};
    int hour = 0, minute = 0;

    if (!take_moment(&text, &m))
        return false;
    if (*text == '\0') {
        *ret_us = moment_local(&m);
        return true;
    }
    int64_t utc_s = date_days(m.year, m.month, m.day) * DAY_S + m.hour * 3600 + m.minute * 60 + m.second;
    int sign = *text == '-' ? 1 : -1;
    bool zulu = take_char(&text, "Zz");
    if (!zulu && (!take_char(&text, "+-") || !take_number(&text, 2, &hour) || !take_char(&text, ":") ||
                  !take_number(&text, 2, &minute)))
        return false;
    if (*text != '\0' || hour >= 24 || minute >= 60)
        return false;
    *ret_us = (utc_s + sign * (hour * 3600 + minute * 60)) * US_PER_S + m.fraction_us;
    return true;
}

/* "+2h", "-30m" */
static bool parse_relative(const char *text, int64_t now_us, int64_t *ret_us)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}};
    char *end = NULL;
    long count = strtol(text, &end, 10);

    if (end == text || end[0] == '\0' || end[1] != '\0' || count > RELATIVE_MAX || count < -RELATIVE_MAX)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].letter == *end) {
            *ret_us = now_us + count * units[i].seconds * US_PER_S;
            return true;
        }
    return false;
}

bool cli_time_parse(const char *text, int64_t now_us, int64_t *ret_us, struct err *err)
{
    int64_t number;

    if (strcmp(text, "now") == 0) {
        *ret_us = now_us;
        return true;
    }
    if ((*text == '+' || *text == '-') && parse_relative(text, now_us, ret_us))
        return true;
    if (strspn(text, "0123456789") == strlen(text) && cli_int_parse(text, &number)) {
        *ret_us = number;
        return true;
    }
    if (parse_absolute(text, ret_us))
        return true;
    return err_set(err, ERR_INVALID,
                   "'%s' is no time; want 2026-11-24T10:00:00Z, '2026-11-24 10:00' or 2026-11-24 (local), "
                   "now, +2h, -30m, or "
                   "microseconds since 1970",
                   text);
}

void cli_time_format(int64_t at_us, bool utc, char ret[CLI_TIME_BYTES])
{
    time_t seconds = (time_t)(at_us / US_PER_S);
    struct tm tm;

    if (utc || localtime_r(&seconds, &tm) == NULL)
        (void)instant_format(at_us, ret);
    else
        (void)strftime(ret, CLI_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &tm);
}

void cli_span_format(int64_t seconds, char *ret, size_t size)
{
    const char *sign = seconds < 0 ? "-" : "";
    long long s = seconds < 0 ? -seconds : seconds;

    if (s < 60)
        (void)snprintf(ret, size, "%s%llds", sign, s);
    else if (s < 3600)
        (void)snprintf(ret, size, "%s%lldm%02llds", sign, s / 60, s % 60);
    else if (s < DAY_S)
        (void)snprintf(ret, size, "%s%lldh%02lldm", sign, s / 3600, s / 60 % 60);
    else
        (void)snprintf(ret, size, "%s%lldd%02lldh", sign, s / DAY_S, s / 3600 % 24);
}
