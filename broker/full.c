/* What the broker knows of a database that has no room; see full.h. */
#include "full.h"

#include "clock.h"
#include "log.h"

#include <stddef.h>
#include <stdio.h>

enum { SAID_S = 1, QUIET_S = 2, KNOWN_S = 60 };

void full_refused(struct full *full, const char *sqlstate, const char *message, int64_t now_us)
{
    bool say = full->refused == 0 || now_us - full->said_us >= SAID_S * US_PER_S;

    (void)snprintf(full->reason, sizeof full->reason, "the database has no room: %s", message);
    full->refused_us = now_us;
    full->refused++;
    full->unsaid++;
    if (!say)
        return;
    log_event(LOG_ERROR, "database_full", "sqlstate=%s batches=%lu message=%s", sqlstate, full->unsaid,
              log_quote(message));
    full->said_us = now_us;
    full->unsaid = 0;
}

void full_committed(struct full *full, int64_t now_us)
{
    if (full->refused == 0 || now_us - full->refused_us < QUIET_S * US_PER_S)
        return;
    log_event(LOG_INFO, "database_has_room", "batches=%lu", full->refused);
    *full = (struct full){.reason = ""};
}

const char *full_why(const struct full *full, int64_t now_us)
{
    return full->refused != 0 && now_us - full->refused_us < KNOWN_S * US_PER_S ? full->reason : NULL;
}
