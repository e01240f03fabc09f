/* Small sets of things that the schema numbers from 0 and the protocol names. */
#ifndef DOCKET_WORDS_H
#define DOCKET_WORDS_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* alerts.state */
enum alert_state { ALERT_IS_OPEN, ALERT_IS_ACKNOWLEDGED, ALERT_IS_RESOLVED };

/* deliveries.state */
enum delivery_state {
    DELIVERY_PENDING,
    DELIVERY_LEASED,
    DELIVERY_SENT,
    DELIVERY_DELIVERED,
    DELIVERY_FAILED,
    DELIVERY_DEAD,
    DELIVERY_SUPPRESSED,
    DELIVERY_MERGED,
    DELIVERY_CANCELLED,
    DELIVERY_HELD,
    DELIVERY_STATES
};

/* The number of a name is its place. */
struct words {
    const char *const *names;
    size_t count;
};

extern const struct words words_alert_states;    /* enum alert_state */
extern const struct words words_alert_steps;     /* escalations.what */
extern const struct words words_message_states;  /* outbox.state */
extern const struct words words_delivery_states; /* enum delivery_state */
extern const struct words words_audiences;       /* outbox.audience */

/* "unknown" for a number without a name. */
const char *words_name(const struct words *words, int64_t number);

/* False: there is no such name. */
bool words_find(const struct words *words, struct span name, int *ret_number);

#endif
