/* Gives ticket ids (common/tracking.h) of one slot: never the same twice, rising, and only within the seconds
 * that the lease granted. Reads no clock and no database. */
#ifndef DOCKET_IDS_H
#define DOCKET_IDS_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

struct ids {
    unsigned slot;
    unsigned counter; /* the next one within second */
    int64_t second;   /* since TRACKING_EPOCH_S; never goes back */
};

/* used_until: the last second (since TRACKING_EPOCH_S) in which an earlier holder of the slot may have given
 * ids; none is given up to and including it. -1: the slot was never used. */
void ids_init(struct ids *ids, unsigned slot, int64_t used_until);

/* The next id. A full second (262,144 ids) goes on in the next one; a clock that went back stays where it
 * was. in:  now_us        the database's clock, µs UTC until_second  the last second granted
 * (brokers.ids_until), inclusive err: ERR_UNAVAILABLE  the next id would lie beyond until_second: renew,
 * repeat later. Nothing is used up. */
bool ids_next(struct ids *ids, int64_t now_us, int64_t until_second, int64_t *ret_id, struct err *err)
    __attribute__((warn_unused_result));

/* Second of an instant in the ids' count: floor(µs / 10⁶) − TRACKING_EPOCH_S. */
int64_t ids_second(int64_t at_us);

/* The first id that ids_next could give from here on: what brokers.first_id and a mark without tickets may
 * say. */
int64_t ids_first(const struct ids *ids);

#endif
