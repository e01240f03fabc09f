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

/* In UTC, with a fraction only where there is one, and of it what there is; returns the length. What lies outside the years 0 to 9999 is
 * written as the first or the last instant of them. ret: INSTANT_BYTES */
unsigned instant_format(int64_t at_us, char *ret);

/* The same, always with six digits of the second, so that lines in order of time are in order as texts. */
unsigned instant_format_us(int64_t at_us, char *ret);

#endif
