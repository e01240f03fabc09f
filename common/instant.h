/* Instants as people write them: RFC 3339. */
#ifndef DOCKET_INSTANT_H
#define DOCKET_INSTANT_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { INSTANT_BYTES = 32 };

/* "2026-03-27T15:30:00Z", "2026-03-27T16:30:00.5+01:00", to µs since the epoch. False when it is not of this form, or a date
 * that there is not; the years 1970 to 2100 only. */
bool instant_parse(struct span text, int64_t *ret_us);

/* Exactly count digits as a number, between least and most. */
bool instant_digits(const char *p, int count, int least, int most, int *ret);

/* Days since 1970-01-01; false when there is no such date (the 30th of February). */
bool instant_date(int year, int month, int day, int64_t *ret_days);

/* In UTC, with a fraction only where there is one; returns the length. ret: INSTANT_BYTES. The years 1970 to 9999. */
unsigned instant_format(int64_t at_us, char *ret);

#endif
