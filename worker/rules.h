/* Triage: runs the rules of a process on one ticket and one event, and says what they chose and why.
 *
 * Pure: the work comes as values of the wire (docs/protocol-workers.md, "Work"), whether a calendar is open
 * comes from the caller. All rules of a run see the same ticket and event; none sees what another did; each
 * runs at most once. Knows nothing of clocks, decisions and messages. */
#ifndef DOCKET_RULES_H
#define DOCKET_RULES_H

#include "process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RULES_LIST_MAX = 64,   /* entries of each list of an outcome; more are left out and named in the trace */
    RULES_TRACE_MAX = 200, /* rules in a trace that did not match; further ones are left out */
    RULES_SUBJECT_BYTES_MAX = 16384, /* of a text, what a pattern looks at */
    RULES_MATCH_LIMIT = 10000        /* steps of a pattern at one place of the text */
};

struct rules; /* a process's rules with the scratch memory of a run; not for two threads at once */

/* in: process must outlive it. err: faults gets what the process's check could not see (none today). */
bool rules_new(const struct process *process, struct rules **ret, struct faults *faults)
    __attribute__((warn_unused_result));
void rules_free(struct rules *rules); /* accepts NULL */

struct rules_input {
    enum rule_on on;                 /* what woke the ticket */
    const struct wire_val *ticket;   /* of the work */
    const struct wire_val *customer; /* of the work, or NULL: unknown */
    const struct wire_val *event;    /* one of the work's events; NULL for posted and due */
    int64_t now;                     /* of the work */
    /* Whether the calendar (PROCESS_ALWAYS, or one of the process) is open at now; NULL: all count as open.
     */
    bool (*time_open)(void *context, const char *calendar, int64_t now);
    void *context;
};

/* What was chosen. Texts point into the process; NULL, 0: nothing. What people hold by hand is never in it.
 */
struct rules_outcome {
    int priority; /* 0: stays. Never less urgent than the ticket's, but on posted */
    const char *queue, *assignee, *team, *kind, *calendar;
    const char *tags[RULES_LIST_MAX]; /* to add, none that the ticket has */
    size_t tag_count;
    const char *asks[RULES_LIST_MAX]; /* names of questions */
    size_t ask_count;
    const char *alerts[RULES_LIST_MAX];
    size_t alert_count;
    const struct rule_tell *tells[RULES_LIST_MAX];
    size_t tell_count;
    const struct rule_attribute *attributes[RULES_LIST_MAX]; /* the last of one name counts */
    size_t attribute_count;
    int64_t wake_in_s;
    bool wake_in_working;
    size_t matched; /* rules that matched */
};

/* in:  trace  may be NULL; each rule that was asked is appended as one map {rule, matched, why}
 * out: ret    filled whole; *ret_traced (may be NULL) is raised by the number of maps appended */
void rules_run(struct rules *rules, const struct rules_input *input, struct rules_outcome *ret,
               struct buf *trace, size_t *ret_traced);

/* Which rules an event of the work calls for: RULE_ON_REPLY for a customer's words, …; 0 for none. */
unsigned rules_on_event(const struct wire_val *event);

#endif
