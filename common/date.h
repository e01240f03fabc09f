/* Dates of the Gregorian calendar, as days since 1970-01-01. Knows no zone. */
#ifndef DOCKET_DATE_H
#define DOCKET_DATE_H

#include <stdbool.h>
#include <stdint.h>

enum { DAY_S = 86400 };
#define DAY_US INT64_C(86400000000)

/* Days since 1970-01-01 of a date, and back. */
int64_t date_days(int64_t year, int month, int day);
void date_parts(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);

/* The day on which a wall clock shows seconds since its 1970-01-01T00:00; before that too. */
int64_t date_of_wall(int64_t wall_s);

/* 0 Monday … 6 Sunday. */
int date_weekday(int64_t days);

/* 365 or 366; 28 to 31, month: 1 to 12. */
int date_year_days(int64_t year);
int date_month_days(int64_t year, int month);

/* Whether there is such a date (no 30th of February). */
bool date_is(int64_t year, int month, int day);

#endif
