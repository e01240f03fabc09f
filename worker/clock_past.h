/* What counted before: the clocks of a decision that comes late, carried through the priorities and packages that staff set meanwhile.
 *
 * A clock is a function of what happened and in which order, not of when a worker came to decide it: what was met, missed or over before
 * the priority or package changed is judged by the one that counted then, as by a worker that was there. One stage for each change, then the clocks of
 * now go on from where the last stage left them. Pure, as clocks are. */
#ifndef DOCKET_CLOCK_PAST_H
#define DOCKET_CLOCK_PAST_H

#include "clocks.h"

/* Large; begun anew for each decision. */
struct clock_past {
    const struct clock *old; /* to go on from: of the last decision, or left; old_count of them */
    size_t old_count;
    bool staged;   /* there was a stage */
    int64_t until; /* of the last one: what counts now counts since then */
    const struct clock *decided;
    size_t decided_count;
    struct clock left[CLOCKS_MAX];
    struct clock over[CLOCKS_MAX]; /* open at the last decision, and over before the last stage was */
    size_t over_count;
    struct clocks told; /* verdicts and misses of the stages; its other fields are not used */
    struct clocks stage;
};

/* decided: the clocks of the last decision; they must outlive past, as what terms point to must. */
void clock_past_begin(struct clock_past *past, const struct clock *decided, size_t decided_count);

/* The stage that an event ended: under these terms, after the first event_count events, until that instant. */
void clock_past_add(struct clock_past *past, const struct clock_terms *terms, int64_t posted_at,
                    const struct clock_event *events, size_t event_count, int64_t until);

/* Puts what fell in the stages before what falls now. clocks: computed from old. Nothing without a stage. */
void clock_past_end(struct clock_past *past, struct clocks *clocks);

#endif
