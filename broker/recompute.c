/* Open tickets computed again; see recompute.h. */
#include "recompute.h"
#include "broker.h"
#include "claims.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "pg.h"
#include "statements.h"
#include "wakes.h"
#include "workers.h"

#include <stdlib.h>

/* What another broker looks at now is looked for again after this long. */
#define TAKEN_US (INT64_C(50) * US_PER_MS)

struct step {
    struct broker *broker;
    int64_t epoch, began_us;
    bool taken; /* not by another broker */
    size_t looked, woken;
    struct claimed *rows; /* owned */
};

static void step_on_rows(void *arg, PGresult *rows)
{
    enum { TICKET, LOOKED = 7 };
    struct step *step = arg;
    size_t count = (size_t)PQntuples(rows);

    step->taken = count != 0;
    if (!step->taken)
        return;
    step->looked = (size_t)pg_int(rows, 0, LOOKED);
    step->woken = pg_is_null(rows, 0, TICKET) ? 0 : count;
    step->rows = claims_from_rows(rows);
}

static void step_on_end(void *arg, const struct pg_end *end)
{
    struct step *step = arg;
    struct broker *broker = step->broker;

    broker->recompute_out = false;
    if (end->outcome == PG_OK && !step->taken) {
        broker->recompute_at_us = clock_mono_us() + TAKEN_US;
    } else if (end->outcome == PG_OK && broker->epoch == step->epoch) {
        for (size_t i = 0; i < step->woken; i++)
            claims_keep(broker, &step->rows[i], REASON_PROCESS);
        pace_took(&broker->pace, step->began_us, step->woken, step->looked);
        if (step->looked == 0) {
            broker->recompute_due = false;
            log_event(LOG_INFO, "recomputed", "process=%.12s", broker->process.hash);
        }
    } else if (end->outcome == PG_UNKNOWN) {
        claims_unknown(broker, step->epoch);
    } else if (end->outcome == PG_FAILED) {
        log_event(LOG_WARN, "recompute_failed", "sqlstate=%s message=%s", end->sqlstate,
                  log_quote(end->message));
        broker->recompute_at_us = clock_mono_us() + US_PER_S;
    }
    free(step->rows);
    free(step);
}

int64_t recompute_turn(struct broker *broker)
{
    int64_t now = clock_mono_us(), wait_us;
    size_t most = pace_next(&broker->pace, now, broker->background_count, &wait_us);

    if (!broker->recompute_due || broker->recompute_out || broker->epoch == 0 || broker->stopping ||
        !pg_is_up(broker->control_pg) || workers_count_ready(broker->workers) == 0 ||
        !wakes_have_room(broker))
        return -1;
    if (most == 0 || now < broker->recompute_at_us)
        return most == 0 ? wait_us : broker->recompute_at_us - now;
    struct step *step = mem_new(1, sizeof *step);
    step->broker = broker;
    step->epoch = broker->epoch;
    step->began_us = now;
    broker->recompute_out = true;
    pg_params_reset(broker->params);
    pg_put_int4(broker->params, (int32_t)most);
    pg_put_int8(broker->params, broker->epoch);
    (void)pg_send(broker->control_pg, C_RECOMPUTE, broker->params, step_on_rows, step);
    pg_sync(broker->control_pg, step_on_end, step);
    return -1;
}
