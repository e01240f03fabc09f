/* What conditions say about one another; see rule_logic.h. */
#include "rule_logic.h"

#include "contact.h"
#include "desk.h"
#include "process_internal.h"

#include <string.h>

enum {
    ON_WITHOUT_EVENT = RULE_ON_POSTED | RULE_ON_DUE,
    ON_WITHOUT_TEXT = ON_WITHOUT_EVENT | RULE_ON_UPDATED
};

static bool spend(struct rule_logic *logic)
{
    if (logic->steps_left == 0)
        return false;
    logic->steps_left--;
    return true;
}

static enum field_kind kind_of(const struct rule_cond *leaf)
{
    return process_field_kind(leaf->field);
}

/* One value at a time: not a list, of which several entries may be equal to something. */
static bool is_scalar(const struct rule_cond *leaf)
{
    enum field_kind kind = kind_of(leaf);
    return kind == FIELD_TEXT || kind == FIELD_NUMBER || kind == FIELD_BOOL;
}

static bool is_leaf(const struct rule_cond *cond)
{
    return cond->test < RULE_TIME_OPEN;
}

static bool is_equality(const struct rule_cond *cond)
{
    return cond->test == RULE_IS || cond->test == RULE_IN;
}

static bool is_limit(const struct rule_cond *cond)
{
    return cond->test == RULE_LESS || cond->test == RULE_MORE;
}

/* Holds only of a field that is there. */
static bool is_positive(const struct rule_cond *leaf)
{
    return leaf->test != RULE_EXISTS || leaf->yes;
}

/* ---- single leaves ---- */

static bool is_priority(const struct rule_cond *leaf)
{
    return strcmp(leaf->field, "priority") == 0;
}

/* Whether the kind of event that is asked for is what a rule runs on. */
static bool kind_is_on(const char *word, unsigned on)
{
    static const struct {
        enum desk_event kind;
        unsigned on;
    } rows[] = {{EVENT_POSTED, RULE_ON_POSTED},    {EVENT_COMMENTED, RULE_ON_REPLY},
                {EVENT_REJECTED, RULE_ON_REPLY},   {EVENT_DECLINED, RULE_ON_REPLY},
                {EVENT_UPDATED, RULE_ON_UPDATED},  {EVENT_REOPENED, RULE_ON_REOPENED},
                {EVENT_REPEATED, RULE_ON_REPEATED}};

    if (strcmp(word, "due") == 0 && (on & RULE_ON_DUE) != 0)
        return true;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        if ((on & rows[k].on) != 0 && strcmp(word, desk_event_name(rows[k].kind)) == 0)
            return true;
    return false;
}

static const char *number_never(const struct rule_cond *leaf, const struct rule_value *v)
{
    if (is_priority(leaf))
        return v->kind == RULE_NUMBER && v->number >= 1 && v->number <= PROCESS_PRIORITIES
                   ? NULL
                   : "it is a number from 1 to 4";
    return v->kind == RULE_NUMBER ? NULL : "it is a number";
}

const char *rule_value_never(const struct rule_cond *leaf, const struct rule_value *v, unsigned on)
{
    if (strcmp(leaf->field, "event.kind") == 0 && !kind_is_on(v->text, on))
        return "the rule does not run on that (see on)";
    if (strcmp(leaf->field, "customer.locale") == 0 && contact_fault("locale", span_of(v->text)) != NULL)
        return "it is a language such as en or de-AT";
    switch (kind_of(leaf)) {
    case FIELD_NUMBER:
        return number_never(leaf, v);
    case FIELD_BOOL:
        return v->kind == RULE_BOOL ? NULL : "it is true or false";
    case FIELD_TEXT:
    case FIELD_LIST:
        return process_field_has_word(leaf->field, v->text) ? NULL : "it never has that value";
    default:
        return NULL;
    }
}

/* Why none of its values can be there. */
static const char *values_never(const struct rule_cond *leaf, unsigned on)
{
    const char *why = NULL;

    for (size_t i = leaf->value_count; i > 0; i--)
        if ((why = rule_value_never(leaf, &leaf->values[i - 1], on)) == NULL)
            return NULL;
    return why;
}

static const char *never_of_number(const struct rule_cond *leaf)
{
    if (leaf->test == RULE_MATCHES)
        return "it is a number, which no pattern matches";
    if (is_priority(leaf) && ((leaf->test == RULE_LESS && leaf->values[0].number <= 1) ||
                              (leaf->test == RULE_MORE && leaf->values[0].number >= PROCESS_PRIORITIES)))
        return "it is a number from 1 to 4";
    return leaf->test == RULE_LESS && leaf->values[0].number <= 0 ? "it is never below 0" : NULL;
}

const char *rule_leaf_never(const struct rule_cond *leaf, unsigned on)
{
    bool is_kind = strcmp(leaf->field, "event.kind") == 0, of_event = strncmp(leaf->field, "event.", 6) == 0;

    if (of_event && !is_kind && (on & ~(unsigned)ON_WITHOUT_EVENT) == 0 && is_positive(leaf))
        return "it is empty on posted and due";
    if (strcmp(leaf->field, "reply.text") == 0 && (on & ~(unsigned)ON_WITHOUT_TEXT) == 0 && is_positive(leaf))
        return "it is empty on posted, updated and due";
    if (is_equality(leaf) || (leaf->test == RULE_CONTAINS && kind_of(leaf) == FIELD_LIST))
        return values_never(leaf, on);
    switch (kind_of(leaf)) {
    case FIELD_NUMBER:
        return never_of_number(leaf);
    case FIELD_BOOL:
        return leaf->test == RULE_EXISTS ? NULL : values_never(leaf, on);
    default:
        return NULL;
    }
}

/* ---- pairs ---- */

static bool value_same(const struct rule_value *a, const struct rule_value *b)
{
    return a->kind == b->kind && strcmp(a->text, b->text) == 0;
}

/* "12" as text and 12 as a number may both be equal to one field, and 2.5 and 2.50. */
static bool value_may_be_same(const struct rule_value *a, const struct rule_value *b)
{
    return strcmp(a->text, b->text) == 0 || (a->kind == RULE_NUMBER && b->kind == RULE_NUMBER &&
                                             a->number >= b->number && a->number <= b->number);
}

static bool value_in(const struct rule_value *value, const struct rule_cond *list)
{
    for (size_t i = 0; i < list->value_count; i++)
        if (value_same(value, &list->values[i]))
            return true;
    return false;
}

static bool leaf_implies(const struct rule_cond *a, const struct rule_cond *b)
{
    if (!is_leaf(a) || !is_leaf(b) || strcmp(a->field, b->field) != 0)
        return false;
    if (b->test == RULE_EXISTS)
        return a->test == RULE_EXISTS ? a->yes == b->yes : b->yes;
    if (a->test == RULE_EXISTS)
        return false;
    if (is_equality(a) && is_equality(b)) {
        for (size_t i = 0; i < a->value_count; i++)
            if (!value_in(&a->values[i], b))
                return false;
        return true;
    }
    if (a->test != b->test)
        return false;
    if (a->test == RULE_LESS)
        return a->values[0].number <= b->values[0].number;
    if (a->test == RULE_MORE)
        return a->values[0].number >= b->values[0].number;
    return strcmp(a->values[0].text, b->values[0].text) == 0;
}

static bool all_imply(struct rule_logic *logic, const struct rule_cond *list, const struct rule_cond *b)
{
    for (size_t i = 0; i < list->part_count; i++)
        if (!rule_implies(logic, &list->parts[i], b))
            return false;
    return true;
}

static bool implies_all(struct rule_logic *logic, const struct rule_cond *a, const struct rule_cond *list)
{
    for (size_t i = 0; i < list->part_count; i++)
        if (!rule_implies(logic, a, &list->parts[i]))
            return false;
    return true;
}

bool rule_implies(struct rule_logic *logic, const struct rule_cond *a, const struct rule_cond *b)
{
    if (b == NULL || a == NULL || !spend(logic))
        return b == NULL;
    if (a->test == RULE_ANY)
        return all_imply(logic, a, b);
    if (b->test == RULE_ALL)
        return implies_all(logic, a, b);
    for (size_t i = 0; a->test == RULE_ALL && i < a->part_count; i++)
        if (rule_implies(logic, &a->parts[i], b))
            return true;
    for (size_t i = 0; b->test == RULE_ANY && i < b->part_count; i++)
        if (rule_implies(logic, a, &b->parts[i]))
            return true;
    if (b->test == RULE_NOT)
        return a->test == RULE_NOT ? rule_implies(logic, &b->parts[0], &a->parts[0])
                                   : rule_excludes(logic, a, &b->parts[0]);
    if (a->test == RULE_TIME_OPEN && b->test == RULE_TIME_OPEN)
        return strcmp(a->calendar, b->calendar) == 0;
    return leaf_implies(a, b);
}

/* Whether a number that is equal to one of a's can satisfy b, a limit. */
static bool equality_within(const struct rule_cond *a, const struct rule_cond *b)
{
    for (size_t i = 0; i < a->value_count; i++) {
        const struct rule_value *v = &a->values[i];
        if (v->kind != RULE_NUMBER ||
            (b->test == RULE_LESS ? v->number < b->values[0].number : v->number > b->values[0].number))
            return true;
    }
    return false;
}

static bool equalities_meet(const struct rule_cond *a, const struct rule_cond *b)
{
    for (size_t i = 0; i < a->value_count; i++)
        for (size_t k = 0; k < b->value_count; k++)
            if (value_may_be_same(&a->values[i], &b->values[k]))
                return true;
    return false;
}

static bool leaf_excludes(const struct rule_cond *a, const struct rule_cond *b)
{
    if (!is_leaf(a) || !is_leaf(b) || strcmp(a->field, b->field) != 0)
        return false;
    if (!is_positive(a) || !is_positive(b))
        return is_positive(a) != is_positive(b);
    if (!is_scalar(a))
        return false;
    if (is_equality(a) && is_equality(b))
        return !equalities_meet(a, b);
    if (is_equality(a) && is_limit(b))
        return !equality_within(a, b);
    if (is_limit(a) && is_equality(b))
        return !equality_within(b, a);
    if (a->test == RULE_LESS && b->test == RULE_MORE)
        return b->values[0].number >= a->values[0].number;
    return a->test == RULE_MORE && b->test == RULE_LESS && a->values[0].number >= b->values[0].number;
}

bool rule_excludes(struct rule_logic *logic, const struct rule_cond *a, const struct rule_cond *b)
{
    if (!spend(logic))
        return false;
    if (b->test != RULE_NOT && (a->test == RULE_NOT || (is_leaf(a) && !is_leaf(b)))) {
        const struct rule_cond *other = a; /* the compound one first */
        a = b;
        b = other;
    }
    if (b->test == RULE_NOT)
        return rule_implies(logic, a, &b->parts[0]);
    for (size_t i = 0; a->test == RULE_ALL && i < a->part_count; i++)
        if (rule_excludes(logic, &a->parts[i], b))
            return true;
    if (a->test == RULE_ALL || a->test == RULE_ANY) {
        for (size_t i = 0; i < a->part_count; i++)
            if (!rule_excludes(logic, &a->parts[i], b))
                return false;
        return true;
    }
    return leaf_excludes(a, b);
}

/* ---- whole conditions ---- */

static bool parts_exclude(struct rule_logic *logic, const struct rule_cond *all)
{
    for (size_t i = 0; i < all->part_count; i++)
        for (size_t k = 0; k < i; k++)
            if (rule_excludes(logic, &all->parts[k], &all->parts[i]))
                return true;
    return false;
}

static enum rule_verdict parts_verdict(struct rule_logic *logic, const struct rule_cond *cond, unsigned on)
{
    enum rule_verdict ends = cond->test == RULE_ALL ? RULE_NEVER : RULE_ALWAYS;
    enum rule_verdict other = cond->test == RULE_ALL ? RULE_ALWAYS : RULE_NEVER;
    size_t others = 0;

    for (size_t i = 0; i < cond->part_count; i++) {
        enum rule_verdict part = rule_verdict_of(logic, &cond->parts[i], on);
        if (part == ends)
            return ends;
        others += part == other;
    }
    if (cond->test == RULE_ALL && parts_exclude(logic, cond))
        return RULE_NEVER;
    return others == cond->part_count ? other : RULE_MAYBE;
}

enum rule_verdict rule_verdict_of(struct rule_logic *logic, const struct rule_cond *cond, unsigned on)
{
    static const enum rule_verdict inverse[] = {
        [RULE_MAYBE] = RULE_MAYBE, [RULE_NEVER] = RULE_ALWAYS, [RULE_ALWAYS] = RULE_NEVER};

    if (cond == NULL)
        return RULE_ALWAYS;
    switch (cond->test) {
    case RULE_ALL:
    case RULE_ANY:
        return parts_verdict(logic, cond, on);
    case RULE_NOT:
        return inverse[rule_verdict_of(logic, &cond->parts[0], on)];
    case RULE_TIME_OPEN:
        return strcmp(cond->calendar, PROCESS_ALWAYS) == 0 ? RULE_ALWAYS : RULE_MAYBE;
    default:
        return rule_leaf_never(cond, on) != NULL ? RULE_NEVER : RULE_MAYBE;
    }
}
