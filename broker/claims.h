/* Claims: wakes of the table that nobody owns come into memory while there is room. What dead epochs left is set free by adoption.h.
 *
 * Sleeping wakes are claimed shortly before their time and wait in the timers, so that they fire at it, never early. Runs on
 * the control session, a lane a statement, all lanes a batch. Knows no worker. */
#ifndef DOCKET_CLAIMS_H
#define DOCKET_CLAIMS_H

#include "clock.h"
#include "pg.h"
#include "wake.h"

struct broker;

/* Sleeping wakes are claimed this long before their time; one of our own that comes sooner stays in memory. */
#define CLAIMS_LOOKAHEAD_US (INT64_C(2) * US_PER_S)

/* A row that a statement claimed for this broker's epoch, in the columns of claim.sql. */
struct claimed {
    int64_t ticket, rank, wake_at;
    int32_t attempt, version;
    int failures, priority;
};

/* The caller frees it. */
struct claimed *claims_from_rows(PGresult *rows);

/* Takes a claimed row into memory, after the commit. REASON_PROCESS: into the background. */
void claims_keep(struct broker *broker, const struct claimed *row, enum wake_reason reason);

/* The commit of a claim for this epoch is unknown: what it may own is in nobody's memory, so the epoch ends and all is adopted. */
void claims_unknown(struct broker *broker, int64_t epoch);

/* Looks at each lane from its beginning: an epoch began, or wakes were set free that lie before what was claimed last. */
void claims_begin(struct broker *broker);

/* A few times a second: claims, gives fresh tickets that stay undecided their desk row. */
void claims_tick(struct broker *broker);

#endif
