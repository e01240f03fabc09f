/* The ops of the protocol as one table; see ops.h. */
#include "ops.h"
#include "alerting.h"
#include "bounces.h"
#include "broker.h"
#include "change_ops.h"
#include "deadlines.h"
#include "keyed.h"
#include "mutes.h"
#include "notices.h"
#include "oncalling.h"
#include "posting.h"
#include "forecasting.h"
#include "read_explain.h"
#include "reading.h"
#include "trying.h"

#include <stddef.h>

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
#define CHANGES true, false, false
#define READS false, false, false
#define READS_LARGE false, true, false
#define LOOKS false, false, true

static void ops_next(struct broker *broker, struct call *call)
{
    if (request_bool(&call->req, F_PEEK, false))
        reading_peek(broker, call);
    else
        keyed_next(broker, call);
}

/* name, fields, who may, changes, large, always, handler, further check */
static const struct op table[] = {
    {"ticket.submit",
     FIELDS(REQUIRED(F_KEY), OPTIONAL(F_AS), REQUIRED(F_CUSTOMER), REQUIRED(F_TITLE), REQUIRED(F_PROBLEM),
            OPTIONAL(F_EQUIPMENT), OPTIONAL(F_CONFIGURATION), OPTIONAL(F_CONTACT), OPTIONAL(F_CHANNEL),
            OPTIONAL(F_IMPACT), OPTIONAL(F_ATTRIBUTES), OPTIONAL(F_CORRELATION), OPTIONAL(F_TAKE),
            OPTIONAL(F_POSTED_AT)),
     0, CHANGES, posting_submit, posting_check},
    {"ticket.find", FIELDS(REQUIRED(F_KEY)), 0, CHANGES, keyed_find, NULL},
    {"ticket.show", FIELDS(REQUIRED(F_TRACKING), OPTIONAL(F_EVENTS_AFTER)), 0, READS, reading_show, NULL},
    {"ticket.explain", FIELDS(REQUIRED(F_TRACKING)), 0, READS, read_explain, NULL},
    {"ticket.list",
     FIELDS(OPTIONAL(F_STATE), OPTIONAL(F_PRIORITY), OPTIONAL(F_CUSTOMER), OPTIONAL(F_ASSIGNEE),
            OPTIONAL(F_QUEUE), OPTIONAL(F_TAG), OPTIONAL(F_OVERDUE), OPTIONAL(F_DUE_BEFORE_AT),
            OPTIONAL(F_POSTED_FROM_AT), OPTIONAL(F_POSTED_UNTIL_AT), OPTIONAL(F_TEXT), OPTIONAL(F_ORDER),
            OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)),
     0, READS, reading_list, NULL},
    {"ticket.next", FIELDS(WHO, OPTIONAL(F_QUEUES), OPTIONAL(F_PEEK)), DESK, CHANGES, ops_next,
     keyed_check_next},
    {"ticket.take", FIELDS(WHO, TICKET), DESK, CHANGES, change_take, NULL},
    {"ticket.assign", FIELDS(WHO, TICKETS, REQUIRED(F_STAFF), OPTIONAL(F_REASON)), DESK | MAY_SYSTEM, CHANGES,
     change_assign, NULL},
    {"ticket.release", FIELDS(WHO, TICKETS, REQUIRED(F_REASON)), DESK | MAY_SYSTEM, CHANGES, change_release,
     NULL},
    {"ticket.comment",
     FIELDS(WHO, TICKETS, REQUIRED(F_TEXT), OPTIONAL(F_PUBLIC), OPTIONAL(F_MEETING), OPTIONAL(F_ATTENDEE),
            OPTIONAL(F_ANSWER)),
     MAY_ALL, CHANGES, change_comment, change_check_comment},
    {"ticket.update", FIELDS(WHO, TICKET, REQUIRED(F_SET)), MAY_ALL, CHANGES, change_update, NULL},
    {"ticket.prioritize", FIELDS(WHO, TICKETS, REQUIRED(F_PRIORITY), REQUIRED(F_REASON)), DESK | MAY_SYSTEM,
     CHANGES, change_prioritize, NULL},
    {"ticket.wait",
     FIELDS(WHO, TICKETS, REQUIRED(F_ON), REQUIRED(F_REASON), OPTIONAL(F_VENDOR), OPTIONAL(F_PROPOSAL),
            OPTIONAL(F_UNTIL_AT)),
     DESK | MAY_SYSTEM, CHANGES, change_wait, change_check_wait},
    {"ticket.resume", FIELDS(WHO, TICKETS, OPTIONAL(F_ON), OPTIONAL(F_REASON)), DESK | MAY_SYSTEM, CHANGES,
     change_resume, NULL},
    {"ticket.cannot_resolve", FIELDS(WHO, TICKET, REQUIRED(F_REASON), REQUIRED(F_PROPOSAL)), DESK, CHANGES,
     change_cannot_resolve, NULL},
    {"ticket.agree", FIELDS(WHO, TICKET, OPTIONAL(F_TEXT)), PEOPLE, CHANGES, change_agree, change_check_said},
    {"ticket.decline", FIELDS(WHO, TICKET, OPTIONAL(F_TEXT)), PEOPLE, CHANGES, change_decline,
     change_check_said},
    {"ticket.resolve", FIELDS(WHO, TICKETS, REQUIRED(F_TEXT)), DESK, CHANGES, change_resolve, NULL},
    {"ticket.approve", FIELDS(WHO, TICKET, OPTIONAL(F_TEXT)), PEOPLE, CHANGES, change_approve,
     change_check_said},
    {"ticket.reject", FIELDS(WHO, TICKET, OPTIONAL(F_TEXT)), PEOPLE, CHANGES, change_reject,
     change_check_said},
    {"ticket.close", FIELDS(WHO, TICKETS, REQUIRED(F_CLOSE_REASON), REQUIRED(F_TEXT)), DESK, CHANGES,
     change_close, NULL},
    {"ticket.reopen", FIELDS(WHO, TICKET, REQUIRED(F_REASON)), PEOPLE, CHANGES, change_reopen, NULL},
    {"ticket.link", FIELDS(WHO, TICKETS, REQUIRED(F_TO), REQUIRED(F_AS_LINK)), DESK | MAY_SYSTEM, CHANGES,
     change_link, change_check_link},
    {"ticket.done", FIELDS(WHO, TICKET, REQUIRED(F_TASK), REQUIRED(F_TEXT)), DESK | MAY_SYSTEM, CHANGES,
     change_task_done, NULL},
    {"ticket.meeting",
     FIELDS(WHO, TICKET, OPTIONAL(F_MEDIUM), OPTIONAL(F_WHO_AT), OPTIONAL(F_ATTENDEES),
            OPTIONAL(F_DURATION_S), OPTIONAL(F_REMINDER_S), OPTIONAL(F_WHERE), OPTIONAL(F_MEETING),
            OPTIONAL(F_CANCEL)),
     DESK | MAY_SYSTEM, CHANGES, change_meeting, change_check_meeting},
    {"customer.put", FIELDS(WHO, REQUIRED(F_CUSTOMER_RECORD), OPTIONAL(F_OPEN_TICKETS)), DESK | MAY_SYSTEM,
     CHANGES, keyed_customer_put, NULL},
    {"customer.get", FIELDS(REQUIRED(F_ID)), 0, READS, reading_customer_get, NULL},
    {"customer.list", FIELDS(OPTIONAL(F_PACKAGE), OPTIONAL(F_EMAIL), OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)),
     0, READS, reading_customer_list, NULL},
    {"process.apply",
     FIELDS(WHO, REQUIRED(F_FILES), OPTIONAL(F_COMMENT), OPTIONAL(F_DRY_RUN), OPTIONAL(F_RECOMPUTE)), DESK,
     true, true, false, keyed_process_apply, NULL},
    {"process.get", FIELDS(OPTIONAL(F_HASH)), 0, READS, reading_process_get, NULL},
    {"process.list", FIELDS(OPTIONAL(F_LIMIT)), 0, READS, reading_process_list, NULL},
    {"ticket.forecast", FIELDS(OPTIONAL(F_PEOPLE)), 0, READS, forecasting, NULL},
    {"process.whatif", FIELDS(REQUIRED(F_FILES), OPTIONAL(F_CURSOR), OPTIONAL(F_LIMIT)), 0, READS_LARGE,
     trying_whatif, NULL},
    {"process.simulate",
     FIELDS(REQUIRED(F_FILES), OPTIONAL(F_POSTED_FROM_AT), OPTIONAL(F_CURSOR), OPTIONAL(F_LIMIT)), 0,
     READS_LARGE, trying_simulate, NULL},
    {"events.since", FIELDS(OPTIONAL(F_CURSOR), OPTIONAL(F_LIMIT), OPTIONAL(F_FILTER), OPTIONAL(F_WAIT_MS)),
     0, READS, reading_events, NULL},
    {"dead.list", FIELDS(OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)), 0, READS, reading_dead_list, NULL},
    {"dead.retry", FIELDS(WHO, OPTIONAL(F_TRACKING), OPTIONAL(F_ALL)), DESK, CHANGES, keyed_dead_retry,
     keyed_check_retry},
    {"alert.list",
     FIELDS(OPTIONAL(F_STATE), OPTIONAL(F_PRIORITY), OPTIONAL(F_KIND), OPTIONAL(F_TRACKING),
            OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)),
     0, READS, alerting_list, NULL},
    {"alert.show", FIELDS(REQUIRED(F_ALERT)), 0, READS, alerting_show, NULL},
    {"alert.ack", FIELDS(WHO, REQUIRED(F_ALERT), OPTIONAL(F_GENERATION)), DESK | MAY_SYSTEM, CHANGES,
     alerting_ack, NULL},
    {"alert.unack", FIELDS(WHO, REQUIRED(F_ALERT), OPTIONAL(F_REASON)), DESK | MAY_SYSTEM, CHANGES,
     alerting_unack, NULL},
    {"alert.resolve", FIELDS(WHO, REQUIRED(F_ALERT), OPTIONAL(F_REASON)), DESK | MAY_SYSTEM, CHANGES,
     alerting_resolve, NULL},
    {"oncall.who", FIELDS(OPTIONAL(F_SCHEDULE), OPTIONAL(F_WHO_AT)), 0, READS, oncalling_who, NULL},
    {"oncall.next",
     FIELDS(OPTIONAL(F_SCHEDULE), OPTIONAL(F_STAFF), OPTIONAL(F_SPAN_FROM_AT), OPTIONAL(F_UNTIL_AT),
            OPTIONAL(F_LIMIT)),
     0, READS, oncalling_next, NULL},
    {"oncall.override",
     FIELDS(WHO, OPTIONAL(F_SCHEDULE), OPTIONAL(F_STAFF), OPTIONAL(F_REPLACES), OPTIONAL(F_SPAN_FROM_AT),
            OPTIONAL(F_UNTIL_AT), OPTIONAL(F_REASON), OPTIONAL(F_OVERRIDE), OPTIONAL(F_CANCEL)),
     DESK, CHANGES, oncalling_override, oncalling_check_override},
    {"staff.away",
     FIELDS(WHO, REQUIRED(F_STAFF), REQUIRED(F_SPAN_FROM_AT), REQUIRED(F_UNTIL_AT), OPTIONAL(F_TO_STAFF),
            OPTIONAL(F_REASON)),
     DESK, CHANGES, oncalling_away, oncalling_check_away},
    {"notification.list",
     FIELDS(OPTIONAL(F_STATE), OPTIONAL(F_TRACKING), OPTIONAL(F_OVER_CHANNEL), OPTIONAL(F_ADDRESS),
            OPTIONAL(F_LIMIT), OPTIONAL(F_CURSOR)),
     0, READS, notices_list, NULL},
    {"notification.show", FIELDS(REQUIRED(F_NOTIFICATION)), 0, READS, notices_show, NULL},
    {"notification.why", FIELDS(REQUIRED(F_TRACKING)), 0, READS, notices_why, NULL},
    {"notification.retry", FIELDS(WHO, OPTIONAL(F_NOTIFICATION), OPTIONAL(F_ALL), OPTIONAL(F_REASON)), DESK,
     CHANGES, notices_retry, notices_check_retry},
    {"notification.discard", FIELDS(WHO, REQUIRED(F_NOTIFICATION), OPTIONAL(F_REASON)), DESK, CHANGES,
     notices_discard, NULL},
    {"notification.bounced", FIELDS(WHO, REQUIRED(F_NOTIFICATION), REQUIRED(F_DSN_STATUS), OPTIONAL(F_TEXT)),
     DESK | MAY_SYSTEM, CHANGES, bounces_take, bounces_check},
    {"notification.release",
     FIELDS(WHO, OPTIONAL(F_SINCE_AT), OPTIONAL(F_DISCARD_BEFORE_AT), OPTIONAL(F_REASON)), DESK, CHANGES,
     notices_release, NULL},
    {"deadline.list",
     FIELDS(OPTIONAL(F_SPAN_FROM_AT), OPTIONAL(F_UNTIL_AT), OPTIONAL(F_CUSTOMER), OPTIONAL(F_PACKAGE),
            OPTIONAL(F_PRIORITY), OPTIONAL(F_CLOCK), OPTIONAL(F_VERDICT), OPTIONAL(F_LIMIT),
            OPTIONAL(F_CURSOR)),
     0, READS, deadlines_list, NULL},
    {"deadline.excuse",
     FIELDS(WHO, REQUIRED(F_TRACKING), REQUIRED(F_CLOCK), OPTIONAL(F_CYCLE), REQUIRED(F_REASON)), DESK,
     CHANGES, deadlines_excuse, NULL},
    {"notification.mute",
     FIELDS(WHO, REQUIRED(F_REASON), REQUIRED(F_UNTIL_AT), OPTIONAL(F_SPAN_FROM_AT), OPTIONAL(F_CUSTOMER),
            OPTIONAL(F_TRACKING), OPTIONAL(F_NOTICE_KIND), OPTIONAL(F_PRIORITY), OPTIONAL(F_QUEUE),
            OPTIONAL(F_TAG)),
     DESK, CHANGES, mutes_mute, mutes_check_mute},
    {"notification.unmute", FIELDS(WHO, REQUIRED(F_MUTE)), DESK, CHANGES, mutes_unmute, NULL},
    {"notification.mutes", {{0}}, 0, 0, READS, mutes_list, NULL},
    {"ping", {{0}}, 0, 0, LOOKS, reading_ping, NULL},
    {"stats", {{0}}, 0, 0, LOOKS, reading_stats, NULL},
};

size_t ops_count(void)
{
    return sizeof table / sizeof table[0];
}

const struct op *ops_at(size_t i)
{
    return &table[i];
}

const struct op *ops_find(struct span name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (span_is(name, table[i].name))
            return &table[i];
    return NULL;
}

bool ops_may(const struct op *op, const struct request *req, struct err *err)
{
    char names[64] = "";
    size_t len = 0;

    if (!req->has_as || op->may == 0 || (op->may & 1u << req->role) != 0)
        return true;
    for (int role = 0; role < ROLES; role++)
        if ((op->may & 1u << role) != 0)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len == 0 ? "" : ", ",
                                    desk_role_name((enum desk_role)role));
    return err_field(err, ERR_FORBIDDEN, "as.role", "%s is not for the role %s; it is for %s", op->name,
                     desk_role_name(req->role), names);
}
