/* What one worker holds and may still take; see handout.h. */
#include "handout.h"

#include <assert.h>

enum { KEPT_BACK_OF = 8 };

size_t handout_kept_back(size_t credits)
{
    return credits <= 1 ? 0 : credits < 2 * KEPT_BACK_OF ? 1 : credits / KEPT_BACK_OF;
}

size_t handout_room(const struct handout *handout, bool p1)
{
    if (handout->closed || handout->solo != SOLO_NONE)
        return 0;
    size_t share = handout->credits - (p1 ? 0 : handout_kept_back(handout->credits));
    return share > handout->held ? share - handout->held : 0;
}

bool handout_takes(const struct handout *handout, bool p1, bool suspect)
{
    if (suspect)
        return handout->credits > 0 && !handout->closed && handout->solo == SOLO_NONE;
    return handout_room(handout, p1) > 0;
}

bool handout_beats(const struct handout *a, const struct handout *b, bool p1, bool suspect)
{
    if (suspect)
        return a->held < b->held;
    return handout_room(a, p1) > handout_room(b, p1);
}

bool handout_give(struct handout *handout, bool suspect)
{
    assert(handout->solo == SOLO_NONE);
    if (suspect && handout->held > 0) {
        handout->solo = SOLO_WAITING;
        return false;
    }
    if (suspect)
        handout->solo = SOLO_HELD;
    handout->held++;
    return true;
}

bool handout_back(struct handout *handout)
{
    assert(handout->held > 0);
    handout->held--;
    if (handout->held > 0)
        return false;
    if (handout->solo == SOLO_WAITING) {
        handout->solo = SOLO_HELD;
        handout->held = 1;
        return true;
    }
    handout->solo = SOLO_NONE;
    return false;
}

void handout_cancel(struct handout *handout)
{
    assert(handout->solo == SOLO_WAITING);
    handout->solo = SOLO_NONE;
}

bool handout_is_alone(const struct handout *handout)
{
    return handout->held == 1;
}
