/* When people are told: limits, quiet hours, mutes. From notify.yaml of the current process; pure, time is an argument. */
#ifndef DOCKET_POLICY_H
#define DOCKET_POLICY_H

#include "clock.h"
#include "err.h"

#include <stdint.h>

#define LIMIT_SHORT_US (60 * US_PER_S)
#define LIMIT_LONG_US (3600 * US_PER_S)

/* Messages to one address in a minute and in an hour; what is over goes into a summary. */
struct policy_limits {
    int customer_short, customer_long;
    int staff_short, staff_long; /* staff and ops */
    int receipts_alone;          /* so many may wait and still go one by one */
    int64_t summary_after_us;
};

struct policy {
    struct policy_limits limits;
};

/* The defaults. */
struct policy *policy_new(void);
void policy_free(struct policy *policy); /* accepts NULL */

#endif
