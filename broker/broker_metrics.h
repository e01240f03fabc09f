/* What the broker counts as it happens, for /metrics. What is looked up when somebody asks: broker_stats.h. Knows no part of the broker. */
#ifndef DOCKET_BROKER_METRICS_H
#define DOCKET_BROKER_METRICS_H

#include "err.h"
#include "wake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metrics;

struct broker_metrics;
struct broker_metrics *broker_metrics_new(void);
void broker_metrics_free(struct broker_metrics *metrics); /* accepts NULL */
struct metrics *broker_metrics_registry(struct broker_metrics *metrics);

void broker_count_answer(struct broker_metrics *metrics, enum err_code code);
void broker_count_decision(struct broker_metrics *metrics, bool committed); /* else stale */
void broker_count_wait(struct broker_metrics *metrics, enum wake_class class, int64_t waited_us);
void broker_count_batch(struct broker_metrics *metrics, size_t units, int64_t took_us);
void broker_count_late(struct broker_metrics *metrics,
                       int64_t late_us); /* a timed wake: its time to its decision's commit */

/* Totals since the start. */
struct broker_counted {
    int64_t answers_ok, decisions, decisions_stale, batches;
};
struct broker_counted broker_counted(const struct broker_metrics *metrics);

#endif
