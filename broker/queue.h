/* The queue of wakes that may be handed out now, in memory: one heap per class, and how many wait of each
 * customer.
 *
 * Next is the wake with the smallest rank + delay of its class. The rank is a time, fixed when the wake is
 * written (queue_rank), so ageing is built in: urgent work is first, a flooding customer stands behind its
 * own debt, and nothing starves: whatever comes later than the rank + delay of a wake stands behind it,
 * whatever its class. Does no I/O, reads no clock, owns no wake. Delays and debt: docs of the constants
 * below. */
#ifndef DOCKET_QUEUE_H
#define DOCKET_QUEUE_H

#include "wake.h"

#include <stdbool.h>
#include <stdint.h>

/* What one waiting wake of a customer costs the next one of the same customer, at weight 1; and the most that
 * a customer can owe. 1 ms: about what a broker with one worker needs for a decision, so a flood of n tickets
 * pushes its own next one back by about the time that they take, and nobody else's. */
#define QUEUE_WAKE_COST_US INT64_C(1000)
#define QUEUE_DEBT_MAX_US (INT64_C(600) * 1000000)

enum { QUEUE_WEIGHT_MAX = 1000 };

struct queue;

struct queue *queue_new(void);
void queue_free(struct queue *queue); /* accepts NULL; the wakes stay the caller's */

/* The wake's rank, class and customer must not change while it is in. A wake without customer counts for
 * nobody. */
void queue_push(struct queue *queue, struct wake *wake);
void queue_remove(struct queue *queue, struct wake *wake); /* it must be in */

/* A wake of the background (wake->background) stands in a heap of its own, whatever its class: whoever wakes it gives it out by a
 * measure (pace.h), so it goes before all but what is P1 and not more than QUEUE_BACKGROUND_DELAY_US later. It counts for no customer. */
#define QUEUE_BACKGROUND_DELAY_US INT64_C(1000000)

/* The next one, or NULL; it stays in. p1_only: of class P1 alone (the share of credits kept back). */
struct wake *queue_peek(const struct queue *queue, bool p1_only);

/* The one that waits longest, whatever its class (by rank: a flooding customer's debt counts as not yet waited). */
struct wake *queue_oldest(const struct queue *queue);

size_t queue_count_class(const struct queue *queue, enum wake_class class); /* without the background */
size_t queue_count_customer(const struct queue *queue, const char *customer);

/* Rank for a wake of that customer that begins to wait at now_us: now_us + debt. weight: of its package, 1 to
 * QUEUE_WEIGHT_MAX (others are brought inside). customer may be NULL: no debt. */
int64_t queue_rank(const struct queue *queue, int64_t now_us, const char *customer, int weight);

#endif
