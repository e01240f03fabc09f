/* What the broker counts; see broker_metrics.h. */
#include "broker_metrics.h"
#include "broker.h"
#include "clock.h"
#include "mem.h"
#include "wakes.h"

#include <stdlib.h>

enum gauge {
    G_WAKES,
    G_PENDING,
    G_UNKNOWN,
    G_CALLS,
    G_WORKERS,
    G_CREDITS,
    G_OLDEST,
    G_EPOCH,
    G_FORECAST,
    G_FEED_LAG,
    G_FEED_PID,
    G_DEAD,
    GAUGES
};

struct broker_metrics {
    struct metrics *registry;
    struct metric *answers, *batch_units, *commit, *waits, *decisions, *late, *backlog, *dropped,
        *gauges[GAUGES];
};

static const char *const code_names[] = {"ok",        "malformed",   "unsupported", "invalid",
                                         "not_found", "forbidden",   "conflict",    "too_large",
                                         "busy",      "unavailable", "internal"};
static const char *const class_names[] = {"p1", "untriaged", "p2", "p3", "p4"};
static const char *const result_names[] = {"committed", "stale"};

static const struct {
    const char *name, *help;
} gauge_rows[GAUGES] = {
    [G_WAKES] = {"wakes", "Wakes in memory"},
    [G_PENDING] = {"writes_pending", "Changes that wait to be written"},
    [G_UNKNOWN] = {"writes_unknown", "Changes whose commit is unknown"},
    [G_CALLS] = {"requests_open", "Requests under way"},
    [G_WORKERS] = {"workers", "Workers that take work"},
    [G_CREDITS] = {"credits", "Credits of the workers"},
    [G_OLDEST] = {"oldest_wake_seconds", "Age of the oldest wake that may be handed out here"},
    [G_EPOCH] = {"epoch_held", "1 while this broker has an epoch"},
    [G_FORECAST] =
        {"forecast_misses",
         "Promises that will be missed with the people there are (ticket.forecast, every 5 minutes)"},
    [G_FEED_LAG] = {"feed_lag_seconds", "Age of the oldest transaction that holds the feed up"},
    [G_FEED_PID] = {"feed_held_by_pid", "Process of the database session that holds the feed up; 0: none"},
    [G_DEAD] = {"dead_letters", "Tickets whose wake was given up (docket dead list), of the whole desk"},
};

struct broker_metrics *broker_metrics_new(void)
{
    struct broker_metrics *m = mem_new(1, sizeof *m);
    struct metric_label codes = {"code", code_names, sizeof code_names / sizeof code_names[0]};
    struct metric_label classes = {"class", class_names, WAKE_CLASSES};
    struct metric_label results = {"result", result_names, 2};

    m->registry = metrics_new("broker");
    m->answers = metrics_counter(m->registry, "answers_total", "Answers by code", codes);
    m->decisions =
        metrics_counter(m->registry, "decisions_total", "Decisions by what became of them", results);
    m->batch_units = metrics_histogram(m->registry, "batch_units", "Changes in a committed batch",
                                       METRIC_PLAIN, metrics_sizes, metrics_sizes_count);
    m->commit = metrics_histogram(m->registry, "commit_seconds", "Time from sending a batch to its commit",
                                  METRIC_PLAIN, metrics_seconds, metrics_seconds_count);
    m->waits = metrics_histogram(m->registry, "wait_seconds", "Time from waking to being handed to a worker",
                                 classes, metrics_seconds, metrics_seconds_count);
    m->late = metrics_histogram(m->registry, "lateness_seconds",
                                "Time from a deadline's wake to its committed decision", METRIC_PLAIN,
                                metrics_seconds, metrics_seconds_count);
    m->dropped = metrics_counter(m->registry, "answers_dropped_total",
                                 "Answers that their client did not take", METRIC_PLAIN);
    m->backlog = metrics_gauge(m->registry, "backlog", "Wakes in memory that wait to be handed out", classes);
    for (int i = 0; i < GAUGES; i++)
        m->gauges[i] = metrics_gauge(m->registry, gauge_rows[i].name, gauge_rows[i].help, METRIC_PLAIN);
    return m;
}

void broker_metrics_free(struct broker_metrics *metrics)
{
    if (metrics == NULL)
        return;
    metrics_free(metrics->registry);
    free(metrics);
}

struct metrics *broker_metrics_registry(struct broker_metrics *metrics)
{
    return metrics->registry;
}

void broker_count_answer(struct broker *broker, const struct call *call, enum err_code code)
{
    (void)call;
    size_t i = code == ERR_IO ? ERR_INTERNAL : code == ERR_TIMEOUT ? ERR_UNAVAILABLE : (size_t)code;
    metric_add(broker->metrics->answers, i, 1);
}

void broker_count_decision(struct broker *broker, bool committed)
{
    metric_add(broker->metrics->decisions, committed ? 0 : 1, 1);
}

void broker_count_wait(struct broker *broker, const struct wake *wake, int64_t waited_us)
{
    metric_observe(broker->metrics->waits, wake->class, (double)waited_us / 1e6);
}

void broker_count_batch(struct broker *broker, size_t units, int64_t took_us)
{
    metric_observe(broker->metrics->batch_units, 0, (double)units);
    metric_observe(broker->metrics->commit, 0, (double)took_us / 1e6);
}

void broker_count_late(struct broker *broker, int64_t late_us)
{
    metric_observe(broker->metrics->late, 0, (double)late_us / 1e6);
}

static double oldest_seconds(struct broker *broker)
{
    const struct wake *wake = queue_oldest(broker->queue);
    int64_t age_us = wake == NULL ? 0 : broker_now(broker) - wake->wake_at;
    return age_us < 0 ? 0 : (double)age_us / 1e6;
}

void broker_metrics_refresh(struct broker *broker)
{
    const double values[GAUGES] = {
        [G_WAKES] = (double)wakes_count(broker),
        [G_PENDING] = (double)writer_pending(broker->writer),
        [G_UNKNOWN] = (double)writer_unknown(broker->writer),
        [G_CALLS] = (double)clients_open_calls(broker->clients),
        [G_WORKERS] = (double)workers_count_ready(broker->workers),
        [G_CREDITS] = (double)workers_credits(broker->workers),
        [G_OLDEST] = oldest_seconds(broker),
        [G_EPOCH] = broker->epoch != 0,
        [G_FORECAST] = (double)broker->forecast_misses,
        [G_FEED_LAG] = (double)broker->feed_held_us / 1e6,
        [G_FEED_PID] = (double)broker->feed_held_by,
        [G_DEAD] = (double)broker->dead_letters,
    };
    for (int i = 0; i < GAUGES; i++)
        metric_set(broker->metrics->gauges[i], 0, values[i]);
    struct metric *dropped = broker->metrics->dropped; /* counted elsewhere: what came since the last look */
    metric_add(dropped, 0, (double)clients_answers_dropped(broker->clients) - metric_value(dropped, 0));
    for (int class = 0; class < WAKE_CLASSES; class ++)
        metric_set(broker->metrics->backlog, (size_t) class,
                   (double)queue_count_class(broker->queue, (enum wake_class) class));
}

static void stats_put_wakes(struct broker *broker, struct buf *out)
{
    static const char *const places[WAKE_PLACES] = {"nowhere", "queued", "timed",
                                                    "loading", "handed", "committing"};
    wire_put_text(out, "wakes");
    wire_put_map(out, WAKE_PLACES + 1);
    wire_put_key_int(out, "total", (int64_t)wakes_count(broker));
    wire_put_key_int(out, "fresh", (int64_t)broker->fresh_count); /* of tickets without a desk row */
    for (int place = 1; place < WAKE_PLACES; place++)
        wire_put_key_int(out, places[place], (int64_t)broker->wake_count[place]);
}

void broker_stats_put(struct broker *broker, struct buf *out)
{
    struct broker_metrics *m = broker->metrics;
    struct wire_map map = wire_map_open(out);
    char epoch[24];

    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)broker->epoch);
    wire_put_key_text(out, "broker", broker->settings.name), map.count++;
    wire_put_key_text(out, "epoch", epoch), map.count++;
    wire_put_key_int(out, "slot", broker->slot), map.count++;
    stats_put_wakes(broker, out), map.count++;
    wire_put_key_int(out, "answers_ok", (int64_t)metric_value(m->answers, 0)), map.count++;
    wire_put_key_int(out, "decisions", (int64_t)metric_value(m->decisions, 0)), map.count++;
    wire_put_key_int(out, "decisions_stale", (int64_t)metric_value(m->decisions, 1)), map.count++;
    wire_put_key_int(out, "batches", (int64_t)metric_value(m->commit, 0)), map.count++;
    wire_put_key_int(out, "pending", (int64_t)writer_pending(broker->writer)), map.count++;
    wire_put_key_int(out, "unknown", (int64_t)writer_unknown(broker->writer)), map.count++;
    wire_put_key_int(out, "requests_open", (int64_t)clients_open_calls(broker->clients)), map.count++;
    wire_put_key_int(out, "workers", (int64_t)workers_count_ready(broker->workers)), map.count++;
    wire_put_key_int(out, "credits", (int64_t)workers_credits(broker->workers)), map.count++;
    wire_put_key_text(out, "process", broker->process.n == 0 ? NULL : broker->process.hash), map.count++;
    wire_map_close(out, &map);
}
