/* What each event does to the clocks of a ticket, as one table; and what a customer's words do. For clocks.c, which does it. */
#ifndef DOCKET_CLOCK_RULES_H
#define DOCKET_CLOCK_RULES_H

#include "clocks.h"

/* What an event does to one clock. Met and ended clocks are left alone, whatever the table says. */
enum clock_action {
    NOTHING,
    MEET,
    MEET_BY_TAKING, /* not where a reply was promised (priority 4) */
    MEET_AND_AGAIN, /* met, and the next cycle begins; it rests while the customer owes the answer */
    PAUSE,
    RESUME,
    END,     /* over without having been kept: the ticket is closed */
    RUN_ON,  /* a clock that was met runs on, in a new cycle with what was left */
    RESTART, /* a new cycle from here */
};

enum clock_who { BY_DESK, BY_ANYONE };
enum clock_needs { ALWAYS, IF_PUBLIC, IF_SELF, ON_CUSTOMER, ON_VENDOR };
enum clock_leads { STAYS, TO_OPEN, TO_WAITS, TO_RESOLVED, TO_CLOSED };

struct clock_rule {
    enum desk_event kind;
    enum clock_who who;
    enum clock_needs needs;
    enum clock_leads leads;
    enum clock_action actions[CLOCK_KINDS]; /* response, update, resolution */
};

/* The rule of an event; NULL: it does nothing to any clock. */
const struct clock_rule *clock_rule_find(const struct clock_event *event);

/* A customer's public words, by where the ticket stands: they end a wait; on a resolved ticket they reject, or ask for an answer; they
 * reopen a closed one. A wait that is over by its time ends as by words. */
extern const struct clock_rule clock_rule_ends_wait, clock_rule_rejects, clock_rule_asks, clock_rule_reopens;

#endif
