/* dead.retry: dead letters are decided again, one or all. */
#ifndef DOCKET_RETRYING_H
#define DOCKET_RETRYING_H

#include "err.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

/* Takes the call. */
void retrying_retry(struct broker *broker, struct call *call);
bool retrying_check(const struct request *req, struct err *err) __attribute__((warn_unused_result));

#endif
