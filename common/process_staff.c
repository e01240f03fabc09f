/* staff.yaml: people, how each is reached, teams and their queues. */
#include "address.h"
#include "channels.h"
#include "contact.h"
#include "process_internal.h"

#include <string.h>

enum { TITLE_BYTES_MAX = 200 };

static const char *const file_keys[] = {"people", "teams"};
static const char *const team_keys[] = {"members", "lead", "queues"};
/* What a person's entry may have; behind these stand the channels. */
#define WAY(id, name, suffix, bytes) #name,
static const char *const person_keys[] = {"name", "zone", "locale", "hours", CHANNEL_LIST(WAY)};
#undef WAY
enum { PERSON_KEYS = sizeof person_keys / sizeof person_keys[0], WAYS_FROM = PERSON_KEYS - CHANNELS };

/* ---- look-ups ---- */

const struct process_person *process_person_find(const struct process_people *people, const char *name)
{
    for (size_t i = 0; i < people->person_count; i++)
        if (strcmp(people->persons[i].name, name) == 0)
            return &people->persons[i];
    return NULL;
}

struct span process_person_title(const struct process_people *people, struct span name)
{
    for (size_t i = 0; people != NULL && i < people->person_count; i++)
        if (span_is(name, people->persons[i].name))
            return span_of(people->persons[i].title);
    return name;
}

const struct process_team *process_team_find(const struct process_people *people, const char *name)
{
    for (size_t i = 0; i < people->team_count; i++)
        if (strcmp(people->teams[i].name, name) == 0)
            return &people->teams[i];
    return NULL;
}

const struct process_team *process_queue_team(const struct process_people *people, const char *queue)
{
    for (size_t i = 0; i < people->team_count; i++)
        for (size_t k = 0; k < people->teams[i].queues.count; k++)
            if (strcmp(people->teams[i].queues.items[k], queue) == 0)
                return &people->teams[i];
    return process_team_find(people, queue);
}

/* ---- names that must be known ---- */

static bool load_person_known(struct load *load, const struct yaml_node *node, const char *what,
                              const char *name)
{
    const struct process_people *people = &load->process->people;
    char hint[FAULTS_HINT_BYTES];

    if (process_person_find(people, name) != NULL)
        return true;
    NAMES_HINT(people->persons, people->person_count, name, hint);
    return faults_add(load->faults, node->place, "%s: \"%s\" is none of the people in staff.yaml%s", what,
                      name, hint);
}

bool load_person(struct load *load, const struct yaml_node *node, const char *what, const char **ret)
{
    return load_name(load, node, what, ret) && load_person_known(load, node, what, *ret);
}

bool load_name_list(struct load *load, const struct yaml_node *node, const char *what, load_one_fn *one,
                    struct process_names *ret)
{
    bool ok = true;

    if (node->kind == NODE_MAP)
        return faults_add(load->faults, node->place, "%s: is a map, want a name or a list of names", what);
    ret->items = process_alloc(load->process, node_many(node), sizeof *ret->items);
    ret->count = 0;
    for (size_t i = 0; i < node_many(node); i++) {
        const char *name = NULL;
        if (!one(load, node_one(node, i), what, &name)) {
            ok = false;
            continue;
        }
        for (size_t k = 0; k < ret->count; k++)
            if (strcmp(ret->items[k], name) == 0)
                ok = faults_add(load->faults, node_one(node, i)->place, "%s: \"%s\" is given twice", what,
                                name);
        ret->items[ret->count++] = name;
    }
    return ok;
}

/* ---- people ---- */

static bool load_way(struct load *load, const struct yaml_node *node, const char *channel,
                     struct process_person *person)
{
    bool is_email = strcmp(channel, "email") == 0, is_xmpp = strcmp(channel, "xmpp") == 0;
    const char *address = NULL;
    struct err err;

    if (!yaml_node_text(node, channel, ADDRESS_BYTES_MAX, &address, load->faults))
        return false;
    for (const char *p = address; *p != '\0'; p++)
        if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '<' || *p == '>')
            return faults_add(
                load->faults, node->place,
                "%s: \"%s\" is no address, want one without blanks, control characters, < and >", channel,
                address);
    if (is_email ? !address_check(address, &err) : is_xmpp && !address_check_xmpp(address, &err))
        (void)faults_add(&load->process->refusals, node->place, "%s: \"%s\" is no address: %s", channel,
                         address, err.msg);
    const char *fault = is_email || is_xmpp ? NULL : contact_fault(channel, span_of(address));
    if (fault != NULL)
        (void)faults_add(&load->process->refusals, node->place, "%s: \"%s\" is %s", channel, address, fault);
    person->ways[person->way_count++] = (struct process_way){channel, process_text(load->process, address)};
    return true;
}

static bool load_ways(struct load *load, const struct yaml_node *map, struct process_person *person)
{
    bool ok = true;
    for (size_t i = WAYS_FROM; i < PERSON_KEYS; i++) {
        const struct yaml_node *node = yaml_node_find(map, person_keys[i]);
        if (node != NULL)
            ok = load_way(load, node, person_keys[i], person) && ok;
    }
    if (ok && person->way_count == 0)
        return faults_add(load->faults, person->place, "%s: has no address, want one of %s", person->name,
                          channel_names + 2);
    return ok;
}

bool load_zone_name(struct load *load, const struct yaml_node *node, const char **ret)
{
    const char *text = NULL;
    struct err err;

    if (!yaml_node_text(node, "zone", PROCESS_NAME_MAX, &text, load->faults))
        return false;
    if (!zone_name_check(text, &err))
        return faults_add(load->faults, node->place, "zone: %s", err.msg);
    *ret = process_text(load->process, text);
    return true;
}

static bool load_locale(struct load *load, const struct yaml_node *node, struct process_person *person)
{
    if (!load_name(load, node, "locale", &person->locale))
        return false;
    const char *fault = contact_fault("locale", span_of(person->locale));
    if (fault != NULL)
        (void)faults_add(&load->process->refusals, node->place, "locale: \"%s\" is %s", person->locale,
                         fault);
    else if (!process_speaks(load->process, span_of(person->locale)))
        (void)faults_add(&load->process->warnings, node->place,
                         "locale: \"%s\" has no templates/ here: %s is told in English", person->locale,
                         person->name);
    return true;
}

static bool load_person_entry(struct load *load, const struct yaml_node *map, struct process_person *person)
{
    const struct yaml_node *node = NULL;

    if (!load_is_map(load, map, person->name, "{name: Ada Lovelace, email: ada@example.com}"))
        return false;
    bool ok = yaml_node_check_keys(map, person->name, person_keys, PERSON_KEYS, load->faults);
    person->title = person->name;
    if ((node = yaml_node_find(map, "name")) != NULL)
        ok = load_line(load, node, "name", TITLE_BYTES_MAX, &person->title) && ok;
    if ((node = yaml_node_find(map, "zone")) != NULL)
        ok = load_zone_name(load, node, &person->zone) && ok;
    if ((node = yaml_node_find(map, "locale")) != NULL)
        ok = load_locale(load, node, person) && ok;
    if ((node = yaml_node_find(map, "hours")) != NULL)
        ok = load_name(load, node, "hours", &person->hours) &&
             load_calendar_known(load, node, person->hours) && ok;
    return load_ways(load, map, person) && ok;
}

static bool load_people(struct load *load, const struct yaml_node *map)
{
    struct process_people *people = &load->process->people;
    bool ok = true;

    if (yaml_node_is_null(map))
        return true;
    if (!load_is_map(load, map, "people", "{ada: {name: Ada Lovelace, email: ada@example.com}}"))
        return false;
    if (!load_at_most(load, map, "people", PEOPLE_MAX))
        return false;
    people->persons = process_alloc(load->process, map->count, sizeof *people->persons);
    for (size_t i = 0; i < map->count; i++) {
        struct process_person *person = &people->persons[people->person_count];
        person->place = map->keys[i]->place;
        if (!load_name(load, map->keys[i], "a person", &person->name)) {
            ok = false;
            continue;
        }
        people->person_count++; /* known by its name even when at fault: one fault is told once */
        ok = load_person_entry(load, map->items[i], person) && ok;
    }
    return ok;
}

/* ---- teams ---- */

static bool load_team(struct load *load, const struct yaml_node *map, struct process_team *team)
{
    const struct yaml_node *node = NULL;

    if (!load_is_map(load, map, team->name, "{members: [ada, ben], lead: ada}"))
        return false;
    bool ok = yaml_node_check_keys(map, team->name, team_keys, 3, load->faults);
    if ((node = yaml_node_find(map, "members")) == NULL)
        ok = faults_add(load->faults, team->place, "%s: has no members", team->name);
    else
        ok = load_name_list(load, node, "members", load_person, &team->members) && ok;
    if (node != NULL && node_many(node) == 0)
        (void)faults_add(&load->process->refusals, node->place, "members: is empty, want those of the team");
    if ((node = yaml_node_find(map, "lead")) != NULL)
        ok = load_person(load, node, "lead", &team->lead) && ok;
    if ((node = yaml_node_find(map, "queues")) != NULL)
        ok = load_name_list(load, node, "queues", load_name, &team->queues) && ok;
    return ok;
}

/* A queue is the first team's that has it, and who else hopes for its tickets never hears of them. */
static void warn_of_queues(struct load *load)
{
    const struct process_people *people = &load->process->people;

    for (size_t i = 0; i < people->team_count; i++)
        for (size_t k = 0; k < people->teams[i].queues.count; k++) {
            const char *queue = people->teams[i].queues.items[k];
            const struct process_team *first = process_queue_team(people, queue);
            const struct process_team *named = process_team_find(people, queue);
            if (first == &people->teams[i])
                first = named;
            if (first != NULL && first != &people->teams[i])
                (void)faults_add(&load->process->warnings, people->teams[i].place,
                                 "queues: \"%s\" is that of the team %s too, and goes to one of them", queue,
                                 first->name);
        }
}

static bool load_teams(struct load *load, const struct yaml_node *map)
{
    struct process_people *people = &load->process->people;
    bool ok = true;

    if (yaml_node_is_null(map))
        return true;
    if (!load_is_map(load, map, "teams", "{noc: {members: [ada, ben], lead: ada}}"))
        return false;
    if (!load_at_most(load, map, "teams", TEAMS_MAX))
        return false;
    people->teams = process_alloc(load->process, map->count, sizeof *people->teams);
    for (size_t i = 0; i < map->count; i++) {
        struct process_team *team = &people->teams[people->team_count];
        team->place = map->keys[i]->place;
        if (!load_name(load, map->keys[i], "a team", &team->name)) {
            ok = false;
            continue;
        }
        people->team_count++;
        ok = load_team(load, map->items[i], team) && ok;
    }
    warn_of_queues(load);
    return ok;
}

bool load_staff(struct load *load, const struct yaml_node *root)
{
    if (yaml_node_is_null(root))
        return true;
    if (!load_is_map(load, root, "the file", "{people: {…}, teams: {…}}"))
        return false;
    bool ok = yaml_node_check_keys(root, "staff.yaml", file_keys, 2, load->faults);
    ok = load_people(load, yaml_node_find(root, "people")) && ok;
    return load_teams(load, yaml_node_find(root, "teams")) && ok;
}
