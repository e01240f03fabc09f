/* The ops of the protocol as forms: their names, the fields they take, who may ask for them.
 *
 * What a broker does for an op stands with the broker; that a request has the form of its op is told here, in one place and in one set of
 * words, to who posts it and to who only tries it. Knows no socket, no SQL, no state of a ticket. */
#ifndef DOCKET_OP_FORM_H
#define DOCKET_OP_FORM_H

#include "buf.h"
#include "desk.h"
#include "faults.h"
#include "request_fields.h"

#include <stdbool.h>
#include <stddef.h>

enum op_form_id {
    FORM_TICKET_SUBMIT,
    FORM_TICKET_FIND,
    FORM_TICKET_SHOW,
    FORM_TICKET_EXPLAIN,
    FORM_TICKET_LIST,
    FORM_TICKET_NEXT,
    FORM_TICKET_TAKE,
    FORM_TICKET_ASSIGN,
    FORM_TICKET_RELEASE,
    FORM_TICKET_COMMENT,
    FORM_TICKET_UPDATE,
    FORM_TICKET_PRIORITIZE,
    FORM_TICKET_WAIT,
    FORM_TICKET_RESUME,
    FORM_TICKET_CANNOT_RESOLVE,
    FORM_TICKET_AGREE,
    FORM_TICKET_DECLINE,
    FORM_TICKET_RESOLVE,
    FORM_TICKET_APPROVE,
    FORM_TICKET_REJECT,
    FORM_TICKET_CLOSE,
    FORM_TICKET_REOPEN,
    FORM_TICKET_LINK,
    FORM_TICKET_DONE,
    FORM_TICKET_MEETING,
    FORM_CUSTOMER_PUT,
    FORM_CUSTOMER_GET,
    FORM_CUSTOMER_LIST,
    FORM_PROCESS_APPLY,
    FORM_PROCESS_GET,
    FORM_PROCESS_LIST,
    FORM_TICKET_FORECAST,
    FORM_PROCESS_WHATIF,
    FORM_PROCESS_SIMULATE,
    FORM_EVENTS_SINCE,
    FORM_DEAD_LIST,
    FORM_DEAD_RETRY,
    FORM_ALERT_LIST,
    FORM_ALERT_SHOW,
    FORM_ALERT_ACK,
    FORM_ALERT_UNACK,
    FORM_ALERT_RESOLVE,
    FORM_ONCALL_WHO,
    FORM_ONCALL_NEXT,
    FORM_ONCALL_OVERRIDE,
    FORM_STAFF_AWAY,
    FORM_NOTIFICATION_LIST,
    FORM_NOTIFICATION_SHOW,
    FORM_NOTIFICATION_WHY,
    FORM_NOTIFICATION_RETRY,
    FORM_NOTIFICATION_DISCARD,
    FORM_NOTIFICATION_BOUNCED,
    FORM_NOTIFICATION_RELEASE,
    FORM_DEADLINE_LIST,
    FORM_DEADLINE_EXCUSE,
    FORM_NOTIFICATION_MUTE,
    FORM_NOTIFICATION_UNMUTE,
    FORM_NOTIFICATION_MUTES,
    FORM_PING,
    FORM_STATS,
    FORMS
};

enum {
    MAY_STAFF = 1 << ROLE_STAFF,
    MAY_CUSTOMER = 1 << ROLE_CUSTOMER,
    MAY_SYSTEM = 1 << ROLE_SYSTEM,
    MAY_ADMIN = 1 << ROLE_ADMIN,
    MAY_ALL = 15
};

/* How an op takes a field. */
struct op_field {
    unsigned char field; /* enum field */
    bool required;
};

enum { OP_FIELDS_MAX = 24 };

struct op_form {
    const char *name;
    struct op_field fields[OP_FIELDS_MAX];
    size_t field_count;
    unsigned may; /* roles, a bit each (1 << enum desk_role); 0: the op takes no "as" */
};

extern const struct op_form op_forms[FORMS]; /* by enum op_form_id */

/* The form of a name, or NULL. */
const struct op_form *op_form_find(struct span name);

/* What may be meant by a name that no op has, and what there is: " (did you mean ticket.show?); allowed are …". */
void op_form_hint(struct span name, char ret[FAULTS_HINT_BYTES]);

/* Whether the role may ask for it. err: ERR_FORBIDDEN  says who may */
bool op_form_may(const struct op_form *form, enum desk_role role, struct err *err)
    __attribute__((warn_unused_result));

/* Which field of the op a key of a body is.
 * err: ERR_INVALID  none; says which there are */
bool op_form_find_field(const struct op_form *form, struct span key, enum field *ret, struct err *err)
    __attribute__((warn_unused_result));

/* Says that a field is required; returns false. */
bool op_form_missing(const struct op_form *form, enum field field, struct err *err);

/* Checks a whole body, a map or nil: each field, and that those which are required are there.
 * out: ret_vals  zeroed by the caller; the values by field, NULL: not given, or nil. Also on failure: those that passed before
 * err: ERR_INVALID, ERR_TOO_LARGE  the first fault, naming the field */
bool op_form_check(const struct op_form *form, const struct wire_val *body, const struct request_rules *rules,
                   const struct wire_val *ret_vals[F_FIELDS], struct err *err)
    __attribute__((warn_unused_result));

#endif
