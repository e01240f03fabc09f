/* What a worker counts; see worker_metrics.h. */
#include "worker_metrics.h"

#include "http.h"
#include "mem.h"
#include "metrics.h"

#include <stdlib.h>

enum { WORK_DECIDED, WORK_FAILED, WORK_RESULTS };

struct worker_metrics {
    struct metrics *registry;
    struct metric *works, *seconds, *brokers, *ready;
    struct http *http;
    worker_gauges_fn *gauges;
    void *arg;
};

static const char *const results[WORK_RESULTS] = {"decided", "failed"};
/* A decision costs some 20 µs. */
static const double seconds_bounds[] = {0.00001, 0.00002, 0.00005, 0.0001, 0.0002,
                                        0.0005,  0.001,   0.01,    0.1,    1};

static void serve_metrics(void *arg, struct http_answer *answer)
{
    struct worker_metrics *metrics = arg;
    struct worker_gauges gauges = metrics->gauges(metrics->arg);

    metric_set(metrics->brokers, 0, (double)gauges.brokers);
    metric_set(metrics->ready, 0, (double)gauges.ready);
    http_serve_metrics(metrics->registry, answer);
}

static void serve_ready(void *arg, struct http_answer *answer)
{
    struct worker_metrics *metrics = arg;

    http_answer_ready(answer, metrics->gauges(metrics->arg).ready > 0 ? NULL : "ready at no broker");
}

bool worker_metrics_new(zloop_t *loop, const char *bind, worker_gauges_fn *gauges, void *arg,
                        struct worker_metrics **ret, struct err *err)
{
    struct worker_metrics *m = mem_new(1, sizeof *m);
    const struct http_route routes[] = {{"/metrics", serve_metrics, m},
                                        {"/healthz", http_serve_alive, NULL},
                                        {"/readyz", serve_ready, m}};

    m->gauges = gauges;
    m->arg = arg;
    m->registry = metrics_new("worker");
    m->works = metrics_counter(m->registry, "works_total", "Works by what became of them",
                               (struct metric_label){"result", results, WORK_RESULTS});
    m->seconds =
        metrics_histogram(m->registry, "decide_seconds", "Time of computing a decision", METRIC_PLAIN,
                          seconds_bounds, sizeof seconds_bounds / sizeof seconds_bounds[0]);
    m->brokers = metrics_gauge(m->registry, "brokers", "Brokers that are configured", METRIC_PLAIN);
    m->ready =
        metrics_gauge(m->registry, "brokers_ready", "Brokers at which this worker takes work", METRIC_PLAIN);
    *ret = m;
    if (bind[0] == '\0' || http_new(loop, bind, routes, sizeof routes / sizeof routes[0], &m->http, err))
        return true;
    worker_metrics_free(m);
    *ret = NULL;
    return false;
}

void worker_metrics_free(struct worker_metrics *metrics)
{
    if (metrics == NULL)
        return;
    http_free(metrics->http);
    metrics_free(metrics->registry);
    free(metrics);
}

void worker_metrics_count(struct worker_metrics *metrics, bool decided, int64_t took_us)
{
    metric_add(metrics->works, decided ? WORK_DECIDED : WORK_FAILED, 1);
    metric_observe(metrics->seconds, 0, (double)took_us / 1e6);
}
