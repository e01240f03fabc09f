/* The feed's lag; see feed_lag.h. */
#include "feed_lag.h"
#include "broker.h"
#include "clock.h"
#include "pg.h"
#include "statements.h"

enum { LOOK_EVERY_MS = 1000 };

static void feed_lag_on_rows(void *arg, PGresult *rows)
{
    struct broker *broker = arg;
    bool held = PQntuples(rows) != 0;

    broker->feed_held_by = held ? pg_int(rows, 0, 0) : 0;
    broker->feed_held_us = held ? pg_int(rows, 0, 1) : 0;
}

static void feed_lag_on_end(void *arg, const struct pg_end *end)
{
    struct broker *broker = arg;
    (void)end;
    broker->feed_looking = false;
}

void feed_lag_tick(struct broker *broker)
{
    int64_t now = clock_mono_us();

    if (broker->feed_looking || !pg_is_up(broker->control_pg) ||
        now - broker->feed_looked_us < LOOK_EVERY_MS * US_PER_MS)
        return;
    broker->feed_looked_us = now;
    broker->feed_looking = true;
    pg_params_reset(broker->params);
    (void)pg_send(broker->control_pg, C_FEED_LAG, broker->params, feed_lag_on_rows, broker);
    pg_sync(broker->control_pg, feed_lag_on_end, broker);
}
