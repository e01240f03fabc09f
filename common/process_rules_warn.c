/* Warnings about rules: what can never match or run, what never counts, names that nobody knows. */
#include "process_internal.h"

#include "mem.h"
#include "rule_logic.h"

#include <stdlib.h>
#include <string.h>

struct warning {
    struct process *process;
    struct rule_logic logic;
    unsigned of_leaves; /* told about leaves of the rule at hand */
};

static bool rule_warn(struct warning *w, const struct process_rule *rule, const char *what, const char *why,
                      const struct process_rule *other)
{
    return faults_add(&w->process->warnings, rule->place, "%s: %s, \"%s\" (%s:%u) %s", what,
                      strcmp(what, "rule") == 0 ? "can never run" : "never counts", other->name,
                      other->place.file, other->place.line, why);
}

/* ---- conditions ---- */

/* Each value that the field never has; true when there is one. */
static bool warn_words(struct warning *w, const struct rule_cond *leaf)
{
    unsigned before = w->of_leaves;
    const char *words[FIELD_WORDS_MAX];
    char hint[FAULTS_HINT_BYTES];

    if (leaf->test != RULE_IS && leaf->test != RULE_IN && leaf->test != RULE_CONTAINS)
        return false;
    if (leaf->test == RULE_CONTAINS && process_field_kind(leaf->field) != FIELD_LIST)
        return false; /* a part of a word */
    for (size_t i = 0; i < leaf->value_count; i++) {
        const char *word = leaf->values[i].text;
        if (process_field_has_word(leaf->field, word))
            continue;
        faults_hint(word, words, process_field_words(leaf->field, words), hint, sizeof hint);
        (void)faults_add(&w->process->warnings, leaf->place, "%s: is never \"%s\"%s", leaf->field, word,
                         hint);
        w->of_leaves++;
    }
    return w->of_leaves != before;
}

/* Nothing is equal to an empty text, and each text has one. */
static void warn_empty(struct warning *w, const struct rule_cond *leaf)
{
    if (leaf->test != RULE_IS && leaf->test != RULE_IN && leaf->test != RULE_CONTAINS)
        return;
    for (size_t i = 0; i < leaf->value_count; i++)
        if (leaf->values[i].text[0] == '\0') {
            (void)faults_add(&w->process->warnings, leaf->place,
                             leaf->test == RULE_CONTAINS
                                 ? "%s: contains \"\" whenever it has text, want exists: true"
                                 : "%s: is never \"\", an empty one is nothing: want exists: false",
                             leaf->field);
            return;
        }
}

static bool is_package(const struct rule_cond *leaf)
{
    return strcmp(leaf->field, "package.name") == 0 || strcmp(leaf->field, "customer.package") == 0;
}

static void warn_packages(struct warning *w, const struct rule_cond *leaf)
{
    const struct process *process = w->process;

    if ((leaf->test != RULE_IS && leaf->test != RULE_IN) || !is_package(leaf))
        return;
    for (size_t i = 0; i < leaf->value_count; i++)
        if (!process_package_known(process, span_of(leaf->values[i].text)))
            (void)process_package_refuse(process, leaf->field, leaf->values[i].text, leaf->place,
                                         &w->process->warnings);
}

/* Of a list of values those that alone can never be: the others hold, so the condition does not tell by itself. */
static void warn_values(struct warning *w, const struct rule_cond *leaf, unsigned on)
{
    for (size_t i = 0; leaf->test == RULE_IN && i < leaf->value_count; i++) {
        const char *why = rule_value_never(leaf, &leaf->values[i], on);
        if (why != NULL)
            (void)faults_add(&w->process->warnings, leaf->place, "%s: is never \"%s\", %s", leaf->field,
                             leaf->values[i].text, why);
        for (size_t k = 0; k < i; k++)
            if (leaf->values[k].kind == leaf->values[i].kind &&
                strcmp(leaf->values[k].text, leaf->values[i].text) == 0) {
                (void)faults_add(&w->process->warnings, leaf->place, "%s: in has \"%s\" twice", leaf->field,
                                 leaf->values[i].text);
                break;
            }
    }
}

static void warn_cond(struct warning *w, const struct rule_cond *cond, unsigned on)
{
    const char *why;

    for (size_t i = 0; i < cond->part_count; i++)
        warn_cond(w, &cond->parts[i], on);
    if (cond->field == NULL || warn_words(w, cond))
        return;
    warn_packages(w, cond);
    warn_empty(w, cond);
    why = rule_leaf_never(cond, on);
    if (why != NULL) {
        (void)faults_add(&w->process->warnings, cond->place, "%s: %s can never hold, %s", cond->field,
                         rule_test_name(cond->test), why);
        w->of_leaves++;
    } else {
        warn_values(w, cond, on);
    }
}

/* ---- a rule among the others ---- */

/* An earlier one stops whenever this one would match. */
static const struct process_rule *stopper_of(struct warning *w, const struct process_rule *rule)
{
    for (const struct process_rule *r = w->process->rules; r < rule; r++)
        if (r->then.stop && (rule->on & ~r->on) == 0 && rule_implies(&w->logic, rule->when, r->when))
            return r;
    return NULL;
}

/* What a later rule sets again. */
static bool sets_queue(const struct rule_action *a)
{
    return a->queue != NULL || a->team != NULL;
}

static bool sets_assignee(const struct rule_action *a)
{
    return a->assignee != NULL;
}

static bool sets_kind(const struct rule_action *a)
{
    return a->kind != NULL;
}

static bool sets_calendar(const struct rule_action *a)
{
    return a->calendar != NULL;
}

static bool sets_wake_in(const struct rule_action *a)
{
    return a->wake_in_s != 0;
}

static const struct {
    const char *name;
    bool (*is_set)(const struct rule_action *);
} fields[] = {{"queue", sets_queue},
              {"assignee", sets_assignee},
              {"kind", sets_kind},
              {"calendar", sets_calendar},
              {"wake_in", sets_wake_in}};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static bool runs_with(struct warning *w, const struct process_rule *rule, const struct process_rule *other)
{
    return !other->is_default && (rule->on & ~other->on) == 0 &&
           rule_implies(&w->logic, rule->when, other->when);
}

/* Later rules, as far as none can stop before them. */
static void warn_fields(struct warning *w, const struct process_rule *rule)
{
    const struct process_rule *end = w->process->rules + w->process->rule_count;
    bool told[FIELDS] = {false}, sets = false;

    for (size_t k = 0; k < FIELDS; k++)
        sets = sets || fields[k].is_set(&rule->then);
    for (const struct process_rule *r = rule + 1; sets && r < end && !r[-1].then.stop; r++)
        for (size_t k = 0; k < FIELDS; k++)
            if (!told[k] && fields[k].is_set(&rule->then) && fields[k].is_set(&r->then) &&
                runs_with(w, rule, r))
                told[k] =
                    !rule_warn(w, rule, fields[k].name, "matches whenever it does and sets it later", r);
}

static bool priority_beats(const struct process_rule *rule, const struct process_rule *other)
{
    if (other->then.priority == 0 || other == rule)
        return false;
    if (other->then.force)
        return !rule->then.force || other > rule;
    return !rule->then.force && other->then.priority < rule->then.priority;
}

static void warn_priority(struct warning *w, const struct process_rule *rule)
{
    const struct process_rule *end = w->process->rules + w->process->rule_count;
    bool may_stop = false;

    for (const struct process_rule *r = w->process->rules; rule->then.priority != 0 && r < end; r++) {
        if (priority_beats(rule, r) && !(r > rule && may_stop) && runs_with(w, rule, r)) {
            (void)rule_warn(w, rule, "priority",
                            r->then.force ? "matches whenever it does and forces another one"
                                          : "matches whenever it does and gives a more urgent one",
                            r);
            return;
        }
        may_stop = may_stop || (r >= rule && r->then.stop);
    }
}

/* Tickets there are nobody's, if teams are kept in staff.yaml. */
static void warn_queue(struct warning *w, struct fault_place place, const char *queue)
{
    const struct process_people *people = &w->process->people;
    size_t count = 0, all = people->team_count;
    char hint[FAULTS_HINT_BYTES];

    if (people->team_count == 0 || process_queue_team(people, queue) != NULL)
        return;
    for (size_t i = 0; i < people->team_count; i++)
        all += people->teams[i].queues.count;
    const char **names = mem_new(all, sizeof *names);
    for (size_t i = 0; i < people->team_count; i++) {
        const struct process_names *queues = &people->teams[i].queues;
        names[count++] = people->teams[i].name;
        for (size_t k = 0; k < queues->count; k++)
            names[count++] = queues->items[k];
    }
    faults_hint(queue, names, count, hint, sizeof hint);
    free(names);
    (void)faults_add(&w->process->warnings, place, "queue: \"%s\" is no team's in staff.yaml%s", queue, hint);
}

/* Where staff.yaml names nobody, or no team, they are not kept there. */
static void warn_people(struct warning *w, const struct process_rule *rule)
{
    const struct process_people *people = &w->process->people;
    const char *assignee = rule->then.assignee, *team = rule->then.team;
    char hint[FAULTS_HINT_BYTES];

    if (assignee != NULL && people->person_count != 0 && process_person_find(people, assignee) == NULL) {
        NAMES_HINT(people->persons, people->person_count, assignee, hint);
        (void)faults_add(&w->process->warnings, rule->place, "assignee: \"%s\" is not in staff.yaml%s",
                         assignee, hint);
    }
    if (team != NULL && people->team_count != 0 && process_team_find(people, team) == NULL) {
        NAMES_HINT(people->teams, people->team_count, team, hint);
        (void)faults_add(&w->process->warnings, rule->place, "team: \"%s\" is not in staff.yaml%s", team,
                         hint);
    }
    if (rule->then.queue != NULL)
        warn_queue(w, rule->place, rule->then.queue);
}

static void warn_then(struct warning *w, const struct process_rule *rule)
{
    const struct rule_action *a = &rule->then;
    bool does = a->priority != 0 || a->stop || a->queue != NULL || a->team != NULL || a->assignee != NULL ||
                a->kind != NULL || a->alert != NULL || a->calendar != NULL || a->wake_in_s != 0 ||
                a->tags.count != 0 || a->asks.count != 0 || a->tell_count != 0 || a->attribute_count != 0;

    if (!does)
        (void)faults_add(&w->process->warnings, rule->place, "then: does nothing");
    if (a->queue != NULL && a->team != NULL)
        (void)faults_add(&w->process->warnings, rule->place, "team: never counts beside queue");
}

static void warn_rule(struct warning *w, const struct process_rule *rule)
{
    w->of_leaves = 0;
    warn_then(w, rule);
    if (rule->when != NULL)
        warn_cond(w, rule->when, rule->on);
    if (rule_verdict_of(&w->logic, rule->when, rule->on) == RULE_NEVER) {
        (void)faults_add(&w->process->warnings, rule->place, "rule: can never match%s",
                         w->of_leaves != 0 ? "" : ", its conditions exclude one another");
        return;
    }
    const struct process_rule *stopper = stopper_of(w, rule);
    if (stopper != NULL) {
        (void)rule_warn(w, rule, "rule", "stops before it", stopper);
        return;
    }
    warn_priority(w, rule);
    warn_fields(w, rule);
    warn_people(w, rule);
}

/* escalation.yaml: queues that a line is for. */
static void warn_matches(struct warning *w)
{
    const struct process_people *people = &w->process->people;

    for (size_t i = 0; i < people->match_count; i++)
        for (size_t k = 0; k < people->matches[i].queues.count; k++)
            warn_queue(w, people->matches[i].place, people->matches[i].queues.items[k]);
}

void load_rules_warn(struct load *load)
{
    struct warning w = {load->process, {RULE_LOGIC_STEPS}, 0};

    for (size_t i = 0; i < load->process->rule_count; i++)
        if (!load->process->rules[i].is_default)
            warn_rule(&w, &load->process->rules[i]);
        else
            warn_people(&w, &load->process->rules[i]);
    warn_matches(&w);
    faults_sort(&load->process->warnings);
}
