/* What the broker does for each op of the protocol (common/op_form.h), as one table. It knows all who handle one; they know no more of it
 * than their own row (request.op). */
#ifndef DOCKET_OPS_H
#define DOCKET_OPS_H

#include "buf.h"
#include "op.h"

/* The row of a name, or NULL. */
const struct op *ops_find(struct span name);

/* Whether who asks may: the one place for it. A key of CURVE will fill in role and actor before. err: ERR_FORBIDDEN, ERR_INVALID. */
bool ops_may(const struct op *op, const struct request *req, struct err *err)
    __attribute__((warn_unused_result));

#endif
