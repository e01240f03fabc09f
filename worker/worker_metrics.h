/* What a worker counts, and its internal HTTP: /metrics, /healthz, /readyz (200: ready at one broker or more). */
#ifndef DOCKET_WORKER_METRICS_H
#define DOCKET_WORKER_METRICS_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

#include <czmq.h>

struct worker_metrics;

/* Gauges, asked for when somebody looks. */
struct worker_gauges {
    int64_t brokers, ready; /* configured; of them ready for work */
};
typedef struct worker_gauges worker_gauges_fn(void *arg);

/* bind: host:port, or "" for none.  err: as of http_new */
bool worker_metrics_new(zloop_t *loop, const char *bind, worker_gauges_fn *gauges, void *arg,
                        struct worker_metrics **ret, struct err *err) __attribute__((warn_unused_result));
void worker_metrics_free(struct worker_metrics *metrics); /* accepts NULL; before the loop is destroyed */

/* A work that was decided, or could not be; took_us: of computing alone. */
void worker_metrics_count(struct worker_metrics *metrics, bool decided, int64_t took_us);

#endif
