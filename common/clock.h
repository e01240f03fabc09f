/* The two clocks of a program: one for waiting, one for stamping logs. What is stored is stamped by the
 * database. */
#ifndef DOCKET_CLOCK_H
#define DOCKET_CLOCK_H

#include <stdint.h>

#define US_PER_S INT64_C(1000000)
#define US_PER_MS INT64_C(1000)

/* Microseconds of the monotonic clock: for time-outs and rates. Never goes back. */
int64_t clock_mono_us(void);

/* Microseconds since the Unix epoch, UTC, by this machine's clock: for logs, and where no database is. */
int64_t clock_wall_us(void);

#endif
