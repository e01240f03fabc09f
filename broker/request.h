/* A client's request, from bytes to checked fields.
 *
 * One table says what every field of the protocol is: its type and limits; each op (ops.c) lists the fields it takes. What passes here
 * is of the right type, inside its limits, and has no field that the op does not know. Nothing from outside goes further without.
 * Knows no socket, no SQL, no state of a ticket. */
#ifndef DOCKET_REQUEST_H
#define DOCKET_REQUEST_H

#include "buf.h"
#include "desk.h"
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

/* How an op takes a field. */
struct op_field {
    unsigned char field; /* enum field */
    bool required;
};

enum { OP_FIELDS_MAX = 24 };

struct op;

/* Limits on what clients send, from the settings. Bytes of encoded maps; code points of titles. */
struct request_limits {
    int64_t message_bytes, process_bytes, title_points, text_bytes, map_bytes;
};

struct request {
    struct wire_doc *doc; /* owned; all spans and values below point into it */
    const struct op *op;
    struct span id;                        /* encoded id, to be given back; SPAN_NONE: none could be read */
    const struct wire_val *vals[F_FIELDS]; /* by enum field; NULL: not given, or nil */

    /* of "as": */
    bool has_as;
    enum desk_role role;
    char actor[129];

    /* of "tracking" and "to": the id, 0 when not given */
    int64_t ticket;
    int64_t link_to;
    int64_t *tickets; /* of a list in "tracking": each once, in order of id; NULL: it was no list. Owned */
    size_t ticket_count;

    unsigned char key_digest[16];     /* over client and key; random when none was given */
    unsigned char content_digest[16]; /* over op and checked fields */
    bool has_key;
};

/* Reads the envelope {dkt, id, op, body}.
 * in:  bytes   one frame
 * out: ret     zeroed by the caller; doc, id and body are set as far as they could be read, also on failure, so that the
 *              answer can carry the id; cleared with request_clear
 *      ret_op, ret_body
 * err: ERR_MALFORMED, ERR_UNSUPPORTED, ERR_TOO_LARGE */
bool request_parse(struct span bytes, const struct request_limits *limits, struct request *ret,
                   struct span *ret_op, const struct wire_val **ret_body, struct err *err)
    __attribute__((warn_unused_result));

/* Checks the body against the fields of the op and fills vals, as, ticket, digests.
 * in:  client  the client's registered name: the scope of its keys
 *      prefix  of tracking numbers
 * err: ERR_INVALID or ERR_TOO_LARGE, naming the field */
bool request_check(struct request *req, const struct op *op, const struct wire_val *body, const char *client,
                   const char *prefix, const struct request_limits *limits, struct err *err)
    __attribute__((warn_unused_result));

/* The id of a tracking number that was checked; 0 when none was given. */
int64_t request_tracking(const struct wire_val *val, const char *prefix);

void request_clear(struct request *req);

/* Checked values: the fallback, or SPAN_NONE, when the field was not given. */
int64_t request_int(const struct request *req, enum field field, int64_t fallback);
bool request_bool(const struct request *req, enum field field, bool fallback);
struct span request_text(const struct request *req, enum field field);
bool request_has(const struct request *req, enum field field);

const char *request_field_name(enum field field);

#endif
