/* What an update says again of what the ticket has, though it has not the form that is asked for today: it was taken before that was. Such
 * values may stay; new ones of that form may not. Which they are is found out here, whether the ticket has them by the statement
 * (sql/change.sql). */
#ifndef DOCKET_OFF_FORM_H
#define DOCKET_OFF_FORM_H

#include "request.h"

enum off_field { OFF_TITLE, OFF_QUEUE, OFF_TAGS, OFF_FIELDS };

/* Spans and values point into the request. */
struct off_form {
    struct span texts[OFF_TAGS];     /* title, queue; SPAN_NONE: of the form, or not given */
    const struct wire_val *tags;     /* with off_tags: the list */
    uint32_t off_tags;               /* a bit for each that is not of the form */
    struct err refusals[OFF_FIELDS]; /* what is said if the ticket has others */
};

/* The values of a ticket.update that are off their form; the caller frees them. NULL: the request is refused for them all the same, for it
 * is of another op, or another field is off its form, or the list of tags too long.
 * in, out: refusal  what was said of the request; names then what no ticket may have */
struct off_form *off_form_new(const struct request *req, const char *prefix,
                              const struct request_limits *limits, struct err *refusal);

#endif
