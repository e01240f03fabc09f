/* What ops that list things share: the words of a filter, a cursor of numbers, the answer. */
#ifndef DOCKET_LISTING_H
#define DOCKET_LISTING_H

#include "buf.h"
#include "err.h"
#include "words.h"

#include <stdbool.h>
#include <stdint.h>

/* The states that a filter may name, and words that stand for several of them. */
enum { LISTING_SETS_MAX = 2 };
struct listing_sets {
    const struct words *words;
    struct {
        const char *name; /* NULL: no more */
        unsigned states;  /* a bit a state */
    } sets[LISTING_SETS_MAX];
    unsigned fallback; /* where the filter says nothing */
};

/* Names with commas between them.
 * out: ret  a bit a state
 * err: ERR_INVALID, field state */
bool listing_states(struct span text, const struct listing_sets *sets, unsigned *ret, struct err *err)
    __attribute__((warn_unused_result));

/* A cursor that is the number of the last row; nothing: 0.  op: which gave it.  err: ERR_INVALID, field cursor */
bool listing_cursor(struct span text, const char *op, int64_t *ret, struct err *err)
    __attribute__((warn_unused_result));

/* A read_answer_fn: arg is the call. */
void listing_done(void *arg, struct span body, const struct err *err);

#endif
