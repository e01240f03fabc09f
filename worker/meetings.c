/* Reminders of meetings; see meetings.h. */
#include "meetings.h"
#include "clock.h"

static const struct wire_val *meeting_of(const struct work_event *event)
{
    return wire_find(wire_find(event->map, "body"), "meeting");
}

static bool is_same(const struct wire_val *a, const struct wire_val *b)
{
    return span_equal(wire_find_str(a, "id"), wire_find_str(b, "id"));
}

/* Moved or cancelled later, or its reminder was given. */
static bool is_over(const struct work *work, size_t i, const struct wire_val *meeting)
{
    for (size_t k = i + 1; k < work->event_count; k++)
        if (is_same(meeting, meeting_of(&work->events[k])))
            return true;
    return false;
}

static void meeting_look(const struct work *work, size_t i, int64_t before_us, struct meetings *ret)
{
    const struct wire_val *meeting = meeting_of(&work->events[i]);
    int64_t starts_at = wire_find_int(meeting, "starts_at", CLOCK_NO_INSTANT);
    int64_t own_s = wire_find_int(meeting, "reminder_s", -1);
    if (starts_at <= work->now) /* so is one without an instant */
        return;
    int64_t remind_at = starts_at - (own_s >= 0 ? own_s * US_PER_S : before_us);

    if (remind_at == starts_at || span_is(wire_find_str(meeting, "what"), "cancelled") ||
        remind_at <= work->facts[i].at || is_over(work, i, meeting))
        return;
    if (remind_at <= work->now) {
        if (ret->due_count < MEETINGS_MAX)
            ret->due[ret->due_count++] = meeting;
        else
            ret->wake_at = work->now; /* the rest in the decision after this one */
    } else if (ret->wake_at == CLOCK_NO_INSTANT || remind_at < ret->wake_at) {
        ret->wake_at = remind_at;
    }
}

void meetings_find(const struct work *work, int64_t before_us, struct meetings *ret)
{
    *ret = (struct meetings){.wake_at = CLOCK_NO_INSTANT};
    for (size_t i = 0; i < work->event_count; i++)
        if (work->facts[i].kind == EVENT_MEETING)
            meeting_look(work, i, before_us, ret);
}
