/* ticket.next: the ticket that is most urgent is taken, or, with peek, only looked at. */
#ifndef DOCKET_TAKING_H
#define DOCKET_TAKING_H

#include "err.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

/* Takes the call. */
void taking_next(struct broker *broker, struct call *call);
bool taking_check_next(const struct request *req, struct err *err) __attribute__((warn_unused_result));

#endif
