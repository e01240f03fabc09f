/* Every field of the protocol: its name, its type, its limits, and whether a value is of them.
 *
 * One table for who takes requests and for who reads the same fields offline, so that both refuse the same values in the same words.
 * Which op takes which field stands in op_form.h. Knows no socket, no SQL, no state of a ticket. */
#ifndef DOCKET_REQUEST_FIELDS_H
#define DOCKET_REQUEST_FIELDS_H

#include "err.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

enum field {
    F_KEY,
    F_AS,
    F_TRACKING,
    F_IF_VERSION,
    F_CUSTOMER,
    F_CUSTOMER_RECORD,
    F_TITLE,
    F_PROBLEM,
    F_EQUIPMENT,
    F_CONFIGURATION,
    F_CONTACT,
    F_CHANNEL,
    F_IMPACT,
    F_ATTRIBUTES,
    F_CORRELATION,
    F_TAKE,
    F_EVENTS_AFTER,
    F_STATE,
    F_PRIORITY,
    F_ASSIGNEE,
    F_QUEUE,
    F_TAG,
    F_OVERDUE,
    F_DUE_BEFORE_AT,
    F_POSTED_FROM_AT,
    F_POSTED_UNTIL_AT,
    F_TEXT,
    F_ORDER,
    F_LIMIT,
    F_CURSOR,
    F_QUEUES,
    F_PEEK,
    F_STAFF,
    F_REASON,
    F_COMMENT,
    F_PUBLIC,
    F_SET,
    F_ON,
    F_VENDOR,
    F_PROPOSAL,
    F_UNTIL_AT,
    F_CLOSE_REASON,
    F_TO,
    F_AS_LINK,
    F_ID,
    F_FILES,
    F_DRY_RUN,
    F_RECOMPUTE,
    F_PEOPLE,
    F_HASH,
    F_FILTER,
    F_WAIT_MS,
    F_ALL,
    F_PACKAGE,
    F_ALERT,
    F_GENERATION,
    F_KIND,
    F_SCHEDULE,
    F_WHO_AT,
    F_SPAN_FROM_AT,
    F_REPLACES,
    F_TO_STAFF,
    F_OVERRIDE,
    F_CANCEL,
    F_EMAIL,
    F_NOTIFICATION,
    F_OVER_CHANNEL,
    F_ADDRESS,
    F_SINCE_AT,
    F_DISCARD_BEFORE_AT,
    F_TRACKINGS, /* one, or a list */
    F_CLOCK,
    F_CYCLE,
    F_VERDICT,
    F_MUTE,
    F_NOTICE_KIND,
    F_MEDIUM,
    F_ATTENDEES,
    F_DURATION_S,
    F_REMINDER_S,
    F_WHERE,
    F_MEETING,
    F_POSTED_AT,
    F_TASK,
    F_OPEN_TICKETS,
    F_DSN_STATUS,
    F_ATTENDEE,
    F_ANSWER,
    F_FIELDS
};

/* Limits on what clients send, from the settings. Bytes of encoded maps; code points of titles. */
struct request_limits {
    int64_t message_bytes, process_bytes, title_points, text_bytes, map_bytes;
};

/* The limits of a broker whose settings say nothing else. */
extern const struct request_limits request_limits_default;

/* What a value is checked against besides its field. */
struct request_rules {
    const struct request_limits *limits;
    const char *prefix; /* of tracking numbers */
    bool
        form_is_free; /* how a text must look (one line, an address) is not asked: it may have been taken before that was */
};

/* Letters, digits, '.', '_' and '-' alone: the id of a customer, say. */
bool text_is_name(struct span text);

/* Without control characters and line breaks: it may end up in mail headers, tables and terminals. */
bool text_is_line(struct span text);

const char *request_field_name(enum field field);

/* Whether the field is words that people wrote: a problem, a reason. */
bool request_field_is_words(enum field field);

/* Whether a value, that is not nil, is of the field's type and inside its limits.
 * err: ERR_INVALID, ERR_TOO_LARGE  names the field, or what lies in it: "contact.email" */
bool request_field_check(enum field field, const struct request_rules *rules, const struct wire_val *val,
                         struct err *err) __attribute__((warn_unused_result));

#endif
