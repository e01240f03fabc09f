/* Plans that an op has in common with its events of children; see change_plans.h. */
#include "change_plans.h"

static bool is_person(enum desk_role role)
{
    return role != ROLE_SYSTEM;
}

struct change_plan change_plan_comment(enum desk_role role, bool asked_public)
{
    bool customer = role == ROLE_CUSTOMER;
    /* A customer's own words are always public, and are not told back to the customer. */
    bool public = customer || asked_public;

    return (struct change_plan){.row = customer ? DO_REPLY : DO_COMMENT,
                                .event = EVENT_COMMENTED,
                                .public = public,
                                .tell = public && !customer ? "update" : NULL,
                                .to_children = public && !customer,
                                .reply_pending = customer                    ? 1
                                                 : public && is_person(role) ? 0
                                                                             : -1};
}

struct change_plan change_plan_wait(struct span on)
{
    return (struct change_plan){.row = states_wait(on),
                                .event = EVENT_WAITING,
                                .public = true,
                                .tell = "waiting",
                                .to_children = true,
                                .reply_pending = -1};
}

const struct change_plan change_plan_cannot_resolve = {.row = DO_CANNOT_RESOLVE,
                                                       .event = EVENT_CANNOT_RESOLVE,
                                                       .public = true,
                                                       .tell = "cannot_resolve",
                                                       .to_children = true,
                                                       .reply_pending = -1};
const struct change_plan change_plan_resume = {.row = DO_RESUME,
                                               .event = EVENT_RESUMED,
                                               .to_children = true,
                                               .reply_pending = -1};
const struct change_plan change_plan_resolve = {.row = DO_RESOLVE,
                                                .event = EVENT_RESOLVED,
                                                .public = true,
                                                .tell = "approval_asked",
                                                .to_children = true,
                                                .reply_pending = 0};
bool change_plan_of_child(enum desk_event event, enum desk_role role, const struct wire_val *body,
                          struct change_plan *ret)
{
    switch ((int)event) {
    case EVENT_COMMENTED:
        *ret = change_plan_comment(role, true);
        break;
    case EVENT_WAITING:
        *ret = change_plan_wait(wire_find_str(body, "on"));
        break;
    case EVENT_CANNOT_RESOLVE:
        *ret = change_plan_cannot_resolve;
        break;
    case EVENT_RESUMED:
        *ret = change_plan_resume;
        ret->row = states_resume(wire_find_str(body, "on"));
        break;
    case EVENT_RESOLVED:
        *ret = change_plan_resolve;
        break;
    default:
        return false;
    }
    ret->to_children = false; /* one level */
    return true;
}
