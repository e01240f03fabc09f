/* The broker's own alerts to ops; see ops_alerts.h. */
#include "ops_alerts.h"
#include "broker.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "pg.h"
#include "queue.h"
#include "statements.h"
#include "workers.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOK_EVERY_MS = 1000, WORKERS_GONE_S = 15, PROCESS_TICKS = 50, CAUSE_BYTES = 128, PRIORITY = 1 };

enum { OPS_ALERTS = 5 };

/* Unknown at the beginning of an epoch: an alert that was open before is then ended or held up. */
enum ops_state { OPS_UNKNOWN, OPS_IS_FINE, OPS_HOLDS };

struct ops_alerts {
    int64_t looked_us;
    int64_t workers_gone_since_us; /* 0: they are there */
    bool is_telling;
    size_t telling; /* the row that is told, or was last */
    enum ops_state states[OPS_ALERTS];
};

/* ---- what is looked at ---- */

static bool holds_undecided(struct broker *broker, int64_t mono)
{
    const struct wake *oldest = queue_oldest(broker->queue);
    (void)mono;
    return oldest != NULL && broker_now(broker) - oldest->wake_at > broker->settings.untriaged_alert_us;
}

static bool holds_no_workers(struct broker *broker, int64_t mono)
{
    int64_t *since_us = &broker->ops_alerts->workers_gone_since_us;

    if (workers_count_ready(broker->workers) != 0)
        *since_us = 0;
    else if (*since_us == 0)
        *since_us = mono;
    return *since_us != 0 && mono - *since_us > WORKERS_GONE_S * US_PER_S;
}

static bool holds_no_process(struct broker *broker, int64_t mono)
{
    (void)mono;
    return broker->process.n == 0 && broker->process_checked_us != 0 && broker->ticks > PROCESS_TICKS;
}

static bool holds_failing(struct broker *broker, int64_t mono)
{
    return health_fails(&broker->health, mono);
}

static bool holds_forecast(struct broker *broker, int64_t mono)
{
    (void)mono;
    return broker->forecast_misses != 0;
}

/* A state of one broker has the broker's name in its cause: another broker must not end it. */
static const struct ops_row {
    const char *cause;
    bool own;
    bool (*holds)(struct broker *broker, int64_t mono);
    const char *text;
} rows[OPS_ALERTS] = {
    {"ops:undecided", true, holds_undecided,
     "Tickets wait too long for their decision. Are there workers, and do they keep up?"},
    {"ops:no_workers", true, holds_no_workers,
     "No worker is connected: tickets are received, and nothing is decided there."},
    {"ops:no_process", false, holds_no_process,
     "No process was ever applied: nothing can be decided. Run \"docket process apply DIR\"."},
    {"ops:decisions_fail", true, holds_failing,
     "Over half of the decisions fail; none is counted against its ticket. Look at the workers' logs and at "
     "the current process."},
    {"ops:forecast", false, holds_forecast,
     "With the people there are, promises will be missed. Which, and how many more people would prevent it: "
     "\"docket forecast\"."},
};

/* ---- telling ---- */

/* One that did not come to be is tried again at a later look. One at a time: the lease is renewed over the same session, and behind a queue of
 * statements that each wait for a lock it would lapse. */
static void telling_on_end(void *arg, const struct pg_end *end)
{
    struct ops_alerts *alerts = arg;

    if (end->outcome != PG_OK)
        alerts->states[alerts->telling] = OPS_UNKNOWN;
    else
        alerts->looked_us = 0; /* what else there is to tell need not wait */
    alerts->is_telling = false;
}

static void alert_open(struct broker *broker, const char *cause, const struct ops_row *row)
{
    char text[256];

    (void)snprintf(text, sizeof text, "%s%s%s%s", row->own ? "Broker " : "",
                   row->own ? broker->settings.name : "", row->own ? ": " : "", row->text);
    log_event(LOG_ERROR, "ops_alert", "cause=%s text=%s", log_quote(cause), log_quote(text));
    pg_params_reset(broker->params);
    pg_put_text(broker->params, cause);
    pg_put_text(broker->params, "ops");
    pg_put_int2(broker->params, PRIORITY);
    pg_put_text(broker->params, text);
    (void)pg_send(broker->control_pg, C_OPS_ALERT, broker->params, NULL, NULL);
    pg_sync(broker->control_pg, telling_on_end, broker->ops_alerts);
    broker->outbox_written = true;
}

static void alert_resolve(struct broker *broker, const char *cause)
{
    pg_params_reset(broker->params);
    pg_put_text(broker->params, cause);
    (void)pg_send(broker->control_pg, C_OPS_RESOLVE, broker->params, NULL, NULL);
    pg_sync(broker->control_pg, telling_on_end, broker->ops_alerts);
}

static void ops_tell(struct broker *broker, size_t row, enum ops_state state)
{
    char cause[CAUSE_BYTES];

    broker->ops_alerts->states[row] = state;
    broker->ops_alerts->telling = row;
    broker->ops_alerts->is_telling = true;
    (void)snprintf(cause, sizeof cause, "%s%s%s", rows[row].cause, rows[row].own ? ":" : "",
                   rows[row].own ? broker->settings.name : "");
    if (state == OPS_HOLDS)
        alert_open(broker, cause, &rows[row]);
    else
        alert_resolve(broker, cause);
}

struct ops_alerts *ops_alerts_new(void)
{
    return mem_new(1, sizeof(struct ops_alerts));
}

void ops_alerts_free(struct ops_alerts *alerts)
{
    free(alerts);
}

void ops_alerts_begin(struct broker *broker)
{
    for (size_t i = 0; i < OPS_ALERTS; i++)
        broker->ops_alerts->states[i] = OPS_UNKNOWN;
}

void ops_alerts_tick(struct broker *broker)
{
    struct ops_alerts *alerts = broker->ops_alerts;
    int64_t mono = clock_mono_us();

    if (broker->epoch == 0 || broker->stopping || !pg_is_up(broker->control_pg) ||
        mono - alerts->looked_us < LOOK_EVERY_MS * US_PER_MS)
        return;
    alerts->looked_us = mono;
    /* From the one after the last told, that one which is refused again and again does not keep the others back; all are looked at, as
     * some know by it since when they hold. */
    for (size_t i = 1, last = alerts->telling; i <= OPS_ALERTS; i++) {
        size_t row = (last + i) % OPS_ALERTS;
        enum ops_state state = rows[row].holds(broker, mono) ? OPS_HOLDS : OPS_IS_FINE;
        if (state != alerts->states[row] && !alerts->is_telling)
            ops_tell(broker, row, state);
    }
}
