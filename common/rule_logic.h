/* What conditions of rules say about one another, by their form alone: whether one follows from another, whether two cannot both
 * hold, whether one can hold at all. Careful: what cannot be told is `maybe`, so that a warning made of it is never wrong.
 * Knows nothing of tickets and of what a rule does. */
#ifndef DOCKET_RULE_LOGIC_H
#define DOCKET_RULE_LOGIC_H

#include "process.h"

#include <stdbool.h>

/* Comparing is bounded: when the steps are used up, nothing follows from anything. */
struct rule_logic {
    unsigned steps_left;
};

enum { RULE_LOGIC_STEPS = 4000000 };

enum rule_verdict { RULE_MAYBE, RULE_NEVER, RULE_ALWAYS };

/* Why a leaf can never hold, or NULL. on: the bits of enum rule_on that its rule runs for. */
const char *rule_leaf_never(const struct rule_cond *leaf, unsigned on);

/* Why the field can never be equal to one of a leaf's values, or NULL. */
const char *rule_value_never(const struct rule_cond *leaf, const struct rule_value *value, unsigned on);

/* Whether b holds whenever a does. NULL: always. */
bool rule_implies(struct rule_logic *logic, const struct rule_cond *a, const struct rule_cond *b);

/* Whether the two can never hold together. */
bool rule_excludes(struct rule_logic *logic, const struct rule_cond *a, const struct rule_cond *b);

/* Whether it can hold at all, or always does, for a rule with these bits of enum rule_on. */
enum rule_verdict rule_verdict_of(struct rule_logic *logic, const struct rule_cond *cond, unsigned on);

#endif
