/* Conditions: whether each holds, and the words that say why. */
#include "rules_internal.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>
#include <string.h>

enum { WHY_VALUE_BYTES = 80, NUMBER_BYTES_MAX = 30 };

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool text_contains(struct span text, struct span part)
{
    for (size_t i = 0; part.len <= text.len && i <= text.len - part.len; i++) {
        size_t j = 0;
        while (j < part.len && lower(text.p[i + j]) == lower(part.p[j]))
            j++;
        if (j == part.len)
            return true;
    }
    return false;
}

/* A field is a number by its type or, as people fill maps, by its letters: "2.9". */
static bool value_number(const struct rules_value *value, double *ret)
{
    char digits[NUMBER_BYTES_MAX + 1];
    char *end = NULL;

    if (value->shape == SHAPE_NUMBER) {
        *ret = value->number;
        return true;
    }
    if (value->shape != SHAPE_TEXT || value->text.len > NUMBER_BYTES_MAX)
        return false;
    memcpy(digits, value->text.p, value->text.len);
    digits[value->text.len] = '\0';
    if (strspn(digits, "-.0123456789") != value->text.len)
        return false;
    double number = strtod(digits, &end);
    if (*end != '\0')
        return false;
    *ret = number;
    return true;
}

static bool scalar_equal(const struct rules_value *value, const struct rule_value *want)
{
    switch (value->shape) {
    case SHAPE_TEXT:
        return span_is(value->text, want->text);
    case SHAPE_NUMBER:
        return want->kind == RULE_NUMBER && value->number >= (double)want->number &&
               value->number <= (double)want->number;
    case SHAPE_BOOL:
        return want->kind == RULE_BOOL && (value->number > 0) == (want->number != 0);
    case SHAPE_BITS:
        return (value->bits & process_channel_parse(span_of(want->text))) != 0;
    default:
        return false;
    }
}

/* A list is equal to what one of its entries is. */
static bool value_equal(const struct rules_value *value, const struct rule_value *want)
{
    if (value->shape != SHAPE_VALUE || wire_type(value->val) != WIRE_LIST)
        return scalar_equal(value, want);
    for (size_t i = 0; i < wire_count(value->val); i++) {
        struct rules_value item = rules_value_of(wire_at(value->val, i));
        if (scalar_equal(&item, want))
            return true;
    }
    return false;
}

static bool ask_equal(struct rules *rules, const struct rule_cond *cond, const struct rules_value *value)
{
    (void)rules;
    for (size_t i = 0; i < cond->value_count; i++)
        if (value_equal(value, &cond->values[i]))
            return true;
    return false;
}

static bool ask_contains(struct rules *rules, const struct rule_cond *cond, const struct rules_value *value)
{
    if (value->shape == SHAPE_TEXT)
        return text_contains(value->text, span_of(cond->values[0].text));
    if (value->shape == SHAPE_VALUE && wire_type(value->val) == WIRE_MAP)
        return wire_find(value->val, cond->values[0].text) != NULL;
    return ask_equal(rules, cond, value);
}

static bool ask_less(struct rules *rules, const struct rule_cond *cond, const struct rules_value *value)
{
    double number = 0;
    (void)rules;
    return value_number(value, &number) && number < (double)cond->values[0].number;
}

static bool ask_more(struct rules *rules, const struct rule_cond *cond, const struct rules_value *value)
{
    double number = 0;
    (void)rules;
    return value_number(value, &number) && number > (double)cond->values[0].number;
}

static bool ask_exists(struct rules *rules, const struct rule_cond *cond, const struct rules_value *value)
{
    (void)rules;
    return (value->shape != SHAPE_NONE) == cond->yes;
}

/* A pattern that passes its limits counts as not matched, and the trace says so. */
static bool text_matches(struct rules *rules, const struct rule_cond *cond, struct span text)
{
    size_t len = text.len < RULES_SUBJECT_BYTES_MAX ? text.len : RULES_SUBJECT_BYTES_MAX;
    while (len < text.len && len > 0 && ((unsigned char)text.p[len] & 0xc0) == 0x80)
        len--; /* not in the middle of a letter */
    int rc = pcre2_match(cond->pattern, (PCRE2_SPTR)(text.len > 0 ? text.p : ""), len, 0, PCRE2_NO_UTF_CHECK,
                         rules->data, rules->context);
    if (rc < PCRE2_ERROR_NOMATCH)
        (void)buf_printf(&rules->why, "the pattern passed its limit (%d); ", rc);
    return rc >= 0;
}

static bool ask_matches(struct rules *rules, const struct rule_cond *cond, const struct rules_value *value)
{
    struct span item;
    if (value->shape == SHAPE_TEXT)
        return text_matches(rules, cond, value->text);
    for (size_t i = 0; value->shape == SHAPE_VALUE && i < wire_count(value->val); i++)
        if (wire_get_str(wire_at(value->val, i), &item) && text_matches(rules, cond, item))
            return true;
    return false;
}

static bool (*const asks[RULE_TESTS])(struct rules *, const struct rule_cond *, const struct rules_value *) =
    {[RULE_IS] = ask_equal,          [RULE_IN] = ask_equal,  [RULE_MATCHES] = ask_matches,
     [RULE_CONTAINS] = ask_contains, [RULE_LESS] = ask_less, [RULE_MORE] = ask_more,
     [RULE_EXISTS] = ask_exists};

/* At most WHY_VALUE_BYTES, cut between letters. */
static void why_text(struct buf *why, struct span text)
{
    size_t len = text.len < WHY_VALUE_BYTES ? text.len : WHY_VALUE_BYTES;
    while (len < text.len && len > 0 && ((unsigned char)text.p[len] & 0xc0) == 0x80)
        len--;
    (void)buf_add_text(why, "\"");
    (void)buf_add(why, len > 0 ? text.p : "", len);
    (void)buf_add_text(why, len < text.len ? "…\"" : "\"");
}

static void why_value(struct buf *why, const struct rules_value *value)
{
    switch (value->shape) {
    case SHAPE_TEXT:
        why_text(why, value->text);
        return;
    case SHAPE_NUMBER:
        (void)buf_printf(why, "%g", value->number);
        return;
    case SHAPE_BOOL:
        (void)buf_add_text(why, value->number > 0 ? "true" : "false");
        return;
    case SHAPE_VALUE:
        (void)buf_printf(why, "a %s of %zu", wire_type(value->val) == WIRE_LIST ? "list" : "map",
                         wire_count(value->val));
        return;
    case SHAPE_BITS:
        (void)buf_printf(why, "%s%s%s", (value->bits & CHANNEL_TICKET) != 0 ? "ticket " : "",
                         (value->bits & CHANNEL_IM) != 0 ? "im " : "",
                         (value->bits & CHANNEL_PHONE) != 0 ? "phone" : "");
        return;
    default:
        (void)buf_add_text(why, "nothing");
        return;
    }
}

/* "impact (\"question\") is not in down, critical" */
static void why_leaf(struct rules *rules, const struct rule_cond *cond, const struct rules_value *value,
                     bool holds)
{
    struct buf *why = &rules->why;
    (void)buf_printf(why, "%s (", cond->field);
    why_value(why, value);
    (void)buf_printf(why, ")%s %s ", holds ? "" : " not", rule_test_name(cond->test));
    if (cond->test == RULE_EXISTS)
        (void)buf_add_text(why, cond->yes ? "true" : "false");
    for (size_t i = 0; i < cond->value_count && i < 5; i++) {
        (void)buf_add_text(why, i > 0 ? ", " : "");
        why_text(why, span_of(cond->values[i].text));
    }
}

static bool cond_open(struct rules *rules, const struct rule_cond *cond)
{
    const struct rules_input *input = rules->input;
    bool open = input->time_open == NULL || input->time_open(input->context, cond->calendar, input->now);
    (void)buf_printf(&rules->why, "%s is %s", cond->calendar, open ? "open" : "closed");
    return open;
}

/* The part that decides is the one told: the first that holds of any, the first that does not of all. */
static bool cond_parts(struct rules *rules, const struct rule_cond *cond)
{
    bool until = cond->test == RULE_ANY;
    size_t begin = rules->why.len;

    for (size_t i = 0; i < cond->part_count; i++) {
        if (i > 0 && !rules->why.failed)
            (void)buf_add_text(&rules->why, "; ");
        size_t part = rules->why.len;
        if (rules_cond(rules, &cond->parts[i]) != until)
            continue;
        if (!rules->why.failed) { /* only the words of the part that decided stay */
            memmove(rules->why.p + begin, rules->why.p + part, rules->why.len - part + 1);
            rules->why.len -= part - begin;
        }
        return until;
    }
    return !until;
}

bool rules_cond(struct rules *rules, const struct rule_cond *cond)
{
    if (cond->test == RULE_TIME_OPEN)
        return cond_open(rules, cond);
    if (cond->test == RULE_NOT)
        return !rules_cond(rules, &cond->parts[0]);
    if (cond->test == RULE_ALL || cond->test == RULE_ANY)
        return cond_parts(rules, cond);
    struct rules_value value = rules_field(rules, cond->field);
    bool holds = asks[cond->test](rules, cond, &value);
    why_leaf(rules, cond, &value, holds);
    return holds;
}
