/* Conditions of rules, looked at with one frozen ticket and event: whether each holds, and the words that say why. Bounded in time:
 * patterns run by the interpreter with match and depth limits on a bounded part of a text, so a customer's text cannot hang a worker.
 * Knows nothing of what a rule does. */
#ifndef DOCKET_CONDITIONS_H
#define DOCKET_CONDITIONS_H

#include "engine.h"
#include "work.h"

#include <stdbool.h>

/* What one run of the rules looks at, and memory that is used again. Not for two threads at once. */
struct conditions;

struct conditions *conditions_new(void);
void conditions_free(struct conditions *conditions); /* accepts NULL */

/* Freezes the view. event: the event's map, or NULL for the posting. All must stay while conditions are looked at.
 * values: reasons name all parts with the ticket's values (to explain), else only the part that decided, without them: a history is long
 * and shows no customer's words twice. */
void conditions_look(struct conditions *conditions, const struct engine *engine, const struct work *work,
                     const struct wire_val *event, bool values);

/* Whether it holds. cond may be NULL: always.
 * out: ret_why  at most 500 bytes, UTF-8, until the next call; NULL: nobody asks, and no words are made */
bool conditions_hold(struct conditions *conditions, const struct rule_cond *cond, struct span *ret_why);

#endif
