/* From targets ("oncall:primary", "lead") to people and the ways each is reached by. Pure: what is true now comes with the
 * call. Used by a step of an escalation, by what is told to staff without an alert, and by `simulate`. */
#ifndef DOCKET_ESCAL_TARGETS_H
#define DOCKET_ESCAL_TARGETS_H

#include "escal.h"
#include "oncall.h"
#include "process_people.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGES_MAX = PEOPLE_PAGES_MAX };

/* Who is told and what is known of the ticket. Texts may be NULL: not there. */
struct escal_scene {
    const struct process_people *people;
    const struct oncall *oncall;
    struct oncall_overrides overrides;
    int64_t at;
    const char *assignee;
    const char *queue;
    const char *acker;
    const char *desk_address; /* e-mail; "": none is configured */
    const char *ops_address;
    bool (*is_open)(void *arg, const char *channel); /* whether this notifier has the channel */
    void *arg;
    /* The first instant from at on at which a calendar is open. NULL: people have no hours. */
    int64_t (*opens_at)(void *arg, const char *calendar, int64_t at);
    void *opens_arg;
};

/* One message to be: a person's first way has way 0, the next ones wait for it. */
struct page {
    const char *channel;
    const char *recipient; /* name of the person; "desk", "ops" */
    const char *address;
    int way;
    int64_t not_before; /* what is not urgent waits for the person's hours; 0: at once */
};

/* Texts point into the scene. */
struct pages {
    struct page items[PAGES_MAX];
    size_t count;  /* messages */
    size_t people; /* those of way 0 */
    /* What found no room: people, who are told nothing (who is named twice counts twice), and further ways of those who are told. A
     * person goes before further ways of others. */
    size_t people_left_out, ways_left_out;
};

void pages_clear(struct pages *pages);

/* Adds whom these targets reach, nobody twice. True: somebody was added, or is there already. */
bool escal_targets_add(const struct escal_scene *scene, const struct people_targets *targets,
                       enum process_urgency urgency, struct pages *ret);

/* The first of the targets that reaches somebody. False: none does. */
bool escal_targets_first(const struct escal_scene *scene, const struct people_targets *targets,
                         enum process_urgency urgency, struct pages *ret);

/* Whom one step tells now. A reminder is for who acknowledged, or for the desk when they cannot be reached; nobody is added for ESCAL_OVER:
 * that is told to those who had been told. */
void escal_targets_step(const struct escal_scene *scene, const struct process_escalation *policy,
                        const struct escal_step *step, struct pages *ret);

/* Whether each level of the policy reaches anybody now, and behind them the last resort: reach of struct escal_now. */
void escal_targets_reach(const struct escal_scene *scene, const struct process_escalation *policy, bool *ret);

#endif
