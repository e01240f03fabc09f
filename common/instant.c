/* Instants as people write them; see instant.h. */
#include "instant.h"

#include "clock.h"
#include "date.h"

#include <string.h>

enum { FRACTION_AT = 20, FRACTION_DIGITS = 6, YEAR_FIRST = 1970, YEAR_LAST = 2100 };

bool instant_digits(const char *p, int count, int least, int most, int *ret)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        value = value * 10 + (p[i] - '0');
    }
    *ret = value;
    return value >= least && value <= most;
}

/* "Z" or "+hh:mm", to seconds east of UTC. */
static bool offset_parse(struct span text, int64_t *ret_s)
{
    int hours, minutes;

    if (text.len == 1 && (text.p[0] == 'Z' || text.p[0] == 'z')) {
        *ret_s = 0;
        return true;
    }
    if (text.len != 6 || (text.p[0] != '+' && text.p[0] != '-') || text.p[3] != ':' ||
        !instant_digits(text.p + 1, 2, 0, 23, &hours) || !instant_digits(text.p + 4, 2, 0, 59, &minutes))
        return false;
    *ret_s = (text.p[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool instant_parse(struct span text, int64_t *ret_us)
{
    int year, month, day, hour, minute, second;
    int64_t offset_s, fraction_us = 0;
    const char *p = text.p;

    if (text.len < 20 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't' && p[10] != ' ') ||
        p[13] != ':' || p[16] != ':' || !instant_digits(p, 4, YEAR_FIRST, YEAR_LAST, &year) ||
        !instant_digits(p + 5, 2, 1, 12, &month) || !instant_digits(p + 8, 2, 1, 31, &day) ||
        !instant_digits(p + 11, 2, 0, 23, &hour) || !instant_digits(p + 14, 2, 0, 59, &minute) ||
        !instant_digits(p + 17, 2, 0, 59, &second))
        return false;
    size_t at = FRACTION_AT - 1;
    if (p[at] == '.') {
        int64_t unit = US_PER_S / 10;
        for (at++; at < text.len && p[at] >= '0' && p[at] <= '9'; at++, unit /= 10)
            fraction_us += (p[at] - '0') * unit;
        if (at == FRACTION_AT)
            return false;
    }
    if (!date_is(year, month, day) || !offset_parse((struct span){p + at, text.len - at}, &offset_s))
        return false;
    *ret_us =
        (date_days(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - offset_s) * US_PER_S +
        fraction_us;
    return true;
}

static void put_digits(char *p, int count, int64_t value)
{
    while (count-- > 0) {
        p[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* "0000-00-00T00:00:00.000000" without the Z; gives back the digits of the fraction that say something. */
static int instant_put(int64_t at_us, char *ret)
{
    static const char form[] = "0000-00-00T00:00:00.000000";
    const int64_t first = date_days(0, 1, 1) * DAY_US, last = date_days(10000, 1, 1) * DAY_US - 1;
    int64_t at = at_us < first ? first : at_us > last ? last : at_us, year;
    int64_t second = at / US_PER_S - (at % US_PER_S < 0), fraction = at - second * US_PER_S;
    int64_t days = date_of_wall(second), rest = second - days * DAY_S;
    int month, day, digits = FRACTION_DIGITS;

    date_parts(days, &year, &month, &day);
    memcpy(ret, form, sizeof form);
    put_digits(ret, 4, year);
    put_digits(ret + 5, 2, month);
    put_digits(ret + 8, 2, day);
    put_digits(ret + 11, 2, rest / 3600);
    put_digits(ret + 14, 2, rest / 60 % 60);
    put_digits(ret + 17, 2, rest % 60);
    put_digits(ret + FRACTION_AT, FRACTION_DIGITS, fraction);
    while (digits > 0 && ret[FRACTION_AT + digits - 1] == '0')
        digits--;
    return digits;
}

static unsigned instant_end(char *ret, int digits)
{
    unsigned len = digits == 0 ? FRACTION_AT - 1 : FRACTION_AT + (unsigned)digits;

    ret[len++] = 'Z';
    ret[len] = '\0';
    return len;
}

unsigned instant_format(int64_t at_us, char *ret)
{
    return instant_end(ret, instant_put(at_us, ret));
}

unsigned instant_format_us(int64_t at_us, char *ret)
{
    (void)instant_put(at_us, ret);
    return instant_end(ret, FRACTION_DIGITS);
}
