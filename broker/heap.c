/* A binary heap of wakes; see heap.h. */
#include "heap.h"

#include <assert.h>
#include <stdlib.h>

#include "mem.h"

void heap_init(struct heap *heap, heap_key_fn *key)
{
    *heap = (struct heap){.key = key};
}

void heap_clear(struct heap *heap)
{
    free(heap->items);
    *heap = (struct heap){.key = heap->key};
}

/* Whether a comes before b. */
static bool heap_before(const struct heap *heap, const struct wake *a, const struct wake *b)
{
    int64_t key_a = heap->key(a);
    int64_t key_b = heap->key(b);
    return key_a != key_b ? key_a < key_b : a->ticket < b->ticket;
}

static void heap_set(struct heap *heap, size_t at, struct wake *wake)
{
    heap->items[at] = wake;
    wake->heap_at = at;
}

static void heap_up(struct heap *heap, size_t at, struct wake *wake)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!heap_before(heap, wake, heap->items[parent]))
            break;
        heap_set(heap, at, heap->items[parent]);
        at = parent;
    }
    heap_set(heap, at, wake);
}

static void heap_down(struct heap *heap, size_t at, struct wake *wake)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap_before(heap, heap->items[child + 1], heap->items[child]))
            child++;
        if (!heap_before(heap, heap->items[child], wake))
            break;
        heap_set(heap, at, heap->items[child]);
        at = child;
    }
    heap_set(heap, at, wake);
}

void heap_push(struct heap *heap, struct wake *wake)
{
    if (heap->count == heap->cap) {
        heap->cap = heap->cap == 0 ? 64 : heap->cap * 2;
        heap->items = mem_grow(heap->items, heap->cap, sizeof *heap->items);
    }
    heap_up(heap, heap->count++, wake);
}

void heap_remove(struct heap *heap, struct wake *wake)
{
    size_t at = wake->heap_at;
    assert(at < heap->count && heap->items[at] == wake);
    struct wake *last = heap->items[--heap->count];
    if (last == wake)
        return;
    if (at > 0 && heap_before(heap, last, heap->items[(at - 1) / 2]))
        heap_up(heap, at, last);
    else
        heap_down(heap, at, last);
}

struct wake *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}
