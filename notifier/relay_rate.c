/* A relay's rate; see relay_rate.h. */
#include "relay_rate.h"
#include "clock.h"

#define KEPT_US (US_PER_S / 10)
#define DEBT_US US_PER_S

void relay_rate_set(struct relay_rate *rate, int64_t per_second, int sharers)
{
    rate->interval_us = per_second <= 0 ? 0 : US_PER_S * (sharers < 1 ? 1 : sharers) / per_second;
}

/* What was left over longer ago is gone. */
static int64_t rate_from(const struct relay_rate *rate, int64_t now)
{
    return rate->next_at > now - KEPT_US ? rate->next_at : now - KEPT_US;
}

int relay_rate_allows(const struct relay_rate *rate, int64_t now, int max)
{
    int64_t count;

    if (rate->interval_us == 0)
        return max;
    if (relay_rate_wait_us(rate, now) > 0)
        return 0;
    count = 1 + (now - rate_from(rate, now)) / rate->interval_us;
    return count < max ? (int)count : max;
}

int64_t relay_rate_wait_us(const struct relay_rate *rate, int64_t now)
{
    return rate->interval_us == 0 || rate->next_at <= now ? 0 : rate->next_at - now;
}

void relay_rate_take(struct relay_rate *rate, int64_t now)
{
    int64_t next = rate_from(rate, now) + rate->interval_us;
    int64_t latest = now + (rate->interval_us > DEBT_US ? rate->interval_us : DEBT_US);

    rate->next_at = next < latest ? next : latest;
}
