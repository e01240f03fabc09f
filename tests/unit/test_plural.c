/* Plural categories against the samples that CLDR gives for each rule. */
#include "plural.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* CLDR's samples: numbers and ranges, "0,2~16,100". */
static const struct {
    const char *locale;
    const char *samples[PLURALS]; /* zero, one, two, few, many, other */
} rows[] = {
    {"en", {NULL, "1", NULL, NULL, NULL, "0,2~16,100,1000"}},
    {"de-AT", {NULL, "1", NULL, NULL, NULL, "0,2~16,100,1000"}},
    {"xx", {NULL, "1", NULL, NULL, NULL, "0,2~16"}},
    {"ja", {NULL, NULL, NULL, NULL, NULL, "0~15,100,1000"}},
    {"hi", {NULL, "0,1", NULL, NULL, NULL, "2~17,100"}},
    {"fr-CA", {NULL, "0,1", NULL, NULL, "1000000", "2~17,100,1000"}},
    {"pt", {NULL, "0,1", NULL, NULL, "1000000", "2~17,100"}},
    {"pt-PT", {NULL, "1", NULL, NULL, "1000000", "0,2~16,100"}},
    {"it", {NULL, "1", NULL, NULL, "1000000", "0,2~16,100"}},
    {"he", {NULL, "1", "2", NULL, NULL, "0,3~17,100"}},
    {"cs", {NULL, "1", NULL, "2~4", NULL, "0,5~19,100,1000"}},
    {"pl", {NULL, "1", NULL, "2~4,22~24,32~34,102", "0,5~19,100,1000", NULL}},
    {"ru", {NULL, "1,21,31,101,1001", NULL, "2~4,22~24,102,1002", "0,5~19,100,111", NULL}},
    {"hr", {NULL, "1,21,31,101", NULL, "2~4,22~24,102", NULL, "0,5~19,100,111"}},
    {"is", {NULL, "1,21,31,101", NULL, NULL, NULL, "0,2~16,100,111"}},
    {"lt", {NULL, "1,21,31,101", NULL, "2~9,22~29,102", NULL, "0,10~20,30,100"}},
    {"lv", {"0,10~20,30,100", "1,21,31,101", NULL, NULL, NULL, "2~9,22~29,102"}},
    {"ro", {NULL, "1", NULL, "0,2~16,101,1001", NULL, "20~35,100,1000"}},
    {"sl", {NULL, "1,101,201", "2,102,202", "3,4,103,104", NULL, "0,5~19,100"}},
    {"ga", {NULL, "1", "2", "3~6", "7~10", "0,11~25,100"}},
    {"gd", {NULL, "1,11", "2,12", "3~10,13~19", NULL, "0,20~34,100"}},
    {"mt", {NULL, "1", "2", "0,3~10,103~109", "11~19,111~117", "20~35,100"}},
    {"ar", {"0", "1", "2", "3~10,103~110", "11~26,111", "100~102,200~202"}},
    {"cy", {"0", "1", "2", "3", "6", "4,5,7~20,100"}},
    {"br",
     {NULL, "1,21,31,41,51,61,81,101", "2,22,32,102", "3,4,9,23,24,29,103", "1000000",
      "0,5~8,10~20,70~79,100"}},
    {"fil", {NULL, "0~3,5,7,8,10~13,15,17", NULL, NULL, NULL, "4,6,9,14,16,19,24"}},
};

static void check_samples(const char *locale, enum plural want, const char *samples)
{
    while (samples != NULL && *samples != '\0') {
        char *end = NULL;
        long from = strtol(samples, &end, 10), to = *end == '~' ? strtol(end + 1, &end, 10) : from;
        for (; from <= to; from++)
            if (plural_of(locale, from) != want)
                fail_msg("%s: %ld is %s, want %s", locale, from, plural_name(plural_of(locale, from)),
                         plural_name(want));
        samples = *end == ',' ? end + 1 : end;
    }
}

static void test_each_language_has_the_categories_of_its_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int p = 0; p < PLURALS; p++)
            check_samples(rows[i].locale, (enum plural)p, rows[i].samples[p]);
    assert_int_equal(plural_of("", 1), PLURAL_ONE);
    assert_int_equal(plural_of("de", -1), PLURAL_ONE);
    assert_int_equal(plural_of("ar", INT64_MIN), plural_of("ar", INT64_MAX));
    assert_int_equal(plural_of("a-very-long-locale-of-nobody", 2), PLURAL_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_language_has_the_categories_of_its_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
