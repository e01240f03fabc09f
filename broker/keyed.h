/* The ops with a key that are no change of one known ticket: ticket.next, ticket.find, customer.put, process.apply, dead.retry. */
#ifndef DOCKET_KEYED_H
#define DOCKET_KEYED_H

#include "err.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

/* The handlers; each takes the call. */
void keyed_next(struct broker *broker, struct call *call);
void keyed_find(struct broker *broker, struct call *call);
void keyed_customer_put(struct broker *broker, struct call *call);
void keyed_process_apply(struct broker *broker, struct call *call);
void keyed_dead_retry(struct broker *broker, struct call *call);

bool keyed_check_next(const struct request *req, struct err *err) __attribute__((warn_unused_result));
bool keyed_check_customer(const struct request *req, struct err *err) __attribute__((warn_unused_result));
bool keyed_check_retry(const struct request *req, struct err *err) __attribute__((warn_unused_result));

#endif
