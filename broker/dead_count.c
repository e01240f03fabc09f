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

void dead_count_tick(struct broker *broker)
{
    if (!pg_is_up(broker->control_pg) ||
        !look_begins(&broker->dead_look, clock_mono_us(), LOOK_EVERY_MS * US_PER_MS))
        return;
    pg_params_reset(broker->params);
    (void)pg_send(broker->control_pg, C_DEAD_COUNT, broker->params, dead_count_on_rows, broker);
    pg_sync(broker->control_pg, look_on_end, &broker->dead_look);
}
