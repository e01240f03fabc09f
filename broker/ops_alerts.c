/* The broker's own alerts to ops; see ops_alerts.h. */
#include "ops_alerts.h"
#include "broker.h"
#include "clock.h"
#include "log.h"
#include "statements.h"

#include <stdio.h>

enum { LOOK_EVERY_MS = 1000, WORKERS_GONE_S = 15 };

static void alert_open(struct broker *broker, const char *cause, int priority, const char *text)
{
    log_event(LOG_ERROR, "ops_alert", "cause=%s text=%s", cause, log_quote(text));
    pg_params_reset(broker->params);
    pg_put_text(broker->params, cause);
    pg_put_text(broker->params, "ops");
    pg_put_int2(broker->params, (int16_t)priority);
    pg_put_text(broker->params, text);
    (void)pg_send(broker->control_pg, C_OPS_ALERT, broker->params, NULL, NULL);
    pg_sync(broker->control_pg, NULL, NULL);
    broker->outbox_written = true;
}

static void alert_resolve(struct broker *broker, const char *cause)
{
    pg_params_reset(broker->params);
    pg_put_text(broker->params, cause);
    (void)pg_send(broker->control_pg, C_OPS_RESOLVE, broker->params, NULL, NULL);
    pg_sync(broker->control_pg, NULL, NULL);
}

/* Opens or resolves when the answer changed. */
static void alert_follow(struct broker *broker, bool *was, bool is, const char *cause, int priority,
                         const char *text)
{
    if (*was == is)
        return;
    *was = is;
    if (is)
        alert_open(broker, cause, priority, text);
    else
        alert_resolve(broker, cause);
}

static bool undecided_too_long(const struct broker *broker, int64_t now)
{
    const struct wake *oldest = queue_peek(broker->queue, false);
    return oldest != NULL && now - oldest->wake_at > broker->settings.untriaged_alert_us;
}

void ops_alerts_tick(struct broker *broker)
{
    int64_t mono = clock_mono_us();
    char text[256];

    if (broker->epoch == 0 || broker->stopping || !pg_is_up(broker->control_pg) ||
        mono - broker->ops_checked_us < LOOK_EVERY_MS * US_PER_MS)
        return;
    broker->ops_checked_us = mono;
    if (workers_count_ready(broker->workers) != 0)
        broker->workers_gone_since_us = 0;
    else if (broker->workers_gone_since_us == 0)
        broker->workers_gone_since_us = mono;

    (void)snprintf(
        text, sizeof text,
        "Tickets wait for their decision for longer than %lld s. Are there workers, and do they keep up?",
        (long long)(broker->settings.untriaged_alert_us / US_PER_S));
    alert_follow(broker, &broker->alerted_untriaged, undecided_too_long(broker, broker_now(broker)),
                 "ops:undecided", 1, text);
    bool gone = broker->workers_gone_since_us != 0 &&
                mono - broker->workers_gone_since_us > WORKERS_GONE_S * US_PER_S;
    (void)snprintf(text, sizeof text,
                   "No worker is connected to broker %s: tickets are received, and nothing is decided there.",
                   broker->settings.name);
    alert_follow(broker, &broker->alerted_workers, gone, "ops:no_workers", 1, text);
    alert_follow(broker, &broker->alerted_process,
                 broker->process.n == 0 && broker->process_checked_us != 0 && broker->ticks > 50,
                 "ops:no_process", 1,
                 "No process was ever applied: nothing can be decided. Run \"docket process apply DIR\".");
    alert_follow(broker, &broker->alerted_failing, broker->failing, "ops:decisions_fail", 1,
                 "Over half of the decisions fail; none is counted against its ticket. Look at the workers' "
                 "logs and at the current process.");
}
