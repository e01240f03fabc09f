/* Whether a message goes now, or waits: quiet hours and windows of notify.yaml. Pure; time is an argument. */
#ifndef DOCKET_POLICY_H
#define DOCKET_POLICY_H

#include "clock.h"
#include "desk.h"
#include "process_notify.h"
#include "zone.h"

#include <stdbool.h>
#include <stdint.h>

#define LIMIT_SHORT_US (60 * US_PER_S)
#define LIMIT_LONG_US (3600 * US_PER_S)

enum { POLICY_WHY_BYTES = 160 };

/* What is asked about. */
struct policy_message {
    enum desk_audience audience;
    const char *kind;
    int priority; /* of the alert, else of the ticket; 0: none */
    struct span package;
    const struct zone *reader_zone; /* NULL: UTC */
    int64_t now;
};

/* The zone of a hold that names one; NULL: UTC. */
typedef const struct zone *policy_zone_fn(void *arg, const char *name);

/* True when it waits; until when, and by which line. Never held: what is urgent (P1 and P2 to staff), receipts, missed promises,
 * resolutions, questions to agree, and to customers all but progress ("update", "tell"). */
bool policy_holds(const struct process_notify *notify, const struct policy_message *message,
                  policy_zone_fn *zone, void *arg, int64_t *ret_until, char ret_why[POLICY_WHY_BYTES]);

#endif
