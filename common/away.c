/* What a program says of a database that is away; see away.h. */
#include "away.h"
#include "clock.h"
#include "log.h"

#include <stdio.h>
#include <string.h>

/* Sessions that meet different faults take turns: a reason that changes is said this often at most. */
enum { CHANGED_S = 5, AGAIN_S = 60 };

static bool away_is_to_say(const struct away *away, const char *reason, int64_t now_us)
{
    int64_t silent_us = now_us - away->said_us;

    if (away->tries == 0 || silent_us >= AGAIN_S * US_PER_S)
        return true;
    return silent_us >= CHANGED_S * US_PER_S && strncmp(away->reason, reason, sizeof away->reason - 1) != 0;
}

void away_note(struct away *away, const char *reason, int64_t now_us)
{
    bool say = away_is_to_say(away, reason, now_us);

    if (away->tries++ == 0)
        away->since_us = now_us;
    (void)snprintf(away->reason, sizeof away->reason, "%s", reason);
    if (!say)
        return;
    away->said_us = now_us;
    log_event(LOG_WARN, "database_away", "since_s=%lld tries=%u reason=%s",
              (long long)((now_us - away->since_us) / US_PER_S), away->tries, log_quote(away->reason));
}

void away_end(struct away *away, int64_t now_us)
{
    if (away->tries == 0)
        return;
    log_event(LOG_INFO, "database_back", "after_s=%lld tries=%u",
              (long long)((now_us - away->since_us) / US_PER_S), away->tries);
    *away = (struct away){.reason = ""};
}
