/* Whether a message goes now, or waits: quiet hours and windows of notify.yaml. Pure; time is an argument. */
#ifndef DOCKET_POLICY_H
#define DOCKET_POLICY_H

#include "clock.h"
#include "desk.h"
#include "process_notify.h"
#include "zone.h"

#include <stdbool.h>
#include <stdint.h>

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

/* How many messages one address gets over a channel in a short and in a long time. */
enum policy_limit { POLICY_LIMIT_MAIL, POLICY_LIMIT_CHAT, POLICY_LIMIT_PHONE };
struct policy_rate {
    int64_t short_us, long_us;
    int64_t customer_short, customer_long, staff_short, staff_long;
};
struct policy_rate policy_rate_of(const struct process_limits *limits, enum policy_limit limit);

/* The zone of a hold that names one; NULL: UTC. */
typedef const struct zone *policy_zone_fn(void *arg, const char *name);

/* True when it waits; until when, and by which line. Never held: what is urgent (P1 and P2 to staff), receipts, missed promises,
 * resolutions, questions to agree, and to customers all but progress ("update", "tell"). */
bool policy_holds(const struct process_notify *notify, const struct policy_message *message,
                  policy_zone_fn *zone, void *arg, int64_t *ret_until, char ret_why[POLICY_WHY_BYTES]);

#endif
