/* The database's clock, interpolated; see dbclock.h. */
#include "dbclock.h"

/* Two clocks disciplined by NTP run within 500 ppm: 1/2048 of the time since the sample is taken off. */
enum { DBCLOCK_DRIFT = 2048 };

/* A slow answer gives a bound that is low by its round trip; more than that is another clock. */
#define DBCLOCK_SET_BACK_US INT64_C(10000000)

void dbclock_init(struct dbclock *clock)
{
    *clock = (struct dbclock){0};
}

static int64_t dbclock_bound(const struct dbclock *clock, int64_t mono_us);

void dbclock_sample(struct dbclock *clock, int64_t answered_us, int64_t db_us)
{
    /* Its clock was set back: what was given before binds no longer, or all would fire early until it is that late again. */
    if (clock->count > 0 && db_us + DBCLOCK_SET_BACK_US < dbclock_bound(clock, answered_us))
        dbclock_init(clock);
    clock->samples[clock->at] = (struct dbclock_sample){.answered_us = answered_us, .db_us = db_us};
    clock->at = (clock->at + 1) % DBCLOCK_SAMPLES;
    if (clock->count < DBCLOCK_SAMPLES)
        clock->count++;
}

/* The best of the bounds that the samples give. */
static int64_t dbclock_bound(const struct dbclock *clock, int64_t mono_us)
{
    int64_t best = 0;
    for (size_t i = 0; i < clock->count; i++) {
        int64_t age = mono_us - clock->samples[i].answered_us;
        int64_t now = clock->samples[i].db_us + age - (age > 0 ? age / DBCLOCK_DRIFT : 0);
        if (i == 0 || now > best)
            best = now;
    }
    return best;
}

int64_t dbclock_now(struct dbclock *clock, int64_t mono_us)
{
    int64_t now = dbclock_bound(clock, mono_us);
    if (now > clock->last_us)
        clock->last_us = now;
    return clock->last_us;
}
