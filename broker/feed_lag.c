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

void feed_lag_tick(struct broker *broker)
{
    if (!pg_is_up(broker->control_pg) ||
        !look_begins(&broker->feed_look, clock_mono_us(), LOOK_EVERY_MS * US_PER_MS))
        return;
    pg_params_reset(broker->params);
    (void)pg_send(broker->control_pg, C_FEED_LAG, broker->params, feed_lag_on_rows, broker);
    pg_sync(broker->control_pg, look_on_end, &broker->feed_look);
}
