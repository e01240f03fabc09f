/* The wakes that this broker owns, in memory: found by ticket, each in exactly one place, and the oldest ticket that has no desk row
 * yet (the mark). Moves and counts; decides nothing and sends nothing. */
#ifndef DOCKET_WAKES_H
#define DOCKET_WAKES_H

#include "wake.h"

struct broker;

/* NULL: this broker does not hold it. */
struct wake *wakes_find(const struct broker *broker, int64_t ticket);

/* A new wake, nowhere yet. fresh ones must come in order of id. customer: copied; p == NULL: unknown. */
struct wake *wakes_new(struct broker *broker, int64_t ticket, bool fresh, struct span customer);

/* Puts a wake into another place: out of the queue, the timers or a worker's hands, into the next. Entering WAKE_QUEUED or
 * WAKE_TIMED, its rank, class and wake_at must be set. */
void wakes_place(struct broker *broker, struct wake *wake, enum wake_place place);

/* Not fresh any more: it has a desk row. */
void wakes_has_desk(struct broker *broker, struct wake *wake);

/* Whether it is awake only to be computed again: counted, and queued apart. It must be in no heap. */
void wakes_set_background(struct broker *broker, struct wake *wake, bool background);

/* Takes the content (one malloc'd block), or drops it with SPAN_NONE. */
void wakes_set_content(struct broker *broker, struct wake *wake, struct span content);

/* Out of its place, and gone: the ticket's row says who owns it. */
void wakes_free(struct broker *broker, struct wake *wake);
void wakes_free_all(struct broker *broker);

size_t wakes_count(const struct broker *broker);
/* Whether one more may be kept in memory. */
bool wakes_have_room(const struct broker *broker);

/* A change of the ticket was committed by this broker, which owns the wake now: it is (again) to be decided, at once. */
void wakes_changed(struct broker *broker, int64_t ticket, int32_t attempt, int32_t version, int priority,
                   struct span customer, int64_t wake_at, enum wake_reason reason);

/* The op that was about to change the ticket did not: a decision that was dropped for it is asked for again. */
void wakes_not_overtaken(struct broker *broker, int64_t ticket);

/* Whether ops have to leave the ticket alone for now, because they overtook its decisions again and again. It ends with the next
 * decision that is committed. */
bool wakes_rests(const struct broker *broker, int64_t ticket);

/* A decision of it was committed. */
void wakes_decided(struct wake *wake);

/* The oldest id that may have no desk row, of what is committed (what is being posted: posting_oldest). */
int64_t wakes_mark(const struct broker *broker);

#endif
