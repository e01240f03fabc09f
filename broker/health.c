/* Whether most decisions fail; see health.h. */
#include "health.h"
#include "clock.h"

enum { FAILURES_LEAST = 20 };
#define SPAN_US (INT64_C(10) * US_PER_S)

static void health_roll(struct health *health, int64_t now_us)
{
    int64_t past_us = now_us - health->since_us;

    if (past_us < SPAN_US)
        return;
    bool adjoins = past_us < 2 * SPAN_US;
    *health = (struct health){.since_us = now_us,
                              .good_before = adjoins ? health->good : 0,
                              .bad_before = adjoins ? health->bad : 0};
}

void health_count(struct health *health, bool good, int64_t now_us)
{
    health_roll(health, now_us);
    if (good)
        health->good++;
    else
        health->bad++;
}

bool health_fails(struct health *health, int64_t now_us)
{
    health_roll(health, now_us);
    int64_t good = health->good + health->good_before, bad = health->bad + health->bad_before;
    return bad >= FAILURES_LEAST && bad > good;
}
