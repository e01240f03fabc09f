/* What laying out a calendar and asking it share. Not for others. */
#ifndef DOCKET_CALENDAR_INTERNAL_H
#define DOCKET_CALENDAR_INTERNAL_H

#include "calendar.h"

/* Open spans in order, apart from each other. Seconds since 1970 fit 32 bits until 2106, and small tables stay in the
 * processor's cache. Row `count` is the end: start CALENDAR_END, all open time before. */
struct calendar {
    size_t count;
    size_t room;
    uint32_t *start_s;
    uint32_t *before_s;   /* open time before the span; its length is the difference to the next row's */
    uint32_t *date_first; /* for calendar_add_days: first span of each local date that has one */
    size_t date_count;
    int32_t *holidays; /* dates, rising */
    size_t holiday_count;
};

#endif
