/* The people's part of a process as data: staff.yaml, escalation.yaml, oncall.yaml. Who there is and how each is
 * reached, which alert climbs which levels, who is on call when. What it means is told elsewhere: a step of an
 * escalation by the notifier (notifier/escal.h), a schedule by common/oncall.h. Values point into the process that owns
 * them. */
#ifndef DOCKET_PROCESS_PEOPLE_H
#define DOCKET_PROCESS_PEOPLE_H

#include "buf.h"
#include "faults.h"

#include "channels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PEOPLE_WAYS_MAX = CHANNELS,
    PEOPLE_MAX = 2000,
    TEAMS_MAX = 200,
    SCHEDULES_MAX = 100,
    LAYERS_MAX = 20,
    POLICIES_MAX = 100,
    LEVELS_MAX = 20,
    TARGETS_MAX = 20,
    PEOPLE_PAGES_MAX = 200 /* messages of one step */
};

struct process_day;

/* ---- staff.yaml ---- */

/* One way to somebody: "email", "xmpp", "phone", "sms", … and the address there. */
struct process_way {
    const char *channel; /* static */
    const char *address;
};

struct process_person {
    const char *name;  /* as in `as` and `assignee` */
    const char *title; /* for people: "Ada Lovelace"; the name when it is not given */
    struct process_way ways[PEOPLE_WAYS_MAX];
    size_t way_count;
    const char *zone;   /* NULL: not told */
    const char *locale; /* NULL: not told */
    const char *hours;  /* calendar in which what is not urgent reaches them; NULL: always */
    struct fault_place place;
};

struct process_names {
    const char **items;
    size_t count;
};

struct process_team {
    const char *name;
    struct process_names members;
    struct process_names queues; /* whose tickets are theirs; the team's own name is one always */
    const char *lead;            /* NULL: none */
    struct fault_place place;
};

/* ---- oncall.yaml ---- */

enum process_rotation { ROTATE_HOURS, ROTATE_DAYS, ROTATE_WEEKS, ROTATE_MONTHS };

/* People who take turns. Hand-over is at a time of the wall clock. Of two layers that are both on, the later one holds. */
struct process_layer {
    const char *zone;
    enum process_rotation unit;
    int64_t every;      /* how many units a turn lasts */
    int32_t start_date; /* day zero: days since 1970-01-01 */
    int32_t handover_s; /* of the day */
    struct process_names people;
    struct process_day *week; /* 7 days, 0 Monday: only then; NULL: always */
    const char *import; /* an iCalendar file of the process, whose summaries are names; NULL: a rotation */
    struct fault_place place;
};

struct process_schedule {
    const char *name;
    const char *zone;
    struct process_layer *layers;
    size_t layer_count;
    bool may_have_gaps; /* nobody on call is meant so: `check` and `staff.away` do not mind */
    struct fault_place place;
};

/* ---- escalation.yaml ---- */

enum process_urgency { URGENCY_URGENT, URGENCY_NORMAL, URGENCY_LOW, URGENCIES };

enum people_target_kind {
    TARGET_PERSON,   /* name */
    TARGET_TEAM,     /* name: all its members */
    TARGET_ONCALL,   /* name: who is on call in that schedule now */
    TARGET_ASSIGNEE, /* of the ticket */
    TARGET_QUEUE,    /* the team of the ticket's queue */
    TARGET_LEAD,     /* the lead of that team */
    TARGET_ACKER,    /* who acknowledged */
    TARGET_DESK,     /* staff_address of the notifier's settings */
    TARGET_OPS,      /* ops_address */
    TARGET_KINDS
};

struct people_target {
    enum people_target_kind kind;
    const char *name; /* NULL where the kind has none */
};

struct people_targets {
    struct people_target *items;
    size_t count;
};

/* A span of real time, or of a calendar's opening time. */
struct process_delay {
    int64_t seconds;
    bool working;
};

struct process_level {
    struct process_delay after; /* since the alert was opened (again), or since the round began */
    struct people_targets tell;
};

struct process_levels {
    struct process_level *items;
    size_t count;
};

/* How one kind of alert climbs. */
struct process_escalation {
    const char *name;
    enum process_urgency urgency;
    const char *calendar; /* of delays that are `working` */
    struct process_levels levels;
    struct process_delay repeat_every; /* after the last level */
    int32_t loops;                     /* rounds after the first */
    struct people_targets last_resort;
    struct process_delay last_every;
    struct process_delay remind_after; /* acknowledged, and no progress since; 0: never */
    struct process_delay unack_after;  /* the reminder was not answered */
    struct fault_place place;
};

/* Which alerts a policy is for: all that is given must hold. */
struct process_escalation_match {
    const char *policy;
    unsigned priorities;         /* a bit each, 1 << priority; 0: any */
    struct process_names kinds;  /* of alerts: alert, missed, dead, ops */
    struct process_names causes; /* the cause's first word: p1, missed, dead, ops, a rule's */
    struct process_names queues;
    struct fault_place place;
};

/* What is no alert but told to staff (warning, task, tell): the first of these who can be told. */
struct process_notice {
    const char *kind;
    enum process_urgency urgency;
    struct people_targets first;
};

/* The whole of the three files. Without them everybody is the desk's one address. */
struct process_people {
    struct process_person *persons;
    size_t person_count;
    struct process_team *teams;
    size_t team_count;
    struct process_schedule *schedules;
    size_t schedule_count;
    struct process_names
        channels[URGENCIES];                /* in order: the first that a person has is used, then the next */
    struct process_escalation *escalations; /* the last is the built-in one */
    size_t escalation_count;
    struct process_escalation_match *matches;
    size_t match_count;
    struct process_notice *notices;
    size_t notice_count;
};

struct process;

/* By the name in staff.yaml; NULL: there is none. */
const struct process_person *process_person_find(const struct process_people *people, const char *name);
/* What people call who has that name in staff.yaml: "Ada Lovelace"; the name itself where staff.yaml does not know it. people: NULL: none are known. */
struct span process_person_title(const struct process_people *people, struct span name);
const struct process_team *process_team_find(const struct process_people *people, const char *name);
/* The team whose queue it is; NULL when there is none. */
const struct process_team *process_queue_team(const struct process_people *people, const char *queue);
const struct process_schedule *process_schedule_find(const struct process_people *people, const char *name);

/* What the choice of a policy looks at. Texts may be NULL. */
struct process_alert_facts {
    const char *kind;
    const char *cause;
    const char *queue;
    int priority;
};

/* The policy of an alert: that of the first match, else the built-in one. Never NULL. */
const struct process_escalation *process_escalation_of(const struct process_people *people,
                                                       const struct process_alert_facts *facts);
const struct process_notice *process_notice_find(const struct process_people *people, const char *kind);

const char *process_urgency_name(enum process_urgency urgency);

#endif
