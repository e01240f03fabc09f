/* The lease of an epoch, as pure steps; see lease.h. */
#include "lease.h"

void lease_init(struct lease *lease, int64_t length_us, int64_t every_us)
{
    *lease = (struct lease){.length_us = length_us, .every_us = every_us};
}

void lease_sent(struct lease *lease, int64_t now_us)
{
    lease->sent_us = now_us;
    lease->under_way = true;
}

void lease_granted(struct lease *lease)
{
    lease->under_way = false;
    lease->held = true;
    lease->holds_until_us = lease->sent_us + lease->length_us;
}

void lease_failed(struct lease *lease)
{
    lease->under_way = false;
    lease->sent_us -= lease->every_us;
}

void lease_refused(struct lease *lease)
{
    lease->under_way = false;
    lease->held = false;
    lease->holds_until_us = 0;
}

bool lease_holds(const struct lease *lease, int64_t now_us)
{
    return lease->held && now_us < lease->holds_until_us;
}

enum lease_do lease_step(const struct lease *lease, int64_t now_us, int64_t *ret_next_us)
{
    if (!lease_holds(lease, now_us)) {
        *ret_next_us = now_us;
        return LEASE_GIVE_UP;
    }
    int64_t due_us = lease->sent_us + lease->every_us;
    if (!lease->under_way && now_us >= due_us) {
        *ret_next_us = lease->holds_until_us;
        return LEASE_RENEW;
    }
    *ret_next_us = lease->under_way || due_us > lease->holds_until_us ? lease->holds_until_us : due_us;
    return LEASE_WAIT;
}
