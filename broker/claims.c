/* Claims; see claims.h. */
#include "claims.h"
#include "broker.h"
#include "clock.h"
#include "mem.h"
#include "put_back.h"
#include "statements.h"
#include "wakes.h"
#include "workers.h"

#include <stdlib.h>

/* Lower bounds forget commits that come late: from time to time each lane is looked at from its beginning. */
#define BOUND_RESET_US (INT64_C(5) * US_PER_S)
/* A fresh ticket that is undecided for longer gets its desk row, or the mark stands still: whoever adopts this epoch reads all ids from the
 * mark on. Sooner, and a backlog would cost a second row a ticket for nothing. */
#define FRESH_MOST_US (INT64_C(60) * US_PER_S)
/* Without workers it is given away sooner, if there is another broker that may have some. */
#define FRESH_ALONE_US (INT64_C(3) * US_PER_S)

enum {
    CLAIM_MAX = 500,
    CLAIMED_ROOM = 20000, /* beyond so many wakes in memory, what waits in the table is left to others */
    KEEP_A_TICK = 2000
};

/* A claim of one lane under way. */
struct claim {
    struct broker *broker;
    int64_t epoch;
    int lane, asked;
    size_t got;
    struct claimed *rows; /* owned */
};

/* ---- claims ---- */

struct claimed *claims_from_rows(PGresult *rows)
{
    enum { TICKET, ATTEMPT, VERSION, RANK, WAKE_AT, FAILURES, PRIORITY };
    int count = PQntuples(rows);
    struct claimed *ret = mem_new((size_t)count, sizeof *ret);

    for (int i = 0; i < count; i++)
        ret[i] = (struct claimed){.ticket = pg_int(rows, i, TICKET),
                                  .attempt = (int32_t)pg_int(rows, i, ATTEMPT),
                                  .version = (int32_t)pg_int(rows, i, VERSION),
                                  .rank = pg_int(rows, i, RANK),
                                  .wake_at = pg_int(rows, i, WAKE_AT),
                                  .failures = (int)pg_int(rows, i, FAILURES),
                                  .priority = (int)pg_int(rows, i, PRIORITY)};
    return ret;
}

static void claim_on_rows(void *arg, PGresult *rows)
{
    struct claim *claim = arg;
    claim->got = (size_t)PQntuples(rows);
    claim->rows = claims_from_rows(rows);
}

void claims_keep(struct broker *broker, const struct claimed *row, enum wake_reason reason)
{
    struct wake *wake = wakes_find(broker, row->ticket);

    if (wake != NULL && wake->attempt >= row->attempt)
        return; /* changed by us between the claim and its answer: what is here is newer */
    if (wake == NULL)
        wake = wakes_new(broker, row->ticket, false, SPAN_NONE);
    wakes_has_desk(broker, wake);
    wakes_set_content(broker, wake, SPAN_NONE);
    wakes_place(broker, wake, WAKE_NOWHERE);
    wakes_set_background(broker, wake, reason == REASON_PROCESS);
    wake->attempt = row->attempt;
    wake->version = row->version;
    wake->rank = row->rank;
    wake->wake_at = row->wake_at;
    wake->failures = (uint8_t)row->failures;
    wake->class = (uint8_t)wake_class_of(row->priority);
    wake->reasons |= (uint8_t)reason;
    wakes_place(broker, wake, row->wake_at > broker_now(broker) ? WAKE_TIMED : WAKE_QUEUED);
}

void claims_unknown(struct broker *broker, int64_t epoch)
{
    if (broker->epoch == epoch && pg_is_up(broker->writer_pg))
        pg_drop(broker->writer_pg, "whether a claim was committed is not known");
}

static enum wake_reason claim_reason(const struct claim *claim, const struct claimed *row)
{
    if (row->failures != 0)
        return REASON_RETRY;
    if (claim->lane >= WAKE_CLASSES)
        return REASON_DUE;
    return row->version == 1 ? REASON_POSTED : REASON_EVENT;
}

static void claim_lane(struct broker *broker, int lane);

static void claim_on_end(void *arg, const struct pg_end *end)
{
    struct claim *claim = arg;
    struct broker *broker = claim->broker;

    broker->claims_out--;
    if (end->outcome == PG_OK && broker->epoch == claim->epoch) {
        for (size_t i = 0; i < claim->got; i++) {
            claims_keep(broker, &claim->rows[i], claim_reason(claim, &claim->rows[i]));
            if (claim->rows[i].rank > broker->claim_bound[claim->lane])
                broker->claim_bound[claim->lane] = claim->rows[i].rank;
        }
        if (claim->got == (size_t)claim->asked)
            claim_lane(broker, claim->lane); /* there is more: no need to wait for the tick */
    } else if (end->outcome == PG_UNKNOWN) {
        claims_unknown(broker, claim->epoch);
    }
    free(claim->rows);
    free(claim);
}

/* Waiting lanes: all that is there. Sleeping lanes: what comes due within the lookahead. */
static void claim_lane(struct broker *broker, int lane)
{
    size_t most =
        broker->settings.queue_max < CLAIMED_ROOM ? (size_t)broker->settings.queue_max : CLAIMED_ROOM;
    size_t room = most > wakes_count(broker) ? most - wakes_count(broker) : 0;
    bool sleeps = lane >= WAKE_CLASSES;

    if (broker->epoch == 0 || broker->stopping || room == 0 || !pg_is_up(broker->control_pg) ||
        (!sleeps && workers_count_ready(broker->workers) == 0))
        return;
    struct claim *claim = mem_new(1, sizeof *claim);
    claim->broker = broker;
    claim->epoch = broker->epoch;
    claim->lane = lane;
    claim->asked = room < CLAIM_MAX ? (int)room : CLAIM_MAX;
    pg_params_reset(broker->params);
    pg_put_int2(broker->params, (int16_t)lane);
    pg_put_int8(broker->params, broker->claim_bound[lane]);
    pg_put_int8(broker->params, sleeps ? broker_now(broker) + CLAIMS_LOOKAHEAD_US : INT64_MAX);
    pg_put_int4(broker->params, claim->asked);
    pg_put_int8(broker->params, broker->epoch);
    broker->claims_out++;
    (void)pg_send(broker->control_pg, C_CLAIM, broker->params, claim_on_rows, claim);
    pg_sync(broker->control_pg, claim_on_end, claim);
}

/* ---- fresh tickets that wait ---- */

static void claims_keep_fresh(struct broker *broker)
{
    int64_t now = clock_mono_us();
    bool gives = broker->others && workers_count_ready(broker->workers) == 0;
    int kept = 0;

    for (struct wake *wake = broker->fresh_first, *next; wake != NULL && kept < KEEP_A_TICK; wake = next) {
        next = wake->next;
        if (now - wake->since_us < (gives ? FRESH_ALONE_US : FRESH_MOST_US))
            break;
        if (wake->place != WAKE_QUEUED)
            continue;
        if (gives)
            put_back_give(broker, wake); /* a broker without workers gives its tickets back */
        else
            put_back_keep(broker, wake);
        kept++;
    }
}

/* ---- public ---- */

void claims_begin(struct broker *broker)
{
    for (int lane = 0; lane < 2 * WAKE_CLASSES; lane++)
        broker->claim_bound[lane] = 0;
    broker->bound_reset_us = clock_mono_us();
}

void claims_tick(struct broker *broker)
{
    int64_t now = clock_mono_us();

    if (broker->epoch == 0 || broker->stopping)
        return;
    if (now - broker->bound_reset_us > BOUND_RESET_US)
        claims_begin(broker);
    claims_keep_fresh(broker);
    if (broker->claims_out == 0)
        for (int lane = 0; lane < 2 * WAKE_CLASSES; lane++)
            claim_lane(broker, lane);
}
