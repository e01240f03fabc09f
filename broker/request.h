/* A client's request, from bytes to checked fields.
 *
 * What passes here is of the right type, inside its limits, and has no field that the op does not know (common/op_form.h). Nothing from
 * outside goes further without. Knows no socket, no SQL, no state of a ticket. */
#ifndef DOCKET_REQUEST_H
#define DOCKET_REQUEST_H

#include "desk.h"
#include "err.h"
#include "request_fields.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

struct op;

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
    /* refused for how its texts look or how long they are, and for nothing else: all of the above is set */
    bool is_off_form;
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
 * err: ERR_INVALID or ERR_TOO_LARGE, naming the field; with is_off_form the request can still be asked whether its key was used before */
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

#endif
