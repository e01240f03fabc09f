/* What staff do with messages to people: see them, send again, discard, let go after a restore. */
#ifndef DOCKET_NOTICES_H
#define DOCKET_NOTICES_H

#include "err.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

/* The handlers; each takes the call. */
void notices_list(struct broker *broker, struct call *call);
void notices_show(struct broker *broker, struct call *call);
void notices_why(struct broker *broker, struct call *call);
void notices_retry(struct broker *broker, struct call *call);
void notices_discard(struct broker *broker, struct call *call);
void notices_release(struct broker *broker, struct call *call);

bool notices_check_retry(const struct request *req, struct err *err) __attribute__((warn_unused_result));

#endif
