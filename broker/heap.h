/* A binary heap of wakes, ordered by a key that each user gives; of equal keys the lower ticket is first. A
 * wake carries its own index (heap_at), so that it stands in one heap at a time and leaves it in O(log n).
 * Owns no wake and knows no order of its own: queue.c and timers.c say what is first. */
#ifndef DOCKET_HEAP_H
#define DOCKET_HEAP_H

#include "wake.h"

typedef int64_t heap_key_fn(const struct wake *wake);

struct heap {
    struct wake **items;
    size_t count;
    size_t cap;
    heap_key_fn *key; /* must not change for a wake while it is in the heap */
};

void heap_init(struct heap *heap, heap_key_fn *key);
void heap_clear(struct heap *heap); /* frees the array, not the wakes */
void heap_push(struct heap *heap, struct wake *wake);
void heap_remove(struct heap *heap, struct wake *wake); /* the wake must be in this heap */
struct wake *heap_first(const struct heap *heap);       /* NULL when empty */

#endif
