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

const char *broker_why_not_ready(const struct broker *broker)
{
    if (broker->stopping)
        return "it was told to stop";
    if (broker->away.reason[0] != '\0')
        return broker->away.reason;
    if (!pg_is_up(broker->writer_pg) || !pg_is_up(broker->reader_pg))
        return "no session with the database";
    if (broker->epoch == 0)
        return "no epoch yet: it is just registering, or the database refuses (see the log)";
    return broker->process.looked ? full_why(&broker->full, clock_mono_us()) : "the process was not read yet";
}
