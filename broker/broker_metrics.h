/* What the broker counts, for /metrics and the op stats. */
#ifndef DOCKET_BROKER_METRICS_H
#define DOCKET_BROKER_METRICS_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stdint.h>

struct broker;
struct wake;
struct metrics;

struct broker_metrics;
struct broker_metrics *broker_metrics_new(void);
void broker_metrics_free(struct broker_metrics *metrics);
struct metrics *broker_metrics_registry(struct broker_metrics *metrics);

/* Brings the gauges up to date; before each scrape. */
void broker_metrics_refresh(struct broker *broker);

void broker_count_decision(struct broker *broker, bool committed);
void broker_count_wait(struct broker *broker, const struct wake *wake, int64_t waited_us);
void broker_count_batch(struct broker *broker, size_t units, int64_t took_us);
void broker_count_late(struct broker *broker,
                       int64_t late_us); /* a timed wake: its time to its decision's commit */

/* The body of stats, encoded: counters and gauges for people and benchmarks. */
void broker_stats_put(struct broker *broker, struct buf *out);

#endif
