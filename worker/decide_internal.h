/* What deciding and writing the decision share. */
#ifndef DOCKET_DECIDE_INTERNAL_H
#define DOCKET_DECIDE_INTERNAL_H

#include "choice.h"
#include "clock_past.h"
#include "decide.h"
#include "meetings.h"

enum decision_state { SET_NO_STATE, SET_IN_PROGRESS, SET_REOPENED, SET_CLOSED };

struct decision {
    const struct engine *engine;
    const struct work *work;
    const struct process_package *package;
    struct choice choice;
    int priority; /* as it is after this decision */
    bool set_priority;
    bool tell_triaged; /* the customer learns what is promised */
    bool alert_p1;
    enum decision_state state;
    bool set_reply_pending, reply_pending;
    struct span forced_calendar;
    int64_t approvals_asked;
    int64_t wake_in_at; /* of a rule, kept until then; or CLOCK_NO_INSTANT */
    bool ask_approval, approval_task;
    struct meetings meetings; /* to be reminded of */
    int64_t wake_at;          /* or CLOCK_NO_INSTANT */
    bool has_trace;
    struct clocks clocks; /* from here: large, and filled whole by computing, so not zeroed before */
    struct clock_past past;
};

struct decider {
    struct work work;
    struct conditions *conditions;
    struct decision decision;
    struct buf trace; /* a list of rules */
    bool untraced;    /* nobody reads it: it is not made */
};

/* Fills decider->decision and decider->trace. as_posted: run the posting's rules whatever woke it. */
bool decide_make(struct decider *decider, const struct engine *engine, const struct wire_val *body,
                 bool as_posted, struct err *err) __attribute__((warn_unused_result));

/* The terms that its clocks were computed under. */
void decide_terms(const struct decision *d, struct clock_terms *ret);

/* Appends the body of the decision. */
void decision_write(const struct decision *d, const struct buf *trace, struct buf *out);

#endif
