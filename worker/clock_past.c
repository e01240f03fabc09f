/* What counted before; see clock_past.h. */
#include "clock_past.h"

#include <string.h>

static const struct clock *clock_find(const struct clock *list, size_t count, const struct clock *like)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].kind == like->kind && list[i].cycle == like->cycle)
            return &list[i];
    return NULL;
}

void clock_past_begin(struct clock_past *past, const struct clock *decided, size_t decided_count)
{
    past->old = past->decided = decided;
    past->old_count = past->decided_count = decided_count;
    past->staged = false;
    past->over_count = past->told.verdict_count = past->told.notice_count = 0;
}

/* A miss that is met in a later stage is one verdict, with when. */
static void past_verdict(struct clocks *told, const struct clock_verdict *verdict)
{
    for (size_t i = 0; i < told->verdict_count; i++) {
        struct clock *before = &told->verdicts[i].clock;
        if (clock_find(before, 1, &verdict->clock) == NULL)
            continue;
        before->met_at = verdict->clock.met_at;
        before->worked_s = verdict->clock.worked_s;
        before->paused_s = verdict->clock.paused_s;
        return;
    }
    clocks_add_verdict(told, verdict);
}

static void past_tell(struct clocks *told, const struct clocks *more, bool warnings)
{
    for (size_t i = 0; i < more->verdict_count; i++)
        past_verdict(told, &more->verdicts[i]);
    for (size_t i = 0; i < more->notice_count && told->notice_count < CLOCK_VERDICTS_MAX; i++)
        if (warnings || more->notices[i].percent == 100)
            told->notices[told->notice_count++] = more->notices[i];
}

static bool is_over_since(const struct clock_past *past, const struct clock *clock)
{
    const struct clock *was = clock_find(past->decided, past->decided_count, clock);

    return clock->met_at != CLOCK_NO_INSTANT && was != NULL && was->met_at == CLOCK_NO_INSTANT &&
           clock_find(past->over, past->over_count, clock) == NULL;
}

void clock_past_add(struct clock_past *past, const struct clock_terms *terms, int64_t posted_at,
                    const struct clock_event *events, size_t event_count, int64_t until)
{
    struct clocks *stage = &past->stage;
    struct clock_terms then = *terms;

    then.decided = terms->decided || past->staged;
    clocks_compute(&then, posted_at, events, event_count, past->old, past->old_count, until, stage);
    past_tell(&past->told, stage, false);
    for (size_t i = 0; i < stage->count; i++) {
        /* Its warnings are late: those that still make sense are given now, under what is promised now. */
        const struct clock *before = clock_find(past->old, past->old_count, &stage->items[i]);
        stage->items[i].warned = before == NULL ? 0 : before->warned;
        if (is_over_since(past, &stage->items[i]) && past->over_count < CLOCKS_MAX)
            past->over[past->over_count++] = stage->items[i];
    }
    memcpy(past->left, stage->items, stage->count * sizeof stage->items[0]);
    past->old = past->left;
    past->old_count = stage->count;
    past->staged = true;
    past->until = until;
}

void clock_past_end(struct clock_past *past, struct clocks *clocks)
{
    struct clocks *told = &past->told;

    if (!past->staged)
        return;
    past_tell(told, clocks, true);
    memcpy(clocks->verdicts, told->verdicts, told->verdict_count * sizeof told->verdicts[0]);
    memcpy(clocks->notices, told->notices, told->notice_count * sizeof told->notices[0]);
    clocks->verdict_count = told->verdict_count;
    clocks->notice_count = told->notice_count;
    for (size_t i = 0; i < past->over_count && clocks->count < CLOCKS_MAX; i++) {
        if (clock_find(clocks->items, clocks->count, &past->over[i]) != NULL)
            continue;
        struct clock *over = &clocks->items[clocks->count++];
        *over = past->over[i];
        over->unpromised = true; /* not under what counts now: the next decision does not go on from it */
    }
}
