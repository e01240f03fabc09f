/* When to try again; see backoff.h. */
#include "backoff.h"

#include <stddef.h>

static const int64_t mail_s[] = {30, 120, 300, 900, 1800, 3600, 7200, 14400};
static const int64_t page_s[] = {5, 15, 30, 60, 120};

const char *send_result_name(enum send_result result)
{
    static const char *const names[SEND_RESULTS] = {"delivered", "temporary", "permanent", "unknown",
                                                    "temporary"};
    return (unsigned)result < SEND_RESULTS ? names[result] : "unknown";
}

static int64_t backoff_us(const int64_t *steps_s, size_t count, int attempt, uint32_t random)
{
    size_t i = attempt < 1 ? 0 : (size_t)attempt - 1;
    int64_t base_us = steps_s[i < count ? i : count - 1] * 1000000;
    int64_t spread_us = base_us / 5;
    return base_us - spread_us / 2 + (int64_t)(random % (uint32_t)1000) * spread_us / 1000;
}

int64_t backoff_mail_us(int attempt, uint32_t random)
{
    return backoff_us(mail_s, sizeof mail_s / sizeof mail_s[0], attempt, random);
}

int64_t backoff_page_us(int attempt, uint32_t random)
{
    return backoff_us(page_s, sizeof page_s / sizeof page_s[0], attempt, random);
}

int breaker_allows(const struct breaker *breaker, int64_t now, int max)
{
    if (breaker->open)
        return now >= breaker->probe_at ? 1 : 0;
    return breaker->allowed != 0 && breaker->allowed < max ? breaker->allowed : max;
}

void breaker_on_answer(struct breaker *breaker, int max)
{
    breaker->faults = 0;
    if (breaker->open) {
        breaker->open = false;
        breaker->allowed = BREAKER_SLOW_START;
    } else if (breaker->allowed != 0) {
        breaker->allowed = breaker->allowed * 2 >= max ? 0 : breaker->allowed * 2;
    }
}

void breaker_on_fault(struct breaker *breaker, int64_t now)
{
    if (++breaker->faults < BREAKER_FAULTS_MAX && !breaker->open)
        return;
    breaker->open = true;
    breaker->probe_at = now + BREAKER_PROBE_US;
}

void breaker_on_probe(struct breaker *breaker, int64_t now)
{
    if (breaker->open)
        breaker->probe_at = now + BREAKER_PROBE_US;
}
