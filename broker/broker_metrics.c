/* What the broker counts as it happens; see broker_metrics.h. */
#include "broker_metrics.h"
#include "mem.h"
#include "metrics.h"

#include <stdlib.h>

enum { RESULT_COMMITTED, RESULT_STALE, RESULTS };

struct broker_metrics {
    struct metrics *registry;
    struct metric *answers, *batch_units, *commit, *waits, *decisions, *late;
};

static const char *const code_names[] = {"ok",        "malformed",   "unsupported", "invalid",
                                         "not_found", "forbidden",   "conflict",    "too_large",
                                         "busy",      "unavailable", "internal"};
static const char *const result_names[RESULTS] = {"committed", "stale"};

struct broker_metrics *broker_metrics_new(void)
{
    struct broker_metrics *m = mem_new(1, sizeof *m);
    struct metric_label codes = {"code", code_names, sizeof code_names / sizeof code_names[0]};
    struct metric_label classes = {"class", wake_class_names, WAKE_CLASSES};
    struct metric_label results = {"result", result_names, RESULTS};

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

void broker_count_answer(struct broker_metrics *metrics, enum err_code code)
{
    size_t i = code == ERR_IO ? ERR_INTERNAL : code == ERR_TIMEOUT ? ERR_UNAVAILABLE : (size_t)code;
    metric_add(metrics->answers, i, 1);
}

void broker_count_decision(struct broker_metrics *metrics, bool committed)
{
    metric_add(metrics->decisions, committed ? RESULT_COMMITTED : RESULT_STALE, 1);
}

void broker_count_wait(struct broker_metrics *metrics, enum wake_class class, int64_t waited_us)
{
    metric_observe(metrics->waits, class, (double)waited_us / 1e6);
}

void broker_count_batch(struct broker_metrics *metrics, size_t units, int64_t took_us)
{
    metric_observe(metrics->batch_units, 0, (double)units);
    metric_observe(metrics->commit, 0, (double)took_us / 1e6);
}

void broker_count_late(struct broker_metrics *metrics, int64_t late_us)
{
    metric_observe(metrics->late, 0, (double)late_us / 1e6);
}

struct broker_counted broker_counted(const struct broker_metrics *metrics)
{
    return (struct broker_counted){
        .answers_ok = (int64_t)metric_value(metrics->answers, ERR_NONE),
        .decisions = (int64_t)metric_value(metrics->decisions, RESULT_COMMITTED),
        .decisions_stale = (int64_t)metric_value(metrics->decisions, RESULT_STALE),
        .batches = (int64_t)metric_value(metrics->commit, 0),
    };
}
