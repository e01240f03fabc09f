/* The plans of the ops that go on to children: what an op does to its ticket, and what the event that repeats it does to a child.
 *
 * Data only. The plans of the other ops stand with them (change_ops.c). */
#ifndef DOCKET_CHANGE_PLANS_H
#define DOCKET_CHANGE_PLANS_H

#include "change.h"

/* asked_public: as the request says; a customer's own words always are. */
struct change_plan change_plan_comment(enum desk_role role, bool asked_public);

/* on: "customer" or "vendor". */
struct change_plan change_plan_wait(struct span on);

extern const struct change_plan change_plan_cannot_resolve, change_plan_resume, change_plan_resolve;

/* The plan of a child's event, which repeats its parent's: the same as the op's own. body: of the parent's event.
 * False: such an event does not go to children. */
bool change_plan_of_child(enum desk_event event, enum desk_role role, const struct wire_val *body,
                          struct change_plan *ret);

#endif
