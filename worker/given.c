/* What people write for the tools that need no broker; see given.h. */
#include "given.h"

#include "op_whole.h"
#include "work.h"

#include <stdlib.h>
#include <string.h>

static const struct request_rules rules = {&request_limits_default, "DKT", .form_is_free = false};

/* One step of a path like "contact.email" or "events[3].kind", which it moves on. NULL: there is no such thing. */
static const struct yaml_node *node_step(const struct yaml_node *node, const char **path)
{
    char key[96];
    size_t len = strcspn(*path, ".[");

    if (**path == '[') {
        size_t i = strtoul(*path + 1, NULL, 10);
        *path += strcspn(*path, ".");
        *path += **path == '.';
        return node->kind == NODE_LIST && i < node->count ? node->items[i] : NULL;
    }
    if (len >= sizeof key)
        return NULL;
    memcpy(key, *path, len);
    key[len] = '\0';
    *path += len + ((*path)[len] == '.');
    return yaml_node_find(node, key);
}

/* The value that a path leads to, or as far as it leads. */
static struct fault_place place_of(const struct yaml_node *node, const char *path,
                                   struct fault_place fallback)
{
    struct fault_place place = node == NULL ? fallback : node->place;

    while (node != NULL && *path != '\0') {
        node = node_step(node, &path);
        place = node == NULL ? place : node->place;
    }
    return place;
}

static struct fault_place place_of_key(const struct given *given, struct span key)
{
    const struct yaml_node *map = given->written;

    for (size_t i = 0; map != NULL && i < map->count; i++)
        if (span_is(key, map->keys[i]->text))
            return map->keys[i]->place;
    return given->place;
}

static bool check_key(const struct given *given, size_t i, const struct wire_val *vals[F_FIELDS],
                      struct faults *faults)
{
    struct span key = wire_key_at(given->body, i);
    const struct wire_val *val = wire_val_at(given->body, i);
    enum field field;
    struct err err;

    if (given->is_own != NULL && given->is_own(key))
        return true;
    if (!op_form_find_field(given->form, key, &field, &err))
        return faults_add(faults, place_of_key(given, key), "%s", err.msg);
    if (wire_type(val) == WIRE_NIL)
        return true;
    vals[field] = val;
    return request_field_check(field, &rules, val, &err) ||
           given_fault(given->written, given->place, &err, faults);
}

/* Who asks: as the body says, unless it is known. */
static struct op_whole whole_of(const struct given *given, const struct wire_val *const vals[F_FIELDS])
{
    struct op_whole whole = {.form = given->form,
                             .has_as = given->has_as,
                             .role = given->role,
                             .vals = vals,
                             .may_lack = given->may_lack};

    if (vals[F_AS] != NULL && desk_role_parse(wire_find_str(vals[F_AS], "role"), &whole.role))
        whole.has_as = true;
    return whole;
}

bool given_check(const struct given *given, struct faults *faults)
{
    const struct op_form *form = given->form;
    const struct wire_val *vals[F_FIELDS] = {NULL};
    bool ok = true;
    struct err err;

    for (size_t i = 0; i < wire_count(given->body); i++)
        ok = check_key(given, i, vals, faults) && ok;
    for (size_t i = 0; i < form->field_count; i++) {
        enum field field = (enum field)form->fields[i].field;
        if (!form->fields[i].required || vals[field] != NULL || given->may_lack(field) ||
            wire_type(wire_find(given->body, request_field_name(field))) != WIRE_NIL)
            continue;
        (void)op_form_missing(form, field, &err);
        ok = faults_add(faults, given->place, "%s", err.msg);
    }
    const struct op_whole whole = whole_of(given, vals);
    return ok && (op_whole_check(&whole, &err) || given_fault(given->written, given->place, &err, faults));
}

bool given_fault(const struct yaml_node *written, struct fault_place place, const struct err *err,
                 struct faults *faults)
{
    return faults_add(faults, place_of(written, err->field, place), "%s", err->msg);
}

bool given_check_value(enum field field, const struct wire_val *val, const struct yaml_node *written,
                       struct fault_place place, struct faults *faults)
{
    struct err err;

    if (request_field_check(field, &rules, val, &err))
        return true;
    const char *inner = strchr(err.field, '.');
    return faults_add(faults, place_of(written, inner == NULL ? "" : inner + 1, place), "%s", err.msg);
}

bool given_value_fits(enum field field, const struct wire_val *val, struct err *err)
{
    return request_field_check(field, &rules, val, err);
}

bool given_ticket_is_stored(const struct wire_val *ticket)
{
    return wire_find_str(ticket, "tracking").len != 0;
}

bool given_ticket_fits(const struct wire_val *ticket, struct err *err)
{
    static const enum field needed[] = {F_TITLE, F_PROBLEM};
    const struct op_form *form = &op_forms[FORM_TICKET_SUBMIT];
    const struct wire_val *vals[F_FIELDS] = {NULL};
    enum field field;

    if (given_ticket_is_stored(ticket))
        return true;
    for (size_t i = 0; i < wire_count(ticket); i++) {
        struct span key = wire_key_at(ticket, i);
        const struct wire_val *val = wire_val_at(ticket, i);
        if (work_is_made_by_life(key))
            continue;
        if (!op_form_find_field(form, key, &field, err) ||
            (wire_type(val) != WIRE_NIL && !request_field_check(field, &rules, val, err)))
            return false;
        vals[field] = wire_type(val) == WIRE_NIL ? NULL : val;
    }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (vals[needed[i]] == NULL)
            return op_form_missing(form, needed[i], err);
    const struct op_whole whole = whole_of(&(struct given){.form = form}, vals);
    return op_whole_check(&whole, err);
}

bool given_ticket_may_lack(enum field field)
{
    return field == F_KEY || field == F_CUSTOMER;
}

bool given_step_may_lack(enum field field)
{
    return field == F_AS || field == F_WHO_AT || field == F_TRACKING || field == F_TRACKINGS ||
           request_field_is_words(field);
}
