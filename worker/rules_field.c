/* Fields of conditions: where each is found in a work. The list of them is common/process_fields.c. */
#include "rules_internal.h"

#include <string.h>

struct rules_value rules_value_of(const struct wire_val *val)
{
    struct rules_value value = {.shape = SHAPE_NONE, .val = val};
    bool yes = false;

    if (wire_get_str(val, &value.text))
        value.shape = value.text.len > 0 ? SHAPE_TEXT : SHAPE_NONE;
    else if (wire_get_bool(val, &yes))
        value.shape = SHAPE_BOOL, value.number = yes;
    else if (wire_get_float(val, &value.number))
        value.shape = SHAPE_NUMBER;
    else if (wire_count(val) > 0)
        value.shape = SHAPE_VALUE;
    return value;
}

static struct rules_value value_text(struct span text)
{
    return (struct rules_value){.shape = text.len > 0 ? SHAPE_TEXT : SHAPE_NONE, .text = text};
}

/* The key that is the whole path, else the parts one below the other; a key may have dots itself. */
static const struct wire_val *path_find(const struct wire_val *map, const char *path)
{
    char head[2 * PROCESS_NAME_MAX + 1];
    const struct wire_val *whole = wire_find(map, path);
    const char *dot = strchr(path, '.');

    if (whole != NULL || dot == NULL || (size_t)(dot - path) >= sizeof head)
        return whole;
    memcpy(head, path, (size_t)(dot - path));
    head[dot - path] = '\0';
    return path_find(wire_find(map, head), dot + 1);
}

static bool line_is_quote(struct span line)
{
    size_t i = 0;
    while (i < line.len && (line.p[i] == ' ' || line.p[i] == '\t'))
        i++;
    return i < line.len && line.p[i] == '>';
}

/* "On … wrote:" and "-----Original Message-----": all that follows is quoted. */
static bool line_begins_quote(struct span line)
{
    while (line.len > 0 && (line.p[line.len - 1] == '\r' || line.p[line.len - 1] == ' '))
        line.len--;
    if (line.len > 5 && strncmp(line.p, "-----", 5) == 0)
        return true;
    return line.len > 10 && strncmp(line.p, "On ", 3) == 0 && memcmp(line.p + line.len - 6, "wrote:", 6) == 0;
}

void rules_strip_quotes(struct span text, struct buf *out)
{
    size_t at = 0;
    while (at < text.len) {
        const char *end = memchr(text.p + at, '\n', text.len - at);
        size_t len = end == NULL ? text.len - at : (size_t)(end - (text.p + at)) + 1;
        struct span line = {text.p + at, end == NULL ? len : len - 1};
        if (line_begins_quote(line))
            return;
        if (!line_is_quote(line))
            (void)buf_add(out, text.p + at, len);
        at += len;
    }
}

static struct rules_value field_text(struct rules *rules)
{
    const struct wire_val *ticket = rules->input->ticket;
    if (rules->text.len == 0) {
        (void)buf_add_span(&rules->text, wire_find_str(ticket, "title"));
        (void)buf_add_text(&rules->text, "\n");
        (void)buf_add_span(&rules->text, wire_find_str(ticket, "problem"));
    }
    return value_text(buf_span(&rules->text));
}

static struct rules_value field_reply(struct rules *rules)
{
    if (rules->reply.len == 0)
        rules_strip_quotes(wire_find_str(wire_find(rules->input->event, "body"), "text"), &rules->reply);
    return value_text(buf_span(&rules->reply));
}

static struct rules_value field_age(struct rules *rules)
{
    int64_t posted = wire_find_int(rules->input->ticket, "posted_at", rules->input->now);
    int64_t age_s = (rules->input->now - posted) / 1000000;
    return (struct rules_value){.shape = SHAPE_NUMBER, .number = (double)age_s};
}

static struct rules_value field_known(struct rules *rules)
{
    return (struct rules_value){.shape = SHAPE_BOOL, .number = wire_type(rules->input->customer) == WIRE_MAP};
}

static const struct process_package *package_of(const struct rules *rules)
{
    return process_package_find(rules->process, wire_find_str(rules->input->ticket, "package"));
}

static struct rules_value field_package_name(struct rules *rules)
{
    return value_text(span_of(package_of(rules)->name));
}

static struct rules_value field_package_weight(struct rules *rules)
{
    return (struct rules_value){.shape = SHAPE_NUMBER, .number = (double)package_of(rules)->weight};
}

static struct rules_value field_package_channels(struct rules *rules)
{
    return (struct rules_value){.shape = SHAPE_BITS, .bits = package_of(rules)->channels};
}

static struct rules_value field_package_meetings(struct rules *rules)
{
    return (struct rules_value){.shape = SHAPE_BITS, .bits = package_of(rules)->meetings};
}

static struct rules_value field_customer_id(struct rules *rules)
{
    return value_text(wire_find_str(rules->input->ticket, "customer"));
}

static struct rules_value field_event_role(struct rules *rules)
{
    return rules_value_of(wire_find(wire_find(rules->input->event, "as"), "role"));
}

static struct rules_value field_event_name(struct rules *rules)
{
    return rules_value_of(wire_find(wire_find(rules->input->event, "as"), "name"));
}

/* Fields that are made; all others are looked up. */
static const struct {
    const char *name;
    struct rules_value (*get)(struct rules *);
} made[] = {
    {"text", field_text},
    {"reply.text", field_reply},
    {"age_s", field_age},
    {"customer.known", field_known},
    {"customer.id", field_customer_id},
    {"package.name", field_package_name},
    {"package.weight", field_package_weight},
    {"package.channels", field_package_channels},
    {"package.meetings", field_package_meetings},
    {"event.role", field_event_role},
    {"event.name", field_event_name},
};

struct rules_value rules_field(struct rules *rules, const char *field)
{
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        if (strcmp(field, made[i].name) == 0)
            return made[i].get(rules);
    if (strncmp(field, "customer.", 9) == 0)
        return rules_value_of(path_find(rules->input->customer, field + 9));
    if (strncmp(field, "event.", 6) == 0)
        return rules_value_of(path_find(rules->input->event, field + 6));
    return rules_value_of(path_find(rules->input->ticket, field));
}
