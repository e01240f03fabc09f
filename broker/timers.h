/* Wakes that come due soon, in order of wake_at. Does no I/O and reads no clock; owns no wake. Same heap as
 * the queue, so a wake is in one of the two at most. */
#ifndef DOCKET_TIMERS_H
#define DOCKET_TIMERS_H

#include "heap.h"

struct timers {
    struct heap heap;
};

void timers_init(struct timers *timers);
void timers_clear(struct timers *timers);
void timers_push(struct timers *timers, struct wake *wake); /* wake_at must not change while it is in */
void timers_remove(struct timers *timers, struct wake *wake);

/* wake_at of the earliest; INT64_MAX when there is none. */
int64_t timers_next_at(const struct timers *timers);

/* Takes out and gives the earliest one with wake_at <= now_us (database's clock); NULL when none is due. */
struct wake *timers_pop_due(struct timers *timers, int64_t now_us);

#endif
