/* Ticket ids and the tracking numbers that people see.
 *
 * An id is 60 bits: 31 of seconds since 2020-01-01T00:00:00Z, 11 of the broker's slot, 18 of a counter.
 * A tracking number is the id in twelve Crockford base32 letters, a check letter and a prefix:
 * DKT-4Q7K-M2P9-ZX3A-H. The check is Σ aᵢ·αⁱ (i = 1…12 from the left) in GF(32) with x⁵+x²+1 and α = 2: it
 * finds every wrong letter and every swap of two. */
#ifndef DOCKET_TRACKING_H
#define DOCKET_TRACKING_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TRACKING_SECOND_BITS = 31,
    TRACKING_SLOT_BITS = 11,
    TRACKING_COUNTER_BITS = 18,
    TRACKING_SLOTS = 1 << TRACKING_SLOT_BITS,
    TRACKING_COUNTERS = 1 << TRACKING_COUNTER_BITS,
    TRACKING_PREFIX_MAX = 8,
    TRACKING_TEXT_BYTES = TRACKING_PREFIX_MAX + 1 + 16 + 1 /* prefix, dash, XXXX-XXXX-XXXX-C, NUL */
};

#define TRACKING_EPOCH_S INT64_C(1577836800) /* 2020-01-01T00:00:00Z in Unix seconds */

/* Parts to id, in this order from the highest bit. second: since TRACKING_EPOCH_S. All inside their bits. */
int64_t tracking_id(int64_t second, unsigned slot, unsigned counter);

/* Whether text may stand before tracking numbers: 1..TRACKING_PREFIX_MAX letters A-Z. err: ERR_INVALID */
bool tracking_prefix_check(const char *text, struct err *err) __attribute__((warn_unused_result));

/* Writes the tracking number of id.
 * in:  prefix  passes tracking_prefix_check
 * out: ret     TRACKING_TEXT_BYTES bytes */
void tracking_format(int64_t id, const char *prefix, char *ret);

/* Reads a tracking number: any case, with or without dashes and prefix, O as 0, I and L as 1.
 * err: ERR_INVALID, field "tracking": not of this form, or the check letter does not fit */
bool tracking_parse(struct span text, const char *prefix, int64_t *ret_id, struct err *err)
    __attribute__((warn_unused_result));

#endif
