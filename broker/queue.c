/* The queue of wakes that may be handed out; see queue.h. */
#include "queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "clock.h"
#include "heap.h"
#include "mem.h"

/* How many wakes of a customer wait. Customers' names come from outside, so the table is hashed with a
 * secret. */
struct queue_customer {
    char *name;
    size_t count;
    UT_hash_handle hh;
};

struct queue {
    struct heap heaps[WAKE_CLASSES];
    struct heap background;
    struct queue_customer *customers;
    unsigned char seed[crypto_shorthash_KEYBYTES];
};

static const int64_t class_delay_us[WAKE_CLASSES] = {
    [WAKE_P1] = 0,
    [WAKE_UNTRIAGED] = 1 * US_PER_S,
    [WAKE_P2] = 30 * US_PER_S,
    [WAKE_P3] = 300 * US_PER_S,
    [WAKE_P4] = 1200 * US_PER_S,
};

static int64_t queue_key(const struct wake *wake)
{
    return wake->rank;
}

struct queue *queue_new(void)
{
    struct queue *queue = mem_new(1, sizeof *queue);
    for (size_t i = 0; i < WAKE_CLASSES; i++)
        heap_init(&queue->heaps[i], queue_key);
    heap_init(&queue->background, queue_key);
    randombytes_buf(queue->seed, sizeof queue->seed);
    return queue;
}

void queue_free(struct queue *queue)
{
    if (queue == NULL)
        return;
    for (size_t i = 0; i < WAKE_CLASSES; i++)
        heap_clear(&queue->heaps[i]);
    heap_clear(&queue->background);
    struct queue_customer *customer, *next;
    HASH_ITER(hh, queue->customers, customer, next)
    {
        HASH_DEL(queue->customers, customer);
        free(customer->name);
        free(customer);
    }
    free(queue);
}

/* ---- customers ---- */

static unsigned queue_hash(const struct queue *queue, const char *name)
{
    unsigned char hash[crypto_shorthash_BYTES];
    unsigned ret;
    crypto_shorthash(hash, (const unsigned char *)name, strlen(name), queue->seed);
    memcpy(&ret, hash, sizeof ret);
    return ret;
}

static struct queue_customer *queue_customer_find(const struct queue *queue, const char *name)
{
    struct queue_customer *customer = NULL;
    if (name != NULL && queue->customers != NULL)
        HASH_FIND_BYHASHVALUE(hh, queue->customers, name, strlen(name), queue_hash(queue, name), customer);
    return customer;
}

static void queue_customer_add(struct queue *queue, const char *name)
{
    if (name == NULL)
        return;
    struct queue_customer *customer = queue_customer_find(queue, name);
    if (customer == NULL) {
        customer = mem_new(1, sizeof *customer);
        customer->name = mem_strdup(name);
        unsigned hash = queue_hash(queue, name);
        HASH_ADD_KEYPTR_BYHASHVALUE(hh, queue->customers, customer->name, strlen(customer->name), hash,
                                    customer);
    }
    customer->count++;
}

static void queue_customer_drop(struct queue *queue, const char *name)
{
    struct queue_customer *customer = queue_customer_find(queue, name);
    if (customer == NULL || --customer->count > 0)
        return;
    HASH_DEL(queue->customers, customer);
    free(customer->name);
    free(customer);
}

/* ---- the queue ---- */

static struct heap *queue_heap(struct queue *queue, const struct wake *wake)
{
    assert(wake->class < WAKE_CLASSES);
    return wake->background ? &queue->background : &queue->heaps[wake->class];
}

void queue_push(struct queue *queue, struct wake *wake)
{
    heap_push(queue_heap(queue, wake), wake);
    if (!wake->background)
        queue_customer_add(queue, wake->customer);
}

void queue_remove(struct queue *queue, struct wake *wake)
{
    heap_remove(queue_heap(queue, wake), wake);
    if (!wake->background)
        queue_customer_drop(queue, wake->customer);
}

struct wake *queue_peek(const struct queue *queue, bool p1_only)
{
    struct wake *best = heap_first(&queue->heaps[WAKE_P1]);
    struct wake *background = p1_only ? NULL : heap_first(&queue->background);

    if (background != NULL)
        return best != NULL && best->rank <= background->rank + QUEUE_BACKGROUND_DELAY_US ? best : background;
    for (size_t i = WAKE_P1 + 1; i < WAKE_CLASSES && !p1_only; i++) {
        struct wake *wake = heap_first(&queue->heaps[i]);
        if (wake == NULL)
            continue;
        if (best == NULL || wake->rank + class_delay_us[i] < best->rank + class_delay_us[best->class])
            best = wake;
    }
    return best;
}

struct wake *queue_oldest(const struct queue *queue)
{
    struct wake *oldest = heap_first(&queue->background);
    for (size_t i = 0; i < WAKE_CLASSES; i++) {
        struct wake *wake = heap_first(&queue->heaps[i]);
        if (wake != NULL && (oldest == NULL || wake->rank < oldest->rank))
            oldest = wake;
    }
    return oldest;
}

size_t queue_count_class(const struct queue *queue, enum wake_class class)
{
    assert((unsigned)class < WAKE_CLASSES);
    return queue->heaps[class].count;
}

size_t queue_count_customer(const struct queue *queue, const char *customer)
{
    const struct queue_customer *found = queue_customer_find(queue, customer);
    return found != NULL ? found->count : 0;
}

int64_t queue_rank(const struct queue *queue, int64_t now_us, const char *customer, int weight)
{
    int64_t waiting = (int64_t)queue_count_customer(queue, customer);
    int64_t by = weight < 1 ? 1 : weight > QUEUE_WEIGHT_MAX ? QUEUE_WEIGHT_MAX : weight;
    if (waiting > QUEUE_DEBT_MAX_US / QUEUE_WAKE_COST_US * by)
        return now_us + QUEUE_DEBT_MAX_US;
    return now_us + waiting * QUEUE_WAKE_COST_US / by;
}
