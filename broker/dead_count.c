/* The number of dead letters; see dead_count.h. */
#include "dead_count.h"
#include "broker.h"
#include "clock.h"
#include "pg.h"
#include "statements.h"

enum { LOOK_EVERY_MS = 1000 };

static void dead_count_on_rows(void *arg, PGresult *rows)
{
    struct broker *broker = arg;
    broker->dead_letters = pg_int(rows, 0, 0);
}

static void dead_count_on_end(void *arg, const struct pg_end *end)
{
    struct broker *broker = arg;
    (void)end;
    broker->dead_looking = false;
}

void dead_count_tick(struct broker *broker)
{
    int64_t now = clock_mono_us();

    if (broker->dead_looking || !pg_is_up(broker->control_pg) ||
        now - broker->dead_looked_us < LOOK_EVERY_MS * US_PER_MS)
        return;
    broker->dead_looked_us = now;
    broker->dead_looking = true;
    pg_params_reset(broker->params);
    (void)pg_send(broker->control_pg, C_DEAD_COUNT, broker->params, dead_count_on_rows, broker);
    pg_sync(broker->control_pg, dead_count_on_end, broker);
}
