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

/* For a ticket's map that is made to be looked at. */
struct wire_made *conditions_made(struct conditions *conditions);

/* What the rules of one event look at. All of it must stay while conditions are looked at. */
struct conditions_view {
    const struct engine *engine;
    const struct work *work;
    const struct wire_val *ticket; /* its map: the work's, or one with what was chosen since */
    const struct wire_val *event;  /* the event's map; NULL: the posting, or what is due */
    int64_t at;                    /* what is now to them */
    /* Reasons name all parts with the ticket's values (to explain), else only the part that decided, without them: a history is long and
     * shows no customer's words twice. */
    bool values;
};

/* Freezes the view. */
void conditions_look(struct conditions *conditions, const struct conditions_view *view);

/* Whether it holds. cond may be NULL: always.
 * out: ret_why  at most 500 bytes, UTF-8, until the next call; NULL: nobody asks, and no words are made */
bool conditions_hold(struct conditions *conditions, const struct rule_cond *cond, struct span *ret_why);

#endif
