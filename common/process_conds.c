/* Conditions of rules: leaves that look at a field, combined by all, any, not. Patterns are compiled here, so
 * that a bad one is told with its place before it is ever used. */
#include "process_internal.h"
#include "pattern.h"

#include <string.h>

enum { COND_DEPTH_MAX = 16, COND_PARTS_MAX = 200 };

static const char *const test_names[RULE_TESTS] = {"is",   "in",   "matches", "contains",
                                                   "less", "more", "exists",  "time.open",
                                                   "all",  "any",  "not"};

const char *rule_test_name(enum rule_test test)
{
    return (unsigned)test < RULE_TESTS ? test_names[test] : "unknown";
}

/* A plain number is a number, true and false are boolean, all else is text. */
bool load_rule_value(struct load *load, const struct yaml_node *node, const char *what,
                     struct rule_value *ret)
{
    if (node->kind != NODE_SCALAR || yaml_node_is_null(node))
        return faults_add(load->faults, node->place, "%s: is %s, want text, a number, true or false", what,
                          yaml_node_kind_name(node));
    if (node->len > PROCESS_TEXT_MAX)
        return faults_add(load->faults, node->place, "%s: has %zu bytes, want at most %d", what, node->len,
                          PROCESS_TEXT_MAX);
    *ret = (struct rule_value){.kind = RULE_TEXT, .text = process_text(load->process, node->text)};
    if (node->quoted)
        return true;
    ret->is_whole = decimal_parse(node->text, &ret->whole);
    if (ret->is_whole)
        ret->number = (double)ret->whole;
    if (ret->is_whole || decimal_fraction_parse(node->text, &ret->number))
        ret->kind = RULE_NUMBER;
    else if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0) {
        ret->kind = RULE_BOOL;
        ret->number = node->text[0] == 't';
    }
    return true;
}

static bool load_values(struct load *load, const struct yaml_node *node, struct rule_cond *cond)
{
    bool many = cond->test == RULE_IN;
    size_t count = many ? node->count : 1;
    bool ok = true;

    if (many && !load_is_list(load, node, "in", "[down, critical]"))
        return false;
    if (count == 0 || count > COND_PARTS_MAX)
        return faults_add(load->faults, node->place, "in: has %zu entries, want 1 to %d", count,
                          COND_PARTS_MAX);
    cond->values = process_alloc(load->process, count, sizeof *cond->values);
    cond->value_count = count;
    for (size_t i = 0; i < count; i++)
        ok = load_rule_value(load, many ? node->items[i] : node, test_names[cond->test], &cond->values[i]) &&
             ok;
    return ok;
}

static bool load_pattern(struct load *load, const struct yaml_node *node, struct rule_cond *cond)
{
    const char *text = NULL;
    struct pattern_fault fault;

    if (!yaml_node_text(node, "matches", PROCESS_PATTERN_MAX, &text, load->faults))
        return false;
    cond->pattern = pattern_new(text, &fault);
    if (cond->pattern == NULL)
        return faults_add(load->faults, node->place, "matches: \"%s\" is no pattern: %s, at its letter %zu",
                          text, fault.why, fault.letter);
    process_keep_pattern(load->process, cond->pattern);
    return load_values(load, node, cond);
}

static bool load_number(struct load *load, const struct yaml_node *node, struct rule_cond *cond)
{
    if (!load_values(load, node, cond))
        return false;
    if (cond->values[0].kind != RULE_NUMBER)
        return faults_add(load->faults, node->place,
                          "%s: \"%s\" is not allowed, want a number such as 3 or 2.5", test_names[cond->test],
                          cond->values[0].text);
    return true;
}

static bool load_exists(struct load *load, const struct yaml_node *node, struct rule_cond *cond)
{
    return yaml_node_bool(node, "exists", &cond->yes, load->faults);
}

static bool load_open(struct load *load, const struct yaml_node *node, struct rule_cond *cond)
{
    return load_name(load, node, "time.open", &cond->calendar) &&
           load_calendar_known(load, node, cond->calendar);
}

/* Which reader each leaf has; the parts of all, any, not are read by load_cond. */
static bool (*const readers[RULE_TESTS])(struct load *, const struct yaml_node *, struct rule_cond *) = {
    [RULE_IS] = load_values,       [RULE_IN] = load_values,     [RULE_MATCHES] = load_pattern,
    [RULE_CONTAINS] = load_values, [RULE_LESS] = load_number,   [RULE_MORE] = load_number,
    [RULE_EXISTS] = load_exists,   [RULE_TIME_OPEN] = load_open};

static bool load_parts_of(struct load *load, const struct yaml_node *node, unsigned depth,
                          struct rule_cond *cond)
{
    bool one = cond->test == RULE_NOT;
    size_t count = one ? 1 : node->count;
    bool ok = one || load_is_list(load, node, test_names[cond->test],
                                  "[{field: impact, is: down}, {time.open: office}]");

    if (!ok)
        return false;
    if (depth == COND_DEPTH_MAX)
        return faults_add(load->faults, node->place, "conditions nested deeper than %d", COND_DEPTH_MAX);
    if (count == 0 || count > COND_PARTS_MAX)
        return faults_add(load->faults, node->place, "%s: has %zu conditions, want 1 to %d",
                          test_names[cond->test], count, COND_PARTS_MAX);
    cond->parts = process_alloc(load->process, count, sizeof *cond->parts);
    cond->part_count = count;
    for (size_t i = 0; i < count; i++)
        ok = load_cond(load, one ? node : node->items[i], depth + 1, &cond->parts[i]) && ok;
    return ok;
}

static bool load_field(struct load *load, const struct yaml_node *node, struct rule_cond *cond)
{
    const char *text = NULL;
    char hint[FAULTS_HINT_BYTES];

    if (!yaml_node_text(node, "field", 2 * PROCESS_NAME_MAX, &text, load->faults))
        return false;
    enum field_kind kind = process_field_kind(text);
    if (kind == FIELD_NONE) {
        process_field_hint(text, hint);
        return faults_add(load->faults, node->place, "field: \"%s\" is not known%s", text, hint);
    }
    if ((cond->test == RULE_LESS || cond->test == RULE_MORE) && kind != FIELD_NUMBER && kind != FIELD_ANY)
        return faults_add(load->faults, node->place,
                          "field: \"%s\" is no number, so %s cannot be asked of it", text,
                          test_names[cond->test]);
    cond->field = process_text(load->process, text);
    return true;
}

static bool cond_asks(const struct yaml_node *map)
{
    for (int test = 0; test < RULE_TESTS; test++)
        if (yaml_node_find(map, test_names[test]) != NULL)
            return true;
    return false;
}

/* The one test of a condition's map; RULE_TESTS when there is none or more than one, which is told. */
static enum rule_test cond_test(struct load *load, const struct yaml_node *map)
{
    enum rule_test found = RULE_TESTS;
    for (int test = 0; test < RULE_TESTS; test++) {
        if (yaml_node_find(map, test_names[test]) == NULL)
            continue;
        if (found != RULE_TESTS) {
            (void)faults_add(load->faults, map->place,
                             "a condition has both %s and %s, want one (combine them by all)",
                             test_names[found], test_names[test]);
            return RULE_TESTS;
        }
        found = (enum rule_test)test;
    }
    if (found == RULE_TESTS)
        (void)
            faults_add(load->faults, map->place,
                       "a condition asks nothing, want one of is, in, matches, contains, less, more, exists, "
                       "time.open, all, any, not");
    return found;
}

bool load_cond(struct load *load, const struct yaml_node *map, unsigned depth, struct rule_cond *ret)
{
    const char *names[RULE_TESTS + 1];
    bool ok = load_is_map(load, map, "a condition", "{field: impact, is: down}");

    if (!ok)
        return false;
    memcpy(names, test_names, sizeof test_names);
    names[RULE_TESTS] = "field";
    ok = yaml_node_check_keys(map, "a condition", names, RULE_TESTS + 1, load->faults);
    if (!ok && !cond_asks(map))
        return false; /* the unknown key is the test, misspelt: told once */
    ret->place = map->place;
    ret->test = cond_test(load, map);
    if (ret->test == RULE_TESTS)
        return false;
    const struct yaml_node *field = yaml_node_find(map, "field"),
                           *node = yaml_node_find(map, test_names[ret->test]);
    bool wants_field = ret->test < RULE_TIME_OPEN;
    if (wants_field != (field != NULL))
        return faults_add(load->faults, map->place, wants_field ? "%s: needs a field" : "%s: takes no field",
                          test_names[ret->test]);
    if (field != NULL)
        ok = load_field(load, field, ret);
    if (readers[ret->test] != NULL)
        return readers[ret->test](load, node, ret) && ok;
    return load_parts_of(load, node, depth, ret) && ok;
}
