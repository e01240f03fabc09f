/* What the rules of one wake chose for a ticket, put together: the meeting point of rules and decide.
 *
 * Runs the rules on the posting or on each new event, in a run of its own, keeps what people set by hand, and lets replies raise a
 * priority, never lower it: as if each had been decided when it came. Knows nothing of clocks and of the wire's form of a decision. */
#ifndef DOCKET_CHOICE_H
#define DOCKET_CHOICE_H

#include "conditions.h"
#include "engine.h"
#include "work.h"

#include <stdbool.h>
#include <stddef.h>

enum { CHOICE_LIST_MAX = 64, CHOICE_RULES_MAX = 2000, CHOICE_TRACE_MAX = 200 };

/* Texts point into the process or the work. NULL, 0, SPAN_NONE: not chosen. */
struct choice {
    int priority; /* that rules gave after the last word of staff or of a decision before */
    int posted;   /* that the rules of the posting gave, whoever spoke since */
    const char *queue, *assignee, *kind, *calendar;
    const char *alerts[CHOICE_LIST_MAX]; /* causes */
    size_t alert_count;
    const char *tags[CHOICE_LIST_MAX]; /* to add, none that is there already */
    size_t tag_count;
    const char *asks[CHOICE_LIST_MAX]; /* names of questions */
    size_t ask_count;
    const struct rule_tell *tells[CHOICE_LIST_MAX];
    size_t tell_count;
    const struct rule_attribute *attributes[CHOICE_LIST_MAX];
    size_t attribute_count;
    int64_t wake_in_s; /* 0: none */
    bool wake_in_working;
};

/* Whether rules gave the ticket an attribute of this name. */
bool choice_sets_attribute(const struct choice *choice, struct span name);

/* The ticket with what was chosen by now, as an event's rules see it: the map of the work where that says the same, else one that is made
 * anew, until the next is. in:  stands  the priority then; 0: none   triaged  the rules of the posting have run */
const struct wire_val *choice_ticket(const struct work *work, const struct choice *choice, int stands,
                                     bool triaged, struct wire_made *made);

/* Runs the rules that this work calls for.
 * in:  as_posted  the rules of the posting, whatever woke it, and reasons with the ticket's values (to explain)
 * out: ret        filled whole
 *      work       the priority of each event
 *      trace      a list [{rule, matched, why}] is appended; nothing when no rule ran (false in ret_traced). NULL: nobody reads it */
void choice_make(const struct engine *engine, struct work *work, struct conditions *conditions,
                 bool as_posted, struct choice *ret, struct buf *trace, bool *ret_traced);

#endif
