/* The ops of the protocol as one table; see ops.h. */
#include "ops.h"
#include "alerting.h"
#include "applying.h"
#include "bounces.h"
#include "change_ops.h"
#include "customer_put.h"
#include "deadlines.h"
#include "finding.h"
#include "forecasting.h"
#include "mutes.h"
#include "notices.h"
#include "oncalling.h"
#include "posting.h"
#include "read_explain.h"
#include "reading.h"
#include "retrying.h"
#include "taking.h"
#include "trying.h"

#include <stddef.h>

#define CHANGES true, false, false, TURN_NONE
#define APPLIES true, true, false, TURN_APPLYING
#define READS false, false, false, TURN_READING
#define FOLLOWS false, false, false, TURN_NONE /* its pages take turns of their own (read_events.h) */
#define TRIES false, false, false, TURN_TRYING
#define TRIES_LARGE false, true, false, TURN_TRYING
#define LOOKS false, false, true, TURN_NONE
#define OP(form, ...) [form] = {&op_forms[form], __VA_ARGS__}

/* form, changes, large, always, turn, handler, further check */
static const struct op table[FORMS] = {
    OP(FORM_TICKET_SUBMIT, CHANGES, posting_submit, NULL),
    OP(FORM_TICKET_FIND, CHANGES, finding_find, NULL),
    OP(FORM_TICKET_SHOW, READS, reading_show, NULL),
    OP(FORM_TICKET_EXPLAIN, READS, read_explain, NULL),
    OP(FORM_TICKET_LIST, READS, reading_list, NULL),
    OP(FORM_TICKET_NEXT, CHANGES, taking_next, taking_check_next),
    OP(FORM_TICKET_TAKE, CHANGES, change_take, NULL),
    OP(FORM_TICKET_ASSIGN, CHANGES, change_assign, NULL),
    OP(FORM_TICKET_RELEASE, CHANGES, change_release, NULL),
    OP(FORM_TICKET_COMMENT, CHANGES, change_comment, NULL),
    OP(FORM_TICKET_UPDATE, CHANGES, change_update, NULL),
    OP(FORM_TICKET_PRIORITIZE, CHANGES, change_prioritize, NULL),
    OP(FORM_TICKET_WAIT, CHANGES, change_wait, NULL),
    OP(FORM_TICKET_RESUME, CHANGES, change_resume, NULL),
    OP(FORM_TICKET_CANNOT_RESOLVE, CHANGES, change_cannot_resolve, NULL),
    OP(FORM_TICKET_AGREE, CHANGES, change_agree, NULL),
    OP(FORM_TICKET_DECLINE, CHANGES, change_decline, NULL),
    OP(FORM_TICKET_RESOLVE, CHANGES, change_resolve, NULL),
    OP(FORM_TICKET_APPROVE, CHANGES, change_approve, NULL),
    OP(FORM_TICKET_REJECT, CHANGES, change_reject, NULL),
    OP(FORM_TICKET_CLOSE, CHANGES, change_close, NULL),
    OP(FORM_TICKET_REOPEN, CHANGES, change_reopen, NULL),
    OP(FORM_TICKET_LINK, CHANGES, change_link, change_check_link),
    OP(FORM_TICKET_DONE, CHANGES, change_task_done, NULL),
    OP(FORM_TICKET_MEETING, CHANGES, change_meeting, NULL),
    OP(FORM_CUSTOMER_PUT, CHANGES, customer_put, customer_put_check),
    OP(FORM_CUSTOMER_GET, READS, reading_customer_get, NULL),
    OP(FORM_CUSTOMER_LIST, READS, reading_customer_list, NULL),
    OP(FORM_PROCESS_APPLY, APPLIES, applying_apply, NULL),
    OP(FORM_PROCESS_GET, READS, reading_process_get, NULL),
    OP(FORM_PROCESS_LIST, READS, reading_process_list, NULL),
    OP(FORM_TICKET_FORECAST, TRIES, forecasting, NULL),
    OP(FORM_PROCESS_WHATIF, TRIES_LARGE, trying_whatif, NULL),
    OP(FORM_PROCESS_SIMULATE, TRIES_LARGE, trying_simulate, NULL),
    OP(FORM_EVENTS_SINCE, FOLLOWS, reading_events, NULL),
    OP(FORM_DEAD_LIST, READS, reading_dead_list, NULL),
    OP(FORM_DEAD_RETRY, CHANGES, retrying_retry, retrying_check),
    OP(FORM_ALERT_LIST, READS, alerting_list, NULL),
    OP(FORM_ALERT_SHOW, READS, alerting_show, NULL),
    OP(FORM_ALERT_ACK, CHANGES, alerting_ack, NULL),
    OP(FORM_ALERT_UNACK, CHANGES, alerting_unack, NULL),
    OP(FORM_ALERT_RESOLVE, CHANGES, alerting_resolve, NULL),
    OP(FORM_ONCALL_WHO, READS, oncalling_who, NULL),
    OP(FORM_ONCALL_NEXT, READS, oncalling_next, NULL),
    OP(FORM_ONCALL_OVERRIDE, CHANGES, oncalling_override, oncalling_check_override),
    OP(FORM_STAFF_AWAY, CHANGES, oncalling_away, oncalling_check_away),
    OP(FORM_NOTIFICATION_LIST, READS, notices_list, NULL),
    OP(FORM_NOTIFICATION_SHOW, READS, notices_show, NULL),
    OP(FORM_NOTIFICATION_WHY, READS, notices_why, NULL),
    OP(FORM_NOTIFICATION_RETRY, CHANGES, notices_retry, notices_check_retry),
    OP(FORM_NOTIFICATION_DISCARD, CHANGES, notices_discard, NULL),
    OP(FORM_NOTIFICATION_BOUNCED, CHANGES, bounces_take, bounces_check),
    OP(FORM_NOTIFICATION_RELEASE, CHANGES, notices_release, NULL),
    OP(FORM_DEADLINE_LIST, READS, deadlines_list, NULL),
    OP(FORM_DEADLINE_EXCUSE, CHANGES, deadlines_excuse, NULL),
    OP(FORM_NOTIFICATION_MUTE, CHANGES, mutes_mute, mutes_check_mute),
    OP(FORM_NOTIFICATION_UNMUTE, CHANGES, mutes_unmute, NULL),
    OP(FORM_NOTIFICATION_MUTES, READS, mutes_list, NULL),
    OP(FORM_PING, LOOKS, reading_ping, NULL),
    OP(FORM_STATS, LOOKS, reading_stats, NULL),
};

const struct op *ops_find(struct span name)
{
    const struct op_form *form = op_form_find(name);
    return form == NULL ? NULL : &table[form - op_forms];
}

bool ops_may(const struct op *op, const struct request *req, struct err *err)
{
    return !req->has_as || op_form_may(op->form, req->role, err);
}
