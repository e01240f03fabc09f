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

enum { LANES = 2 * WAKE_CLASSES };

/* What is claimed of one lane. */
struct claim {
    int asked; /* 0: the lane is not looked at */
    size_t got;
    struct claimed *rows; /* owned */
};

/* The lanes that are claimed now, in one transaction: while somebody holds the table the session waits once, not once a lane. */
struct round {
    struct broker *broker;
    int64_t epoch;
    struct claim lanes[LANES];
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

static enum wake_reason claim_reason(int lane, const struct claimed *row)
{
    if (row->failures != 0)
        return REASON_RETRY;
    if (lane >= WAKE_CLASSES)
        return REASON_DUE;
    return row->version == 1 ? REASON_POSTED : REASON_EVENT;
}

static void claim_keep(struct broker *broker, int lane, const struct claim *claim)
{
    for (size_t i = 0; i < claim->got; i++) {
        claims_keep(broker, &claim->rows[i], claim_reason(lane, &claim->rows[i]));
        if (claim->rows[i].rank > broker->claim_bound[lane])
            broker->claim_bound[lane] = claim->rows[i].rank;
    }
}

static void round_begin(struct broker *broker, const bool *lanes);

static void round_on_end(void *arg, const struct pg_end *end)
{
    struct round *round = arg;
    struct broker *broker = round->broker;
    bool holds_more[LANES] = {false}, again = false;

    broker->claiming = false;
    if (end->outcome == PG_UNKNOWN)
        claims_unknown(broker, round->epoch);
    for (int lane = 0; lane < LANES; lane++) {
        struct claim *claim = &round->lanes[lane];
        if (end->outcome == PG_OK && broker->epoch == round->epoch) {
            claim_keep(broker, lane, claim);
            holds_more[lane] = claim->asked != 0 && claim->got == (size_t)claim->asked;
            again = again || holds_more[lane];
        }
        free(claim->rows);
    }
    free(round);
    if (again)
        round_begin(broker, holds_more); /* no need to wait for the tick */
}

/* Waiting lanes: all that is there. Sleeping lanes: what comes due within the lookahead. False: the lane is not to be looked at now. */
static bool claim_lane(struct broker *broker, int lane, struct claim *claim)
{
    size_t most =
        broker->settings.queue_max < CLAIMED_ROOM ? (size_t)broker->settings.queue_max : CLAIMED_ROOM;
    size_t room = most > wakes_count(broker) ? most - wakes_count(broker) : 0;
    bool sleeps = lane >= WAKE_CLASSES;

    if (room == 0 || (!sleeps && workers_count_ready(broker->workers) == 0))
        return false;
    claim->asked = room < CLAIM_MAX ? (int)room : CLAIM_MAX;
    pg_params_reset(broker->params);
    pg_put_int2(broker->params, (int16_t)lane);
    pg_put_int8(broker->params, broker->claim_bound[lane]);
    pg_put_int8(broker->params, sleeps ? broker_now(broker) + CLAIMS_LOOKAHEAD_US : INT64_MAX);
    pg_put_int4(broker->params, claim->asked);
    pg_put_int8(broker->params, broker->epoch);
    (void)pg_send(broker->control_pg, C_CLAIM, broker->params, claim_on_rows, claim);
    return true;
}

/* lanes: which of them; NULL: all. */
static void round_begin(struct broker *broker, const bool *lanes)
{
    bool any = false;

    if (broker->claiming || broker->epoch == 0 || broker->stopping || !pg_is_up(broker->control_pg))
        return;
    struct round *round = mem_new(1, sizeof *round);
    round->broker = broker;
    round->epoch = broker->epoch;
    for (int lane = 0; lane < LANES; lane++)
        if ((lanes == NULL || lanes[lane]) && claim_lane(broker, lane, &round->lanes[lane]))
            any = true;
    if (!any) {
        free(round);
        return;
    }
    broker->claiming = true;
    pg_sync(broker->control_pg, round_on_end, round);
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
    for (int lane = 0; lane < LANES; lane++)
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
    round_begin(broker, NULL);
}
