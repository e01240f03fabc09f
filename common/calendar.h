/* Working time: when a desk is open, how much open time lies between two instants, and when a promise is due.
 *
 * One rule decides what is open: an instant is open if the wall clock in the calendar's zone then shows a date and a time
 * that lie inside an interval of that date (start included, end not). From it, all open spans from 1970 to 2100 are laid
 * out once, in UTC, with the open time before each; every question is then a search by halving in that table, so clock
 * changes need no case of their own and 2,000 hours ahead cost what one does.
 * Pure: reads no clock and no file. Knows nothing of YAML, priorities and tickets. */
#ifndef DOCKET_CALENDAR_H
#define DOCKET_CALENDAR_H

#include "err.h"
#include "zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALENDAR_BEGIN_US INT64_C(0)              /* 1970-01-01T00:00:00Z */
#define CALENDAR_END_US INT64_C(4133980800000000) /* 2101-01-01T00:00:00Z */

enum { CALENDAR_CLOSED_DAYS_MAX = 400, CALENDAR_INTERVALS_MAX = 288 /* of one day */ };

/* Seconds of the wall clock since midnight: 0 <= from_s < until_s <= 86400, or until_s <= from_s: over midnight, which is
 * the same as two intervals, from_s to 24:00 and 00:00 to until_s of the day after. */
struct calendar_hours {
    int32_t from_s;
    int32_t until_s;
};

struct calendar_day {
    const struct calendar_hours *hours;
    size_t count;
};

/* A date with hours of its own; a holiday is one without any. The part of its hours after midnight belongs to the next
 * date, unless that has an entry of its own. Of two entries for one date the one that is no holiday holds. */
struct calendar_special {
    int32_t date; /* days since 1970-01-01, of the calendar's zone */
    bool holiday;
    struct calendar_day day;
};

/* Hours of a date in which it is closed although its weekday is open: the afternoon before a holiday. Nothing to a date with
 * hours of its own. */
struct calendar_closure {
    int32_t date;
    struct calendar_hours hours; /* from_s < until_s */
};

/* What a calendar is made of; the caller keeps it, nothing of it is needed afterwards. */
struct calendar_spec {
    const struct zone *zone;                 /* NULL: UTC */
    struct calendar_day week[7];             /* 0 Monday */
    const struct calendar_special *specials; /* in any order */
    size_t special_count;
    const struct calendar_closure *closures; /* in any order */
    size_t closure_count;
};

struct calendar;

/* err: ERR_INVALID  never open within 400 days, or more than CALENDAR_INTERVALS_MAX intervals a day */
bool calendar_new(const struct calendar_spec *spec, struct calendar **ret, struct err *err)
    __attribute__((warn_unused_result));

/* Open around the clock. */
struct calendar *calendar_new_always(void);

void calendar_free(struct calendar *calendar); /* accepts NULL */

/* The earliest instant at which exactly work_us of open time have passed since start_us. Used up exactly at a closing, it is
 * that closing; for 0 it is start_us if open, else the next opening.
 * in:  work_us >= 0
 * err: ERR_INVALID  the start or the answer lies outside 1970 to 2100 */
bool calendar_due(const struct calendar *calendar, int64_t start_us, int64_t work_us, int64_t *ret_us,
                  struct err *err) __attribute__((warn_unused_result));

/* Open time between two instants; 0 when b is not after a. What lies outside 1970 to 2100 counts as closed. */
int64_t calendar_elapsed(const struct calendar *calendar, int64_t a_us, int64_t b_us);

bool calendar_is_open(const struct calendar *calendar, int64_t at_us);

/* The first instant after at_us at which it opens or closes; CALENDAR_END_US when there is none. */
int64_t calendar_next_change(const struct calendar *calendar, int64_t at_us);

/* Whether a date of first..last (days since 1970-01-01, of the zone) is a holiday, or special and closed. */
bool calendar_has_holiday(const struct calendar *calendar, int32_t first, int32_t last);

/* The first open instant of the count-th date (of the zone) after the one of at_us that has open time: "2 working days
 * later". count >= 1. CALENDAR_END_US when there is none. */
int64_t calendar_add_days(const struct calendar *calendar, int64_t at_us, int count);

#endif
