/* The whole broker looked at; see broker_stats.h. */
#include "broker_stats.h"
#include "broker.h"
#include "broker_metrics.h"
#include "calls.h"
#include "clock.h"
#include "mem.h"
#include "metrics.h"
#include "queue.h"
#include "wakes.h"
#include "wire.h"
#include "workers.h"
#include "writer.h"

#include <stdio.h>
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
    G_FULL,
    G_FORECAST,
    G_FEED_LAG,
    G_FEED_PID,
    G_DEAD,
    GAUGES
};

struct broker_stats {
    struct metric *dropped, *backlog, *gauges[GAUGES];
};

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
    [G_FULL] = {"database_full", "1 while PostgreSQL refuses what is written for want of room"},
    [G_FORECAST] =
        {"forecast_misses",
         "Promises that will be missed with the people there are (ticket.forecast, every 5 minutes)"},
    [G_FEED_LAG] = {"feed_lag_seconds", "Age of the oldest transaction that holds the feed up"},
    [G_FEED_PID] = {"feed_held_by_pid", "Process of the database session that holds the feed up; 0: none"},
    [G_DEAD] = {"dead_letters", "Tickets whose wake was given up (docket dead list), of the whole desk"},
};

struct broker_stats *broker_stats_new(struct metrics *registry)
{
    struct broker_stats *stats = mem_new(1, sizeof *stats);
    struct metric_label classes = {"class", wake_class_names, WAKE_CLASSES};

    stats->dropped = metrics_counter(registry, "answers_dropped_total",
                                     "Answers that their client did not take", METRIC_PLAIN);
    stats->backlog =
        metrics_gauge(registry, "backlog", "Wakes in memory that wait to be handed out", classes);
    for (int i = 0; i < GAUGES; i++)
        stats->gauges[i] = metrics_gauge(registry, gauge_rows[i].name, gauge_rows[i].help, METRIC_PLAIN);
    return stats;
}

void broker_stats_free(struct broker_stats *stats)
{
    free(stats);
}

static double oldest_seconds(struct broker *broker)
{
    const struct wake *wake = queue_oldest(broker->queue);
    int64_t age_us = wake == NULL ? 0 : broker_now(broker) - wake->wake_at;
    return age_us < 0 ? 0 : (double)age_us / 1e6;
}

void broker_stats_refresh(struct broker *broker)
{
    const double values[GAUGES] = {
        [G_WAKES] = (double)wakes_count(broker),
        [G_PENDING] = (double)writer_pending(broker->writer),
        [G_UNKNOWN] = (double)writer_unknown(broker->writer),
        [G_CALLS] = (double)calls_open(broker->calls),
        [G_WORKERS] = (double)workers_count_ready(broker->workers),
        [G_CREDITS] = (double)workers_credits(broker->workers),
        [G_OLDEST] = oldest_seconds(broker),
        [G_EPOCH] = broker->epoch != 0,
        [G_FULL] = full_why(&broker->full, clock_mono_us()) != NULL,
        [G_FORECAST] = (double)broker->forecast_misses,
        [G_FEED_LAG] = (double)broker->feed_held_us / 1e6,
        [G_FEED_PID] = (double)broker->feed_held_by,
        [G_DEAD] = (double)broker->dead_letters,
    };
    for (int i = 0; i < GAUGES; i++)
        metric_set(broker->stats->gauges[i], 0, values[i]);
    struct metric *dropped = broker->stats->dropped; /* counted elsewhere: what came since the last look */
    metric_add(dropped, 0, (double)calls_dropped(broker->calls) - metric_value(dropped, 0));
    for (int class = 0; class < WAKE_CLASSES; class ++)
        metric_set(broker->stats->backlog, (size_t) class,
                   (double)queue_count_class(broker->queue, (enum wake_class) class));
}

static void stats_put_wakes(const struct broker *broker, struct buf *out)
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

void broker_stats_put(const struct broker *broker, struct buf *out)
{
    struct broker_counted counted = broker_counted(broker->metrics);
    struct wire_map map = wire_map_open(out);
    char epoch[24];

    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)broker->epoch);
    wire_put_key_text(out, "broker", broker->settings.name), map.count++;
    wire_put_key_text(out, "epoch", epoch), map.count++;
    wire_put_key_int(out, "slot", broker->slot), map.count++;
    stats_put_wakes(broker, out), map.count++;
    wire_put_key_int(out, "answers_ok", counted.answers_ok), map.count++;
    wire_put_key_int(out, "decisions", counted.decisions), map.count++;
    wire_put_key_int(out, "decisions_stale", counted.decisions_stale), map.count++;
    wire_put_key_int(out, "batches", counted.batches), map.count++;
    wire_put_key_int(out, "pending", (int64_t)writer_pending(broker->writer)), map.count++;
    wire_put_key_int(out, "unknown", (int64_t)writer_unknown(broker->writer)), map.count++;
    wire_put_key_int(out, "requests_open", (int64_t)calls_open(broker->calls)), map.count++;
    wire_put_key_int(out, "workers", (int64_t)workers_count_ready(broker->workers)), map.count++;
    wire_put_key_int(out, "credits", (int64_t)workers_credits(broker->workers)), map.count++;
    wire_put_key_text(out, "process", broker->process.n == 0 ? NULL : broker->process.hash), map.count++;
    wire_map_close(out, &map);
}
