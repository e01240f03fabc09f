/* alert.list and alert.show: alerts, their steps, and what was told. Knows no request and no socket. */
#ifndef DOCKET_READ_ALERTS_H
#define DOCKET_READ_ALERTS_H

#include "pg.h"
#include "read_end.h"

#include <stdbool.h>
#include <stdint.h>

enum { READ_ALERTS_LIMIT = 100 };

/* All optional: zeroed means no filter. */
struct read_alerts_query {
    unsigned states; /* a bit each, 1 << alerts.state; 0: any */
    int priority;
    struct span kind;
    int64_t ticket;
    int64_t before; /* only older ones than this */
    int limit;      /* 0: READ_ALERTS_LIMIT */
};

/* Asks for {alerts, cursor}; cursor is nil at the end. err given to fn: ERR_UNAVAILABLE, ERR_INTERNAL. */
void read_alerts_list_send(struct pg *reader, struct pg_params *params, const struct read_alerts_query *query,
                           const char *prefix, read_answer_fn *fn, void *arg);

/* Asks for one, with steps and messages. err given to fn: also ERR_NOT_FOUND. */
void read_alerts_show_send(struct pg *reader, struct pg_params *params, int64_t alert, const char *prefix,
                           read_answer_fn *fn, void *arg);

#endif
