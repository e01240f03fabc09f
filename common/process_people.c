/* What escalation.yaml says, looked up: which alert has which policy, names of targets and urgencies. */
#include "process_internal.h"

#include <string.h>

const char *const process_urgency_names[URGENCIES] = {"urgent", "normal", "low"};

/* "assignee" alone, or "team:noc". */
const struct process_target_row process_target_rows[TARGET_KINDS] = {
    [TARGET_PERSON] = {"person", true}, [TARGET_TEAM] = {"team", true},
    [TARGET_ONCALL] = {"oncall", true}, [TARGET_ASSIGNEE] = {"assignee", false},
    [TARGET_QUEUE] = {"queue", false},  [TARGET_LEAD] = {"lead", false},
    [TARGET_ACKER] = {"acker", false},  [TARGET_DESK] = {"desk", false},
    [TARGET_OPS] = {"ops", false},
};

/* ---- what is built in ---- */

static struct people_target desk_target[] = {{TARGET_DESK, NULL}}, ops_target[] = {{TARGET_OPS, NULL}};
static struct process_level built_in_levels[] = {{{0, false}, {desk_target, 1}}};

/* Without a policy of the company's: the desk's address at once and each quarter of an hour, then ops each hour. */
#define BUILT_IN                                                                   \
    .name = "built-in", .urgency = URGENCY_URGENT, .levels = {built_in_levels, 1}, \
    .repeat_every = {900, false}, .loops = 5, .last_resort = {ops_target, 1}, .last_every = {3600, false}

const struct process_escalation process_escalation_built_in = {BUILT_IN};

/* A P1 that was acknowledged and then forgotten comes back. */
static const struct process_escalation built_in_p1 = {BUILT_IN, .remind_after = {1800, false},
                                                      .unack_after = {900, false}};

/* ---- look-ups ---- */

const char *process_urgency_name(enum process_urgency urgency)
{
    return (unsigned)urgency < URGENCIES ? process_urgency_names[urgency] : "unknown";
}

static bool names_have(const struct process_names *names, const char *name, size_t len)
{
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->items[i]) == len && strncmp(names->items[i], name, len) == 0)
            return true;
    return false;
}

static bool match_is(const struct process_escalation_match *match, const struct process_alert_facts *facts)
{
    if (match->priorities != 0 && (match->priorities & 1u << facts->priority) == 0)
        return false;
    if (match->kinds.count != 0 &&
        (facts->kind == NULL || !names_have(&match->kinds, facts->kind, strlen(facts->kind))))
        return false;
    if (match->causes.count != 0 &&
        (facts->cause == NULL || !names_have(&match->causes, facts->cause, strcspn(facts->cause, ":"))))
        return false;
    return match->queues.count == 0 ||
           (facts->queue != NULL && names_have(&match->queues, facts->queue, strlen(facts->queue)));
}

const struct process_escalation *process_policy_find(const struct process_people *people, const char *name)
{
    for (size_t i = 0; i < people->escalation_count; i++)
        if (strcmp(people->escalations[i].name, name) == 0)
            return &people->escalations[i];
    return NULL;
}

const struct process_escalation *process_escalation_of(const struct process_people *people,
                                                       const struct process_alert_facts *facts)
{
    for (size_t i = 0; i < people->match_count; i++)
        if (match_is(&people->matches[i], facts))
            return process_policy_find(people, people->matches[i].policy);
    return facts->priority == 1 ? &built_in_p1 : &process_escalation_built_in;
}

const struct process_notice *process_notice_find(const struct process_people *people, const char *kind)
{
    for (size_t i = 0; i < people->notice_count; i++)
        if (strcmp(people->notices[i].kind, kind) == 0)
            return &people->notices[i];
    return NULL;
}
