/* The database's clock, interpolated with the monotonic one.
 *
 * Each answer that carries docket_now() gives a sample: the stamp was taken between sending and answering.
 * From it the clock gives the least that the database's clock can read now: never later than the true one (as
 * long as the two run within 500 ppm of each other and nobody sets the database's back), and earlier by at
 * most the round trip of the best recent sample plus that drift. It never goes back within a session, unless
 * a sample shows that the database's own was set back by seconds: then it begins anew. Reads no clock itself. */
#ifndef DOCKET_DBCLOCK_H
#define DOCKET_DBCLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DBCLOCK_SAMPLES = 8 };

struct dbclock_sample {
    int64_t answered_us; /* monotonic */
    int64_t db_us;       /* µs UTC */
};

struct dbclock {
    struct dbclock_sample
        samples[DBCLOCK_SAMPLES]; /* a ring; one set back is forgotten with the last older one */
    size_t count;
    size_t at;
    int64_t last_us; /* the latest that was given */
};

void dbclock_init(struct dbclock *clock); /* also for another server: what was given no longer binds */

/* answered_us: monotonic, when the answer was read; db_us: what it said. */
void dbclock_sample(struct dbclock *clock, int64_t answered_us, int64_t db_us);

/* µs UTC; 0 while there is no sample. mono_us: not before the last sample's. */
int64_t dbclock_now(struct dbclock *clock, int64_t mono_us);

#endif
