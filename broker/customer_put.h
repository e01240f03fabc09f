/* customer.put: a customer's record, and, if asked, the open tickets to its package (move.h). */
#ifndef DOCKET_CUSTOMER_PUT_H
#define DOCKET_CUSTOMER_PUT_H

#include "err.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

/* Takes the call. */
void customer_put(struct broker *broker, struct call *call);
bool customer_put_check(const struct request *req, struct err *err) __attribute__((warn_unused_result));

#endif
