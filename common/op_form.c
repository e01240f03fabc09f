/* The ops of the protocol and their fields; see op_form.h. */
#include "op_form.h"
#include <stdio.h>
#include <string.h>

#define REQUIRED(field) \
    {                   \
        field, true     \
    }
#define OPTIONAL(field) \
    {                   \
        field, false    \
    }
#define WHO OPTIONAL(F_KEY), REQUIRED(F_AS)
#define TICKET REQUIRED(F_TRACKING), OPTIONAL(F_IF_VERSION)
#define TICKETS REQUIRED(F_TRACKINGS), OPTIONAL(F_IF_VERSION)
#define FIELDS(...) {__VA_ARGS__}, sizeof((struct op_field[]){__VA_ARGS__}) / sizeof(struct op_field)
#define PEOPLE (MAY_STAFF | MAY_CUSTOMER | MAY_ADMIN)
#define DESK (MAY_STAFF | MAY_ADMIN)
#define NO_FIELDS {{0}}, 0

/* name, fields, who may */
const struct op_form op_forms[FORMS] = {
    [FORM_TICKET_SUBMIT] = {"ticket.submit",
                            FIELDS(REQUIRED(F_KEY), OPTIONAL(F_AS), REQUIRED(F_CUSTOMER), REQUIRED(F_TITLE),
                                   REQUIRED(F_PROBLEM), OPTIONAL(F_EQUIPMENT), OPTIONAL(F_CONFIGURATION),
                                   OPTIONAL(F_CONTACT), OPTIONAL(F_CHANNEL), OPTIONAL(F_IMPACT),
                                   OPTIONAL(F_ATTRIBUTES), OPTIONAL(F_CORRELATION), OPTIONAL(F_TAKE),
                                   OPTIONAL(F_POSTED_AT)),
                            0},
    [FORM_TICKET_FIND] = {"ticket.find", FIELDS(REQUIRED(F_KEY)), 0},
    [FORM_TICKET_SHOW] = {"ticket.show", FIELDS(REQUIRED(F_TRACKING), OPTIONAL(F_EVENTS_AFTER)), 0},
    [FORM_TICKET_EXPLAIN] = {"ticket.explain", FIELDS(REQUIRED(F_TRACKING)), 0},
    [FORM_TICKET_LIST] = {"ticket.list",
                          FIELDS(OPTIONAL(F_STATE), OPTIONAL(F_PRIORITY), OPTIONAL(F_CUSTOMER),
                                 OPTIONAL(F_ASSIGNEE), OPTIONAL(F_QUEUE), OPTIONAL(F_TAG),
                                 OPTIONAL(F_OVERDUE), OPTIONAL(F_DUE_BEFORE_AT), OPTIONAL(F_POSTED_FROM_AT),
                                 OPTIONAL(F_POSTED_UNTIL_AT), OPTIONAL(F_TEXT), OPTIONAL(F_ORDER),
                                 OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)),
                          0},
    [FORM_TICKET_NEXT] = {"ticket.next", FIELDS(WHO, OPTIONAL(F_QUEUES), OPTIONAL(F_PEEK)), DESK},
    [FORM_TICKET_TAKE] = {"ticket.take", FIELDS(WHO, TICKET), DESK},
    [FORM_TICKET_ASSIGN] = {"ticket.assign", FIELDS(WHO, TICKETS, REQUIRED(F_STAFF), OPTIONAL(F_REASON)),
                            DESK | MAY_SYSTEM},
    [FORM_TICKET_RELEASE] = {"ticket.release", FIELDS(WHO, TICKETS, REQUIRED(F_REASON)), DESK | MAY_SYSTEM},
    [FORM_TICKET_COMMENT] = {"ticket.comment",
                             FIELDS(WHO, TICKETS, REQUIRED(F_TEXT), OPTIONAL(F_PUBLIC), OPTIONAL(F_MEETING),
                                    OPTIONAL(F_ATTENDEE), OPTIONAL(F_ANSWER)),
                             MAY_ALL},
    [FORM_TICKET_UPDATE] = {"ticket.update", FIELDS(WHO, TICKET, REQUIRED(F_SET)), MAY_ALL},
    [FORM_TICKET_PRIORITIZE] = {"ticket.prioritize",
                                FIELDS(WHO, TICKETS, REQUIRED(F_PRIORITY), REQUIRED(F_REASON)),
                                DESK | MAY_SYSTEM},
    [FORM_TICKET_WAIT] = {"ticket.wait",
                          FIELDS(WHO, TICKETS, REQUIRED(F_ON), REQUIRED(F_REASON), OPTIONAL(F_VENDOR),
                                 OPTIONAL(F_PROPOSAL), OPTIONAL(F_UNTIL_AT)),
                          DESK | MAY_SYSTEM},
    [FORM_TICKET_RESUME] = {"ticket.resume", FIELDS(WHO, TICKETS, OPTIONAL(F_ON), OPTIONAL(F_REASON)),
                            DESK | MAY_SYSTEM},
    [FORM_TICKET_CANNOT_RESOLVE] = {"ticket.cannot_resolve",
                                    FIELDS(WHO, TICKET, REQUIRED(F_REASON), REQUIRED(F_PROPOSAL)), DESK},
    [FORM_TICKET_AGREE] = {"ticket.agree", FIELDS(WHO, TICKET, OPTIONAL(F_TEXT)), PEOPLE},
    [FORM_TICKET_DECLINE] = {"ticket.decline", FIELDS(WHO, TICKET, OPTIONAL(F_TEXT)), PEOPLE},
    [FORM_TICKET_RESOLVE] = {"ticket.resolve", FIELDS(WHO, TICKETS, REQUIRED(F_TEXT)), DESK},
    [FORM_TICKET_APPROVE] = {"ticket.approve", FIELDS(WHO, TICKET, OPTIONAL(F_TEXT)), PEOPLE},
    [FORM_TICKET_REJECT] = {"ticket.reject", FIELDS(WHO, TICKET, OPTIONAL(F_TEXT)), PEOPLE},
    [FORM_TICKET_CLOSE] = {"ticket.close", FIELDS(WHO, TICKETS, REQUIRED(F_CLOSE_REASON), REQUIRED(F_TEXT)),
                           DESK},
    [FORM_TICKET_REOPEN] = {"ticket.reopen", FIELDS(WHO, TICKET, REQUIRED(F_REASON)), PEOPLE},
    [FORM_TICKET_LINK] = {"ticket.link", FIELDS(WHO, TICKETS, REQUIRED(F_TO), REQUIRED(F_AS_LINK)),
                          DESK | MAY_SYSTEM},
    [FORM_TICKET_DONE] = {"ticket.done", FIELDS(WHO, TICKET, REQUIRED(F_TASK), REQUIRED(F_TEXT)),
                          DESK | MAY_SYSTEM},
    [FORM_TICKET_MEETING] = {"ticket.meeting",
                             FIELDS(WHO, TICKET, OPTIONAL(F_MEDIUM), OPTIONAL(F_WHO_AT),
                                    OPTIONAL(F_ATTENDEES), OPTIONAL(F_DURATION_S), OPTIONAL(F_REMINDER_S),
                                    OPTIONAL(F_WHERE), OPTIONAL(F_MEETING), OPTIONAL(F_CANCEL)),
                             DESK | MAY_SYSTEM},
    [FORM_CUSTOMER_PUT] = {"customer.put", FIELDS(WHO, REQUIRED(F_CUSTOMER_RECORD), OPTIONAL(F_OPEN_TICKETS)),
                           DESK | MAY_SYSTEM},
    [FORM_CUSTOMER_GET] = {"customer.get", FIELDS(REQUIRED(F_ID)), 0},
    [FORM_CUSTOMER_LIST] = {"customer.list",
                            FIELDS(OPTIONAL(F_PACKAGE), OPTIONAL(F_EMAIL), OPTIONAL(F_LIMIT),
                                   OPTIONAL(F_CURSOR)),
                            0},
    [FORM_PROCESS_APPLY] = {"process.apply",
                            FIELDS(WHO, REQUIRED(F_FILES), OPTIONAL(F_COMMENT), OPTIONAL(F_DRY_RUN),
                                   OPTIONAL(F_RECOMPUTE)),
                            DESK},
    [FORM_PROCESS_GET] = {"process.get", FIELDS(OPTIONAL(F_HASH)), 0},
    [FORM_PROCESS_LIST] = {"process.list", FIELDS(OPTIONAL(F_LIMIT)), 0},
    [FORM_TICKET_FORECAST] = {"ticket.forecast", FIELDS(OPTIONAL(F_PEOPLE)), 0},
    [FORM_PROCESS_WHATIF] = {"process.whatif",
                             FIELDS(REQUIRED(F_FILES), OPTIONAL(F_CURSOR), OPTIONAL(F_LIMIT)), 0},
    [FORM_PROCESS_SIMULATE] = {"process.simulate",
                               FIELDS(REQUIRED(F_FILES), OPTIONAL(F_POSTED_FROM_AT), OPTIONAL(F_CURSOR),
                                      OPTIONAL(F_LIMIT)),
                               0},
    [FORM_EVENTS_SINCE] = {"events.since",
                           FIELDS(OPTIONAL(F_CURSOR), OPTIONAL(F_LIMIT), OPTIONAL(F_FILTER),
                                  OPTIONAL(F_WAIT_MS)),
                           0},
    [FORM_DEAD_LIST] = {"dead.list", FIELDS(OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)), 0},
    [FORM_DEAD_RETRY] = {"dead.retry", FIELDS(WHO, OPTIONAL(F_TRACKING), OPTIONAL(F_ALL)), DESK},
    [FORM_ALERT_LIST] = {"alert.list",
                         FIELDS(OPTIONAL(F_STATE), OPTIONAL(F_PRIORITY), OPTIONAL(F_KIND),
                                OPTIONAL(F_TRACKING), OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)),
                         0},
    [FORM_ALERT_SHOW] = {"alert.show", FIELDS(REQUIRED(F_ALERT)), 0},
    [FORM_ALERT_ACK] = {"alert.ack", FIELDS(WHO, REQUIRED(F_ALERT), OPTIONAL(F_GENERATION)),
                        DESK | MAY_SYSTEM},
    [FORM_ALERT_UNACK] = {"alert.unack", FIELDS(WHO, REQUIRED(F_ALERT), OPTIONAL(F_REASON)),
                          DESK | MAY_SYSTEM},
    [FORM_ALERT_RESOLVE] = {"alert.resolve", FIELDS(WHO, REQUIRED(F_ALERT), OPTIONAL(F_REASON)),
                            DESK | MAY_SYSTEM},
    [FORM_ONCALL_WHO] = {"oncall.who", FIELDS(OPTIONAL(F_SCHEDULE), OPTIONAL(F_WHO_AT)), 0},
    [FORM_ONCALL_NEXT] = {"oncall.next",
                          FIELDS(OPTIONAL(F_SCHEDULE), OPTIONAL(F_STAFF), OPTIONAL(F_SPAN_FROM_AT),
                                 OPTIONAL(F_UNTIL_AT), OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)),
                          0},
    [FORM_ONCALL_OVERRIDE] = {"oncall.override",
                              FIELDS(WHO, OPTIONAL(F_SCHEDULE), OPTIONAL(F_STAFF), OPTIONAL(F_REPLACES),
                                     OPTIONAL(F_SPAN_FROM_AT), OPTIONAL(F_UNTIL_AT), OPTIONAL(F_REASON),
                                     OPTIONAL(F_OVERRIDE), OPTIONAL(F_CANCEL)),
                              DESK},
    [FORM_STAFF_AWAY] = {"staff.away",
                         FIELDS(WHO, REQUIRED(F_STAFF), REQUIRED(F_SPAN_FROM_AT), REQUIRED(F_UNTIL_AT),
                                OPTIONAL(F_TO_STAFF), OPTIONAL(F_REASON)),
                         DESK},
    [FORM_NOTIFICATION_LIST] = {"notification.list",
                                FIELDS(OPTIONAL(F_STATE), OPTIONAL(F_TRACKING), OPTIONAL(F_OVER_CHANNEL),
                                       OPTIONAL(F_ADDRESS), OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)),
                                0},
    [FORM_NOTIFICATION_SHOW] = {"notification.show", FIELDS(REQUIRED(F_NOTIFICATION)), 0},
    [FORM_NOTIFICATION_WHY] = {"notification.why", FIELDS(REQUIRED(F_TRACKING)), 0},
    [FORM_NOTIFICATION_RETRY] = {"notification.retry",
                                 FIELDS(WHO, OPTIONAL(F_NOTIFICATION), OPTIONAL(F_ALL), OPTIONAL(F_REASON)),
                                 DESK},
    [FORM_NOTIFICATION_DISCARD] = {"notification.discard",
                                   FIELDS(WHO, REQUIRED(F_NOTIFICATION), OPTIONAL(F_REASON)), DESK},
    [FORM_NOTIFICATION_BOUNCED] = {"notification.bounced",
                                   FIELDS(WHO, REQUIRED(F_NOTIFICATION), REQUIRED(F_DSN_STATUS),
                                          OPTIONAL(F_TEXT)),
                                   DESK | MAY_SYSTEM},
    [FORM_NOTIFICATION_RELEASE] = {"notification.release",
                                   FIELDS(WHO, OPTIONAL(F_SINCE_AT), OPTIONAL(F_DISCARD_BEFORE_AT),
                                          OPTIONAL(F_REASON)),
                                   DESK},
    [FORM_DEADLINE_LIST] = {"deadline.list",
                            FIELDS(OPTIONAL(F_SPAN_FROM_AT), OPTIONAL(F_UNTIL_AT), OPTIONAL(F_CUSTOMER),
                                   OPTIONAL(F_PACKAGE), OPTIONAL(F_PRIORITY), OPTIONAL(F_CLOCK),
                                   OPTIONAL(F_VERDICT), OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)),
                            0},
    [FORM_DEADLINE_EXCUSE] = {"deadline.excuse",
                              FIELDS(WHO, REQUIRED(F_TRACKING), REQUIRED(F_CLOCK), OPTIONAL(F_CYCLE),
                                     REQUIRED(F_REASON)),
                              DESK},
    [FORM_NOTIFICATION_MUTE] = {"notification.mute",
                                FIELDS(WHO, REQUIRED(F_REASON), REQUIRED(F_UNTIL_AT),
                                       OPTIONAL(F_SPAN_FROM_AT), OPTIONAL(F_CUSTOMER), OPTIONAL(F_TRACKING),
                                       OPTIONAL(F_NOTICE_KIND), OPTIONAL(F_PRIORITY), OPTIONAL(F_QUEUE),
                                       OPTIONAL(F_TAG)),
                                DESK},
    [FORM_NOTIFICATION_UNMUTE] = {"notification.unmute", FIELDS(WHO, REQUIRED(F_MUTE)), DESK},
    [FORM_NOTIFICATION_MUTES] = {"notification.mutes", NO_FIELDS, 0},
    [FORM_PING] = {"ping", NO_FIELDS, 0},
    [FORM_STATS] = {"stats", NO_FIELDS, 0},
};

const struct op_form *op_form_find(struct span name)
{
    for (size_t i = 0; i < FORMS; i++)
        if (span_is(name, op_forms[i].name))
            return &op_forms[i];
    return NULL;
}

/* "ticket." of "ticket.show"; of "ping" nothing. */
static size_t group_len(const char *name)
{
    size_t len = strcspn(name, ".");
    return name[len] == '.' ? len + 1 : 0;
}

void op_form_hint(struct span name, char ret[FAULTS_HINT_BYTES])
{
    const char *all[FORMS], *group[FORMS], *verbs[FORMS];
    char text[64];
    size_t in_group = 0;

    (void)snprintf(text, sizeof text, "%.*s", (int)(name.len < sizeof text ? name.len : 0), name.p);
    size_t len = group_len(text);
    for (size_t i = 0; i < FORMS; i++) {
        all[i] = op_forms[i].name;
        if (len == 0 || strncmp(op_forms[i].name, text, len) != 0)
            continue;
        group[in_group] = op_forms[i].name;
        verbs[in_group++] = op_forms[i].name + len;
    }
    /* Of a group that there is only the verb can be mistyped: the letters that all share make nothing near. */
    const char *verb = faults_near(text + len, verbs, in_group);
    const char *meant = verb != NULL ? verb - len : NULL;
    faults_hint_near(in_group > 0 ? meant : faults_near(text, all, FORMS), in_group > 0 ? group : all,
                     in_group > 0 ? in_group : FORMS, ret, FAULTS_HINT_BYTES);
}

bool op_form_may(const struct op_form *form, enum desk_role role, struct err *err)
{
    char names[64] = "";
    size_t len = 0;

    if (form->may == 0 || (form->may & 1u << role) != 0)
        return true;
    for (int other = 0; other < ROLES; other++)
        if ((form->may & 1u << other) != 0)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len == 0 ? "" : ", ",
                                    desk_role_name((enum desk_role)other));
    return err_field(err, ERR_FORBIDDEN, "as.role", "%s is not for the role %s; it is for %s", form->name,
                     desk_role_name(role), names);
}

/* ---- fields ---- */

static bool field_unknown(const struct op_form *form, struct span key, struct err *err)
{
    char name[64], allowed[512];
    const char *names[OP_FIELDS_MAX];

    (void)snprintf(name, sizeof name, "%.*s", (int)(key.len > 60 ? 60 : key.len), key.p);
    for (size_t i = 0; i < form->field_count; i++)
        names[i] = request_field_name((enum field)form->fields[i].field);
    faults_hint(name, names, form->field_count, allowed, sizeof allowed);
    return err_field(err, ERR_INVALID, name, "%s: not a field of %s%s", name, form->name, allowed);
}

bool op_form_find_field(const struct op_form *form, struct span key, enum field *ret, struct err *err)
{
    for (size_t i = 0; i < form->field_count; i++)
        if (span_is(key, request_field_name((enum field)form->fields[i].field))) {
            *ret = (enum field)form->fields[i].field;
            return true;
        }
    return field_unknown(form, key, err);
}

bool op_form_missing(const struct op_form *form, enum field field, struct err *err)
{
    return err_field(err, ERR_INVALID, request_field_name(field), "%s: is required for %s",
                     request_field_name(field), form->name);
}

bool op_form_check(const struct op_form *form, const struct wire_val *body, const struct request_rules *rules,
                   const struct wire_val *ret_vals[F_FIELDS], struct err *err)
{
    for (size_t i = 0; i < wire_count(body); i++) {
        const struct wire_val *val = wire_val_at(body, i);
        enum field field;
        if (!op_form_find_field(form, wire_key_at(body, i), &field, err))
            return false;
        if (wire_type(val) == WIRE_NIL)
            continue;
        if (!request_field_check(field, rules, val, err))
            return false;
        ret_vals[field] = val;
    }
    for (size_t i = 0; i < form->field_count; i++)
        if (form->fields[i].required && ret_vals[form->fields[i].field] == NULL)
            return op_form_missing(form, (enum field)form->fields[i].field, err);
    return true;
}
