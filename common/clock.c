/* The two clocks of a program; see clock.h. */
#include "clock.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_read_us(clockid_t which)
{
    struct timespec now;
    (void)clock_gettime(which, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
    return clock_read_us(CLOCK_REALTIME);
}

void clock_format(int64_t at_us, char *ret, unsigned long size)
{
    int64_t fraction = at_us % US_PER_S;
    if (fraction < 0)
        fraction += US_PER_S;
    time_t seconds = (time_t)((at_us - fraction) / US_PER_S);
    struct tm parts;

    ret[0] = '\0';
    if (gmtime_r(&seconds, &parts) == NULL)
        return;
    char base[24];
    if (strftime(base, sizeof base, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        return;
    if (fraction == 0)
        (void)snprintf(ret, size, "%sZ", base);
    else
        (void)snprintf(ret, size, "%s.%06dZ", base, (int)fraction);
}
