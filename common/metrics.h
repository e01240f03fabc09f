/* Numbers about a running program, in Prometheus' text format: counters, gauges, histograms.
 *
 * A metric has at most one label, whose values are a list fixed when it is made: nothing from outside can
 * make a new series. Names are given without the program's prefix ("docket_notifier_"); base units (seconds,
 * bytes), counters end in _total (checked by assert). Every registry gives docket_build_info{program,
 * version} 1 by itself. Knows nothing of sockets; http.h serves what metrics_write writes. */
#ifndef DOCKET_METRICS_H
#define DOCKET_METRICS_H

#include "buf.h"

#include <stddef.h>
#include <stdint.h>

struct metrics; /* the registry; owns its metrics */
struct metric;

/* The label of a metric: a name and its values, all static text. METRIC_PLAIN for none. */
struct metric_label {
    const char *name;
    const char *const *values;
    size_t count;
};
#define METRIC_PLAIN ((struct metric_label){NULL, NULL, 1})

/* program: "notifier"; makes the prefix "docket_notifier_". Texts are kept, not copied. */
struct metrics *metrics_new(const char *program);
void metrics_free(struct metrics *metrics); /* accepts NULL */

/* Adds a metric; it lives as long as its registry. The name must be new. */
struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                               struct metric_label label);
struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                             struct metric_label label);

/* bounds: upper bounds, rising, in the metric's unit; +Inf is added. */
struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *help,
                                 struct metric_label label, const double *bounds, size_t bound_count);

/* Bounds for times from 0.5 ms to 60 s, and for counts from 1 to 1000. */
extern const double metrics_seconds[];
extern const size_t metrics_seconds_count;
extern const double metrics_sizes[];
extern const size_t metrics_sizes_count;

/* i: which value of the label; 0 without a label. */
void metric_add(struct metric *metric, size_t i, double amount);    /* counters (amount >= 0) and gauges */
void metric_set(struct metric *metric, size_t i, double value);     /* gauges */
void metric_observe(struct metric *metric, size_t i, double value); /* histograms */
double metric_value(const struct metric *metric, size_t i); /* of a histogram: how many were observed */

/* Appends all of it: text/plain; version=0.0.4. */
void metrics_write(const struct metrics *metrics, struct buf *out);

#endif
