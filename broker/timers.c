/* Wakes that come due soon; see timers.h. */
#include "timers.h"

static int64_t timers_key(const struct wake *wake)
{
    return wake->wake_at;
}

void timers_init(struct timers *timers)
{
    heap_init(&timers->heap, timers_key);
}

void timers_clear(struct timers *timers)
{
    heap_clear(&timers->heap);
}

void timers_push(struct timers *timers, struct wake *wake)
{
    heap_push(&timers->heap, wake);
}

void timers_remove(struct timers *timers, struct wake *wake)
{
    heap_remove(&timers->heap, wake);
}

int64_t timers_next_at(const struct timers *timers)
{
    const struct wake *first = heap_first(&timers->heap);
    return first != NULL ? first->wake_at : INT64_MAX;
}

struct wake *timers_pop_due(struct timers *timers, int64_t now_us)
{
    struct wake *first = heap_first(&timers->heap);
    if (first == NULL || first->wake_at > now_us)
        return NULL;
    heap_remove(&timers->heap, first);
    return first;
}
