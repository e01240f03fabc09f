/* Tracking numbers: the check letter finds each wrong letter and each swap; what people type is understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tracking.h"

#include <string.h>

#define LETTERS "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
enum { NUMBER_LETTERS = 13 /* twelve and the check */ };

static const int64_t samples[] = {0,
                                  1,
                                  (INT64_C(1) << 60) - 1,
                                  INT64_C(0x123456789ABCDEF),
                                  INT64_C(0x0F0F0F0F0F0F0F0),
                                  INT64_C(999999999999999999)};
#define SAMPLES (sizeof samples / sizeof samples[0])

/* The thirteen letters, without prefix and dashes. */
static void letters_of(int64_t id, char ret[NUMBER_LETTERS + 1])
{
    char text[TRACKING_TEXT_BYTES];
    size_t n = 0;

    tracking_format(id, "DKT", text);
    for (const char *p = text + 4; *p != '\0'; p++)
        if (*p != '-')
            ret[n++] = *p;
    assert_int_equal(n, NUMBER_LETTERS);
    ret[n] = '\0';
}

static bool reads(const char *text, int64_t *ret)
{
    struct err err = {0};
    bool ok = tracking_parse(span_of(text), "DKT", ret, &err);
    if (!ok) {
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.field, "tracking");
    }
    return ok;
}

static void test_tracking_check_letters_are_those_of_the_document(void **state)
{
    char letters[NUMBER_LETTERS + 1];
    (void)state;
    letters_of(1, letters);
    assert_string_equal(letters, "000000000001E");
    letters_of((INT64_C(1) << 60) - 1, letters);
    assert_string_equal(letters, "ZZZZZZZZZZZZR");
}

static void test_tracking_goes_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        char text[TRACKING_TEXT_BYTES];
        int64_t id = -1;
        tracking_format(samples[i], "DKT", text);
        assert_true(reads(text, &id));
        assert_true(id == samples[i]);
    }
}

/* 31 bits, 11, 18: stored ids and all that orders by them stand on it. */
static void test_tracking_id_is_second_slot_counter(void **state)
{
    (void)state;
    assert_true(tracking_id(1, 0, 0) == INT64_C(1) << 29);
    assert_true(tracking_id(0, 1, 0) == INT64_C(1) << 18);
    assert_true(tracking_id(0, 0, 1) == 1);
    assert_true(tracking_id((INT64_C(1) << 31) - 1, TRACKING_SLOTS - 1, TRACKING_COUNTERS - 1) ==
                (INT64_C(1) << 60) - 1);
}

static void test_tracking_every_wrong_letter_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        char right[NUMBER_LETTERS + 1];
        letters_of(samples[i], right);
        for (int at = 0; at < NUMBER_LETTERS; at++) {
            for (const char *c = LETTERS; *c != '\0'; c++) {
                char wrong[NUMBER_LETTERS + 1];
                int64_t id = -1;
                memcpy(wrong, right, sizeof wrong);
                wrong[at] = *c;
                assert_int_equal(reads(wrong, &id), *c == right[at]);
            }
        }
    }
}

static void test_tracking_every_swap_of_two_letters_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        char right[NUMBER_LETTERS + 1];
        letters_of(samples[i], right);
        for (int a = 0; a < NUMBER_LETTERS - 1; a++) {
            for (int b = a + 1; b < NUMBER_LETTERS - 1; b++) {
                char wrong[NUMBER_LETTERS + 1];
                int64_t id = -1;
                memcpy(wrong, right, sizeof wrong);
                wrong[a] = right[b];
                wrong[b] = right[a];
                assert_int_equal(reads(wrong, &id), right[a] == right[b]);
            }
        }
    }
}

static void test_tracking_reads_what_people_type(void **state)
{
    static const char *const typed[] = {"DKT-0000-0000-0001-E", "dkt-0000-0000-0001-e", "0000-0000-0001-E",
                                        "000000000001E",        "DKT000000000001E",     "oooo-OOOO-000l-e",
                                        "0000-0000-000I-E"};
    (void)state;
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        int64_t id = -1;
        if (!reads(typed[i], &id))
            fail_msg("%s is not read", typed[i]);
        assert_true(id == 1);
    }
}

static void test_tracking_refuses_what_is_no_number(void **state)
{
    static const char *const wrong[] = {"",
                                        "DKT",
                                        "DKT-",
                                        "000000000001",
                                        "0000000000001E",
                                        "ABC-0000-0000-0001-E",
                                        "DKT-0000-0000-000U-E",
                                        "DKT-0000-0000-0001-E 7",
                                        "\xff\xfe"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t id = -7;
        assert_false(reads(wrong[i], &id));
        assert_true(id == -7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tracking_check_letters_are_those_of_the_document),
        cmocka_unit_test(test_tracking_goes_there_and_back),
        cmocka_unit_test(test_tracking_id_is_second_slot_counter),
        cmocka_unit_test(test_tracking_every_wrong_letter_is_found),
        cmocka_unit_test(test_tracking_every_swap_of_two_letters_is_found),
        cmocka_unit_test(test_tracking_reads_what_people_type),
        cmocka_unit_test(test_tracking_refuses_what_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
