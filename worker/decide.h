/* The decision: what becomes of a woken ticket. A pure function of the process, the work and the time in it.
 *
 * Reads no clock, opens no file. Messages for what people did (comments, waiting, resolved, closed) are the broker's, in
 * the op's own transaction; a decision adds what only rules and clocks know: triaged, asked, warnings, misses, alerts. */
#ifndef DOCKET_DECIDE_H
#define DOCKET_DECIDE_H

#include "engine.h"
#include "work.h"

#include <stdbool.h>

/* A decision before it is written. */
struct decision;

/* Memory that is used again from one decision to the next. */
struct decider;
struct decider *decider_new(void);
void decider_free(struct decider *decider); /* accepts NULL */

/* Decides and appends the body of a `decision` (docs/protocol-workers.md).
 * in:  body   of a `work`
 * err: ERR_INVALID  the work is not of the protocol's form */
bool decide(struct decider *decider, const struct engine *engine, const struct wire_val *body,
            struct buf *out, struct err *err) __attribute__((warn_unused_result));

/* Appends {text, rules, clocks}: what would be decided now, for people (`ask` explain, docket-worker explain). */
bool decide_explain(struct decider *decider, const struct engine *engine, const struct wire_val *body,
                    struct buf *out, struct err *err) __attribute__((warn_unused_result));

#endif
