/* The rules of a process: each one's name, events, condition, actions; and what all rules together must be.
 */
#include "process_internal.h"

#include "contact.h"
#include "desk.h"
#include "mem.h"
#include "tell_body.h"

#include <string.h>

enum { RULES_MAX = 2000, ACTION_LIST_MAX = 50 };

static const char *const rule_keys[] = {"rule", "on", "when", "then", "default"};
static const char *const on_names[] = {"posted",   "reply",    "updated",
                                       "reopened", "repeated", "due"}; /* bits of rule_on */
enum { ON_NAMES = sizeof on_names / sizeof on_names[0] };

/* ---- actions ---- */

static bool act_priority(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    int64_t priority = 0;
    if (!yaml_node_int(node, "priority", 1, PROCESS_PRIORITIES, &priority, load->faults))
        return false;
    ret->priority = (int)priority;
    return true;
}

static bool act_force(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    return yaml_node_bool(node, "force", &ret->force, load->faults);
}

static bool act_stop(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    return yaml_node_bool(node, "stop", &ret->stop, load->faults);
}

static bool act_queue(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    return load_name(load, node, "queue", &ret->queue);
}

static bool act_assignee(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    return load_name(load, node, "assignee", &ret->assignee);
}

static bool act_team(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    return load_name(load, node, "team", &ret->team);
}

static bool act_kind(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    return load_name(load, node, "kind", &ret->kind);
}

static bool act_alert(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    return load_name(load, node, "alert", &ret->alert);
}

static bool act_calendar(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    return load_name(load, node, "calendar", &ret->calendar) &&
           load_calendar_known(load, node, ret->calendar);
}

static bool load_names(struct load *load, const struct yaml_node *node, const char *what, load_one_fn *one,
                       struct rule_texts *ret)
{
    size_t count = node_many(node);
    bool ok = true;

    if (count == 0 || count > ACTION_LIST_MAX)
        return faults_add(load->faults, node->place, "%s: has %zu entries, want 1 to %d", what, count,
                          ACTION_LIST_MAX);
    ret->items = process_alloc(load->process, count, sizeof *ret->items);
    for (size_t i = 0; i < count; i++) {
        if (one(load, node_one(node, i), what, &ret->items[ret->count]))
            ret->count++;
        else
            ok = false;
    }
    return ok;
}

static bool act_tag(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    return load_names(load, node, "tag", load_tag, &ret->tags);
}

static bool act_ask(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    const struct process_policy *policy = &load->process->policy;
    char hint[FAULTS_HINT_BYTES];
    bool ok = load_names(load, node, "ask", load_name, &ret->asks);

    for (size_t i = 0; ok && !load->policy_unread && i < ret->asks.count; i++) {
        if (process_question_find(load->process, ret->asks.items[i]) != NULL)
            continue;
        NAMES_HINT(policy->questions, policy->question_count, ret->asks.items[i], hint);
        ok = faults_add(load->faults, node_one(node, i)->place,
                        "ask: \"%s\" is not in process.yaml, questions%s", ret->asks.items[i], hint);
    }
    return ok;
}

/* A language that somebody may read; a word for it that nobody's record has would never be chosen. */
static bool load_said_locale(struct load *load, const struct yaml_node *node, const char **ret)
{
    struct span locale = span_of(node->text);
    const char *fault = contact_fault("locale", locale);

    if (fault != NULL)
        return faults_add(load->faults, node->place, "tell: \"%s\" is %s", node->text, fault);
    if (locale.len > PROCESS_LOCALE_MAX)
        return faults_add(load->faults, node->place,
                          "tell: \"%s\" is not allowed, want a tag of at most %d bytes", node->text,
                          PROCESS_LOCALE_MAX);
    if (!process_speaks(load->process, locale))
        (void)faults_add(&load->process->warnings, node->place,
                         "tell: \"%s\" has no templates/ here: what stands around the text is in English",
                         node->text);
    *ret = process_text(load->process, node->text);
    return true;
}

/* All of it goes with the message, which is told apart for each reader only when it is sent. */
static bool tell_fits(struct load *load, const struct yaml_node *node, const struct rule_tell *tell)
{
    struct buf body;

    buf_init(&body, DESK_BODY_BYTES_MAX);
    tell_body_put(&body, tell);
    bool fits = !body.failed;
    buf_clear(&body);
    return fits ||
           faults_add(
               load->faults, node->place,
               "tell: is too long, want at most %d bytes in all languages together, the first counted twice",
               DESK_BODY_BYTES_MAX);
}

/* A text for all, or one for each language. */
static bool load_said(struct load *load, const struct yaml_node *node, struct rule_tell *ret)
{
    bool ok = true;

    if (node->kind != NODE_MAP)
        return load_text(load, node, "tell", &ret->text);
    if (node->count == 0)
        return faults_add(
            load->faults, node->place,
            "tell: is empty, want a text, or one for each language: {en: We are at it., de: Wir sind dran.}");
    ret->said = process_alloc(load->process, node->count, sizeof *ret->said);
    ret->said_count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        ok = load_said_locale(load, node->keys[i], &ret->said[i].locale) && ok;
        ok = load_text(load, node->items[i], "tell", &ret->said[i].text) && ok;
    }
    ret->text = ret->said[0].text;
    return ok && tell_fits(load, node, ret);
}

static bool act_tell(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    static const char *const names[] = {"customer", "staff", "ops"}; /* enum rule_audience less one */
    bool ok = load_is_map(load, node, "tell", "{customer: We are at it.}");

    if (!ok)
        return false;
    if (node->count == 0)
        (void)faults_add(&load->process->refusals, node->place,
                         "tell: tells nobody, want {customer: We are at it.}");
    ret->tells = process_alloc(load->process, node->count, sizeof *ret->tells);
    for (size_t i = 0; i < node->count; i++) {
        struct rule_tell *tell = &ret->tells[ret->tell_count];
        size_t choice = 0;
        if (load_choice(load, node->keys[i], "tell", names, 3, &choice) &&
            load_said(load, node->items[i], tell)) {
            tell->to = (enum rule_audience)(choice + 1);
            ret->tell_count++;
        } else {
            ok = false;
        }
    }
    return ok;
}

static bool act_attribute(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    bool ok = load_is_map(load, node, "attribute", "{region: emea}");

    if (!ok || !load_at_most(load, node, "attribute", ACTION_LIST_MAX))
        return false;
    ret->attributes = process_alloc(load->process, node->count, sizeof *ret->attributes);
    for (size_t i = 0; i < node->count; i++) {
        struct rule_attribute *attribute = &ret->attributes[ret->attribute_count];
        if (load_name(load, node->keys[i], "attribute", &attribute->name) &&
            load_rule_value(load, node->items[i], attribute->name, &attribute->value))
            ret->attribute_count++;
        else
            ok = false;
    }
    return ok;
}

/* A floor, so that a rule on `due` cannot wake its ticket in a circle without rest. */
static bool act_wake_in(struct load *load, const struct yaml_node *node, struct rule_action *ret)
{
    if (!load_duration(load, node, "wake_in", &ret->wake_in_s, &ret->wake_in_working))
        return false;
    if (ret->wake_in_s < PROCESS_WAKE_IN_LEAST_S)
        return faults_add(load->faults, node->place, "wake_in: \"%s\" is not allowed, want at least %ds",
                          node->text, PROCESS_WAKE_IN_LEAST_S);
    return true;
}

/* To add an action: a row, its reader, its place in struct rule_action, what it does in worker/choice.c, docs/rules.md. */
static const struct {
    const char *name;
    bool (*read)(struct load *, const struct yaml_node *, struct rule_action *);
} actions[] = {
    {"priority", act_priority}, {"force", act_force},     {"stop", act_stop}, {"queue", act_queue},
    {"assignee", act_assignee}, {"team", act_team},       {"tag", act_tag},   {"kind", act_kind},
    {"ask", act_ask},           {"alert", act_alert},     {"tell", act_tell}, {"attribute", act_attribute},
    {"calendar", act_calendar}, {"wake_in", act_wake_in},
};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

static bool load_action(struct load *load, const struct yaml_node *map, struct rule_action *ret)
{
    const char *names[ACTIONS];
    bool ok = load_is_map(load, map, "then", "{priority: 2, queue: noc}");

    if (!ok)
        return false;
    for (size_t i = 0; i < ACTIONS; i++)
        names[i] = actions[i].name;
    ok = yaml_node_check_keys(map, "then", names, ACTIONS, load->faults);
    for (size_t i = 0; i < ACTIONS; i++) {
        const struct yaml_node *node = yaml_node_find(map, actions[i].name);
        if (node != NULL)
            ok = actions[i].read(load, node, ret) && ok;
    }
    if (ret->force && ret->priority == 0)
        ok = faults_add(load->faults, map->place, "force: is of no use without priority");
    return ok;
}

/* ---- rules ---- */

static bool load_on(struct load *load, const struct yaml_node *node, struct process_rule *rule)
{
    bool ok = true;
    rule->on = 0;
    for (size_t i = 0; i < node_many(node); i++) {
        size_t choice = 0;
        if (load_choice(load, node_one(node, i), "on", on_names, ON_NAMES, &choice))
            rule->on |= 1U << choice;
        else
            ok = false;
    }
    if (ok && rule->on == 0)
        return faults_add(load->faults, node->place, "on: is empty, so the rule would never run");
    return ok;
}

static bool load_default(struct load *load, const struct yaml_node *node, const struct yaml_node *when,
                         struct process_rule *rule)
{
    if (!yaml_node_bool(node, "default", &rule->is_default, load->faults))
        return false;
    if (rule->is_default && when != NULL)
        return faults_add(load->faults, when->place, "when: the default rule takes no condition");
    return true;
}

static bool load_rule(struct load *load, const struct yaml_node *map, struct process_rule *rule)
{
    const struct yaml_node *name = yaml_node_find(map, "rule"), *on = yaml_node_find(map, "on"),
                           *when = yaml_node_find(map, "when"), *then = yaml_node_find(map, "then"),
                           *last = yaml_node_find(map, "default");
    bool ok = load_is_map(load, map, "a rule",
                          "{rule: NAME, when: {field: impact, is: down}, then: {priority: 1}}");

    if (!ok)
        return false;
    ok = yaml_node_check_keys(map, "a rule", rule_keys, sizeof rule_keys / sizeof rule_keys[0], load->faults);
    rule->place = map->place;
    rule->on = RULE_ON_POSTED;
    if (name == NULL)
        ok = faults_add(load->faults, map->place, "a rule without a name, want rule: NAME");
    else
        ok = load_line(load, name, "rule", PROCESS_TEXT_MAX, &rule->name) && ok;
    if (on != NULL)
        ok = load_on(load, on, rule) && ok;
    if (last != NULL)
        ok = load_default(load, last, when, rule) && ok;
    if (when != NULL) {
        rule->when = process_alloc(load->process, 1, sizeof *rule->when);
        ok = load_cond(load, when, 1, rule->when) && ok;
    }
    if (then == NULL)
        return faults_add(load->faults, map->place, "a rule that does nothing, want then: {…}");
    return load_action(load, then, &rule->then) && ok;
}

bool load_rules(struct load *load, const struct yaml_node *root)
{
    struct process *process = load->process;
    bool ok = true;

    if (yaml_node_is_null(root))
        return true;
    if (!load_is_list(load, root, "the file", "[{rule: NAME, then: {priority: 3}}]"))
        return false;
    if (root->count > RULES_MAX - process->rule_count)
        return faults_add(load->faults, root->place, "rules: %zu with those of files before, want at most %d",
                          process->rule_count + root->count, RULES_MAX);
    process->rules = mem_grow(process->rules, process->rule_count + root->count, sizeof *process->rules);
    for (size_t i = 0; i < root->count; i++) {
        struct process_rule *rule = &process->rules[process->rule_count];
        memset(rule, 0, sizeof *rule);
        rule->place = root->items[i]->place;
        ok = load_rule(load, root->items[i], rule) && ok;
        process->rule_count++; /* also a faulty one: the default rule is looked for among all */
    }
    return ok;
}

static bool rules_check_names(struct load *load)
{
    const struct process *process = load->process;
    bool ok = true;
    for (size_t i = 0; i < process->rule_count; i++)
        for (size_t j = 0; j < i && process->rules[i].name != NULL; j++)
            if (process->rules[j].name != NULL &&
                strcmp(process->rules[i].name, process->rules[j].name) == 0) {
                ok = faults_add(load->faults, process->rules[i].place,
                                "rule: \"%s\" is the name of another one, %s:%u", process->rules[i].name,
                                process->rules[j].place.file, process->rules[j].place.line);
                break;
            }
    return ok;
}

bool load_rules_end(struct load *load)
{
    const struct process *process = load->process;
    struct fault_place none = {.file = "rules/"};
    size_t defaults = 0;
    bool ok = rules_check_names(load);

    for (size_t i = 0; i < process->rule_count; i++) {
        const struct process_rule *rule = &process->rules[i];
        defaults += rule->is_default;
        if (rule->is_default && defaults > 1)
            ok = faults_add(load->faults, rule->place, "default: a second default rule, want exactly one");
        else if (rule->is_default && i + 1 != process->rule_count)
            ok = faults_add(load->faults, rule->place,
                            "default: is not the last rule, want it last (files go by name)");
        if (rule->is_default && rule->then.priority == 0)
            ok = faults_add(load->faults, rule->place, "default: gives no priority, want one of 1 to %d",
                            PROCESS_PRIORITIES);
    }
    if (defaults == 0)
        ok = faults_add(load->faults, none, "no default rule, want the last rule to say default: true");
    return ok;
}
