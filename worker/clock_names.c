/* Names of what clocks.h counts; see there. */
#include "clocks.h"

static const char *const kind_names[CLOCK_KINDS] = {"response", "update", "resolution"};
static const char *const state_names[CLOCK_STATES] = {"running", "paused", "met", "missed"};
static const char *const step_names[CLOCK_STEPS] = {"started", "paused", "resumed", "moved",
                                                    "met",     "missed", "ended"};

const char *clock_step_name(enum clock_step step)
{
    return step_names[step];
}

const char *clock_kind_name(enum clock_kind kind)
{
    return kind_names[kind];
}

const char *clock_state_name(enum clock_state state)
{
    return state_names[state];
}

bool clock_kind_parse(struct span name, enum clock_kind *ret)
{
    for (int i = 0; i < CLOCK_KINDS; i++)
        if (span_is(name, kind_names[i])) {
            *ret = (enum clock_kind)i;
            return true;
        }
    return false;
}

bool clock_state_parse(struct span name, enum clock_state *ret)
{
    for (int i = 0; i < CLOCK_STATES; i++)
        if (span_is(name, state_names[i])) {
            *ret = (enum clock_state)i;
            return true;
        }
    return false;
}
