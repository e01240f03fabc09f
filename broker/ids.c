/* Gives ticket ids; see ids.h. */
#include "ids.h"

#include <assert.h>

#include "clock.h"
#include "tracking.h"

int64_t ids_second(int64_t at_us)
{
    int64_t second = at_us / US_PER_S - (at_us % US_PER_S < 0 ? 1 : 0);
    return second - TRACKING_EPOCH_S;
}

void ids_init(struct ids *ids, unsigned slot, int64_t used_until)
{
    assert(slot < TRACKING_SLOTS);
    *ids = (struct ids){.slot = slot, .counter = 0, .second = used_until < 0 ? 0 : used_until + 1};
}

bool ids_next(struct ids *ids, int64_t now_us, int64_t until_second, int64_t *ret_id, struct err *err)
{
    int64_t second = ids_second(now_us);
    unsigned counter = 0;
    if (second <= ids->second) {
        second = ids->second;
        counter = ids->counter;
        if (counter == TRACKING_COUNTERS) {
            second++;
            counter = 0;
        }
    }
    if (second > until_second)
        return err_set(err, ERR_UNAVAILABLE,
                       "no ticket numbers are granted for this second yet; repeat later");
    if (second >= INT64_C(1) << TRACKING_SECOND_BITS)
        return err_set(err, ERR_UNAVAILABLE, "the database's clock is beyond what ticket numbers can hold");
    *ret_id = tracking_id(second, ids->slot, counter);
    ids->second = second;
    ids->counter = counter + 1;
    return true;
}

int64_t ids_first(const struct ids *ids)
{
    if (ids->counter == TRACKING_COUNTERS)
        return tracking_id(ids->second + 1, ids->slot, 0);
    return tracking_id(ids->second, ids->slot, ids->counter);
}
