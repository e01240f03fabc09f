/* Open tickets computed again; see recompute.h. */
#include "recompute.h"
#include "broker.h"
#include "broker_metrics.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "statements.h"
#include "wakes.h"

#include <stdlib.h>

/* Per tick (a tenth of a second): while clients are served, few enough that they keep four fifths of their rate; else what one
 * worker decides beside its work. Above the backlog only so many that it ends some day, however long the desk is full. */
enum { STEP_FULL = 5, STEP_BUSY = 50, STEP_IDLE = 800, BUSY_ANSWERS = 20, BACKLOG_MAX = 2000 };

struct step {
    struct broker *broker;
    int64_t found, seen, woken;
};

static void step_on_rows(void *arg, PGresult *rows)
{
    struct step *step = arg;
    step->found = pg_int(rows, 0, 0);
    step->seen = pg_int(rows, 0, 1);
    step->woken = pg_int(rows, 0, 2);
}

static void step_on_end(void *arg, const struct pg_end *end)
{
    struct step *step = arg;
    struct broker *broker = step->broker;

    broker->recompute_out = false;
    if (end->outcome == PG_OK && step->found != 0 && step->seen == 0) {
        broker->recompute_due = false;
        log_event(LOG_INFO, "recomputed", "process=%.12s", broker->process.hash);
    } else if (end->outcome == PG_FAILED) {
        log_event(LOG_WARN, "recompute_failed", "sqlstate=%s message=%s", end->sqlstate,
                  log_quote(end->message));
    }
    free(step);
}

void recompute_tick(struct broker *broker)
{
    int64_t answered = broker_answered(broker);
    bool busy = answered - broker->recompute_answered > BUSY_ANSWERS;

    broker->recompute_answered = answered;
    if (!broker->recompute_due || broker->recompute_out || broker->epoch == 0 || broker->stopping ||
        !pg_is_up(broker->control_pg) || workers_count_ready(broker->workers) == 0)
        return;
    struct step *step = mem_new(1, sizeof *step);
    step->broker = broker;
    broker->recompute_out = true;
    pg_params_reset(broker->params);
    pg_put_int4(broker->params, wakes_count(broker) > BACKLOG_MAX ? STEP_FULL : busy ? STEP_BUSY : STEP_IDLE);
    (void)pg_send(broker->control_pg, C_RECOMPUTE, broker->params, step_on_rows, step);
    pg_sync(broker->control_pg, step_on_end, step);
}
