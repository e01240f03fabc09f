/* Fields of conditions: where each is found in a work. The list of them is common/process_fields.c. */
#include "conditions_internal.h"

#include "clock.h"

#include <string.h>

struct value condition_value(const struct wire_val *val)
{
    struct value value = {.shape = SHAPE_NONE, .val = val};
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

static struct value value_text(struct span text)
{
    return (struct value){.shape = text.len > 0 ? SHAPE_TEXT : SHAPE_NONE, .text = text};
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

static void reply_strip_quotes(struct span text, struct buf *out)
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

/* Title and problem together, so that a rule need not ask twice. */
static struct value field_text(struct conditions *c)
{
    if (!c->has_text) {
        buf_reset(&c->text);
        (void)buf_add_span(&c->text, wire_find_str(c->view.ticket, "title"));
        (void)buf_add_text(&c->text, "\n");
        (void)buf_add_span(&c->text, wire_find_str(c->view.ticket, "problem"));
        c->has_text = true;
    }
    return value_text(buf_span(&c->text));
}

static struct value field_reply(struct conditions *c)
{
    if (!c->has_reply) {
        buf_reset(&c->reply);
        reply_strip_quotes(wire_find_str(wire_find(c->view.event, "body"), "text"), &c->reply);
        c->has_reply = true;
    }
    return value_text(buf_span(&c->reply));
}

static struct value value_number(double number)
{
    return (struct value){.shape = SHAPE_NUMBER, .number = number};
}

static struct value field_age(struct conditions *c)
{
    return value_number((double)(c->view.at - c->view.work->posted_at) / (double)US_PER_S);
}

static struct value field_known(struct conditions *c)
{
    return (struct value){.shape = SHAPE_BOOL, .number = wire_type(c->view.work->customer) == WIRE_MAP};
}

static struct value field_package_name(struct conditions *c)
{
    return value_text(span_of(c->package->name));
}

static struct value field_package_weight(struct conditions *c)
{
    return value_number((double)c->package->weight);
}

static struct value field_package_channels(struct conditions *c)
{
    return (struct value){.shape = SHAPE_BITS, .bits = c->package->channels};
}

static struct value field_package_meetings(struct conditions *c)
{
    return (struct value){.shape = SHAPE_BITS, .bits = c->package->meetings};
}

static struct value field_customer_id(struct conditions *c)
{
    return value_text(wire_find_str(c->view.ticket, "customer"));
}

/* A ticket that no broker has taken yet has none of its own: it is posted with the one that serves it. */
static struct value field_customer_package(struct conditions *c)
{
    struct span package = wire_find_str(c->view.ticket, "package");
    return value_text(package.len != 0 ? package : span_of(c->package->name));
}

static struct value field_event_kind(struct conditions *c)
{
    if (c->view.event != NULL)
        return condition_value(wire_find(c->view.event, "kind"));
    return value_text(span_of(c->view.work->is_first || c->view.values ? "posted" : "due"));
}

static struct value field_event_role(struct conditions *c)
{
    return condition_value(wire_find(wire_find(c->view.event, "as"), "role"));
}

static struct value field_event_name(struct conditions *c)
{
    return condition_value(wire_find(wire_find(c->view.event, "as"), "name"));
}

/* Fields that are made; all others are looked up. */
static const struct {
    const char *name;
    struct value (*get)(struct conditions *);
} made[] = {
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
};

struct value condition_field(struct conditions *c, const char *field)
{
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        if (field[0] == made[i].name[0] && strcmp(field, made[i].name) == 0)
            return made[i].get(c);
    if (strncmp(field, "customer.", 9) == 0)
        return condition_value(path_find(c->view.work->customer, field + 9));
    if (strncmp(field, "event.", 6) == 0)
        return condition_value(path_find(c->view.event, field + 6));
    return condition_value(path_find(c->view.ticket, field));
}
