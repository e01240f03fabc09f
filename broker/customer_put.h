/* customer.put: a customer's record, and, if asked, the open tickets to its package (move.h). */
#ifndef DOCKET_CUSTOMER_PUT_H
#define DOCKET_CUSTOMER_PUT_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

/* Takes the call. */
void customer_put(struct broker *broker, struct call *call);
bool customer_put_check(const struct request *req, struct err *err) __attribute__((warn_unused_result));

/* Appends `warnings`, what of the record in a request is allowed and hardly meant; false, and nothing, when it is all meant. */
bool customer_put_warnings(const struct broker *broker, const struct request *req, struct buf *out);

#endif
