/* escalation.yaml: policies of levels, which alert has which, what staff are told besides. Who is named must be in
 * staff.yaml and oncall.yaml, which are read before. */
#include "channels.h"
#include "process_internal.h"
#include "template_names.h"

#include <string.h>

enum { LOOPS_MAX = 100, NOTICES_MAX = 50, MATCHES_MAX = 200 };
#define REPEAT_LEAST_S 1 /* a round that begins at once again would be a storm */
#define REPEAT_FORM "{every: 15m, loops: 5}"
#define UNACK_FORM "{after: 30m, grace: 15m}"
#define NOTICE_DEFAULT URGENCY_NORMAL

static const char *const file_keys[] = {"channels", "policies", "match", "notices"};
static const char *const policy_keys[] = {"urgency", "calendar", "levels", "repeat", "last_resort", "unack"};
static const char *const level_keys[] = {"after", "tell"};
static const char *const repeat_keys[] = {"every", "loops"};
static const char *const last_keys[] = {"every", "tell"};
static const char *const unack_keys[] = {"after", "grace"};
static const char *const match_keys[] = {"policy", "priority", "kind", "cause", "queue"};
static const char *const notice_keys[] = {"first", "urgency"};
static const char *const alert_kinds[] = {"alert", "missed", "dead", "ops"};

/* ---- targets ---- */

/* Whether the name of a target is known; the row's kind says where. */
static bool target_is_known(const struct process_people *people, const struct people_target *target)
{
    switch (target->kind) {
    case TARGET_PERSON:
        return process_person_find(people, target->name) != NULL;
    case TARGET_TEAM:
        return process_team_find(people, target->name) != NULL;
    case TARGET_ONCALL:
        return process_schedule_find(people, target->name) != NULL;
    default:
        return true;
    }
}

bool load_target_known(struct load *load, const struct yaml_node *node, const char *what,
                       const struct people_target *target)
{
    const struct process_people *people = &load->process->people;
    const char *home = target->kind == TARGET_ONCALL ? "oncall.yaml" : "staff.yaml";
    char hint[FAULTS_HINT_BYTES];

    if (target_is_known(people, target))
        return true;
    if (target->kind == TARGET_PERSON)
        NAMES_HINT(people->persons, people->person_count, target->name, hint);
    else if (target->kind == TARGET_TEAM)
        NAMES_HINT(people->teams, people->team_count, target->name, hint);
    else
        NAMES_HINT(people->schedules, people->schedule_count, target->name, hint);
    return faults_add(load->faults, node->place, "%s: %s: \"%s\" is not in %s%s", what,
                      process_target_rows[target->kind].word, target->name, home, hint);
}

static bool target_parse(struct load *load, const struct yaml_node *node, struct people_target *ret)
{
    size_t len = strcspn(node->text, ":");

    for (int kind = 0; kind < TARGET_KINDS; kind++) {
        const struct process_target_row *row = &process_target_rows[kind];
        if (strlen(row->word) != len || strncmp(row->word, node->text, len) != 0)
            continue;
        if (row->named != (node->text[len] == ':') || (row->named && node->text[len + 1] == '\0'))
            return false;
        *ret = (struct people_target){(enum people_target_kind)kind,
                                      row->named ? process_text(load->process, node->text + len + 1) : NULL};
        return true;
    }
    return false;
}

static bool load_target(struct load *load, const struct yaml_node *node, const char *what,
                        struct people_target *ret)
{
    if (node->kind != NODE_SCALAR || !target_parse(load, node, ret))
        return faults_add(
            load->faults, node->place,
            "%s: \"%s\" is not allowed, want person:NAME, team:NAME, oncall:SCHEDULE, assignee, "
            "queue, lead, acker, desk or ops",
            what, node->text);
    return load_target_known(load, node, what, ret);
}

static bool load_targets(struct load *load, const struct yaml_node *node, const char *what,
                         struct people_targets *ret)
{
    bool ok = true;

    if (node->kind == NODE_MAP || node_many(node) == 0)
        return faults_add(load->faults, node->place, "%s: is empty or a map, want a list of who is told",
                          what);
    if (node_many(node) > TARGETS_MAX)
        return faults_add(load->faults, node->place, "%s: has %zu entries, want at most %d", what,
                          node_many(node), TARGETS_MAX);
    ret->items = process_alloc(load->process, node_many(node), sizeof *ret->items);
    ret->count = 0; /* a list that was there before, of a default say, is replaced */
    for (size_t i = 0; i < node_many(node); i++)
        if (load_target(load, node_one(node, i), what, &ret->items[ret->count]))
            ret->count++;
        else
            ok = false;
    return ok;
}

/* ---- policies ---- */

static bool load_delay(struct load *load, const struct yaml_node *node, const char *what, int64_t least_s,
                       struct process_delay *ret)
{
    if (!load_duration(load, node, what, &ret->seconds, &ret->working))
        return false;
    if (ret->seconds < least_s)
        return faults_add(load->faults, node->place, "%s: \"%s\" is too short, want at least %llds", what,
                          node->text, (long long)least_s);
    return true;
}

static bool load_level(struct load *load, const struct yaml_node *map, struct process_level *level)
{
    const struct yaml_node *after = yaml_node_find(map, "after"), *tell = yaml_node_find(map, "tell");

    if (!load_is_map(load, map, "levels", "{after: 15m, tell: [queue, desk]}"))
        return false;
    bool ok = yaml_node_check_keys(map, "levels", level_keys, 2, load->faults);
    if (after == NULL || tell == NULL)
        return faults_add(load->faults, map->place, "levels: a level is {after: 5m, tell: [oncall:primary]}");
    ok = load_delay(load, after, "after", 0, &level->after) && ok;
    return load_targets(load, tell, "tell", &level->tell) && ok;
}

static bool load_levels(struct load *load, const struct yaml_node *list, struct process_escalation *policy)
{
    bool ok = load_is_list(load, list, "levels", "[{after: 0m, tell: [queue]}, {after: 15m, tell: [lead]}]");

    if (!ok)
        return false;
    if (list->count == 0 || list->count > LEVELS_MAX)
        return faults_add(load->faults, list->place, "levels: has %zu entries, want 1 to %d", list->count,
                          LEVELS_MAX);
    policy->levels.items = process_alloc(load->process, list->count, sizeof *policy->levels.items);
    for (size_t i = 0; i < list->count; i++) {
        struct process_level *level = &policy->levels.items[i];
        ok = load_level(load, list->items[i], level) && ok;
        policy->levels.count++;
        if (i > 0 && ok &&
            (level->after.seconds < level[-1].after.seconds ||
             level->after.working != level[-1].after.working))
            ok = faults_add(load->faults, list->items[i]->place,
                            "levels: after %s the one before, want delays that rise, all working or none",
                            level->after.working == level[-1].after.working ? "lies before" : "is not as");
    }
    return ok;
}

/* A map that says nothing is hardly meant. One that is stored has what is built in. */
static void refuse_empty(struct load *load, const struct yaml_node *map, const char *what, const char *form)
{
    if (map->count == 0)
        (void)faults_add(&load->process->refusals, map->place, "%s: is empty, want a map like %s", what,
                         form);
}

static bool load_repeat(struct load *load, const struct yaml_node *map, struct process_escalation *policy)
{
    const struct yaml_node *every = yaml_node_find(map, "every"), *loops = yaml_node_find(map, "loops");
    int64_t count = 0;

    if (!load_is_map(load, map, "repeat", REPEAT_FORM))
        return false;
    refuse_empty(load, map, "repeat", REPEAT_FORM);
    bool ok = yaml_node_check_keys(map, "repeat", repeat_keys, 2, load->faults);
    if (every != NULL)
        ok = load_delay(load, every, "every", REPEAT_LEAST_S, &policy->repeat_every) && ok;
    if (loops != NULL && yaml_node_int(loops, "loops", 0, LOOPS_MAX, &count, load->faults))
        policy->loops = (int32_t)count;
    else
        ok = loops == NULL && ok;
    return ok;
}

static bool load_last_resort(struct load *load, const struct yaml_node *map,
                             struct process_escalation *policy)
{
    const struct yaml_node *every = yaml_node_find(map, "every"), *tell = yaml_node_find(map, "tell");

    if (!load_is_map(load, map, "last_resort", "{tell: [ops, desk], every: 1h}"))
        return false;
    bool ok = yaml_node_check_keys(map, "last_resort", last_keys, 2, load->faults);
    if (every != NULL)
        ok = load_delay(load, every, "every", REPEAT_LEAST_S, &policy->last_every) && ok;
    if (tell == NULL)
        return faults_add(load->faults, map->place,
                          "last_resort: tells nobody, want tell: who is told when nobody answers");
    policy->last_resort.count = 0;
    return load_targets(load, tell, "last_resort", &policy->last_resort) && ok;
}

static bool load_unack(struct load *load, const struct yaml_node *map, struct process_escalation *policy)
{
    const struct yaml_node *after = yaml_node_find(map, "after"), *grace = yaml_node_find(map, "grace");

    if (!load_is_map(load, map, "unack", UNACK_FORM))
        return false;
    refuse_empty(load, map, "unack", UNACK_FORM);
    bool ok = yaml_node_check_keys(map, "unack", unack_keys, 2, load->faults);
    if (after != NULL)
        ok = load_delay(load, after, "after", 1, &policy->remind_after) && ok;
    if (grace != NULL)
        ok = load_delay(load, grace, "grace", 1, &policy->unack_after) && ok;
    return ok;
}

static bool load_policy_row(struct load *load, const struct yaml_node *map, struct process_escalation *policy)
{
    const struct yaml_node *node = NULL;
    size_t urgency = 0;

    if (!load_is_map(load, map, policy->name, "{urgency: urgent, levels: [{after: 0m, tell: [queue]}]}"))
        return false;
    bool ok = yaml_node_check_keys(map, policy->name, policy_keys, sizeof policy_keys / sizeof policy_keys[0],
                                   load->faults);
    policy->calendar = load->process->policy.calendar;
    policy->unack_after = (struct process_delay){900, false};
    if ((node = yaml_node_find(map, "urgency")) != NULL) {
        ok = load_choice(load, node, "urgency", process_urgency_names, URGENCIES, &urgency) && ok;
        policy->urgency = (enum process_urgency)urgency;
    }
    if ((node = yaml_node_find(map, "calendar")) != NULL)
        ok = load_name(load, node, "calendar", &policy->calendar) &&
             load_calendar_known(load, node, policy->calendar) && ok;
    if ((node = yaml_node_find(map, "repeat")) != NULL)
        ok = load_repeat(load, node, policy) && ok;
    if ((node = yaml_node_find(map, "last_resort")) != NULL)
        ok = load_last_resort(load, node, policy) && ok;
    if ((node = yaml_node_find(map, "unack")) != NULL)
        ok = load_unack(load, node, policy) && ok;
    if ((node = yaml_node_find(map, "levels")) == NULL)
        return faults_add(load->faults, policy->place, "%s: has no levels", policy->name);
    return load_levels(load, node, policy) && ok;
}

static bool load_policies(struct load *load, const struct yaml_node *map)
{
    struct process_people *people = &load->process->people;
    bool ok = true;

    if (yaml_node_is_null(map))
        return true;
    if (!load_is_map(load, map, "policies", "{p1: {urgency: urgent, levels: [{after: 0m, tell: [queue]}]}}"))
        return false;
    if (!load_at_most(load, map, "policies", POLICIES_MAX))
        return false;
    people->escalations = process_alloc(load->process, map->count, sizeof *people->escalations);
    for (size_t i = 0; i < map->count; i++) {
        struct process_escalation *policy = &people->escalations[people->escalation_count];
        *policy = process_escalation_built_in;
        policy->place = map->keys[i]->place;
        policy->levels = (struct process_levels){NULL, 0};
        if (!load_name(load, map->keys[i], "a policy", &policy->name)) {
            ok = false;
            continue;
        }
        people->escalation_count++;
        ok = load_policy_row(load, map->items[i], policy) && ok;
    }
    return ok;
}

/* ---- which alert has which ---- */

static bool load_priorities(struct load *load, const struct yaml_node *node, unsigned *ret)
{
    bool ok = true;
    for (size_t i = 0; i < node_many(node); i++) {
        int64_t priority = 0;
        if (yaml_node_int(node_one(node, i), "priority", 1, PROCESS_PRIORITIES, &priority, load->faults))
            *ret |= 1u << priority;
        else
            ok = false;
    }
    return ok;
}

static bool load_kind(struct load *load, const struct yaml_node *node, const char *what, const char **ret)
{
    size_t choice = 0;
    if (!load_choice(load, node, what, alert_kinds, sizeof alert_kinds / sizeof alert_kinds[0], &choice))
        return false;
    *ret = alert_kinds[choice];
    return true;
}

static bool load_match(struct load *load, const struct yaml_node *map, struct process_escalation_match *match)
{
    const struct process_people *people = &load->process->people;
    const struct yaml_node *node = NULL;
    char hint[FAULTS_HINT_BYTES];

    match->place = map->place;
    if (!load_is_map(load, map, "match", "{priority: 1, policy: p1}"))
        return false;
    bool ok = yaml_node_check_keys(map, "match", match_keys, sizeof match_keys / sizeof match_keys[0],
                                   load->faults);
    if ((node = yaml_node_find(map, "priority")) != NULL)
        ok = load_priorities(load, node, &match->priorities) && ok;
    if ((node = yaml_node_find(map, "kind")) != NULL)
        ok = load_name_list(load, node, "kind", load_kind, &match->kinds) && ok;
    if ((node = yaml_node_find(map, "cause")) != NULL)
        ok = load_name_list(load, node, "cause", load_name, &match->causes) && ok;
    if ((node = yaml_node_find(map, "queue")) != NULL)
        ok = load_name_list(load, node, "queue", load_name, &match->queues) && ok;
    if ((node = yaml_node_find(map, "policy")) == NULL)
        return faults_add(load->faults, map->place, "match: names no policy");
    if (!load_name(load, node, "policy", &match->policy))
        return false;
    if (process_policy_find(people, match->policy) != NULL)
        return ok;
    NAMES_HINT(people->escalations, people->escalation_count, match->policy, hint);
    return faults_add(load->faults, node->place, "policy: \"%s\" is none of the policies of this file%s",
                      match->policy, hint);
}

static bool match_is_for_all(const struct process_escalation_match *match)
{
    return match->priorities == 0 && match->kinds.count == 0 && match->causes.count == 0 &&
           match->queues.count == 0;
}

static bool load_matches(struct load *load, const struct yaml_node *list)
{
    struct process_people *people = &load->process->people;
    bool ok = true;

    if (yaml_node_is_null(list))
        return true;
    if (!load_is_list(load, list, "match", "[{priority: 1, policy: p1}]"))
        return false;
    if (!load_at_most(load, list, "match", MATCHES_MAX))
        return false;
    people->matches = process_alloc(load->process, list->count, sizeof *people->matches);
    for (size_t i = 0; i < list->count; i++) {
        struct process_escalation_match *match = &people->matches[people->match_count];
        if (!load_match(load, list->items[i], match))
            ok = false;
        else if (++people->match_count < list->count && match_is_for_all(match))
            ok = faults_add(load->faults, list->items[i]->place,
                            "match: is for every alert, so those after it are never reached");
    }
    return ok;
}

/* ---- what is no alert ---- */

static bool load_notices(struct load *load, const struct yaml_node *map)
{
    struct process_people *people = &load->process->people;
    bool ok = true;

    if (yaml_node_is_null(map))
        return true;
    if (!load_is_map(load, map, "notices", "{warning: {first: [queue, desk], urgency: normal}}"))
        return false;
    if (!load_at_most(load, map, "notices", NOTICES_MAX))
        return false;
    people->notices = process_alloc(load->process, map->count, sizeof *people->notices);
    for (size_t i = 0; i < map->count; i++) {
        struct process_notice *notice = &people->notices[people->notice_count];
        const struct yaml_node *row = map->items[i], *first = yaml_node_find(row, "first"),
                               *urgency = yaml_node_find(row, "urgency");
        size_t choice = NOTICE_DEFAULT;
        bool fine = load_name(load, map->keys[i], "a notice", &notice->kind) &&
                    load_is_map(load, row, notice->kind, "{first: [queue, desk], urgency: normal}") &&
                    yaml_node_check_keys(row, notice->kind, notice_keys, 2, load->faults);
        if (fine && first == NULL)
            fine =
                faults_add(load->faults, map->keys[i]->place, "%s: tells nobody, want first", notice->kind);
        fine = fine && load_targets(load, first, "first", &notice->first);
        if (fine && template_kind_near(notice->kind) != NULL)
            (void)faults_add(&load->process->warnings, map->keys[i]->place,
                             "notices: \"%s\" is no kind of message (did you mean %s?)", notice->kind,
                             template_kind_near(notice->kind));
        if (fine && urgency != NULL)
            fine = load_choice(load, urgency, "urgency", process_urgency_names, URGENCIES, &choice);
        notice->urgency = (enum process_urgency)choice;
        people->notice_count += fine;
        ok = ok && fine;
    }
    return ok;
}

/* ---- whether anybody can be reached ---- */

static bool person_has_way(const struct process_people *people, const char *name,
                           enum process_urgency urgency)
{
    const struct process_person *person = process_person_find(people, name);

    for (size_t i = 0; person != NULL && i < person->way_count; i++)
        for (size_t k = 0; k < people->channels[urgency].count; k++)
            if (strcmp(person->ways[i].channel, people->channels[urgency].items[k]) == 0)
                return true;
    return false;
}

/* Whether a target can ever reach somebody, as far as the files tell. */
static bool target_can_reach(const struct process_people *people, const struct people_target *target,
                             enum process_urgency urgency)
{
    if (target->kind == TARGET_PERSON)
        return person_has_way(people, target->name, urgency);
    if (target->kind != TARGET_TEAM)
        return true;
    const struct process_team *team = process_team_find(people, target->name);
    for (size_t i = 0; i < team->members.count; i++)
        if (person_has_way(people, team->members.items[i], urgency))
            return true;
    return false;
}

static bool targets_can_reach(const struct process_people *people, const struct people_targets *targets,
                              enum process_urgency urgency)
{
    for (size_t i = 0; i < targets->count; i++)
        if (target_can_reach(people, &targets->items[i], urgency))
            return true;
    return false;
}

/* Whoever these are depends on the ticket: they may be nobody. */
static bool targets_depend_on_ticket(const struct people_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        enum people_target_kind kind = targets->items[i].kind;
        if (kind != TARGET_ASSIGNEE && kind != TARGET_QUEUE && kind != TARGET_LEAD && kind != TARGET_ACKER)
            return false;
    }
    return true;
}

/* The last resort stands alone: somebody of it must have a channel of the urgency, and it should not depend on the ticket. */
static bool load_reachable(struct load *load)
{
    const struct process_people *people = &load->process->people;
    bool ok = true;

    for (size_t i = 0; i < people->escalation_count; i++) {
        const struct process_escalation *policy = &people->escalations[i];
        if (!targets_can_reach(people, &policy->last_resort, policy->urgency))
            ok = faults_add(
                load->faults, policy->place,
                "%s: nobody of its last_resort has an address on a channel of %s, want somebody who has",
                policy->name, process_urgency_name(policy->urgency));
        if (targets_depend_on_ticket(&policy->last_resort))
            (void)faults_add(&load->process->warnings, policy->place,
                             "%s: its last_resort depends on the ticket and may be nobody, want a person, a "
                             "team, an on-call "
                             "schedule, desk or ops with it",
                             policy->name);
        for (size_t k = 0; k < policy->levels.count; k++)
            if (!targets_can_reach(people, &policy->levels.items[k].tell, policy->urgency))
                (void)
                    faults_add(&load->process->warnings, policy->place,
                               "%s: nobody of level %zu has an address on a channel of %s: it is passed over",
                               policy->name, k + 1, process_urgency_name(policy->urgency));
    }
    return ok;
}

/* ---- channels by urgency ---- */

static bool load_channel(struct load *load, const struct yaml_node *node, const char *what, const char **ret)
{
    const char *channel = node->kind == NODE_SCALAR ? channel_name_find(node->text) : NULL;
    if (channel == NULL)
        return faults_add(load->faults, node->place, "%s: \"%s\" is not allowed, want one of %s", what,
                          node->text, channel_names + 2);
    *ret = channel;
    return true;
}

/* Loudest first for what cannot wait. */
static void channels_by_default(struct process_names channels[URGENCIES])
{
    static const char *urgent[] = {"phone", "sms", "xmpp", "webhook", "email"},
                      *normal[] = {"xmpp", "email", "webhook", "sms", "phone"},
                      *low[] = {"email", "xmpp", "webhook", "sms", "phone"};

    channels[URGENCY_URGENT] = (struct process_names){urgent, 5};
    channels[URGENCY_NORMAL] = (struct process_names){normal, 5};
    channels[URGENCY_LOW] = (struct process_names){low, 5};
}

static bool load_channels(struct load *load, const struct yaml_node *map)
{
    struct process_names *channels = load->process->people.channels;

    if (!load_is_map(load, map, "channels", "{urgent: [phone, email], normal: [email], low: [email]}"))
        return false;
    bool ok = yaml_node_check_keys(map, "channels", process_urgency_names, URGENCIES, load->faults);
    for (int urgency = 0; urgency < URGENCIES; urgency++) {
        const struct yaml_node *node = yaml_node_find(map, process_urgency_names[urgency]);
        if (node != NULL)
            ok = load_name_list(load, node, process_urgency_names[urgency], load_channel,
                                &channels[urgency]) &&
                 ok;
        if (node != NULL && ok && channels[urgency].count == 0)
            (void)
                faults_add(&load->process->refusals, node->place,
                           "%s: is empty, so nobody could be told what is %s, want channels such as [email]",
                           process_urgency_names[urgency], process_urgency_names[urgency]);
    }
    return ok;
}

/* What nobody is led to looks as if it were in force: its alerts have the built-in policy. */
static void warn_unmatched(struct load *load)
{
    const struct process_people *people = &load->process->people;

    for (size_t i = 0; i < people->escalation_count; i++) {
        const struct process_escalation *policy = &people->escalations[i];
        bool matched = false;
        for (size_t k = 0; k < people->match_count && !matched; k++)
            matched = strcmp(people->matches[k].policy, policy->name) == 0;
        if (!matched)
            (void)faults_add(&load->process->warnings, policy->place,
                             "%s: no line of match leads to it, so no alert has it, want one such as "
                             "{priority: 1, policy: %s}",
                             policy->name, policy->name);
    }
}

bool load_escalation(struct load *load, const struct yaml_node *root)
{
    channels_by_default(load->process->people.channels);
    if (yaml_node_is_null(root))
        return true;
    if (!load_is_map(load, root, "the file", "{channels: {…}, policies: {…}, match: […]}"))
        return false;
    bool ok = yaml_node_check_keys(root, "escalation.yaml", file_keys, 4, load->faults);
    const struct yaml_node *channels = yaml_node_find(root, "channels");
    if (channels != NULL && !yaml_node_is_null(channels))
        ok = load_channels(load, channels) && ok;
    ok = load_policies(load, yaml_node_find(root, "policies")) && ok;
    ok = ok && load_reachable(load);
    if (ok)
        load_crowds(load);
    ok = load_matches(load, yaml_node_find(root, "match")) && ok;
    if (ok)
        warn_unmatched(load);
    return load_notices(load, yaml_node_find(root, "notices")) && ok;
}
