/* When silence means death: heartbeats judged fairly. Pure; times are monotonic µs.
 *
 * A loop that was itself away (a stopped process, a slow disk, a debugger) finds old times everywhere and
 * must not take its own absence for that of others: after a turn that came late nobody is judged for one
 * interval more, in which what the others sent meanwhile is read. */
#ifndef DOCKET_BEAT_H
#define DOCKET_BEAT_H

#include <stdbool.h>
#include <stdint.h>

enum { BEAT_MISSED_MAX = 3 };

struct beat {
    int64_t interval_us;
    int64_t turn_us;       /* the last turn */
    int64_t judge_from_us; /* not before */
};

void beat_init(struct beat *beat, int64_t interval_us, int64_t now_us);

/* Call once a turn of the timer, which comes at least twice an interval. drained: the socket was read until
 * it was empty. True: silence may be judged in this turn. */
bool beat_turn(struct beat *beat, int64_t now_us, bool drained);

/* Nothing was heard for more than BEAT_MISSED_MAX intervals. */
bool beat_is_dead(const struct beat *beat, int64_t heard_us, int64_t now_us);
bool beat_is_due(const struct beat *beat, int64_t sent_us, int64_t now_us); /* to send one of ours */

#endif
