/* Mutes: staff keep messages to staff quiet for a while, with a reason and an end. */
#ifndef DOCKET_MUTES_H
#define DOCKET_MUTES_H

#include "err.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

/* The handlers; each takes the call. */
void mutes_mute(struct broker *broker, struct call *call);
void mutes_unmute(struct broker *broker, struct call *call);
void mutes_list(struct broker *broker, struct call *call);

bool mutes_check_mute(const struct request *req, struct err *err) __attribute__((warn_unused_result));

#endif
