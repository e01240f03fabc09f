/* notification.bounced: docket-mail says that a message came back. */
#ifndef DOCKET_BOUNCES_H
#define DOCKET_BOUNCES_H

#include "request.h"

struct broker;
struct call;

/* Whether the status is one of RFC 3463 that says failure for good. err: ERR_INVALID */
bool bounces_check(const struct request *req, struct err *err);

void bounces_take(struct broker *broker, struct call *call);

#endif
