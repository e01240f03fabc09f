/* The order of the feed, its pure part: cursors, and when an event is settled. The broker (events.since) and
 * the notifier (the feed) share it, so that both give the same events in the same order under the same
 * cursors.
 *
 * An event has a number, seq, from event_seq (tickets.seq for the posting, events.seq for all others).
 * Numbers are taken before their transaction commits, so a reader that went by "greater than the last seen"
 * would lose late commits. Therefore:
 *   1. S = last value of the sequence, 0 before its first (last_value is 1 then, too, and is_called is false)
 *   2. X = a new transaction id, in a transaction of its own after 1 (pg_current_xact_id())
 *   3. once xmin > X (pg_snapshot_xmin(pg_current_snapshot())), all with seq <= S is settled: what lies there never changes any more,
 *      and nothing comes in between
 *
 * What it asks of who writes: a transaction must have its transaction id before it takes a number. For events
 * that is so by the lock on the desk's row; a batch of postings alone must ask for it first (SELECT
 * pg_current_xact_id()), because a column's default is computed before the row is written.
 *
 * Knows no SQL session and no encoding of events (event_wire.h). */
#ifndef DOCKET_FEED_H
#define DOCKET_FEED_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- cursors ---- */

enum { FEED_CURSOR_BYTES = 64 };

/* Which history the numbers belong to: after a restore or a lossy fail-over the same number is another event (SQL: docket_history()). */
struct feed_generation {
    int64_t system;
    int32_t timeline;
};

/* Where a timeline of this database began: events up to seq may be from before it, all later ones are its own. */
struct feed_branch {
    int32_t timeline;
    int64_t seq;
};

/* A value that borrows its branches: all timelines on which a broker ever began, the oldest first. Timelines before the first one are not
 * known. */
struct feed_history {
    struct feed_generation generation;
    const struct feed_branch *branches;
    size_t count;
};

/* Whether the generation's timeline is among the branches: a broker began there. Before that no cursor can be judged. */
bool feed_history_is_known(const struct feed_history *history);

/* Writes the cursor of the event with this number: opaque text for others. ret: FEED_CURSOR_BYTES. */
void feed_cursor_format(struct feed_generation generation, int64_t seq, char *ret);

/* Reads a cursor; empty text is the beginning (0). One of an older timeline of the same database is taken when its number is not beyond where
 * any later timeline began: what it had read stayed. Whether its number lies beyond the sequence, the caller can tell when it knows the sequence.
 * err: ERR_INVALID   field "cursor": not one of ours
 *      ERR_CONFLICT  field "cursor": of another database, or of a history that was lost: feed_cursor_lost */
bool feed_cursor_parse(struct span text, const struct feed_history *history, int64_t *ret_seq,
                       struct err *err) __attribute__((warn_unused_result));

/* The refusal of a cursor whose history was lost. err: ERR_CONFLICT; gives false. */
bool feed_cursor_lost(struct err *err);

/* ---- what is settled ---- */

enum feed_want {
    FEED_WANT_SEQ,   /* ask 1, then call feed_settle_seq */
    FEED_WANT_FENCE, /* ask 2, then call feed_settle_fence */
    FEED_WANT_XMIN   /* ask 3 (again, after a pause when it was asked before), then call feed_settle_xmin */
};

/* Plain value; feed_settle_init at each new session with the database. */
struct feed_settle {
    enum feed_want want;
    int64_t settled; /* all numbers up to this one are settled */
    int64_t seq;     /* S that waits for its fence */
    int64_t fence;   /* X */
    int64_t asked;   /* how often 3 was asked for this fence: > 1 means that somebody holds it up */
    bool has_looked; /* 1 was asked: settled 0 and want SEQ then mean that there is no event at all */
};

void feed_settle_init(struct feed_settle *settle);

/* The answer to 1. Nothing new: settle wants SEQ again (so an idle feed uses up no transaction ids). */
void feed_settle_seq(struct feed_settle *settle, int64_t last_value);
void feed_settle_fence(struct feed_settle *settle, int64_t xid);

/* The answer to 3. True when settle->settled moved on. */
bool feed_settle_xmin(struct feed_settle *settle, int64_t xmin);

#endif
