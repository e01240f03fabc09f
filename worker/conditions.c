/* Conditions of rules; see conditions.h. */
#include "conditions.h"

#include "clock.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    TEXT_BYTES_MAX = 512 * 1024,
    MATCH_LIMIT = 200000, /* steps of PCRE2's interpreter: some milliseconds at most */
    DEPTH_LIMIT = 1000,
    HEAP_LIMIT_KIB = 4096
};

enum value_kind { VALUE_NONE, VALUE_TEXT, VALUE_NUMBER, VALUE_BOOL, VALUE_LIST, VALUE_MAP };

struct value {
    enum value_kind kind;
    struct span text;
    double number; /* VALUE_BOOL: 0 or 1 */
    const struct wire_val *list;
    unsigned bits; /* VALUE_LIST without a list: channels */
};

struct conditions {
    const struct engine *engine;
    const struct work *work;
    const struct wire_val *event;
    const struct process_package *package;
    struct buf text, reply; /* built when first asked for */
    bool has_text, has_reply;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

struct conditions *conditions_new(void)
{
    struct conditions *c = mem_new(1, sizeof *c);

    buf_init(&c->text, TEXT_BYTES_MAX);
    buf_init(&c->reply, TEXT_BYTES_MAX);
    c->match = pcre2_match_data_create(1, NULL);
    c->limits = pcre2_match_context_create(NULL);
    if (c->match == NULL || c->limits == NULL)
        abort();
    (void)pcre2_set_match_limit(c->limits, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(c->limits, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(c->limits, HEAP_LIMIT_KIB);
    return c;
}

void conditions_free(struct conditions *conditions)
{
    if (conditions == NULL)
        return;
    buf_clear(&conditions->text);
    buf_clear(&conditions->reply);
    pcre2_match_data_free(conditions->match);
    pcre2_match_context_free(conditions->limits);
    free(conditions);
}

void conditions_look(struct conditions *conditions, const struct engine *engine, const struct work *work,
                     const struct wire_val *event)
{
    conditions->engine = engine;
    conditions->work = work;
    conditions->event = event;
    conditions->package = process_package_find(engine_process(engine), work->package);
    conditions->has_text = conditions->has_reply = false;
}

/* ---- fields ---- */

static struct value value_text(struct span text)
{
    return (struct value){.kind = text.p == NULL ? VALUE_NONE : VALUE_TEXT, .text = text};
}

static struct value value_of(const struct wire_val *val)
{
    struct value value = {.kind = VALUE_NONE, .list = val};
    bool flag;

    if (wire_get_str(val, &value.text))
        value.kind = VALUE_TEXT;
    else if (wire_get_float(val, &value.number))
        value.kind = VALUE_NUMBER;
    else if (wire_get_bool(val, &flag)) {
        value.kind = VALUE_BOOL;
        value.number = flag;
    } else if (wire_type(val) == WIRE_LIST)
        value.kind = VALUE_LIST;
    else if (wire_type(val) == WIRE_MAP)
        value.kind = VALUE_MAP;
    return value;
}

/* Title and problem together, so that a rule need not ask twice. */
static struct value field_text(struct conditions *c)
{
    if (!c->has_text) {
        buf_reset(&c->text);
        (void)buf_add_span(&c->text, wire_find_str(c->work->ticket, "title"));
        (void)buf_add_text(&c->text, "\n");
        (void)buf_add_span(&c->text, wire_find_str(c->work->ticket, "problem"));
        c->has_text = true;
    }
    return value_text(buf_span(&c->text));
}

/* New words only: quoted lines are left out, and all below the line that announces the old message. */
static struct value field_reply(struct conditions *c)
{
    struct span text = wire_find_str(wire_find(c->event, "body"), "text");

    if (text.p == NULL)
        return (struct value){.kind = VALUE_NONE};
    if (!c->has_reply) {
        buf_reset(&c->reply);
        for (size_t i = 0; i < text.len;) {
            const char *end = memchr(text.p + i, '\n', text.len - i);
            size_t len = end == NULL ? text.len - i : (size_t)(end - text.p) - i + 1;
            struct span line = {text.p + i, len};
            if (len >= 8 && memcmp(line.p, "-----Ori", 8) == 0)
                break;
            if (line.p[0] != '>')
                (void)buf_add_span(&c->reply, line);
            i += len;
        }
        c->has_reply = true;
    }
    return value_text(buf_span(&c->reply));
}

static struct value field_number(double number)
{
    return (struct value){.kind = VALUE_NUMBER, .number = number};
}

static struct value field_flag(bool flag)
{
    return (struct value){.kind = VALUE_BOOL, .number = flag};
}

static struct value field_age(struct conditions *c)
{
    return field_number((double)(c->work->now - c->work->posted_at) / (double)US_PER_S);
}

static struct value field_known(struct conditions *c)
{
    return field_flag(wire_type(c->work->customer) == WIRE_MAP);
}

static struct value field_customer_id(struct conditions *c)
{
    return value_of(wire_find(c->work->ticket, "customer"));
}

static struct value field_customer_package(struct conditions *c)
{
    return value_of(wire_find(c->work->ticket, "package"));
}

static struct value field_package_name(struct conditions *c)
{
    return value_text(span_of(c->package->name));
}

static struct value field_package_weight(struct conditions *c)
{
    return field_number((double)c->package->weight);
}

static struct value field_package_channels(struct conditions *c)
{
    return (struct value){.kind = VALUE_LIST, .bits = c->package->channels};
}

static struct value field_package_meetings(struct conditions *c)
{
    return (struct value){.kind = VALUE_LIST, .bits = c->package->meetings};
}

static struct value field_event_kind(struct conditions *c)
{
    return c->event == NULL ? value_text(span_of("posted")) : value_of(wire_find(c->event, "kind"));
}

static struct value field_event_role(struct conditions *c)
{
    return value_of(wire_find(wire_find(c->event, "as"), "role"));
}

static struct value field_event_name(struct conditions *c)
{
    return value_of(wire_find(wire_find(c->event, "as"), "name"));
}

static struct value field_event_public(struct conditions *c)
{
    return value_of(wire_find(c->event, "public"));
}

/* Fields that are not simply the ticket's or a map's entry of that name. */
static const struct field_row {
    const char *name;
    struct value (*get)(struct conditions *c);
} fields[] = {
    {"text", field_text},
    {"reply.text", field_reply},
    {"age_s", field_age},
    {"customer.known", field_known},
    {"customer.id", field_customer_id},
    {"customer.package", field_customer_package},
    {"package.name", field_package_name},
    {"package.weight", field_package_weight},
    {"package.channels", field_package_channels},
    {"package.meetings", field_package_meetings},
    {"event.kind", field_event_kind},
    {"event.role", field_event_role},
    {"event.name", field_event_name},
    {"event.public", field_event_public},
};

static struct value field_get(struct conditions *c, const char *field)
{
    const char *dot = strchr(field, '.');
    char map[32];

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(field, fields[i].name) == 0)
            return fields[i].get(c);
    if (dot == NULL)
        return value_of(wire_find(c->work->ticket, field));
    (void)snprintf(map, sizeof map, "%.*s", (int)(dot - field), field);
    const struct wire_val *from =
        strcmp(map, "customer") == 0 ? c->work->customer : wire_find(c->work->ticket, map);
    return value_of(wire_find(from, dot + 1));
}

/* ---- tests ---- */

static bool value_is(const struct value *value, const struct rule_value *want)
{
    switch (value->kind) {
    case VALUE_TEXT:
        return span_is(value->text, want->text);
    case VALUE_NUMBER:
        return want->kind == RULE_NUMBER && value->number == (double)want->number;
    case VALUE_BOOL:
        return want->kind == RULE_BOOL && (value->number != 0) == (want->number != 0);
    default:
        return false;
    }
}

static bool list_has(const struct value *list, const struct rule_value *want)
{
    if (list->list == NULL)
        return (list->bits & process_channel_parse(span_of(want->text))) != 0;
    for (size_t i = 0; i < wire_count(list->list); i++) {
        struct value item = value_of(wire_at(list->list, i));
        if (value_is(&item, want))
            return true;
    }
    return false;
}

static bool span_contains(struct span text, const char *part)
{
    size_t len = strlen(part);

    for (size_t i = 0; len != 0 && i + len <= text.len; i++)
        if (text.p[i] == part[0] && memcmp(text.p + i, part, len) == 0)
            return true;
    return len == 0;
}

static bool value_exists(const struct value *value)
{
    switch (value->kind) {
    case VALUE_NONE:
        return false;
    case VALUE_TEXT:
        return value->text.len != 0;
    case VALUE_LIST:
        return value->list == NULL ? value->bits != 0 : wire_count(value->list) != 0;
    case VALUE_MAP:
        return wire_count(value->list) != 0;
    default:
        return true;
    }
}

static bool test_matches(struct conditions *c, const struct rule_cond *cond, const struct value *value,
                         char *why)
{
    if (value->kind != VALUE_TEXT)
        return false;
    int rc = pcre2_match((const pcre2_code *)cond->pattern, (PCRE2_SPTR)value->text.p, value->text.len, 0,
                         PCRE2_NO_UTF_CHECK, c->match, c->limits);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        (void)snprintf(why, CONDITION_WHY_BYTES, "%s: the pattern took too long", cond->field);
    return rc >= 0;
}

static bool test_leaf(struct conditions *c, const struct rule_cond *cond, char *why)
{
    struct value value = field_get(c, cond->field);
    bool found = false;

    switch (cond->test) {
    case RULE_EXISTS:
        return value_exists(&value) == cond->yes;
    case RULE_IS:
    case RULE_IN:
        for (size_t i = 0; i < cond->value_count && !found; i++)
            found = value.kind == VALUE_LIST ? list_has(&value, &cond->values[i])
                                             : value_is(&value, &cond->values[i]);
        return found;
    case RULE_CONTAINS:
        return value.kind == VALUE_LIST
                   ? list_has(&value, &cond->values[0])
                   : value.kind == VALUE_TEXT && span_contains(value.text, cond->values[0].text);
    case RULE_LESS:
        return value.kind == VALUE_NUMBER && value.number < (double)cond->values[0].number;
    case RULE_MORE:
        return value.kind == VALUE_NUMBER && value.number > (double)cond->values[0].number;
    case RULE_MATCHES:
        return test_matches(c, cond, &value, why);
    default:
        return false;
    }
}

static bool test_open(struct conditions *c, const struct rule_cond *cond, char *why)
{
    const struct calendar *calendar = engine_calendar(c->engine, span_of(cond->calendar));
    bool open = calendar != NULL && calendar_is_open(calendar, c->work->now);

    (void)snprintf(why, CONDITION_WHY_BYTES, "%.64s is %s", cond->calendar, open ? "open" : "closed");
    return open;
}

/* The loader bounds the depth. The part that decided gives the reason. */
static bool test_cond(struct conditions *c, const struct rule_cond *cond, char *why)
{
    char inner[CONDITION_WHY_BYTES] = "";
    bool is_all = cond->test == RULE_ALL;

    if (cond->test == RULE_TIME_OPEN)
        return test_open(c, cond, why);
    if (cond->test == RULE_NOT) {
        bool holds = test_cond(c, &cond->parts[0], inner);
        (void)snprintf(why, CONDITION_WHY_BYTES, "not (%.140s)", inner);
        return !holds;
    }
    if (cond->test != RULE_ALL && cond->test != RULE_ANY) {
        why[0] = '\0';
        bool holds = test_leaf(c, cond, why);
        if (why[0] == '\0')
            (void)snprintf(why, CONDITION_WHY_BYTES, "%.80s %s%s%.40s: %s", cond->field,
                           rule_test_name(cond->test),
                           cond->value_count == 1 && cond->test != RULE_MATCHES ? " " : "",
                           cond->value_count == 1 && cond->test != RULE_MATCHES ? cond->values[0].text : "",
                           holds ? "yes" : "no");
        return holds;
    }
    for (size_t i = 0; i < cond->part_count; i++)
        if (test_cond(c, &cond->parts[i], inner) != is_all) {
            (void)snprintf(why, CONDITION_WHY_BYTES, "%s", inner);
            return !is_all;
        }
    (void)snprintf(why, CONDITION_WHY_BYTES, is_all ? "all of %zu hold" : "none of %zu holds",
                   cond->part_count);
    return is_all;
}

bool conditions_hold(struct conditions *conditions, const struct rule_cond *cond, char *ret_why)
{
    if (cond == NULL) {
        (void)snprintf(ret_why, CONDITION_WHY_BYTES, "always");
        return true;
    }
    return test_cond(conditions, cond, ret_why);
}
