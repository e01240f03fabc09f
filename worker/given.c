/* What people write for the tools that need no broker; see given.h. */
#include "given.h"

#include <string.h>

static const struct request_rules rules = {&request_limits_default, "DKT"};

/* The value that a path like "contact.email" leads to, or as far as it leads. */
static struct fault_place place_of(const struct yaml_node *node, const char *path,
                                   struct fault_place fallback)
{
    struct fault_place place = node == NULL ? fallback : node->place;

    while (node != NULL && *path != '\0') {
        char key[96];
        size_t len = strcspn(path, ".");
        if (len >= sizeof key)
            break;
        memcpy(key, path, len);
        key[len] = '\0';
        node = yaml_node_find(node, key);
        place = node == NULL ? place : node->place;
        path += len + (path[len] == '.');
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

static bool fault_of(const struct given *given, const struct err *err, struct faults *faults)
{
    return faults_add(faults, place_of(given->written, err->field, given->place), "%s", err->msg);
}

static bool check_key(const struct given *given, size_t i, bool has[F_FIELDS], struct faults *faults)
{
    struct span key = wire_key_at(given->body, i);
    const struct wire_val *val = wire_val_at(given->body, i);
    enum field field;
    struct err err;

    if (given->is_own != NULL && given->is_own(key))
        return true;
    if (!op_form_find_field(given->form, key, &field, &err))
        return given->any_key || faults_add(faults, place_of_key(given, key), "%s", err.msg);
    if (wire_type(val) == WIRE_NIL)
        return true;
    has[field] = true;
    return request_field_check(field, &rules, val, &err) || fault_of(given, &err, faults);
}

bool given_check(const struct given *given, struct faults *faults)
{
    const struct op_form *form = given->form;
    bool has[F_FIELDS] = {false}, ok = true;
    struct err err;

    for (size_t i = 0; i < wire_count(given->body); i++)
        ok = check_key(given, i, has, faults) && ok;
    for (size_t i = 0; i < form->field_count; i++) {
        enum field field = (enum field)form->fields[i].field;
        if (!form->fields[i].required || has[field] || given->may_lack(field) ||
            wire_type(wire_find(given->body, request_field_name(field))) != WIRE_NIL)
            continue;
        (void)op_form_missing(form, field, &err);
        ok = faults_add(faults, given->place, "%s", err.msg);
    }
    return ok;
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

bool given_ticket_may_lack(enum field field)
{
    return field == F_KEY || field == F_CUSTOMER;
}

bool given_step_may_lack(enum field field)
{
    return field == F_AS || field == F_TRACKING || field == F_TRACKINGS || request_field_is_words(field);
}
