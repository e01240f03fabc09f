/* Numbers about a running program; see metrics.h. */
#include "metrics.h"
#include "mem.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric {
    struct metric *next;
    enum metric_kind kind;
    const char *name;
    const char *help;
    struct metric_label label;
    double *values;       /* one a label value; of a histogram: the sums */
    const double *bounds; /* histograms */
    size_t bound_count;
    uint64_t *counts; /* histograms: label value × (bounds + 1), each for its own interval */
};

struct metrics {
    const char *program;
    struct metric *first;
    struct metric **end;
};

const double metrics_seconds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                  0.25,   0.5,   1,      2.5,   5,    10,    30,   60};
const size_t metrics_seconds_count = sizeof metrics_seconds / sizeof metrics_seconds[0];
const double metrics_sizes[] = {1, 2, 4, 8, 16, 32, 64, 125, 250, 500, 1000};
const size_t metrics_sizes_count = sizeof metrics_sizes / sizeof metrics_sizes[0];

struct metrics *metrics_new(const char *program)
{
    struct metrics *metrics = mem_new(1, sizeof *metrics);
    metrics->program = program;
    metrics->end = &metrics->first;
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    struct metric *metric = metrics->first;
    while (metric != NULL) {
        struct metric *next = metric->next;
        free(metric->values);
        free(metric->counts);
        free(metric);
        metric = next;
    }
    free(metrics);
}

static bool text_ends_in(const char *text, const char *tail)
{
    size_t len = strlen(text), tail_len = strlen(tail);
    return len >= tail_len && strcmp(text + len - tail_len, tail) == 0;
}

static struct metric *metrics_register(struct metrics *metrics, enum metric_kind kind, const char *name,
                                       const char *help, struct metric_label label)
{
    for (const struct metric *other = metrics->first; other != NULL; other = other->next)
        assert(strcmp(other->name, name) != 0);
    assert((kind == METRIC_COUNTER) == text_ends_in(name, "_total"));
    assert(label.count > 0);
    struct metric *metric = mem_new(1, sizeof *metric);
    metric->kind = kind;
    metric->name = name;
    metric->help = help;
    metric->label = label;
    metric->values = mem_new(label.count, sizeof *metric->values);
    *metrics->end = metric;
    metrics->end = &metric->next;
    return metric;
}

struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                               struct metric_label label)
{
    return metrics_register(metrics, METRIC_COUNTER, name, help, label);
}

struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                             struct metric_label label)
{
    return metrics_register(metrics, METRIC_GAUGE, name, help, label);
}

struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *help,
                                 struct metric_label label, const double *bounds, size_t bound_count)
{
    struct metric *metric = metrics_register(metrics, METRIC_HISTOGRAM, name, help, label);
    for (size_t i = 1; i < bound_count; i++)
        assert(bounds[i - 1] < bounds[i]);
    metric->bounds = bounds;
    metric->bound_count = bound_count;
    metric->counts = mem_new(label.count * (bound_count + 1), sizeof *metric->counts);
    return metric;
}

void metric_add(struct metric *metric, size_t i, double amount)
{
    assert(metric->kind != METRIC_HISTOGRAM && i < metric->label.count);
    assert(metric->kind == METRIC_GAUGE || amount >= 0);
    metric->values[i] += amount;
}

void metric_set(struct metric *metric, size_t i, double value)
{
    assert(metric->kind == METRIC_GAUGE && i < metric->label.count);
    metric->values[i] = value;
}

void metric_observe(struct metric *metric, size_t i, double value)
{
    assert(metric->kind == METRIC_HISTOGRAM && i < metric->label.count);
    size_t bucket = 0;
    while (bucket < metric->bound_count && value > metric->bounds[bucket])
        bucket++;
    metric->counts[i * (metric->bound_count + 1) + bucket]++;
    metric->values[i] += value;
}

static uint64_t metric_observed(const struct metric *metric, size_t i)
{
    uint64_t sum = 0;
    for (size_t bucket = 0; bucket <= metric->bound_count; bucket++)
        sum += metric->counts[i * (metric->bound_count + 1) + bucket];
    return sum;
}

double metric_value(const struct metric *metric, size_t i)
{
    assert(i < metric->label.count);
    return metric->kind == METRIC_HISTOGRAM ? (double)metric_observed(metric, i) : metric->values[i];
}

/* One line's start: docket_broker_name_suffix{label="value",le="…"}. */
static void metric_write_series(struct buf *out, const char *program, const struct metric *metric,
                                const char *suffix, size_t i, const char *le)
{
    buf_printf(out, "docket_%s_%s%s", program, metric->name, suffix);
    bool labelled = metric->label.name != NULL;
    if (labelled || le != NULL)
        buf_add_text(out, "{");
    if (labelled)
        buf_printf(out, "%s=\"%s\"%s", metric->label.name, metric->label.values[i], le != NULL ? "," : "");
    if (le != NULL)
        buf_printf(out, "le=\"%s\"", le);
    buf_add_text(out, labelled || le != NULL ? "} " : " ");
}

static void metric_write_histogram(struct buf *out, const char *program, const struct metric *metric,
                                   size_t i)
{
    uint64_t sum = 0;
    for (size_t bucket = 0; bucket <= metric->bound_count; bucket++) {
        char le[32] = "+Inf";
        if (bucket < metric->bound_count)
            (void)snprintf(le, sizeof le, "%.15g", metric->bounds[bucket]);
        sum += metric->counts[i * (metric->bound_count + 1) + bucket];
        metric_write_series(out, program, metric, "_bucket", i, le);
        buf_printf(out, "%llu\n", (unsigned long long)sum);
    }
    metric_write_series(out, program, metric, "_sum", i, NULL);
    buf_printf(out, "%.15g\n", metric->values[i]);
    metric_write_series(out, program, metric, "_count", i, NULL);
    buf_printf(out, "%llu\n", (unsigned long long)sum);
}

void metrics_write(const struct metrics *metrics, struct buf *out)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};

    buf_printf(out,
               "# HELP docket_build_info What is running.\n# TYPE docket_build_info gauge\n"
               "docket_build_info{program=\"%s\",version=\"%s\"} 1\n",
               metrics->program, DOCKET_VERSION);
    for (const struct metric *metric = metrics->first; metric != NULL; metric = metric->next) {
        buf_printf(out, "# HELP docket_%s_%s %s\n# TYPE docket_%s_%s %s\n", metrics->program, metric->name,
                   metric->help, metrics->program, metric->name, kinds[metric->kind]);
        for (size_t i = 0; i < metric->label.count; i++) {
            if (metric->kind == METRIC_HISTOGRAM) {
                metric_write_histogram(out, metrics->program, metric, i);
            } else {
                metric_write_series(out, metrics->program, metric, "", i, NULL);
                buf_printf(out, "%.15g\n", metric->values[i]);
            }
        }
    }
}
