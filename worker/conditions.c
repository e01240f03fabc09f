/* Conditions of rules; see conditions.h. */
#include "conditions_internal.h"

#include "mem.h"
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

enum {
    TEXT_BYTES_MAX = 256 * 1024,
    WHY_BYTES_MAX = 4000,
    WHY_KEPT = 500,
    WHY_VALUE_BYTES = 80,
    WHY_VALUES = 5,
    NUMBER_BYTES_MAX = 30
};

struct conditions *conditions_new(void)
{
    struct conditions *c = mem_new(1, sizeof *c);

    buf_init(&c->text, TEXT_BYTES_MAX);
    buf_init(&c->reply, TEXT_BYTES_MAX);
    buf_init(&c->why, WHY_BYTES_MAX);
    c->search = pattern_search_new();
    c->made = wire_made_new();
    return c;
}

void conditions_free(struct conditions *conditions)
{
    if (conditions == NULL)
        return;
    buf_clear(&conditions->text);
    buf_clear(&conditions->reply);
    buf_clear(&conditions->why);
    pattern_search_free(conditions->search);
    wire_made_free(conditions->made);
    free(conditions);
}

struct wire_made *conditions_made(struct conditions *conditions)
{
    return conditions->made;
}

void conditions_look(struct conditions *conditions, const struct conditions_view *view)
{
    conditions->view = *view;
    conditions->package = process_package_find(engine_process(view->engine), view->work->package);
    conditions->has_text = conditions->has_reply = false;
}

/* ---- tests ---- */

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
static bool number_of(const struct value *value, double *ret)
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

static bool scalar_equal(const struct value *value, const struct rule_value *want)
{
    switch (value->shape) {
    case SHAPE_TEXT:
        return span_is(value->text, want->text);
    case SHAPE_NUMBER:
        return want->kind == RULE_NUMBER && value->number >= want->number && value->number <= want->number;
    case SHAPE_BOOL:
        return want->kind == RULE_BOOL && (value->number > 0) == (want->number > 0);
    case SHAPE_BITS:
        return (value->bits & process_channel_parse(span_of(want->text))) != 0;
    default:
        return false;
    }
}

/* A list is equal to what one of its entries is. */
static bool value_equal(const struct value *value, const struct rule_value *want)
{
    if (value->shape != SHAPE_VALUE || wire_type(value->val) != WIRE_LIST)
        return scalar_equal(value, want);
    for (size_t i = 0; i < wire_count(value->val); i++) {
        struct value item = condition_value(wire_at(value->val, i));
        if (scalar_equal(&item, want))
            return true;
    }
    return false;
}

static bool ask_equal(struct conditions *c, const struct rule_cond *cond, const struct value *value)
{
    (void)c;
    for (size_t i = 0; i < cond->value_count; i++)
        if (value_equal(value, &cond->values[i]))
            return true;
    return false;
}

static bool ask_contains(struct conditions *c, const struct rule_cond *cond, const struct value *value)
{
    if (value->shape == SHAPE_TEXT)
        return text_contains(value->text, span_of(cond->values[0].text));
    if (value->shape == SHAPE_VALUE && wire_type(value->val) == WIRE_MAP)
        return wire_find(value->val, cond->values[0].text) != NULL;
    return ask_equal(c, cond, value);
}

static bool ask_less(struct conditions *c, const struct rule_cond *cond, const struct value *value)
{
    double number = 0;
    (void)c;
    return number_of(value, &number) && number < cond->values[0].number;
}

static bool ask_more(struct conditions *c, const struct rule_cond *cond, const struct value *value)
{
    double number = 0;
    (void)c;
    return number_of(value, &number) && number > cond->values[0].number;
}

static bool ask_exists(struct conditions *c, const struct rule_cond *cond, const struct value *value)
{
    (void)c;
    return (value->shape != SHAPE_NONE) == cond->yes;
}

/* A pattern that passes its limits counts as not matched, and the trace says so. */
static bool text_matches(struct conditions *c, const struct rule_cond *cond, struct span text)
{
    int found = pattern_find(cond->pattern, c->search, text);
    if (found < 0 && c->asked)
        (void)buf_printf(&c->why, "the pattern passed its limit (%d); ", found);
    return found > 0;
}

static bool ask_matches(struct conditions *c, const struct rule_cond *cond, const struct value *value)
{
    struct span item;
    if (value->shape == SHAPE_TEXT)
        return text_matches(c, cond, value->text);
    for (size_t i = 0; value->shape == SHAPE_VALUE && i < wire_count(value->val); i++)
        if (wire_get_str(wire_at(value->val, i), &item) && text_matches(c, cond, item))
            return true;
    return false;
}

static bool (*const asks[RULE_TESTS])(struct conditions *, const struct rule_cond *, const struct value *) = {
    [RULE_IS] = ask_equal,          [RULE_IN] = ask_equal,  [RULE_MATCHES] = ask_matches,
    [RULE_CONTAINS] = ask_contains, [RULE_LESS] = ask_less, [RULE_MORE] = ask_more,
    [RULE_EXISTS] = ask_exists};

/* ---- reasons ---- */

/* At most WHY_VALUE_BYTES, cut between letters. */
static void why_text(struct buf *why, struct span text)
{
    struct span kept = span_cut(text, WHY_VALUE_BYTES);

    (void)buf_add_text(why, "\"");
    size_t from = why->len;
    (void)buf_add_span(why, kept);
    for (size_t i = from; i < why->len && !why->failed; i++) /* a reason is one line */
        if ((unsigned char)why->p[i] < ' ')
            why->p[i] = ' ';
    (void)buf_add_text(why, kept.len < text.len ? "…\"" : "\"");
}

static void why_value(struct buf *why, const struct value *value)
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

/* With values: `impact ("question") in "down", "critical": no`; without: `impact in: no`. */
static void why_leaf(struct conditions *c, const struct rule_cond *cond, const struct value *value,
                     bool holds)
{
    struct buf *why = &c->why;
    size_t told = c->view.values ? WHY_VALUES : 1;

    if (!c->asked)
        return;
    (void)buf_add_text(why, cond->field);
    if (c->view.values) {
        (void)buf_add_text(why, " (");
        why_value(why, value);
        (void)buf_add_text(why, ")");
    }
    (void)buf_add_text(why, " ");
    (void)buf_add_text(why, rule_test_name(cond->test));
    if (cond->test == RULE_EXISTS)
        (void)buf_add_text(why, cond->yes ? " true" : " false");
    for (size_t i = 0; i < cond->value_count && i < told && (c->view.values || cond->value_count == 1) &&
                       (c->view.values || cond->test != RULE_MATCHES);
         i++) {
        (void)buf_add_text(why, i > 0 ? ", " : " ");
        if (c->view.values)
            why_text(why, span_of(cond->values[i].text));
        else
            (void)buf_add_text(why, cond->values[i].text);
    }
    (void)buf_add_text(why, holds ? ": yes" : ": no");
}

static void why_add(struct conditions *c, const char *text)
{
    if (c->asked)
        (void)buf_add_text(&c->why, text);
}

static bool cond_leaf(struct conditions *c, const struct rule_cond *cond)
{
    struct value value = condition_field(c, cond->field);
    bool holds = asks[cond->test](c, cond, &value);
    why_leaf(c, cond, &value, holds);
    return holds;
}

static bool cond_open(struct conditions *c, const struct rule_cond *cond)
{
    const struct calendar *calendar = engine_calendar(c->view.engine, span_of(cond->calendar));
    bool open = calendar != NULL && calendar_is_open(calendar, c->view.at);

    why_add(c, cond->calendar);
    why_add(c, open ? " is open" : " is closed");
    return open;
}

static bool cond_test(struct conditions *c, const struct rule_cond *cond);

static bool cond_not(struct conditions *c, const struct rule_cond *cond)
{
    why_add(c, "not (");
    bool holds = cond_test(c, &cond->parts[0]);
    why_add(c, ")");
    return !holds;
}

static void why_cut(struct buf *why, size_t len)
{
    if (!why->failed && why->len > len) {
        why->len = len;
        why->p[len] = '\0';
    }
}

/* The part that decides is the one told: the first that holds of any, the first that does not of all. When none decides, their number
 * is, or all of them with values. */
static bool cond_parts(struct conditions *c, const struct rule_cond *cond)
{
    bool until = cond->test == RULE_ANY;
    struct buf *why = &c->why;
    size_t begin = why->len;

    for (size_t i = 0; i < cond->part_count; i++) {
        if (i > 0 && c->view.values)
            why_add(c, "; ");
        else
            why_cut(why, begin);
        size_t part = why->len;
        if (cond_test(c, &cond->parts[i]) != until)
            continue;
        if (c->asked && !why->failed) { /* only the words of the part that decided stay */
            memmove(why->p + begin, why->p + part, why->len - part + 1);
            why->len -= part - begin;
        }
        return until;
    }
    if (c->asked && !c->view.values) {
        why_cut(why, begin);
        (void)buf_printf(why, until ? "none of %zu holds" : "all of %zu hold", cond->part_count);
    }
    return !until;
}

/* The loader bounds the depth. */
static bool cond_test(struct conditions *c, const struct rule_cond *cond)
{
    switch (cond->test) {
    case RULE_TIME_OPEN:
        return cond_open(c, cond);
    case RULE_NOT:
        return cond_not(c, cond);
    case RULE_ALL:
    case RULE_ANY:
        return cond_parts(c, cond);
    default:
        return cond_leaf(c, cond);
    }
}

bool conditions_hold(struct conditions *conditions, const struct rule_cond *cond, struct span *ret_why)
{
    struct buf *why = &conditions->why;

    buf_reset(why);
    conditions->asked = ret_why != NULL;
    bool holds = true;
    if (cond == NULL)
        why_add(conditions, "always");
    else
        holds = cond_test(conditions, cond);
    if (ret_why != NULL)
        *ret_why = span_cut(buf_span(why), WHY_KEPT);
    return holds;
}
