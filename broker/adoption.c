/* Adoption; see adoption.h. */
#include "adoption.h"
#include "broker.h"
#include "claims.h"
#include "log.h"
#include "mem.h"
#include "pg.h"
#include "statements.h"

#include <stdio.h>
#include <stdlib.h>

enum { ADOPT_MAX = 5000 };

/* One dead epoch, step by step, from looking for one; the next one at the next tick. */
struct adoption {
    struct broker *broker;
    int64_t epoch; /* 0: none was found */
    int64_t mark, ids_until;
    unsigned slot;
    char name[65];
    bool gone, settled;
    int64_t released, orphans;
};

static void adoption_end(struct adoption *adoption)
{
    adoption->broker->adopting = false;
    free(adoption);
}

static void adoption_on_settled(void *arg, PGresult *rows)
{
    struct adoption *adoption = arg;
    adoption->settled = PQntuples(rows) == 1;
}

static void adoption_on_settle_end(void *arg, const struct pg_end *end)
{
    struct adoption *adoption = arg;
    if (end->outcome == PG_OK && adoption->settled)
        log_event(LOG_INFO, "epoch_settled", "epoch=%lld broker=%s slot=%u", (long long)adoption->epoch,
                  log_quote(adoption->name), adoption->slot);
    adoption_end(adoption);
}

static void adoption_on_gone(void *arg, PGresult *rows)
{
    struct adoption *adoption = arg;
    adoption->gone = PQntuples(rows) == 1 && pg_bool(rows, 0, 0);
}

static void adoption_on_released(void *arg, PGresult *rows)
{
    struct adoption *adoption = arg;
    adoption->released = PQntuples(rows);
}

static void adoption_on_orphans(void *arg, PGresult *rows)
{
    struct adoption *adoption = arg;
    adoption->orphans = PQntuples(rows);
    for (int i = 0; i < PQntuples(rows); i++) /* the next sweep goes on from here */
        if (pg_int(rows, i, 0) > adoption->mark)
            adoption->mark = pg_int(rows, i, 0);
}

static void adoption_sweep(struct adoption *adoption);

static void adoption_on_swept(void *arg, const struct pg_end *end)
{
    struct adoption *adoption = arg;
    struct broker *broker = adoption->broker;

    if (end->outcome != PG_OK) {
        adoption_end(adoption);
        return;
    }
    if (adoption->released + adoption->orphans != 0) {
        log_event(LOG_INFO, "adopted", "epoch=%lld broker=%s wakes=%lld tickets=%lld",
                  (long long)adoption->epoch, log_quote(adoption->name), (long long)adoption->released,
                  (long long)adoption->orphans);
        claims_begin(broker); /* what was set free lies before the bounds */
        adoption_sweep(adoption);
        return;
    }
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, adoption->epoch);
    (void)pg_send(broker->control_pg, C_ADOPT_SETTLE, broker->params, adoption_on_settled, adoption);
    pg_sync(broker->control_pg, adoption_on_settle_end, adoption);
}

static void adoption_sweep(struct adoption *adoption)
{
    struct broker *broker = adoption->broker;

    adoption->released = adoption->orphans = 0;
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, adoption->epoch);
    pg_put_int4(broker->params, ADOPT_MAX);
    (void)pg_send(broker->control_pg, C_ADOPT_RELEASE, broker->params, adoption_on_released, adoption);
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, adoption->mark);
    pg_put_int8(broker->params, adoption->ids_until);
    pg_put_int8(broker->params, adoption->slot);
    pg_put_int4(broker->params, ADOPT_MAX);
    (void)pg_send(broker->control_pg, C_ADOPT_ORPHANS, broker->params, adoption_on_orphans, adoption);
    pg_sync(broker->control_pg, adoption_on_swept, adoption);
}

static void adoption_on_buried(void *arg, const struct pg_end *end)
{
    struct adoption *adoption = arg;
    if (end->outcome == PG_OK && adoption->gone)
        adoption_sweep(adoption);
    else
        adoption_end(
            adoption); /* its backend still lives: a statement of it could land later. The next tick tries again. */
}

static void adoption_on_found(void *arg, PGresult *rows)
{
    struct adoption *adoption = arg;
    enum { EPOCH, SLOT, MARK, IDS_UNTIL, NAME };

    if (PQntuples(rows) == 0)
        return;
    struct span name = pg_span(rows, 0, NAME);
    adoption->epoch = pg_int(rows, 0, EPOCH);
    adoption->slot = (unsigned)pg_int(rows, 0, SLOT);
    adoption->mark = pg_int(rows, 0, MARK);
    adoption->ids_until = pg_int(rows, 0, IDS_UNTIL);
    (void)snprintf(adoption->name, sizeof adoption->name, "%.*s", (int)name.len, name.p);
}

static void adoption_on_find_end(void *arg, const struct pg_end *end)
{
    struct adoption *adoption = arg;
    struct broker *broker = adoption->broker;

    if (end->outcome == PG_FAILED)
        log_event(LOG_WARN, "adopt_failed", "sqlstate=%s message=%s", end->sqlstate, log_quote(end->message));
    if (end->outcome != PG_OK || adoption->epoch == 0) {
        adoption_end(adoption);
        return;
    }
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, adoption->epoch);
    (void)pg_send(broker->control_pg, C_BURY, broker->params, adoption_on_gone, adoption);
    pg_sync(broker->control_pg, adoption_on_buried, adoption);
}

void adoption_tick(struct broker *broker)
{
    if (broker->epoch == 0 || broker->stopping || broker->adopting || !pg_is_up(broker->control_pg))
        return;
    struct adoption *adoption = mem_new(1, sizeof *adoption);
    adoption->broker = broker;
    broker->adopting = true;
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, broker->epoch);
    (void)pg_send(broker->control_pg, C_ADOPT_FIND, broker->params, adoption_on_found, adoption);
    pg_sync(broker->control_pg, adoption_on_find_end, adoption);
}
