/* Words of the desk that several programs share: states, roles, event kinds, with the numbers the database
 * stores. Numbers are part of the schema: add at the end, never change one. Which op leads from which state
 * to which is a table too (common/states.c); what a clock does with an event is the worker's. */
#ifndef DOCKET_DESK_H
#define DOCKET_DESK_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>

enum { DESK_BODY_BYTES_MAX = 16 * 1024 }; /* of an event or a message that a worker decides */

enum desk_state {
    STATE_NEW,
    STATE_TRIAGED,
    STATE_IN_PROGRESS,
    STATE_WAITING_CUSTOMER,
    STATE_WAITING_VENDOR,
    STATE_RESOLVED,
    STATE_CLOSED,
    STATE_REOPENED,
    STATES
};

enum desk_role { ROLE_STAFF, ROLE_CUSTOMER, ROLE_SYSTEM, ROLE_ADMIN, ROLES };

enum desk_event {
    EVENT_POSTED = 1,
    EVENT_TRIAGED,
    EVENT_DECIDED,
    EVENT_COMMENTED,
    EVENT_UPDATED,
    EVENT_TAKEN,
    EVENT_ASSIGNED,
    EVENT_RELEASED,
    EVENT_PRIORITIZED,
    EVENT_WAITING,
    EVENT_RESUMED,
    EVENT_CANNOT_RESOLVE,
    EVENT_AGREED,
    EVENT_DECLINED,
    EVENT_MEETING,
    EVENT_RESOLVED,
    EVENT_APPROVED,
    EVENT_REJECTED,
    EVENT_REOPENED,
    EVENT_CLOSED,
    EVENT_LINKED,
    EVENT_REPEATED,
    EVENT_ASKED,
    EVENT_WARNED,
    EVENT_MISSED,
    EVENTS_END
};

/* Who is told (outbox.audience). Different audiences get different templates: an internal text has no way
 * into a customer's. */
enum desk_audience { AUDIENCE_CUSTOMER = 1, AUDIENCE_STAFF = 2, AUDIENCE_OPS = 3 };

/* Which fields people set by hand, so that rules leave them alone (desk.held, a bit each). */
enum desk_held {
    HELD_PRIORITY = 1,
    HELD_QUEUE = 2,
    HELD_ASSIGNEE = 4,
    HELD_TAGS = 8,
    HELD_ATTRIBUTES = 16,
    HELD_KIND = 32
};

const char *desk_state_name(enum desk_state state); /* "waiting_customer" */
const char *desk_role_name(enum desk_role role);
const char *desk_event_name(enum desk_event event);

/* Each writes only when the name is known. */
bool desk_state_parse(struct span name, enum desk_state *ret);
bool desk_role_parse(struct span name, enum desk_role *ret);
bool desk_event_parse(struct span name, enum desk_event *ret);

/* Says that name, which stands in field, is no kind of event, which is near, and which there are. Returns false.
 * For what people write: a program that reads another one's events passes over kinds that it does not know. */
bool desk_event_refuse(struct span name, const char *field, struct err *err);

#endif
