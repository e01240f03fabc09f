/* A line of a history, held against its form; see history.h. */
#include "history.h"

#include "desk.h"
#include "faults.h"
#include "given.h"
#include "op_whole.h"

#include <stdio.h>

enum { PATH_BYTES = 90, NAME_BYTES = 60, ALLOWED_BYTES = 512 };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* "events[3].KEY"; "events[3]" without a key. */
static void path_of(size_t i, const char *key, char ret[PATH_BYTES])
{
    (void)snprintf(ret, PATH_BYTES, "events[%zu]%s%s", i, *key == '\0' ? "" : ".", key);
}

static bool type_wrong(const char *path, const char *want, const struct wire_val *val, struct err *err)
{
    return err_field(err, ERR_INVALID, path, "%s: want %s, got %s", path, want,
                     wire_type_name(wire_type(val)));
}

/* The first key of a map that is none of names, or SPAN_NONE. */
static struct span unknown_key(const struct wire_val *map, const struct span *names, size_t count)
{
    for (size_t i = 0; i < wire_count(map); i++) {
        struct span key = wire_key_at(map, i);
        bool known = false;
        for (size_t k = 0; k < count && !known; k++)
            known = span_equal(key, names[k]);
        if (!known)
            return key;
    }
    return SPAN_NONE;
}

/* prefix: where the map stands, with its dot, or ""; of: what it is, for people */
static bool key_refuse(struct span key, const char *prefix, const char *of, const struct span *names,
                       size_t count, struct err *err)
{
    char name[NAME_BYTES], path[PATH_BYTES + NAME_BYTES], allowed[ALLOWED_BYTES];
    const char *texts[16];

    for (size_t i = 0; i < count && i < COUNT_OF(texts); i++)
        texts[i] = names[i].p;
    (void)snprintf(name, sizeof name, "%.*s", (int)key.len, key.p);
    (void)snprintf(path, sizeof path, "%s%s", prefix, name);
    faults_hint(name, texts, count, allowed, sizeof allowed);
    return err_field(err, ERR_INVALID, path, "%s: not a field of %s%s", path, of, allowed);
}

#define WORD(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }

/* ---- events ---- */

static bool event_keys(const struct wire_val *event, size_t i, struct err *err)
{
    static const struct span names[] = {WORD("at"),     WORD("kind"),     WORD("as"),
                                        WORD("public"), WORD("body"),     WORD("version"),
                                        WORD("cursor"), WORD("tracking"), WORD("customer")};
    struct span key = unknown_key(event, names, COUNT_OF(names));
    char prefix[PATH_BYTES];

    if (key.p == NULL)
        return true;
    (void)snprintf(prefix, sizeof prefix, "events[%zu].", i);
    return key_refuse(key, prefix, "an event", names, COUNT_OF(names), err);
}

static bool event_types(const struct wire_val *event, size_t i, struct err *err)
{
    static const struct {
        const char *key, *want;
        enum wire_type type;
    } rows[] = {{"as", "a map {name, role}", WIRE_MAP},
                {"public", "true or false", WIRE_BOOL},
                {"body", "a map", WIRE_MAP}};
    char path[PATH_BYTES];

    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        const struct wire_val *val = wire_find(event, rows[k].key);
        if (wire_type(val) == WIRE_NIL || wire_type(val) == rows[k].type)
            continue;
        path_of(i, rows[k].key, path);
        return type_wrong(path, rows[k].want, val, err);
    }
    return true;
}

static bool event_role(const struct wire_val *event, size_t i, struct err *err)
{
    const struct wire_val *as = wire_find(event, "as");
    struct span name = wire_find_str(as, "role");
    enum desk_role role;
    char path[PATH_BYTES];

    if (wire_type(as) == WIRE_NIL || desk_role_parse(name, &role))
        return true;
    path_of(i, "as.role", path);
    return err_field(err, ERR_INVALID, path, "%s: \"%.*s\" is none of staff, customer, system, admin", path,
                     (int)(name.len > NAME_BYTES ? NAME_BYTES : name.len), name.len == 0 ? "" : name.p);
}

/* What clocks look at in a body. */
static bool event_body(const struct wire_val *event, enum desk_event kind, size_t i, struct err *err)
{
    static const struct {
        enum desk_event kind;
        enum field field;
        const char *path;
    } rows[] = {{EVENT_WAITING, F_ON, "body.on"}, {EVENT_PRIORITIZED, F_PRIORITY, "body.priority"}};
    char path[PATH_BYTES];

    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        if (rows[k].kind != kind)
            continue;
        const struct wire_val *val = wire_find(wire_find(event, "body"), request_field_name(rows[k].field));
        bool there = wire_type(val) != WIRE_NIL;
        if (there && given_value_fits(rows[k].field, val, err))
            return true;
        path_of(i, rows[k].path, path);
        if (!there)
            return err_field(err, ERR_INVALID, path, "%s: is required for %s", path, desk_event_name(kind));
        (void)snprintf(err->field, sizeof err->field, "%s", path);
        return err_prefix(err, "events[%zu].body.", i);
    }
    return true;
}

/* The op that leaves such an event behind. Posting, links and what the desk does itself have none: others than who may ask for one are in
 * their events. */
static const struct op_form *event_form(enum desk_event kind)
{
    static const struct {
        enum desk_event kind;
        enum op_form_id form;
    } rows[] = {{EVENT_TAKEN, FORM_TICKET_TAKE},
                {EVENT_ASSIGNED, FORM_TICKET_ASSIGN},
                {EVENT_RELEASED, FORM_TICKET_RELEASE},
                {EVENT_COMMENTED, FORM_TICKET_COMMENT},
                {EVENT_UPDATED, FORM_TICKET_UPDATE},
                {EVENT_PRIORITIZED, FORM_TICKET_PRIORITIZE},
                {EVENT_WAITING, FORM_TICKET_WAIT},
                {EVENT_RESUMED, FORM_TICKET_RESUME},
                {EVENT_CANNOT_RESOLVE, FORM_TICKET_CANNOT_RESOLVE},
                {EVENT_AGREED, FORM_TICKET_AGREE},
                {EVENT_DECLINED, FORM_TICKET_DECLINE},
                {EVENT_MEETING, FORM_TICKET_MEETING},
                {EVENT_RESOLVED, FORM_TICKET_RESOLVE},
                {EVENT_APPROVED, FORM_TICKET_APPROVE},
                {EVENT_REJECTED, FORM_TICKET_REJECT},
                {EVENT_REOPENED, FORM_TICKET_REOPEN},
                {EVENT_CLOSED, FORM_TICKET_CLOSE}};

    for (size_t k = 0; k < COUNT_OF(rows); k++)
        if (rows[k].kind == kind)
            return &op_forms[rows[k].form];
    return NULL;
}

/* Whether a broker would have taken, of that role, what the body keeps of the request. A meeting's has the meeting itself. */
static bool event_asked(const struct wire_val *event, enum desk_event kind, size_t i, struct err *err)
{
    const struct op_form *form = event_form(kind);
    const struct wire_val *as = wire_find(event, "as"), *body = wire_find(event, "body");
    const struct wire_val *vals[F_FIELDS] = {NULL};
    struct op_whole whole = {.form = form, .has_as = true, .vals = vals, .may_lack = given_step_may_lack};
    char path[PATH_BYTES];

    if (form == NULL || wire_type(as) == WIRE_NIL || !desk_role_parse(wire_find_str(as, "role"), &whole.role))
        return true;
    if (!op_form_may(form, whole.role, err)) {
        path_of(i, "as.role", path);
        (void)snprintf(err->field, sizeof err->field, "%s", path);
        return err_prefix(err, "%s: ", path);
    }
    for (size_t k = 0; k < form->field_count; k++) {
        const char *name = request_field_name((enum field)form->fields[k].field);
        const struct wire_val *val = kind == EVENT_MEETING ? NULL : wire_find(body, name);
        vals[form->fields[k].field] = wire_type(val) == WIRE_NIL ? NULL : val;
    }
    if (kind == EVENT_MEETING || op_whole_check(&whole, err))
        return true;
    path_of(i, "body", path);
    (void)snprintf(err->field, sizeof err->field, "%s", path);
    return err_prefix(err, "events[%zu].body.", i);
}

/* by_broker: the events are as a broker gave them */
static bool event_check(const struct wire_val *event, size_t i, bool by_broker, struct err *err)
{
    struct span name = wire_find_str(event, "kind");
    enum desk_event kind;
    char path[PATH_BYTES];

    if (wire_type(event) != WIRE_MAP) {
        path_of(i, "", path);
        return type_wrong(path, "a map", event, err);
    }
    if (!event_keys(event, i, err))
        return false;
    if (!desk_event_parse(name, &kind)) {
        path_of(i, "kind", path);
        return desk_event_refuse(name, path, err);
    }
    return event_types(event, i, err) && event_role(event, i, err) && event_body(event, kind, i, err) &&
           (by_broker || event_asked(event, kind, i, err));
}

bool history_check_events(const struct wire_val *events, bool by_broker, struct err *err)
{
    if (wire_type(events) != WIRE_LIST && wire_type(events) != WIRE_NIL)
        return type_wrong("events", "a list", events, err);
    for (size_t i = 0; i < wire_count(events); i++)
        if (!event_check(wire_at(events, i), i, by_broker, err))
            return false;
    return true;
}

/* ---- the line ---- */

static bool maps_check(const struct wire_val *line, struct err *err)
{
    static const struct {
        const char *key, *want;
    } rows[] = {{"customer", "the record of customer.put, or null"}, {"was", "a map {priority, missed}"}};

    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        const struct wire_val *val = wire_find(line, rows[k].key);
        if (wire_type(val) != WIRE_NIL && wire_type(val) != WIRE_MAP)
            return type_wrong(rows[k].key, rows[k].want, val, err);
    }
    return true;
}

bool history_check(const struct wire_val *line, struct err *err)
{
    static const struct span names[] = {WORD("ticket"), WORD("posted_at"), WORD("customer"),
                                        WORD("events"), WORD("until_at"),  WORD("was")};
    static const struct span was[] = {WORD("priority"), WORD("missed")};

    if (wire_type(line) != WIRE_MAP)
        return err_set(err, ERR_INVALID, "want one JSON object a line: {ticket, posted_at, events, …}");
    struct span key = unknown_key(line, names, COUNT_OF(names));
    if (key.p != NULL)
        return key_refuse(key, "", "a history", names, COUNT_OF(names), err);
    if (wire_type(wire_find(line, "ticket")) != WIRE_MAP)
        return err_field(err, ERR_INVALID, "ticket", "ticket: want a map as ticket.submit has it");
    if (!maps_check(line, err))
        return false;
    key = unknown_key(wire_find(line, "was"), was, COUNT_OF(was));
    if (key.p != NULL)
        return key_refuse(key, "was.", "was", was, COUNT_OF(was), err);
    const struct wire_val *ticket = wire_find(line, "ticket");
    return given_ticket_fits(ticket, err) &&
           history_check_events(wire_find(line, "events"), given_ticket_is_stored(ticket), err);
}
