/* The table of what each event does; see clock_rules.h. */
#include "clock_rules.h"

/* Event → what starts, meets, pauses, resumes, ends each clock. The posting starts all three. What a machine did moves the ticket and no
 * clock, but a closed ticket has no clocks, whoever closed it. A customer's words stand below. */
static const struct clock_rule rules[] = {
    {EVENT_TAKEN, BY_DESK, ALWAYS, TO_OPEN, {MEET_BY_TAKING, RESUME, RESUME}},
    {EVENT_ASSIGNED, BY_DESK, IF_SELF, STAYS, {MEET_BY_TAKING, NOTHING, NOTHING}},
    {EVENT_COMMENTED, BY_DESK, IF_PUBLIC, STAYS, {MEET, MEET_AND_AGAIN, NOTHING}},
    {EVENT_WAITING, BY_DESK, ON_CUSTOMER, TO_WAITS, {MEET, MEET_AND_AGAIN, PAUSE}},
    {EVENT_WAITING, BY_DESK, ON_VENDOR, TO_OPEN, {NOTHING, MEET_AND_AGAIN, RESUME}},
    {EVENT_CANNOT_RESOLVE, BY_DESK, ALWAYS, TO_WAITS, {MEET, MEET_AND_AGAIN, PAUSE}},
    {EVENT_RESUMED, BY_DESK, ALWAYS, TO_OPEN, {NOTHING, RESUME, RESUME}},
    {EVENT_MEETING, BY_DESK, ALWAYS, STAYS, {MEET, MEET_AND_AGAIN, NOTHING}},
    {EVENT_RESOLVED, BY_DESK, ALWAYS, TO_RESOLVED, {MEET, MEET_AND_AGAIN, MEET}},
    {EVENT_REJECTED, BY_ANYONE, ALWAYS, TO_OPEN, {NOTHING, RESUME, RUN_ON}},
    {EVENT_APPROVED, BY_ANYONE, ALWAYS, TO_CLOSED, {END, END, END}},
    {EVENT_CLOSED, BY_ANYONE, ALWAYS, TO_CLOSED, {END, END, END}},
    {EVENT_REOPENED, BY_ANYONE, ALWAYS, TO_OPEN, {RESTART, RESTART, RESTART}},
    {EVENT_AGREED, BY_ANYONE, ALWAYS, TO_OPEN, {NOTHING, RESUME, RESUME}},
    {EVENT_DECLINED, BY_ANYONE, ALWAYS, TO_OPEN, {NOTHING, RESUME, RESUME}},
};

const struct clock_rule clock_rule_ends_wait = {.leads = TO_OPEN, .actions = {NOTHING, RESUME, RESUME}};
const struct clock_rule clock_rule_rejects = {.leads = TO_OPEN, .actions = {NOTHING, RESUME, RUN_ON}};
const struct clock_rule clock_rule_asks = {.leads = STAYS, .actions = {NOTHING, RESUME, NOTHING}};
const struct clock_rule clock_rule_reopens = {.leads = TO_OPEN, .actions = {RESTART, RESTART, RESTART}};

static bool rule_fits(const struct clock_rule *rule, const struct clock_event *e)
{
    if (rule->kind != e->kind)
        return false;
    switch (rule->needs) {
    case ALWAYS:
        return true;
    case IF_PUBLIC:
        return e->is_public;
    case IF_SELF:
        return e->is_self;
    case ON_CUSTOMER:
        return e->on == CLOCK_ON_CUSTOMER;
    case ON_VENDOR:
        return e->on == CLOCK_ON_VENDOR;
    }
    return false;
}

const struct clock_rule *clock_rule_find(const struct clock_event *event)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rule_fits(&rules[i], event))
            return &rules[i];
    return NULL;
}
