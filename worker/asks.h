/* What brokers ask beside decisions (docs/protocol-workers.md, `ask`): check, explain, whatif, simulate, forecast. A table: name → answer. */
#ifndef DOCKET_ASKS_H
#define DOCKET_ASKS_H

#include "decide.h"

struct asks;

struct asks *asks_new(const char *zone_dir); /* zone_dir must outlive it */
void asks_free(struct asks *asks);           /* accepts NULL */

/* Appends the body of an `answer`. engine: of the broker's version, NULL while it has none.
 * err: ERR_UNSUPPORTED  nothing of that name; ERR_UNAVAILABLE  no process yet; ERR_INVALID */
bool asks_answer(struct asks *asks, struct decider *decider, const struct engine *engine,
                 const struct wire_val *ask, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* Appends the faults as a list of text, at most 200. */
void asks_put_faults(const struct faults *faults, struct buf *out);

#endif
