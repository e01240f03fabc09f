/* What every part may ask of the broker; see broker.h. */
#include "broker.h"
#include "clock.h"

int64_t broker_now(struct broker *broker)
{
    return dbclock_now(&broker->clock, clock_mono_us());
}

bool broker_may_write(const struct broker *broker, struct err *err)
{
    if (broker->stopping)
        return err_set(err, ERR_UNAVAILABLE, "this broker ends: repeat at another with the same key");
    if (broker->epoch == 0 || !lease_holds(&broker->lease, clock_mono_us()))
        return err_set(err, ERR_UNAVAILABLE, "the database is away: repeat later with the same key");
    if (!broker->process.looked)
        return err_set(err, ERR_UNAVAILABLE, "this broker is starting: repeat later with the same key");
    return true;
}
