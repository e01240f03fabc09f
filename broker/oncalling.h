/* The ops oncall.* and staff.away: who is on call, and what people change of the plan. The plan is the process's (common/oncall.h), the
 * changes are rows. A change that would leave a schedule without anybody is refused; it was checked against one revision of the plan and is
 * written only while that holds. */
#ifndef DOCKET_ONCALLING_H
#define DOCKET_ONCALLING_H

#include "err.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

/* The handlers; each takes the call. */
void oncalling_who(struct broker *broker, struct call *call);
void oncalling_next(struct broker *broker, struct call *call);
void oncalling_override(struct broker *broker, struct call *call);
void oncalling_away(struct broker *broker, struct call *call);

bool oncalling_check_override(const struct request *req, struct err *err) __attribute__((warn_unused_result));
bool oncalling_check_away(const struct request *req, struct err *err) __attribute__((warn_unused_result));

#endif
