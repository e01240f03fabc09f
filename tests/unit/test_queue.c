/* Queue, timers and their heap, against a plain model with random operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "queue.h"
#include "timers.h"

enum { WAKES = 400, ROUNDS = 20000, CUSTOMERS = 7 };
#define SECOND INT64_C(1000000)

static const int64_t delay_us[WAKE_CLASSES] = {[WAKE_P1] = 0,
                                               [WAKE_UNTRIAGED] = 1 * SECOND,
                                               [WAKE_P2] = 30 * SECOND,
                                               [WAKE_P3] = 300 * SECOND,
                                               [WAKE_P4] = 1200 * SECOND};

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Takes out the next one, as who hands out does. */
static struct wake *pop(struct queue *queue, bool p1_only)
{
    struct wake *wake = queue_peek(queue, p1_only);
    if (wake != NULL)
        queue_remove(queue, wake);
    return wake;
}

static void wakes_init(struct wake *wakes, size_t count, char names[][8])
{
    memset(wakes, 0, count * sizeof *wakes);
    for (size_t i = 0; i < count; i++) {
        wakes[i].ticket = (int64_t)i + 1;
        wakes[i].customer = i % CUSTOMERS == 0 ? NULL : names[i % CUSTOMERS];
    }
}

/* The one that must be next, by looking at all. */
static struct wake *model_next(struct wake *wakes, bool p1_only)
{
    struct wake *best = NULL;
    for (size_t i = 0; i < WAKES; i++) {
        struct wake *wake = &wakes[i];
        if (wake->place != WAKE_QUEUED || (p1_only && wake->class != WAKE_P1))
            continue;
        int64_t at = wake->rank + delay_us[wake->class];
        int64_t best_at = best != NULL ? best->rank + delay_us[best->class] : 0;
        if (best == NULL || at < best_at || (at == best_at && wake->class < best->class) ||
            (at == best_at && wake->class == best->class && wake->ticket < best->ticket))
            best = wake;
    }
    return best;
}

static size_t model_count(const struct wake *wakes, const char *customer)
{
    size_t count = 0;
    for (size_t i = 0; i < WAKES; i++)
        count += wakes[i].place == WAKE_QUEUED && wakes[i].customer != NULL &&
                 strcmp(wakes[i].customer, customer) == 0;
    return count;
}

static size_t count_classes(const struct queue *queue)
{
    size_t count = 0;
    for (int class = 0; class < WAKE_CLASSES; class ++)
        count += queue_count_class(queue, (enum wake_class) class);
    return count;
}

static void test_queue_random_operations_match_the_model(void **state)
{
    static struct wake wakes[WAKES];
    char names[CUSTOMERS][8];
    struct queue *queue = queue_new();
    uint64_t seed = 88172645463325252u;
    size_t in = 0;
    (void)state;
    for (int i = 0; i < CUSTOMERS; i++)
        (void)snprintf(names[i], sizeof names[i], "c%d", i);
    wakes_init(wakes, WAKES, names);
    for (int round = 0; round < ROUNDS; round++) {
        struct wake *wake = &wakes[next_random(&seed) % WAKES];
        uint64_t what = next_random(&seed) % 8;
        if (what < 4 && wake->place == WAKE_NOWHERE) {
            wake->class = (uint8_t)(next_random(&seed) % WAKE_CLASSES);
            wake->rank = (int64_t)(next_random(&seed) % 50) * 30 * SECOND;
            wake->place = WAKE_QUEUED;
            queue_push(queue, wake);
            in++;
        } else if (what == 4 && wake->place == WAKE_QUEUED) {
            queue_remove(queue, wake);
            wake->place = WAKE_NOWHERE;
            in--;
        } else if (what > 4) {
            struct wake *want = model_next(wakes, what == 5);
            assert_ptr_equal(queue_peek(queue, what == 5), want);
            assert_ptr_equal(pop(queue, what == 5), want);
            if (want != NULL)
                want->place = WAKE_NOWHERE, in--;
        }
        assert_int_equal(count_classes(queue), in);
        if (round % 500 == 0)
            for (int i = 1; i < CUSTOMERS; i++)
                assert_int_equal(queue_count_customer(queue, names[i]), model_count(wakes, names[i]));
    }
    queue_free(queue);
}

static void test_queue_urgent_overtakes_but_nothing_starves(void **state)
{
    struct wake low = {.ticket = 1, .class = WAKE_P4, .rank = 0};
    struct wake urgent[2] = {{.ticket = 2, .class = WAKE_P1, .rank = 1199 * SECOND},
                             {.ticket = 3, .class = WAKE_P1, .rank = 1201 * SECOND}};
    struct queue *queue = queue_new();
    (void)state;
    queue_push(queue, &low);
    queue_push(queue, &urgent[0]);
    queue_push(queue, &urgent[1]);
    assert_ptr_equal(pop(queue, false), &urgent[0]);
    assert_ptr_equal(pop(queue, false), &low); /* waited for its 20 minutes: a later P1 stands behind it */
    assert_ptr_equal(pop(queue, false), &urgent[1]);
    assert_null(pop(queue, false));
    queue_free(queue);
}

/* A customer floods with 10,000 in one instant; a quiet one posts 1 ms later and is served among the first.
 */
static void test_queue_oldest_is_the_one_that_waits_longest_of_any_class(void **state)
{
    (void)state;
    struct queue *queue = queue_new();
    struct wake old_p4 = {.ticket = 1, .class = WAKE_P4, .rank = 10 * SECOND};
    struct wake new_p1 = {.ticket = 2, .class = WAKE_P1, .rank = 500 * SECOND};

    assert_null(queue_oldest(queue));
    queue_push(queue, &new_p1);
    queue_push(queue, &old_p4);
    assert_ptr_equal(queue_peek(queue, false), &new_p1);
    assert_ptr_equal(queue_oldest(queue), &old_p4);
    queue_remove(queue, &old_p4);
    assert_ptr_equal(queue_oldest(queue), &new_p1);
    queue_free(queue);
}

static void test_queue_flooding_customer_does_not_hold_up_a_quiet_one(void **state)
{
    enum { FLOOD = 10000 };
    struct wake *flood = mem_new(FLOOD, sizeof *flood);
    char loud[] = "loud", calm[] = "calm";
    struct wake quiet = {.ticket = FLOOD + 1, .class = WAKE_UNTRIAGED, .customer = calm};
    struct queue *queue = queue_new();
    (void)state;
    for (int i = 0; i < FLOOD; i++) {
        flood[i] = (struct wake){.ticket = i + 1, .class = WAKE_UNTRIAGED, .customer = loud};
        flood[i].rank = queue_rank(queue, 0, loud, 1);
        queue_push(queue, &flood[i]);
    }
    quiet.rank = queue_rank(queue, 1000, calm, 1);
    queue_push(queue, &quiet);
    int before = 0;
    while (pop(queue, false) != &quiet)
        before++;
    assert_in_range(before, 0, 3);
    assert_int_equal(queue_count_customer(queue, "calm"), 0);
    assert_int_equal(queue_count_class(queue, WAKE_UNTRIAGED), FLOOD - before);
    queue_free(queue);
    free(flood);
}

static void test_queue_rank_is_bounded_and_weighed(void **state)
{
    enum { MANY = 4000 };
    struct wake *many = mem_new(MANY, sizeof *many);
    char name[] = "c";
    struct queue *queue = queue_new();
    (void)state;
    assert_int_equal(queue_rank(queue, 5, NULL, 1), 5);
    assert_int_equal(queue_rank(queue, 5, "unseen", 0), 5);
    for (int i = 0; i < MANY; i++) {
        many[i] = (struct wake){.ticket = i + 1, .class = WAKE_P3, .customer = name};
        queue_push(queue, &many[i]);
    }
    assert_int_equal(queue_rank(queue, 7, name, 1), 7 + MANY * QUEUE_WAKE_COST_US);
    assert_int_equal(queue_rank(queue, 7, name, 4), 7 + MANY / 4 * QUEUE_WAKE_COST_US);
    assert_int_equal(queue_rank(queue, 7, name, -3), queue_rank(queue, 7, name, 1));
    assert_int_equal(queue_rank(queue, 7, name, 1 << 30), queue_rank(queue, 7, name, QUEUE_WEIGHT_MAX));
    assert_true(queue_rank(queue, 7, name, 1) <= 7 + QUEUE_DEBT_MAX_US);
    queue_free(queue);
    free(many);
}

static void test_queue_background_goes_before_all_but_what_is_urgent_and_counts_for_nobody(void **state)
{
    char name[] = "c";
    struct wake again = {.ticket = 1, .class = WAKE_P4, .rank = 100 * SECOND, .background = true};
    struct wake old = {.ticket = 2, .class = WAKE_UNTRIAGED, .rank = 1 * SECOND};
    struct wake urgent[2] = {{.ticket = 3, .class = WAKE_P1, .rank = 101 * SECOND},
                             {.ticket = 4, .class = WAKE_P1, .rank = 102 * SECOND}};
    struct queue *queue = queue_new();
    (void)state;
    again.customer = name;
    queue_push(queue, &again);
    queue_push(queue, &old);
    queue_push(queue, &urgent[0]);
    queue_push(queue, &urgent[1]);
    assert_int_equal(count_classes(queue), 3);
    assert_int_equal(queue_count_customer(queue, name), 0);
    assert_int_equal(queue_count_class(queue, WAKE_P4), 0);
    assert_ptr_equal(queue_oldest(queue), &old);
    assert_ptr_equal(queue_peek(queue, true), &urgent[0]);
    assert_ptr_equal(pop(queue, false), &urgent[0]);
    assert_ptr_equal(pop(queue, false), &again); /* later P1s may not starve it */
    queue_push(queue, &again);
    queue_remove(queue, &again);
    assert_ptr_equal(pop(queue, false), &old);
    assert_ptr_equal(pop(queue, true), &urgent[1]);
    assert_null(queue_peek(queue, false));
    queue_free(queue);
}

static void test_timers_give_what_is_due_in_order(void **state)
{
    static struct wake wakes[WAKES];
    struct timers timers;
    uint64_t seed = 4711;
    int64_t last = 0;
    size_t popped = 0;
    (void)state;
    memset(wakes, 0, sizeof wakes);
    timers_init(&timers);
    assert_int_equal(timers_next_at(&timers), INT64_MAX);
    for (size_t i = 0; i < WAKES; i++) {
        wakes[i].ticket = (int64_t)i;
        wakes[i].wake_at = 1 + (int64_t)(next_random(&seed) % 1000);
        timers_push(&timers, &wakes[i]);
    }
    for (size_t i = 0; i < WAKES; i += 2)
        timers_remove(&timers, &wakes[i]);
    assert_null(timers_pop_due(&timers, timers_next_at(&timers) - 1));
    for (int64_t now = 0; now <= 1000; now += 50)
        for (struct wake *wake; (wake = timers_pop_due(&timers, now)) != NULL; popped++) {
            assert_true(wake->wake_at <= now && wake->wake_at >= last && wake->ticket % 2 == 1);
            last = wake->wake_at;
        }
    assert_int_equal(popped, WAKES / 2);
    assert_int_equal(timers_next_at(&timers), INT64_MAX);
    timers_clear(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_random_operations_match_the_model),
        cmocka_unit_test(test_queue_urgent_overtakes_but_nothing_starves),
        cmocka_unit_test(test_queue_oldest_is_the_one_that_waits_longest_of_any_class),
        cmocka_unit_test(test_queue_flooding_customer_does_not_hold_up_a_quiet_one),
        cmocka_unit_test(test_queue_rank_is_bounded_and_weighed),
        cmocka_unit_test(test_queue_background_goes_before_all_but_what_is_urgent_and_counts_for_nobody),
        cmocka_unit_test(test_timers_give_what_is_due_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
