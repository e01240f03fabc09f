/* When silence means death; see beat.h. */
#include "beat.h"

void beat_init(struct beat *beat, int64_t interval_us, int64_t now_us)
{
    *beat = (struct beat){.interval_us = interval_us, .turn_us = now_us, .judge_from_us = now_us};
}

bool beat_turn(struct beat *beat, int64_t now_us, bool drained)
{
    if (now_us - beat->turn_us > beat->interval_us)
        beat->judge_from_us = now_us + beat->interval_us;
    beat->turn_us = now_us;
    return drained && now_us >= beat->judge_from_us;
}

bool beat_is_dead(const struct beat *beat, int64_t heard_us, int64_t now_us)
{
    return now_us - heard_us > BEAT_MISSED_MAX * beat->interval_us;
}

bool beat_is_due(const struct beat *beat, int64_t sent_us, int64_t now_us)
{
    return now_us - sent_us >= beat->interval_us;
}
