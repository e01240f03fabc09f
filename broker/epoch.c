/* The epoch; see epoch.h. */
#include "epoch.h"
#include "broker.h"
#include "claims.h"
#include "clock.h"
#include "customers.h"
#include "log.h"
#include "mem.h"
#include "ops_alerts.h"
#include "pg.h"
#include "posting.h"
#include "statements.h"
#include "wakes.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* Ids are granted this many seconds ahead of the lease, so that a slow renewal does not stop postings. */
enum { IDS_AHEAD_S = 30, RENEW_EVERY_MS = 1000 };

static void epoch_register(struct broker *broker);

/* ---- beginning ---- */

/* Which database this is. Another one, or one whose history branched off (restored, failed over), may know other customers under revisions
 * that we have seen, and the two other sessions may still be with the old one: nothing that was read before counts any more. Wakes were
 * dropped with the session; what waits to be written is repeated by its keys and guards. */
static void epoch_on_history(void *arg, PGresult *rows)
{
    struct broker *broker = arg;

    if (PQntuples(rows) == 0)
        return;
    int64_t system = pg_int(rows, 0, 0), timeline = pg_int(rows, 0, 1);
    bool is_other = broker->history_system != 0 &&
                    (system != broker->history_system || timeline != broker->history_timeline);
    broker->history_system = system;
    broker->history_timeline = timeline;
    if (!is_other)
        return;
    log_event(LOG_WARN, "history_changed", "system=%lld timeline=%lld", (long long)system,
              (long long)timeline);
    customers_forget(broker->customers);
    pg_drop(broker->control_pg, "the database's history changed");
    pg_drop(broker->reader_pg, "the database's history changed");
}

static void epoch_on_registered(void *arg, PGresult *rows)
{
    struct broker *broker = arg;

    if (PQntuples(rows) == 0)
        return; /* every slot is taken */
    broker->slot = (unsigned)pg_int(rows, 0, 0);
    ids_init(&broker->ids, broker->slot, pg_int(rows, 0, 1) - 1);
    broker->ids_until = pg_int(rows, 0, 2);
    dbclock_init(&broker->clock);
    dbclock_sample(&broker->clock, clock_mono_us(), pg_int(rows, 0, 3));
    broker->epoch = broker->epoch_starting;
}

static void epoch_on_register_end(void *arg, const struct pg_end *end)
{
    struct broker *broker = arg;

    if (end->outcome == PG_FAILED && strcmp(end->sqlstate, "23505") == 0) {
        epoch_register(broker); /* another broker took the slot at the same moment */
        return;
    }
    if (end->outcome != PG_OK || broker->epoch == 0) {
        broker->epoch = 0;
        if (pg_is_up(broker->writer_pg)) {
            log_event(LOG_ERROR, "register_failed", "reason=%s",
                      log_quote(end->outcome == PG_OK ? "no slot is free" : end->message));
            pg_drop(broker->writer_pg, "cannot register");
        }
        return;
    }
    lease_granted(&broker->lease);
    log_event(LOG_INFO, "epoch_began", "epoch=%lld slot=%u", (long long)broker->epoch, broker->slot);
    claims_begin(broker);
    ops_alerts_begin(broker);
    writer_begin(broker->writer, broker->epoch);
}

static void epoch_register(struct broker *broker)
{
    int64_t epoch;

    do {
        randombytes_buf(&epoch, sizeof epoch);
        epoch &= INT64_MAX; /* 63 bits */
    } while (epoch == 0);
    broker->epoch_starting = epoch;
    broker->epoch = 0;
    lease_init(&broker->lease, broker->settings.lease_us, RENEW_EVERY_MS * US_PER_MS);
    lease_sent(&broker->lease, clock_mono_us());
    pg_params_reset(broker->params);
    (void)pg_send(broker->writer_pg, W_HISTORY, broker->params, epoch_on_history, broker);
    (void)pg_send(broker->writer_pg, W_HISTORY_NOTE, broker->params, NULL, NULL);
    pg_put_int8(broker->params, epoch);
    pg_put_text(broker->params, broker->settings.name);
    pg_put_int8(broker->params, broker->settings.lease_us);
    pg_put_int8(broker->params, IDS_AHEAD_S);
    (void)pg_send(broker->writer_pg, W_REGISTER, broker->params, epoch_on_registered, broker);
    pg_sync(broker->writer_pg, epoch_on_register_end, broker);
}

static void epoch_on_buried_row(void *arg, PGresult *rows)
{
    struct broker *broker = arg;
    if (PQntuples(rows) == 1 && pg_bool(rows, 0, 0))
        broker->epoch_old = 0;
}

static void epoch_bury(struct broker *broker);

static void epoch_on_bury_end(void *arg, const struct pg_end *end)
{
    struct broker *broker = arg;
    if (end->outcome != PG_OK) {
        if (pg_is_up(broker->writer_pg))
            pg_drop(broker->writer_pg, end->message);
        return;
    }
    if (broker->epoch_old != 0)
        epoch_bury(broker); /* its backend still lives: nothing may be repeated before it is gone */
    else
        epoch_register(broker);
}

static void epoch_bury(struct broker *broker)
{
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, broker->epoch_old);
    (void)pg_send(broker->writer_pg, W_BURY, broker->params, epoch_on_buried_row, broker);
    pg_sync(broker->writer_pg, epoch_on_bury_end, broker);
}

void epoch_on_writer_up(struct broker *broker)
{
    if (broker->epoch_old != 0)
        epoch_bury(broker);
    else
        epoch_register(broker);
}

/* ---- ending ---- */

void epoch_on_writer_down(struct broker *broker, const char *why)
{
    int64_t epoch = broker->epoch != 0 ? broker->epoch : broker->epoch_starting;

    if (epoch != 0) {
        broker->epoch_old = epoch;
        log_event(broker->farewell_sent ? LOG_INFO : LOG_WARN, "epoch_ended",
                  "epoch=%lld wakes=%zu reason=%s", (long long)epoch, wakes_count(broker), log_quote(why));
    }
    broker->epoch = broker->epoch_starting = 0;
    lease_refused(&broker->lease);
    writer_end(broker->writer);
    wakes_free_all(broker);
}

/* ---- the lease ---- */

/* A renewal under way. Its answer may come when the epoch is another one already, which it says nothing about. */
struct renewal {
    struct broker *broker;
    int64_t epoch;
    bool granted, others;
    int64_t now, ids_until, others_wanted;
};

static void renewal_on_row(void *arg, PGresult *rows)
{
    enum { NOW, LEASE_UNTIL, IDS_UNTIL, OTHERS_WANTED };
    struct renewal *renewal = arg;

    renewal->granted = PQntuples(rows) != 0;
    if (!renewal->granted)
        return;
    renewal->now = pg_int(rows, 0, NOW);
    renewal->ids_until = pg_int(rows, 0, IDS_UNTIL);
    renewal->others = !pg_is_null(rows, 0, OTHERS_WANTED);
    renewal->others_wanted = pg_int(rows, 0, OTHERS_WANTED);
}

static void renewal_take(const struct renewal *renewal)
{
    struct broker *broker = renewal->broker;

    if (!renewal->granted) {
        lease_refused(&broker->lease);
        return;
    }
    lease_granted(&broker->lease);
    dbclock_sample(&broker->clock, clock_mono_us(), renewal->now);
    broker->ids_until = renewal->ids_until;
    broker->others = renewal->others;
    pace_others(&broker->pace, clock_mono_us(), (double)renewal->others_wanted / 1000);
}

/* Somebody who holds the table for a moment costs a renewal, not the epoch: it is asked for again until the lease runs out. */
static void renewal_on_end(void *arg, const struct pg_end *end)
{
    struct renewal *renewal = arg;
    struct broker *broker = renewal->broker;

    if (broker->epoch == renewal->epoch) {
        if (end->outcome == PG_OK)
            renewal_take(renewal);
        else
            lease_failed(&broker->lease);
    }
    free(renewal);
}

/* The oldest id that may have no desk row: what the lease stores as the mark. */
static int64_t epoch_mark(const struct broker *broker)
{
    int64_t committed = wakes_mark(broker), posting = posting_oldest(broker);
    return posting != 0 && posting < committed ? posting : committed;
}

static void epoch_renew(struct broker *broker)
{
    if (!pg_is_up(broker->control_pg) || broker->lease.under_way)
        return;
    struct renewal *renewal = mem_new(1, sizeof *renewal);
    *renewal = (struct renewal){.broker = broker, .epoch = broker->epoch};
    lease_sent(&broker->lease, clock_mono_us());
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, broker->epoch);
    pg_put_int8(broker->params, broker->settings.lease_us);
    pg_put_int8(broker->params, IDS_AHEAD_S);
    pg_put_int8(broker->params, epoch_mark(broker));
    pg_put_int2(broker->params, (int16_t)(1000 * pace_wanted(&broker->pace, clock_mono_us())));
    (void)pg_send(broker->control_pg, C_LEASE, broker->params, renewal_on_row, renewal);
    pg_sync(broker->control_pg, renewal_on_end, renewal);
}

void epoch_tick(struct broker *broker)
{
    int64_t next;

    if (broker->epoch == 0)
        return;
    switch (lease_step(&broker->lease, clock_mono_us(), &next)) {
    case LEASE_WAIT:
        return;
    case LEASE_RENEW:
        epoch_renew(broker);
        return;
    case LEASE_GIVE_UP:
        log_event(broker->farewell_sent ? LOG_INFO : LOG_ERROR, "lease_lost", "epoch=%lld",
                  (long long)broker->epoch);
        pg_drop(broker->writer_pg, "the lease ran out");
        return;
    }
}

void epoch_farewell(struct broker *broker)
{
    if (broker->epoch == 0 || !pg_is_up(broker->control_pg))
        return;
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, broker->epoch);
    (void)pg_send(broker->control_pg, C_FAREWELL, broker->params, NULL, NULL);
    pg_sync(broker->control_pg, NULL, NULL);
}
