/* How many answers in chat are taken; see answer_limit.h. */
#include "answer_limit.h"
#include "clock.h"

enum { TOLD_S = 60 };

static const struct {
    int64_t every_us, at_once;
} strangers = {US_PER_S, 10}, known = {US_PER_S / 10, 100};

bool answer_limit_take(struct answer_limit *limit, size_t speaker, int64_t now)
{
    size_t i = speaker == ANSWER_STRANGERS ? speaker : 1 + speaker % (ANSWER_SPEAKERS - 1);
    int64_t every_us = i == ANSWER_STRANGERS ? strangers.every_us : known.every_us;
    int64_t at_once = i == ANSWER_STRANGERS ? strangers.at_once : known.at_once;
    int64_t from_at = limit->free_at[i] > now ? limit->free_at[i] : now;

    if (from_at + every_us > now + at_once * every_us)
        return false;
    limit->free_at[i] = from_at + every_us;
    return true;
}

int64_t answer_limit_ignored(struct answer_limit *limit, int64_t now)
{
    int64_t ignored = ++limit->ignored;

    if (limit->said_at != 0 && now - limit->said_at < TOLD_S * US_PER_S)
        return 0;
    limit->said_at = now;
    limit->ignored = 0;
    return ignored;
}
