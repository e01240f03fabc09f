/* Conditions of rules, looked at with one frozen ticket and event. Bounded in time: patterns run by the interpreter with match
 * and depth limits, so a customer's text cannot hang a worker. Knows nothing of what a rule does. */
#ifndef DOCKET_CONDITIONS_H
#define DOCKET_CONDITIONS_H

#include "engine.h"
#include "work.h"

#include <stdbool.h>

enum { CONDITION_WHY_BYTES = 160 };

/* What one run of the rules looks at, and memory that is used again. */
struct conditions;

struct conditions *conditions_new(void);
void conditions_free(struct conditions *conditions); /* accepts NULL */

/* Freezes the view. event: the event's map, or NULL for the posting. All must stay while conditions are looked at. */
void conditions_look(struct conditions *conditions, const struct engine *engine, const struct work *work,
                     const struct wire_val *event);

/* Whether it holds. cond may be NULL: always.
 * out: ret_why  CONDITION_WHY_BYTES; which part decided, never the ticket's own text */
bool conditions_hold(struct conditions *conditions, const struct rule_cond *cond, char *ret_why);

#endif
