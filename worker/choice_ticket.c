/* The ticket as the rules of one event see it; see choice.h.
 *
 * What is decided late, or all at once, is decided as if each event had been when it came: the rules of a reply see what those of the posting
 * made of the ticket, though it does not stand in the work yet. */
#include "choice.h"

#include <string.h>

bool choice_sets_attribute(const struct choice *choice, struct span name)
{
    for (size_t i = 0; i < choice->attribute_count; i++)
        if (span_is(name, choice->attributes[i]->name))
            return true;
    return false;
}

static bool is_replaced(const struct choice *c, struct span key)
{
    return span_is(key, "priority") || span_is(key, "state") || (c->queue != NULL && span_is(key, "queue")) ||
           (c->assignee != NULL && span_is(key, "assignee")) || (c->kind != NULL && span_is(key, "kind")) ||
           (c->tag_count != 0 && span_is(key, "tags")) ||
           (c->attribute_count != 0 && span_is(key, "attributes"));
}

static void make_tags(const struct wire_val *old, const struct choice *c, struct wire_made *made)
{
    wire_made_str(made, span_of("tags"));
    size_t list = wire_made_open(made);
    for (size_t i = 0; i < wire_count(old); i++)
        wire_made_val(made, wire_at(old, i));
    for (size_t i = 0; i < c->tag_count; i++)
        wire_made_str(made, span_of(c->tags[i]));
    wire_made_close_list(made, list);
}

static void make_attribute(const struct rule_attribute *attribute, struct wire_made *made)
{
    wire_made_str(made, span_of(attribute->name));
    if (attribute->value.kind == RULE_NUMBER && attribute->value.is_whole)
        wire_made_int(made, attribute->value.whole);
    else if (attribute->value.kind == RULE_NUMBER)
        wire_made_float(made, attribute->value.number);
    else if (attribute->value.kind == RULE_BOOL)
        wire_made_bool(made, attribute->value.number > 0);
    else
        wire_made_str(made, span_of(attribute->value.text));
}

static void make_attributes(const struct wire_val *old, const struct choice *c, struct wire_made *made)
{
    wire_made_str(made, span_of("attributes"));
    size_t map = wire_made_open(made);
    for (size_t i = 0; i < wire_count(old); i++)
        if (!choice_sets_attribute(c, wire_key_at(old, i))) {
            wire_made_str(made, wire_key_at(old, i));
            wire_made_val(made, wire_val_at(old, i));
        }
    for (size_t i = 0; i < c->attribute_count; i++)
        make_attribute(c->attributes[i], made);
    wire_made_close_map(made, map);
}

static void make_name(const char *key, const char *name, struct wire_made *made)
{
    if (name != NULL)
        wire_made_key_str(made, key, span_of(name));
}

const struct wire_val *choice_ticket(const struct work *work, const struct choice *c, int stands,
                                     bool triaged, struct wire_made *made)
{
    bool is_new = work->state == STATE_NEW && triaged;

    if (stands == work->priority && !is_new && c->queue == NULL && c->assignee == NULL && c->kind == NULL &&
        c->tag_count == 0 && c->attribute_count == 0)
        return work->ticket;
    wire_made_reset(made);
    size_t map = wire_made_open(made);
    for (size_t i = 0; i < wire_count(work->ticket); i++)
        if (!is_replaced(c, wire_key_at(work->ticket, i))) {
            wire_made_str(made, wire_key_at(work->ticket, i));
            wire_made_val(made, wire_val_at(work->ticket, i));
        }
    if (stands != 0)
        wire_made_key_int(made, "priority", stands);
    wire_made_key_str(made, "state", span_of(desk_state_name(is_new ? STATE_TRIAGED : work->state)));
    make_name("queue", c->queue, made);
    make_name("assignee", c->assignee, made);
    make_name("kind", c->kind, made);
    if (c->tag_count != 0)
        make_tags(wire_find(work->ticket, "tags"), c, made);
    if (c->attribute_count != 0)
        make_attributes(wire_find(work->ticket, "attributes"), c, made);
    wire_made_close_map(made, map);
    return wire_made_root(made);
}
