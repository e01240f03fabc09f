/* What people write for the tools that need no broker - a ticket, a step of a case - held against the forms of the protocol.
 *
 * A ticket that a broker would refuse is refused here with the same words, each fault with its place: else a process would be tried with
 * what it never sees. The limits are those of a broker whose settings say nothing else. */
#ifndef DOCKET_GIVEN_H
#define DOCKET_GIVEN_H

#include "faults.h"
#include "op_form.h"
#include "wire.h"
#include "yaml_node.h"

#include <stdbool.h>

struct given {
    const struct op_form *form;
    const struct wire_val *body;     /* a map */
    const struct yaml_node *written; /* the same as it was written, for places; NULL: it is not known */
    struct fault_place place;        /* of what is missing, and of all where written is NULL */
    bool has_as;                     /* somebody asks for it, though the body does not say who */
    enum desk_role role;             /* of who asks; with has_as */
    bool (*is_own)(struct span key); /* the tool's own keys are passed over; NULL: it has none */
    bool (*may_lack)(enum field);    /* what the tool fills in, though the form requires it */
};

/* Adds a fault for each thing that is not of the form, or, where each field is, for the first that a broker asks for beyond it. True: there
 * was none. */
bool given_check(const struct given *given, struct faults *faults) __attribute__((warn_unused_result));

/* One value that stands for a field: the record of customer.put. */
bool given_check_value(enum field field, const struct wire_val *val, const struct yaml_node *written,
                       struct fault_place place, struct faults *faults) __attribute__((warn_unused_result));

/* Adds an error as a fault where its field was written, or at place where that is not known. Returns false. */
bool given_fault(const struct yaml_node *written, struct fault_place place, const struct err *err,
                 struct faults *faults);

/* The same without places, for what is read fast: true when the value fits.
 * err: ERR_INVALID, ERR_TOO_LARGE  the first fault, naming the field */
bool given_value_fits(enum field field, const struct wire_val *val, struct err *err)
    __attribute__((warn_unused_result));

/* Whether a ticket has a tracking number: it is as a broker gave it then, and taken as it is. That broker's limits may be others than ours,
 * and a newer one may know more fields. */
bool given_ticket_is_stored(const struct wire_val *ticket);

/* A ticket of a history: as ticket.submit has it, perhaps with what life made of it; or stored.
 * err: ERR_INVALID, ERR_TOO_LARGE  the first fault, naming the field */
bool given_ticket_fits(const struct wire_val *ticket, struct err *err) __attribute__((warn_unused_result));

/* What a ticket lacks where no broker posts it: the key, and who it is of. */
bool given_ticket_may_lack(enum field field);

/* What a step may leave out: who acts on which ticket is known, words change nothing, and its `at` is its own. */
bool given_step_may_lack(enum field field);

#endif
