/* What became of each clock since the last decision; see clocks.h. */
#include "clocks.h"

static bool clock_same_promise(const struct clock *a, const struct clock *b)
{
    return a->promise_s == b->promise_s && a->working == b->working && span_equal(a->calendar, b->calendar);
}

/* What became of a clock that the last decision had; false: nothing. */
static bool clock_step(const struct clock *old, const struct clock *new, enum clock_step *ret)
{
    if (old->met_at == CLOCK_NO_INSTANT && new->met_at != CLOCK_NO_INSTANT)
        *ret = new->ended ? CLOCK_ENDED : CLOCK_MET_NOW;
    else if (old->state != CLOCK_MISSED && new->state == CLOCK_MISSED)
        *ret = CLOCK_MISSED_NOW;
    else if (!clock_same_promise(old, new))
        *ret = CLOCK_MOVED;
    else if (old->state == CLOCK_RUNNING && new->state == CLOCK_PAUSED)
        *ret = CLOCK_PAUSED_NOW;
    else if (old->state == CLOCK_PAUSED && new->state == CLOCK_RUNNING)
        *ret = CLOCK_RESUMED;
    else if (old->state == CLOCK_RUNNING && new->state == CLOCK_RUNNING && old->due_at != new->due_at)
        *ret = old->paused_s != new->paused_s ? CLOCK_RESUMED : CLOCK_MOVED;
    else
        return false;
    return true;
}

size_t clocks_changes(const struct clocks *clocks, const struct clock *old, size_t old_count,
                      struct clock_change *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < clocks->count; i++) {
        const struct clock *new = &clocks->items[i], *before = NULL;
        struct clock fresh = *new;
        enum clock_step step;
        for (size_t k = 0; k < old_count && before == NULL; k++)
            if (old[k].kind == new->kind && old[k].cycle == new->cycle)
                before = &old[k];
        if (before == NULL) {
            ret[count++] = (struct clock_change){CLOCK_STARTED, new};
            fresh.state = CLOCK_RUNNING;
            fresh.met_at = CLOCK_NO_INSTANT;
        }
        if (clock_step(before != NULL ? before : &fresh, new, &step))
            ret[count++] = (struct clock_change){step, new};
    }
    return count;
}
