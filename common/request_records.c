/* Maps of a request that have fields of their own: who acts, contacts, a customer, what is set, a filter; see request_internal.h. An unknown
 * key in one is refused by its name. */
#include "channels.h"
#include "contact.h"
#include "desk.h"
#include "request_internal.h"
#include "zone.h"

#include <stdio.h>

enum { PATH_BYTES = 96, NAME_BYTES_MAX = 200, LOCALE_BYTES_MAX = 35 };

/* As the error names it: "contact.email". */
static void path_of(const struct check *c, struct span key, char ret[PATH_BYTES])
{
    (void)snprintf(ret, PATH_BYTES, "%s.%.*s", c->path, (int)(key.len > 40 ? 40 : key.len), key.p);
}

/* Every key of a map is one of names; an unknown one is refused by its name. */
static bool check_keys(const struct check *c, const struct wire_val *val, const char *names)
{
    if (wire_type(val) != WIRE_MAP)
        return check_wrong_type(c, val, "a map");
    for (size_t i = 0; i < wire_count(val); i++) {
        struct span key = wire_key_at(val, i);
        char path[PATH_BYTES], allowed[ALLOWED_BYTES];
        if (names_have(names, key))
            continue;
        path_of(c, key, path);
        names_allowed(names, key, allowed);
        return err_field(c->err, ERR_INVALID, path, "%s: not a field%s", path, allowed);
    }
    return true;
}

/* A text inside a map, without control characters (these end up in mail headers and addresses). */
static bool check_inner_text(const struct check *c, const struct wire_val *map, const char *key,
                             bool required, size_t most)
{
    const struct wire_val *val = wire_find(map, key);
    struct span text = SPAN_NONE;
    char path[PATH_BYTES];

    if (wire_type(val) == WIRE_NIL && !required)
        return true;
    if (wire_get_str(val, &text) && text.len != 0 && text.len <= most &&
        (c->rules->form_is_free || text_is_line(text)))
        return true;
    path_of(c, span_of(key), path);
    if (wire_type(val) == WIRE_NIL)
        return err_field(c->err, ERR_INVALID, path, "%s: is required", path);
    if (wire_type(val) != WIRE_STR)
        return err_field(c->err, ERR_INVALID, path, "%s: want text, got %s", path,
                         wire_type_name(wire_type(val)));
    if (text.len > most)
        return err_field(c->err, ERR_TOO_LARGE, path, "%s: %zu bytes, at most %zu are allowed", path,
                         text.len, most);
    if (text.len == 0)
        return err_field(c->err, ERR_INVALID, path, "%s: must not be empty", path);
    return check_is_line(c, path, text);
}

/* A text inside a map that has the form of its key (contact.h). */
static bool check_inner_form(const struct check *c, const struct wire_val *map, const char *key, size_t most)
{
    struct span text = wire_find_str(map, key);
    char path[PATH_BYTES];

    if (!check_inner_text(c, map, key, false, most))
        return false;
    const char *fault = text.p == NULL || c->rules->form_is_free ? NULL : contact_fault(key, text);
    if (fault == NULL)
        return true;
    path_of(c, span_of(key), path);
    return err_field(c->err, ERR_INVALID, path, "%s: %s", path, fault);
}

bool check_contact(const struct check *c, const struct wire_val *val)
{
    return check_keys(c, val, c->row->names) && check_inner_text(c, val, "name", false, NAME_BYTES_MAX) &&
           check_inner_form(c, val, "email", 254) && check_inner_form(c, val, "xmpp", 254) &&
           check_inner_form(c, val, "phone", 64) && check_inner_form(c, val, "locale", LOCALE_BYTES_MAX);
}

/* The addresses a contact may have: one for each channel. */
static bool check_ways(const struct check *c, const struct wire_val *val)
{
    for (int i = 0; i < CHANNELS; i++)
        if (!check_inner_form(c, val, channel_rows[i].name, channel_rows[i].address_bytes_max))
            return false;
    return true;
}

#define KEY(id, name, suffix, bytes) "|" #name
static bool check_customer_contact(const struct check *outer, const struct wire_val *val, size_t i)
{
    char path[PATH_BYTES];
    struct check c = *outer;
    const struct wire_val *wanted = wire_find(val, "for");

    (void)snprintf(path, sizeof path, "customer.contacts[%zu]", i);
    c.path = path;
    if (!check_keys(&c, val, "name|locale|for" CHANNEL_LIST(KEY)) ||
        !check_inner_text(&c, val, "name", false, NAME_BYTES_MAX) || !check_ways(&c, val) ||
        !check_inner_form(&c, val, "locale", LOCALE_BYTES_MAX))
        return false;
    if (wire_type(wanted) != WIRE_NIL && wire_type(wanted) != WIRE_LIST)
        return err_field(c.err, ERR_INVALID, path, "%s.for: want a list", path);
    for (size_t k = 0; k < wire_count(wanted); k++) {
        struct span name = SPAN_NONE;
        char of[PATH_BYTES];
        (void)wire_get_str(wire_at(wanted, k), &name);
        path_of(&c, span_of("for"), of);
        if (!check_word_is(&c, of, name, "all|updates|meetings|p1|none"))
            return false;
    }
    return true;
}

#undef KEY

/* The name's form; whether a machine has the zone is the broker's to ask. */
static bool check_zone(const struct check *c, const struct wire_val *map)
{
    struct span text = wire_find_str(map, "zone");
    char name[ZONE_NAME_MAX + 1];
    struct err err;

    if (!check_inner_text(c, map, "zone", false, ZONE_NAME_MAX))
        return false;
    (void)snprintf(name, sizeof name, "%.*s", (int)text.len, text.p == NULL ? "UTC" : text.p);
    return text.p == NULL || c->rules->form_is_free || zone_name_check(name, &err)
               ? true
               : err_field(c->err, ERR_INVALID, "customer.zone",
                           "customer.zone: not a time zone: want one as Europe/Berlin");
}

bool check_customer(const struct check *c, const struct wire_val *val)
{
    const struct wire_val *contacts = wire_find(val, "contacts");

    if (!check_keys(c, val, c->row->names) || !check_inner_text(c, val, "id", true, 64) ||
        !check_inner_text(c, val, "name", true, NAME_BYTES_MAX) ||
        !check_inner_text(c, val, "package", true, 64) ||
        !check_inner_form(c, val, "locale", LOCALE_BYTES_MAX) || !check_zone(c, val) || !check_map(c, val))
        return false;
    if (!text_is_name(wire_find_str(val, "id")))
        return err_field(c->err, ERR_INVALID, "customer.id",
                         "customer.id: only letters, digits, '.', '_' and '-' are allowed");
    if (wire_type(contacts) != WIRE_NIL && wire_type(contacts) != WIRE_LIST)
        return err_field(c->err, ERR_INVALID, "customer.contacts", "customer.contacts: want a list of maps");
    for (size_t i = 0; i < wire_count(contacts); i++)
        if (!check_customer_contact(c, wire_at(contacts, i), i))
            return false;
    return true;
}

bool check_as(const struct check *c, const struct wire_val *val)
{
    return check_keys(c, val, c->row->names) && check_inner_text(c, val, "name", true, 128) &&
           check_inner_text(c, val, "role", true, 16) &&
           check_word_is(c, "as.role", wire_find_str(val, "role"), "staff|customer|system|admin");
}

static bool check_tags(const struct check *outer, const struct wire_val *val)
{
    static const struct request_row row = {"tags", KIND_TEXTS, 0, 32, NULL};
    struct check c = *outer;
    struct span text;

    c.row = &row;
    if (!check_texts(&c, val))
        return false;
    for (size_t i = 0; i < wire_count(val); i++)
        if (wire_get_str(wire_at(val, i), &text) && !check_is_word(&c, text))
            return false;
    return true;
}

bool check_set(const struct check *c, const struct wire_val *val)
{
    static const enum field inner[] = {F_TITLE, F_EQUIPMENT, F_CONFIGURATION, F_QUEUE, F_ATTRIBUTES};
    struct check in = *c;

    if (!check_keys(c, val, c->row->names))
        return false;
    if (wire_count(val) == 0)
        return err_field(c->err, ERR_INVALID, c->path, "set: names nothing to change");
    for (size_t i = 0; i < wire_count(val); i++) {
        char path[PATH_BYTES];
        struct span key = wire_key_at(val, i);
        (void)snprintf(path, sizeof path, "set.%.*s", (int)key.len, key.p);
        in.path = path;
        if (span_is(key, "tags")) {
            if (!check_tags(&in, wire_val_at(val, i)))
                return false;
            continue;
        }
        for (size_t k = 0; k < sizeof inner / sizeof inner[0]; k++) {
            if (!span_is(key, request_fields[inner[k]].name))
                continue;
            in.row = &request_fields[inner[k]];
            bool ok = in.row->kind == KIND_POINTS ? check_points(&in, wire_val_at(val, i))
                      : in.row->kind == KIND_MAP  ? check_map(&in, wire_val_at(val, i))
                                                  : check_line(&in, wire_val_at(val, i));
            if (!ok)
                return false;
        }
    }
    return true;
}

bool check_filter(const struct check *c, const struct wire_val *val)
{
    const struct wire_val *kinds = wire_find(val, "kinds");
    const struct wire_val *tracking = wire_find(val, "tracking");
    const struct wire_val *flag = wire_find(val, "public");
    bool yes;
    int64_t at;

    if (!check_keys(c, val, c->row->names) || !check_inner_text(c, val, "customer", false, 64))
        return false;
    if (wire_type(tracking) != WIRE_NIL &&
        !check_tracking(&(struct check){"filter.tracking", c->row, c->rules, c->err}, tracking))
        return false;
    if (wire_type(flag) != WIRE_NIL && !wire_get_bool(flag, &yes))
        return err_field(c->err, ERR_INVALID, "filter.public", "filter.public: want true or false");
    if (wire_type(wire_find(val, "from_at")) != WIRE_NIL && !wire_get_int(wire_find(val, "from_at"), &at))
        return err_field(c->err, ERR_INVALID, "filter.from_at",
                         "filter.from_at: want an instant in microseconds");
    if (wire_type(kinds) != WIRE_NIL && wire_type(kinds) != WIRE_LIST)
        return err_field(c->err, ERR_INVALID, "filter.kinds", "filter.kinds: want a list");
    for (size_t i = 0; i < wire_count(kinds); i++) {
        struct span name = SPAN_NONE;
        enum desk_event kind;
        (void)wire_get_str(wire_at(kinds, i), &name);
        if (name.p == NULL || !desk_event_parse(name, &kind))
            return desk_event_refuse(name, "filter.kinds", c->err);
    }
    return true;
}
