/* The whole broker looked at, when somebody asks: the gauges of /metrics, the body of the op stats. Reads every part and changes none. */
#ifndef DOCKET_BROKER_STATS_H
#define DOCKET_BROKER_STATS_H

#include "buf.h"

struct broker;
struct metrics;

/* Enters the gauges into the registry, which must outlive it. */
struct broker_stats;
struct broker_stats *broker_stats_new(struct metrics *registry);
void broker_stats_free(struct broker_stats *stats); /* accepts NULL */

/* Brings the gauges up to date; before each scrape. */
void broker_stats_refresh(struct broker *broker);

/* The body of stats, encoded: counters and gauges for people and benchmarks. */
void broker_stats_put(const struct broker *broker, struct buf *out);

#endif
