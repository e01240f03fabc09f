/* How many people each level of a policy tells, as far as the files alone let know it: who finds no room among the messages of a step is
 * told nothing by it. Knows nothing of who is on call. */
#include "process_internal.h"

#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Members as indices of persons: looked up once, whatever the number of levels. */
struct crew {
    size_t *items;
    size_t count;
};

struct crowd {
    const struct process_people *people;
    struct crew *crews; /* as people->teams */
    size_t *ways;       /* of each person, on the channels of the urgency */
    bool *seen;         /* each person */
    size_t count, way_count;
};

static size_t person_ways(const struct process_person *person, const struct process_names *channels)
{
    size_t ways = 0;

    for (size_t i = 0; i < person->way_count; i++)
        for (size_t k = 0; k < channels->count; k++)
            ways += strcmp(person->ways[i].channel, channels->items[k]) == 0;
    return ways;
}

static void crowd_init(struct crowd *crowd, const struct process_people *people)
{
    *crowd = (struct crowd){.people = people,
                            .crews = mem_new(people->team_count + 1, sizeof *crowd->crews),
                            .ways = mem_new(people->person_count + 1, sizeof *crowd->ways),
                            .seen = mem_new(people->person_count + 1, sizeof *crowd->seen)};
    for (size_t i = 0; i < people->team_count; i++) {
        const struct process_names *members = &people->teams[i].members;
        struct crew *crew = &crowd->crews[i];
        crew->items = mem_new(members->count + 1, sizeof *crew->items);
        for (size_t k = 0; k < members->count; k++) {
            const struct process_person *person = process_person_find(people, members->items[k]);
            if (person != NULL)
                crew->items[crew->count++] = (size_t)(person - people->persons);
        }
    }
}

static void crowd_clear(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->people->team_count; i++)
        free(crowd->crews[i].items);
    free(crowd->crews);
    free(crowd->ways);
    free(crowd->seen);
}

static void crowd_add(struct crowd *crowd, size_t person)
{
    if (crowd->seen[person])
        return;
    crowd->seen[person] = true;
    crowd->count += crowd->ways[person] != 0;
    crowd->way_count += crowd->ways[person];
}

/* Those whom no ticket changes. */
static void crowd_gather(struct crowd *crowd, const struct people_targets *targets)
{
    memset(crowd->seen, 0, crowd->people->person_count * sizeof *crowd->seen);
    crowd->count = crowd->way_count = 0;
    for (size_t i = 0; i < targets->count; i++) {
        const struct people_target *target = &targets->items[i];
        const struct process_person *person =
            target->kind == TARGET_PERSON ? process_person_find(crowd->people, target->name) : NULL;
        const struct process_team *team =
            target->kind == TARGET_TEAM ? process_team_find(crowd->people, target->name) : NULL;
        if (person != NULL)
            crowd_add(crowd, (size_t)(person - crowd->people->persons));
        for (size_t k = 0; team != NULL && k < crowd->crews[team - crowd->people->teams].count; k++)
            crowd_add(crowd, crowd->crews[team - crowd->people->teams].items[k]);
    }
}

/* How many there are when the ticket is in a queue of that team. */
static size_t crowd_with(const struct crowd *crowd, const struct crew *crew)
{
    size_t count = crowd->count;

    for (size_t i = 0; i < crew->count; i++)
        count += !crowd->seen[crew->items[i]] && crowd->ways[crew->items[i]] != 0;
    return count;
}

static bool has_queue(const struct people_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        if (targets->items[i].kind == TARGET_QUEUE)
            return true;
    return false;
}

static void judge_queues(struct load *load, const struct crowd *crowd,
                         const struct process_escalation *policy, const char *level)
{
    for (size_t i = 0; i < crowd->people->team_count; i++) {
        size_t count = crowd_with(crowd, &crowd->crews[i]);
        if (count > PEOPLE_PAGES_MAX)
            (void)faults_add(
                &load->process->warnings, policy->place,
                "%s: %s tells %zu people of what is in a queue of %s, want at most %d: the others are "
                "not told",
                policy->name, level, count, crowd->people->teams[i].name, PEOPLE_PAGES_MAX);
    }
}

static void judge(struct load *load, struct crowd *crowd, const struct process_escalation *policy,
                  const char *level, const struct people_targets *targets)
{
    crowd_gather(crowd, targets);
    if (crowd->count > PEOPLE_PAGES_MAX) {
        (void)faults_add(&load->process->refusals, policy->place,
                         "%s: %s tells %zu people, want at most %d: the others would not be told",
                         policy->name, level, crowd->count, PEOPLE_PAGES_MAX);
        return;
    }
    if (crowd->way_count > PEOPLE_PAGES_MAX)
        (void)faults_add(
            &load->process->warnings, policy->place,
            "%s: %s has %zu ways to its people, more than the %d messages of a step: of some not all "
            "are tried",
            policy->name, level, crowd->way_count, PEOPLE_PAGES_MAX);
    if (has_queue(targets))
        judge_queues(load, crowd, policy, level);
}

void load_crowds(struct load *load)
{
    const struct process_people *people = &load->process->people;
    struct crowd crowd;
    char level[32];

    crowd_init(&crowd, people);
    for (size_t i = 0; i < people->escalation_count; i++) {
        const struct process_escalation *policy = &people->escalations[i];
        for (size_t k = 0; k < people->person_count; k++)
            crowd.ways[k] = person_ways(&people->persons[k], &people->channels[policy->urgency]);
        for (size_t k = 0; k < policy->levels.count; k++) {
            (void)snprintf(level, sizeof level, "level %zu", k + 1);
            judge(load, &crowd, policy, level, &policy->levels.items[k].tell);
        }
        judge(load, &crowd, policy, "its last_resort", &policy->last_resort);
    }
    crowd_clear(&crowd);
}
