/* The wakes that this broker owns; see wakes.h. */
#include "wakes.h"
#include "broker.h"
#include "clock.h"
#include "mem.h"
#include "queue.h"
#include "workers.h"

#include <assert.h>
#include <stdlib.h>

/* A ticket whose decisions were overtaken this often in a row, for this long, rests for this long. The time keeps a quick run of ops, each
 * sent as the one before was answered, from being taken for a ticket that never gets decided. */
enum { DISCARDED_MOST = 3 };
#define DISCARDED_FOR_US US_PER_S
#define REST_US (INT64_C(2) * US_PER_S)

struct wake *wakes_find(const struct broker *broker, int64_t ticket)
{
    struct wake *wake;
    HASH_FIND(hh, broker->wakes, &ticket, sizeof ticket, wake);
    return wake;
}

struct wake *wakes_new(struct broker *broker, int64_t ticket, bool fresh, struct span customer)
{
    struct wake *wake = mem_new(1, sizeof *wake);

    wake->ticket = ticket;
    wake->attempt = 1;
    wake->version = 1;
    wake->class = WAKE_UNTRIAGED;
    wake->since_us = clock_mono_us();
    wake->customer = customer.p == NULL ? NULL : mem_strndup(customer.p, customer.len);
    HASH_ADD(hh, broker->wakes, ticket, sizeof wake->ticket, wake);
    broker->wake_count[WAKE_NOWHERE]++;
    if (fresh) {
        wake->fresh = true;
        broker->fresh_count++;
        wake->prev = broker->fresh_last;
        if (broker->fresh_last == NULL)
            broker->fresh_first = wake;
        else
            broker->fresh_last->next = wake;
        broker->fresh_last = wake;
    }
    return wake;
}

void wakes_has_desk(struct broker *broker, struct wake *wake)
{
    if (!wake->fresh)
        return;
    wake->fresh = false;
    broker->fresh_count--;
    if (wake->prev == NULL)
        broker->fresh_first = wake->next;
    else
        wake->prev->next = wake->next;
    if (wake->next == NULL)
        broker->fresh_last = wake->prev;
    else
        wake->next->prev = wake->prev;
    wake->prev = wake->next = NULL;
}

void wakes_place(struct broker *broker, struct wake *wake, enum wake_place place)
{
    if (wake->place == WAKE_QUEUED)
        queue_remove(broker->queue, wake);
    else if (wake->place == WAKE_TIMED)
        timers_remove(&broker->timers, wake);
    else if (wake->place == WAKE_HANDED && place != WAKE_COMMITTING)
        workers_forget(broker->workers, wake);
    broker->wake_count[wake->place]--;
    wake->place = (uint8_t)place;
    broker->wake_count[place]++;
    if (place == WAKE_QUEUED)
        queue_push(broker->queue, wake);
    else if (place == WAKE_TIMED)
        timers_push(&broker->timers, wake);
}

void wakes_set_background(struct broker *broker, struct wake *wake, bool background)
{
    assert(wake->place != WAKE_QUEUED && wake->place != WAKE_TIMED);
    broker->background_count += background && !wake->background;
    broker->background_count -= !background && wake->background;
    wake->background = background;
}

void wakes_set_content(struct broker *broker, struct wake *wake, struct span content)
{
    broker->content_bytes += content.len;
    broker->content_bytes -= wake->content.len;
    free((void *)(uintptr_t)wake->content.p);
    wake->content = content;
}

void wakes_free(struct broker *broker, struct wake *wake)
{
    wakes_place(broker, wake, WAKE_NOWHERE);
    wakes_has_desk(broker, wake);
    wakes_set_background(broker, wake, false);
    wakes_set_content(broker, wake, SPAN_NONE);
    HASH_DEL(broker->wakes, wake);
    broker->wake_count[WAKE_NOWHERE]--;
    free(wake->customer);
    free(wake);
}

void wakes_free_all(struct broker *broker)
{
    struct wake *wake, *next;
    HASH_ITER(hh, broker->wakes, wake, next)
    wakes_free(broker, wake);
}

size_t wakes_count(const struct broker *broker)
{
    return HASH_COUNT(broker->wakes);
}

bool wakes_have_room(const struct broker *broker)
{
    return wakes_count(broker) < (size_t)broker->settings.queue_max;
}

/* Its work is, or was until its decision was dropped, with a worker for nothing. */
static void wakes_discard(struct wake *wake)
{
    int64_t now = clock_mono_us();

    if (wake->discarded == 0)
        wake->discarded_from_us = now;
    if (wake->discarded < DISCARDED_MOST)
        wake->discarded++;
    if (wake->discarded == DISCARDED_MOST && now - wake->discarded_from_us >= DISCARDED_FOR_US &&
        now >= wake->rests_until_us)
        wake->rests_until_us = now + REST_US;
}

bool wakes_rests(const struct broker *broker, int64_t ticket)
{
    const struct wake *wake = wakes_find(broker, ticket);
    return wake != NULL && wake->rests_until_us != 0 && clock_mono_us() < wake->rests_until_us;
}

void wakes_decided(struct wake *wake)
{
    wake->discarded = 0;
    wake->rests_until_us = 0;
}

void wakes_changed(struct broker *broker, int64_t ticket, int32_t attempt, int32_t version, int priority,
                   struct span customer, int64_t wake_at, enum wake_reason reason)
{
    struct wake *wake = wakes_find(broker, ticket);

    if (wake != NULL && wake->attempt > attempt)
        return;
    if (wake == NULL)
        wake = wakes_new(broker, ticket, false, customer);
    if (wake->place == WAKE_HANDED || wake->place == WAKE_COMMITTING)
        wakes_discard(wake);
    wakes_has_desk(broker, wake);
    wakes_set_content(broker, wake, SPAN_NONE);
    wakes_place(broker, wake, WAKE_NOWHERE); /* whoever held the former attempt dies at the guard */
    wakes_set_background(broker, wake, false);
    wake->attempt = attempt;
    wake->version = version;
    wake->class = (uint8_t)wake_class_of(priority);
    wake->wake_at = wake_at;
    wake->rank = wake_at;
    wake->since_us = clock_mono_us();
    wake->failures = 0;
    wake->overtaken = false;
    wake->reasons |= (uint8_t)reason;
    wakes_place(broker, wake, WAKE_QUEUED);
}

void wakes_not_overtaken(struct broker *broker, int64_t ticket)
{
    struct wake *wake = wakes_find(broker, ticket);

    if (wake == NULL || !wake->overtaken)
        return;
    wake->overtaken = false;
    if (wake->place == WAKE_COMMITTING)
        wakes_place(broker, wake, WAKE_QUEUED);
}

int64_t wakes_mark(const struct broker *broker)
{
    int64_t mark = ids_first(&broker->ids);
    return broker->fresh_first != NULL && broker->fresh_first->ticket < mark ? broker->fresh_first->ticket
                                                                             : mark;
}
