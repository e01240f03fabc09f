/* What ops that list things share: the words of a filter, a cursor of numbers, the answer. */
#ifndef DOCKET_LISTING_H
#define DOCKET_LISTING_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stdint.h>

/* States by name, separated by commas, or "all"; nothing: fallback. A bit a state.
 * in:  parse  the state of a name    names  all of them, for people
 * err: ERR_INVALID, field state */
bool listing_states(struct span text, bool (*parse)(struct span name, int *ret), unsigned all,
                    unsigned fallback, const char *names, unsigned *ret, struct err *err)
    __attribute__((warn_unused_result));

/* A cursor that is the number of the last row; nothing: 0.  op: which gave it.  err: ERR_INVALID, field cursor */
bool listing_cursor(struct span text, const char *op, int64_t *ret, struct err *err)
    __attribute__((warn_unused_result));

/* A read_answer_fn: arg is the call. */
void listing_done(void *arg, struct span body, const struct err *err);

#endif
