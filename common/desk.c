/* Words of the desk; see desk.h. */
#include "desk.h"

#include "faults.h"

#include <stddef.h>

static const char *const state_names[STATES] = {
    "new", "triaged", "in_progress", "waiting_customer", "waiting_vendor", "resolved", "closed", "reopened"};

static const char *const role_names[ROLES] = {"staff", "customer", "system", "admin"};

static const char *const event_names[EVENTS_END] = {
    [EVENT_POSTED] = "posted",       [EVENT_TRIAGED] = "triaged",   [EVENT_DECIDED] = "decided",
    [EVENT_COMMENTED] = "commented", [EVENT_UPDATED] = "updated",   [EVENT_TAKEN] = "taken",
    [EVENT_ASSIGNED] = "assigned",   [EVENT_RELEASED] = "released", [EVENT_PRIORITIZED] = "prioritized",
    [EVENT_WAITING] = "waiting",     [EVENT_RESUMED] = "resumed",   [EVENT_CANNOT_RESOLVE] = "cannot_resolve",
    [EVENT_AGREED] = "agreed",       [EVENT_DECLINED] = "declined", [EVENT_MEETING] = "meeting",
    [EVENT_RESOLVED] = "resolved",   [EVENT_APPROVED] = "approved", [EVENT_REJECTED] = "rejected",
    [EVENT_REOPENED] = "reopened",   [EVENT_CLOSED] = "closed",     [EVENT_LINKED] = "linked",
    [EVENT_REPEATED] = "repeated",   [EVENT_ASKED] = "asked",       [EVENT_WARNED] = "warned",
    [EVENT_MISSED] = "missed",
};

/* The index of name in names, or -1. */
static int desk_find(const char *const *names, int count, struct span name)
{
    for (int i = 0; i < count; i++)
        if (names[i] != NULL && span_is(name, names[i]))
            return i;
    return -1;
}

const char *desk_state_name(enum desk_state state)
{
    return (unsigned)state < STATES ? state_names[state] : "unknown";
}

const char *desk_role_name(enum desk_role role)
{
    return (unsigned)role < ROLES ? role_names[role] : "unknown";
}

const char *desk_event_name(enum desk_event event)
{
    return (unsigned)event < EVENTS_END && event_names[event] != NULL ? event_names[event] : "unknown";
}

bool desk_state_parse(struct span name, enum desk_state *ret)
{
    int i = desk_find(state_names, STATES, name);
    if (i >= 0)
        *ret = (enum desk_state)i;
    return i >= 0;
}

bool desk_role_parse(struct span name, enum desk_role *ret)
{
    int i = desk_find(role_names, ROLES, name);
    if (i >= 0)
        *ret = (enum desk_role)i;
    return i >= 0;
}

bool desk_event_parse(struct span name, enum desk_event *ret)
{
    int i = desk_find(event_names, EVENTS_END, name);
    if (i >= 0)
        *ret = (enum desk_event)i;
    return i >= 0;
}

bool desk_event_refuse(struct span name, const char *field, struct err *err)
{
    char text[40], allowed[512];

    (void)snprintf(text, sizeof text, "%.*s", (int)name.len, name.len == 0 ? "" : name.p);
    faults_hint(text, event_names, EVENTS_END, allowed, sizeof allowed);
    return err_field(err, ERR_INVALID, field, "%s: \"%s\" is no kind of event%s", field, text, allowed);
}
