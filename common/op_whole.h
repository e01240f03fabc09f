/* What a request must be as a whole, beyond what each of its fields is held to: which fields go together, which the role asks for.
 *
 * As op_form.h, for who posts a request and for who only tries it. Knows no socket, no SQL, no state of a ticket. */
#ifndef DOCKET_OP_WHOLE_H
#define DOCKET_OP_WHOLE_H

#include "desk.h"
#include "op_form.h"

#include <stdbool.h>

struct op_whole {
    const struct op_form *form;
    bool has_as;
    enum desk_role role; /* of who asks; with has_as */
    const struct wire_val *const
        *vals;                    /* F_FIELDS of them, each fit for its field; NULL: not given, or nil */
    bool (*may_lack)(enum field); /* what need not be there, though it is asked for; NULL: nothing */
};

/* Nothing is wrong with an op that asks for no more than its fields do.
 * err: ERR_INVALID, ERR_FORBIDDEN  the first fault, naming the field */
bool op_whole_check(const struct op_whole *whole, struct err *err) __attribute__((warn_unused_result));

#endif
