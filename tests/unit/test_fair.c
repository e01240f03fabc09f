/* Whose reading is next: connections take turns, each one's own stay in order, and no more than so many are under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fair.h"

#include <stdlib.h>

enum { PEERS = 9, MOST = 400 };

struct reading {
    struct fair_turn turn; /* first */
    int peer, number;
};

static struct span peer_name(const char *names, int peer)
{
    return (struct span){names + peer, 1};
}

static struct reading *next(struct fair *fair)
{
    return (struct reading *)fair_next(fair);
}

static void test_whoever_asks_for_much_waits_behind_himself(void **state)
{
    static struct fair fair;
    struct reading many[MOST], one = {.peer = 1};
    (void)state;

    fair_init(&fair, 2);
    for (int i = 0; i < MOST; i++) {
        many[i].number = i;
        fair_wait(&fair, &many[i].turn, span_of("a"));
    }
    assert_ptr_equal(next(&fair), &many[0]);
    assert_ptr_equal(next(&fair), &many[1]);
    assert_null(next(&fair)); /* enough are under way */
    fair_wait(&fair, &one.turn, span_of("b"));
    fair_over(&fair);
    assert_ptr_equal(next(&fair), &many[2]); /* its lane stood in front already */
    fair_over(&fair);
    assert_ptr_equal(next(&fair), &one);
    for (int i = 3; i < MOST; i++) {
        fair_over(&fair);
        assert_ptr_equal(next(&fair), &many[i]);
    }
    fair_over(&fair);
    assert_null(next(&fair));

    /* One is under way yet when all that wait are forgotten. */
    fair_wait(&fair, &many[0].turn, span_of("a"));
    fair_wait(&fair, &one.turn, span_of("b"));
    fair_forget(&fair);
    assert_null(next(&fair));
    for (int i = 0; i < 2; i++)
        fair_wait(&fair, &many[i].turn, span_of("a"));
    assert_ptr_equal(next(&fair), &many[0]);
    assert_null(next(&fair));
    fair_over(&fair);
    assert_ptr_equal(next(&fair), &many[1]);
}

/* What tells connections apart is the whole of a name and nothing behind it, and they hardly ever meet: ids of ZeroMQ begin with the same
 * byte and count up. */
static void test_connections_are_told_apart_by_their_whole_names(void **state)
{
    static struct fair fair;
    static struct fair_turn first[MOST], second[MOST];
    size_t lanes = 0;
    (void)state;

    fair_init(&fair, 2 * MOST);
    for (unsigned i = 0; i < MOST; i++) {
        unsigned char id[6] = {0, 0xa7, 0x31, (unsigned char)(i >> 8), (unsigned char)i, 'x'};
        fair_wait(&fair, &first[i], (struct span){(const char *)id, 5});
        id[5] = 'y'; /* is not the name's any more */
        fair_wait(&fair, &second[i], (struct span){(const char *)id, 5});
    }
    for (const struct fair_lane *lane = fair.head; lane != NULL; lane = lane->next)
        lanes++;
    for (size_t i = 0; i < lanes; i++) {
        const struct fair_turn *turn = fair_next(&fair);
        assert_true(turn >= first && turn < first + MOST); /* no second is its connection's first */
    }
    assert_true(lanes > MOST / 2); /* by chance some 320 of 1,024 */
}

/* Against counts: each one's own in order, and between two of one connection at most one of each other that waits. */
static void test_random_readings_take_turns(void **state)
{
    static const char names[] = "abcdefghi";
    static struct fair fair;
    struct reading readings[MOST];
    int sent[PEERS] = {0}, served[PEERS] = {0}, since[PEERS][PEERS] = {{0}};
    size_t used = 0, under_way = 0;
    (void)state;

    srand(7);
    fair_init(&fair, 3);
    while (used < MOST || under_way != 0) {
        if (used < MOST && rand() % 3 != 0) {
            struct reading *reading = &readings[used++];
            reading->peer = rand() % 2 == 0 ? 0 : rand() % PEERS;
            reading->number = sent[reading->peer]++;
            fair_wait(&fair, &reading->turn, peer_name(names, reading->peer));
            if (sent[reading->peer] - served[reading->peer] == 1)
                for (int other = 0; other < PEERS; other++)
                    since[reading->peer][other] = 0;
        } else if (under_way == 3 || rand() % 2 == 0) {
            if (under_way != 0) {
                fair_over(&fair);
                under_way--;
            }
        }
        const struct reading *got = next(&fair);
        if (got == NULL) {
            int wait = 0;
            for (int peer = 0; peer < PEERS; peer++)
                wait += sent[peer] - served[peer];
            assert_true(wait == 0 || under_way == 3);
            if (wait == 0 && used == MOST && under_way != 0) {
                fair_over(&fair);
                under_way--;
            }
            continue;
        }
        assert_true(++under_way <= 3);
        assert_int_equal(got->number, served[got->peer]++);
        for (int peer = 0; peer < PEERS; peer++) {
            since[got->peer][peer] = 0;
            if (peer != got->peer && sent[peer] > served[peer])
                assert_true(++since[peer][got->peer] <= 1);
        }
    }
    for (int peer = 0; peer < PEERS; peer++)
        assert_int_equal(sent[peer], served[peer]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whoever_asks_for_much_waits_behind_himself),
        cmocka_unit_test(test_connections_are_told_apart_by_their_whole_names),
        cmocka_unit_test(test_random_readings_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
