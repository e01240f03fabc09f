/* When to try again; see backoff.h. */
#include "backoff.h"
#include "date.h"

enum { RETRY_AFTER_S_MAX = DAY_S };
#define US INT64_C(1000000)

const struct schedule schedule_mail = {
    {30, 120, 300, 900, 1800, 3600, 7200, 14400}, 8, 10, 0, INT64_C(48) * 3600};
const struct schedule schedule_page = {{5, 15, 30, 60, 120}, 5, 10, 0, 0};
const struct schedule schedule_webhook = {
    {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400}, 9, 20, 10, 0};

const char *send_result_name(enum send_result result)
{
    static const char *const names[SEND_RESULTS] = {"delivered", "temporary", "permanent", "unknown",
                                                    "temporary"};
    return (unsigned)result < SEND_RESULTS ? names[result] : "unknown";
}

const char *send_result_counted(enum send_result result)
{
    return result == SEND_CONNECTION ? "connection" : send_result_name(result);
}

int64_t retry_after_read(int64_t asked_s)
{
    if (asked_s <= 0)
        return 0;
    return (asked_s < RETRY_AFTER_S_MAX ? asked_s : RETRY_AFTER_S_MAX) * US;
}

bool schedule_next(const struct schedule *schedule, int attempt, int64_t age_us, int64_t retry_after_us,
                   uint32_t random, int64_t *ret_pause_us)
{
    int i = attempt < 1 ? 0 : attempt - 1;
    int64_t base_us = schedule->steps_s[i < schedule->steps ? i : schedule->steps - 1] * US;
    int64_t spread_us = base_us * schedule->spread_percent / 100;
    int64_t pause_us = base_us - spread_us + (int64_t)(random % 2001U) * spread_us / 1000;

    if (schedule->tries_max != 0 && attempt >= schedule->tries_max)
        return false;
    if (schedule->end_s != 0 && age_us >= schedule->end_s * US)
        return false;
    *ret_pause_us = pause_us > retry_after_us ? pause_us : retry_after_us;
    return true;
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
