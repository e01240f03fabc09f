/* From targets to people; see escal_targets.h. */
#include "escal_targets.h"

#include <string.h>

static bool pages_have(const struct pages *pages, const char *recipient)
{
    for (size_t i = 0; i < pages->count; i++)
        if (strcmp(pages->items[i].recipient, recipient) == 0)
            return true;
    return false;
}

void pages_clear(struct pages *pages)
{
    pages->count = pages->people = pages->people_left_out = pages->ways_left_out = 0;
}

/* Takes out the furthest way of them all, of those the last. False: everybody has one. */
static bool pages_take_way(struct pages *pages)
{
    size_t furthest = 0;

    for (size_t i = 0; i < pages->count; i++)
        if (pages->items[i].way >= pages->items[furthest].way)
            furthest = i;
    if (pages->items[furthest].way == 0)
        return false;
    pages->count--;
    memmove(&pages->items[furthest], &pages->items[furthest + 1],
            (pages->count - furthest) * sizeof pages->items[0]);
    pages->ways_left_out++;
    return true;
}

static bool pages_add(struct pages *pages, struct page page)
{
    if (pages->count == PAGES_MAX && (page.way != 0 || !pages_take_way(pages))) {
        pages->people_left_out += page.way == 0;
        pages->ways_left_out += page.way != 0;
        return false;
    }
    pages->items[pages->count++] = page;
    pages->people += page.way == 0;
    return true;
}

/* When somebody may be told of what is not urgent; 0: now. */
static int64_t person_hours(const struct escal_scene *scene, const struct process_person *person,
                            enum process_urgency urgency)
{
    if (urgency == URGENCY_URGENT || person->hours == NULL || scene->opens_at == NULL)
        return 0;
    int64_t opens_at = scene->opens_at(scene->opens_arg, person->hours, scene->at);
    return opens_at > scene->at ? opens_at : 0;
}

static const char *person_address(const struct process_person *person, const char *channel)
{
    for (size_t i = 0; i < person->way_count; i++)
        if (strcmp(person->ways[i].channel, channel) == 0)
            return person->ways[i].address;
    return NULL;
}

/* Who acts by mail or link without a name of staff.yaml is known by the address. */
static const struct process_person *person_of(const struct process_people *people, const char *name)
{
    const struct process_person *person = process_person_find(people, name);

    for (size_t i = 0; person == NULL && i < people->person_count; i++)
        for (size_t k = 0; k < people->persons[i].way_count; k++)
            if (strcmp(people->persons[i].ways[k].address, name) == 0)
                return &people->persons[i];
    return person;
}

/* One person by all their ways that are open, in the order of the urgency. */
static bool add_person(const struct escal_scene *scene, const char *name, enum process_urgency urgency,
                       struct pages *ret)
{
    const struct process_names *channels = &scene->people->channels[urgency];
    const struct process_person *named = name == NULL ? NULL : person_of(scene->people, name);
    const char *there = named == NULL ? NULL : oncall_stand_in(scene->overrides, named->name, scene->at);
    const struct process_person *person = there == NULL ? NULL : process_person_find(scene->people, there);
    int way = 0;

    if (person == NULL)
        return false;
    if (pages_have(ret, person->name))
        return true;
    int64_t not_before = person_hours(scene, person, urgency);
    for (size_t i = 0; i < channels->count; i++) {
        const char *address = person_address(person, channels->items[i]);
        if (address == NULL || !scene->is_open(scene->arg, channels->items[i]))
            continue;
        if (pages_add(ret, (struct page){channels->items[i], person->name, address, way, not_before}))
            way++;
        else if (way == 0)
            return false;
    }
    return way > 0;
}

static bool add_team(const struct escal_scene *scene, const struct process_team *team,
                     enum process_urgency urgency, struct pages *ret)
{
    bool any = false;
    for (size_t i = 0; team != NULL && i < team->members.count; i++)
        any = add_person(scene, team->members.items[i], urgency, ret) || any;
    return any;
}

static bool add_oncall(const struct escal_scene *scene, const char *schedule, enum process_urgency urgency,
                       struct pages *ret)
{
    int i = oncall_find(scene->oncall, span_of(schedule));
    struct oncall_set set = {.count = 0};
    bool any = false;

    if (i >= 0)
        oncall_at(scene->oncall, (size_t)i, scene->overrides, scene->at, &set);
    for (size_t k = 0; k < set.count; k++)
        any = add_person(scene, set.names[k], urgency, ret) || any;
    return any;
}

static bool add_address(const struct escal_scene *scene, const char *recipient, const char *address,
                        struct pages *ret)
{
    if (address == NULL || address[0] == '\0' || !scene->is_open(scene->arg, "email"))
        return false;
    for (size_t i = 0; i < ret->count; i++)
        if (strcmp(ret->items[i].address, address) == 0)
            return true;
    return pages_add(ret, (struct page){"email", recipient, address, 0, 0});
}

static const struct process_team *scene_team(const struct escal_scene *scene)
{
    return scene->queue == NULL ? NULL : process_queue_team(scene->people, scene->queue);
}

static bool add_target(const struct escal_scene *scene, const struct people_target *target,
                       enum process_urgency urgency, struct pages *ret)
{
    const struct process_team *team = scene_team(scene);

    switch (target->kind) {
    case TARGET_PERSON:
        return add_person(scene, target->name, urgency, ret);
    case TARGET_TEAM:
        return add_team(scene, process_team_find(scene->people, target->name), urgency, ret);
    case TARGET_ONCALL:
        return add_oncall(scene, target->name, urgency, ret);
    case TARGET_ASSIGNEE:
        return add_person(scene, scene->assignee, urgency, ret);
    case TARGET_QUEUE:
        return add_team(scene, team, urgency, ret);
    case TARGET_LEAD:
        return team != NULL && add_person(scene, team->lead, urgency, ret);
    case TARGET_ACKER:
        return add_person(scene, scene->acker, urgency, ret);
    case TARGET_DESK:
        return add_address(scene, "desk", scene->desk_address, ret);
    case TARGET_OPS:
        return add_address(scene, "ops", scene->ops_address, ret);
    case TARGET_KINDS:
        break;
    }
    return false;
}

bool escal_targets_add(const struct escal_scene *scene, const struct people_targets *targets,
                       enum process_urgency urgency, struct pages *ret)
{
    bool any = false;
    for (size_t i = 0; i < targets->count; i++)
        any = add_target(scene, &targets->items[i], urgency, ret) || any;
    return any;
}

bool escal_targets_first(const struct escal_scene *scene, const struct people_targets *targets,
                         enum process_urgency urgency, struct pages *ret)
{
    for (size_t i = 0; i < targets->count; i++)
        if (add_target(scene, &targets->items[i], urgency, ret))
            return true;
    return false;
}

/* level: number of levels: the last resort. */
static const struct people_targets *level_targets(const struct process_escalation *policy, size_t level)
{
    return level < policy->levels.count ? &policy->levels.items[level].tell : &policy->last_resort;
}

void escal_targets_step(const struct escal_scene *scene, const struct process_escalation *policy,
                        const struct escal_step *step, struct pages *ret)
{
    static struct people_target acker_items[] = {{TARGET_ACKER, NULL}, {TARGET_DESK, NULL}};
    static const struct people_targets acker = {acker_items, 2};

    if (step->what == ESCAL_REMIND)
        (void)escal_targets_first(scene, &acker, policy->urgency, ret);
    else if (step->what != ESCAL_OVER)
        (void)escal_targets_add(scene,
                                level_targets(policy, step->what == ESCAL_LAST_RESORT ? policy->levels.count
                                                                                      : (size_t)step->level),
                                policy->urgency, ret);
}

void escal_targets_reach(const struct escal_scene *scene, const struct process_escalation *policy, bool *ret)
{
    struct pages pages;

    for (size_t i = 0; i <= policy->levels.count; i++) {
        pages_clear(&pages);
        ret[i] = escal_targets_add(scene, level_targets(policy, i), policy->urgency, &pages);
    }
}
