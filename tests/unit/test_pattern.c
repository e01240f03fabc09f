/* Patterns: what pattern_find says is what PCRE2 alone says, wherever it looks; and nothing holds it up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string.h>

/* By PCRE2 alone, from the beginning. */
static int plainly(const char *pattern, struct span text)
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern), PCRE2_UTF | PCRE2_UCP, &code, &offset, NULL);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);

    assert_non_null(compiled);
    int rc = pcre2_match(compiled, (PCRE2_SPTR)text.p, text.len, 0, 0, match, NULL);
    pcre2_match_data_free(match);
    pcre2_code_free(compiled);
    return rc >= 0;
}

static int found(const char *pattern, struct span text)
{
    struct pattern_fault fault = {.why = ""};
    struct pattern *made = pattern_new(pattern, &fault);
    struct pattern_search *search = pattern_search_new();

    if (made == NULL)
        fail_msg("\"%s\": %s", pattern, fault.why);
    int ret = pattern_find(made, search, text);
    pattern_search_free(search);
    pattern_free(made);
    return ret;
}

/* Those that begin at words, those that only look so, and those that are neither. */
static const char *const patterns[] = {
    "\\ba",
    "(?i)\\bk",
    "(?i)\\b(?:a|b c)\\b",
    "\\bab|c",
    "\\bab|\\bc",
    "\\b(?:a|[)|]c)|\\b-",
    "\\bb|\\b[]|]c",
    "(?i)b|\\ba",
    "(?x) \\b a # | \\b c\n | b",
    "\\b(?x: a ) | b",
    "(?ix)\\b a|b",
    "\\b\\Q|\\E|b",
    "\\b[\\]|]a|\\b[^]a]",
    "\\b[[:alpha:]|]|\\b-",
    "\\b(?#|)a|b",
    "\\b[](]|b",
    "\\b(?x)a#(\n|b",
    "\\ba\\W(*SKIP)x|\\b\\W",
    "\\ba(*COMMIT)x|\\bb",
    "\\b\\Q(\\E|b",
    "\\ba(?#()|b",
    "\\b[[:^alpha:](]|b",
    "\\b",
    "\\b$",
    "\\b(?=)",
    "\\b(?<=b)-",
    "(?s)\\b-.*a$",
    "(?m)\\b(?:^a|-$)",
    "\\b\\W",
    "\\b\xc3\xa9",
    "(?i)\\b\xe2\x80\x99s",
    "\\bx|\\b(*SKIP)a|b",
    "\\b(a|b)c|\\b(?:(?:a))|\\bb",
    "a\\Kb|\\bc",
    "\\ba\\K-",
    "(?i)\\b(?:ab|a c|ck|k_|s-)",
    "(?i)\\b(ab?c|a{2}|b\\s|c$)",
    "\\ba(?!b)",
    "\\ba(?=[bc])",
    "\\b(?<!b)a|\\b(?<=-)b",
    "\\ba\\b|\\bb\\B",
    "(?s)\\b(?>a+).",
    "\\b(?:a|(b))(?(1)c|b)",
    "\\b(a|b)\\1",
    "\\b(?'n'a)\\k'n'|\\bb(?&n)",
    "\\b\\Ga",
    "\\b^a|\\b\\Ab",
    "(?m)\\ba$|\\bb\\Z|\\bc\\z",
    "\\ba\\R|\\bb\\X",
    "",
    "|\\ba",
    "\\ba|",
    "(\\ba)",
};

static void test_what_it_finds_is_what_pcre2_finds(void **state)
{
    static const char *const pieces[] = {
        "a", "b", "c", "A",  "k", "\xe2\x84\xaa", " ", "-", "|", "\xc3\xa9", "\xe2\x80\x99",
        "s", "_", "7", "\n", "]"};
    uint64_t seed = 1;
    (void)state;

    for (int round = 0; round < 3000; round++) {
        char text[64] = "";
        size_t len = 0;
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        for (uint64_t rest = seed >> 20, n = rest % 12; n > 0; n--, rest = rest / 16 + n * 7) {
            const char *piece = pieces[rest % (sizeof pieces / sizeof pieces[0])];
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        struct span subject = {text, len};
        for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
            if (found(patterns[i], subject) != plainly(patterns[i], subject))
                fail_msg("\"%s\" in \"%s\": found %d, PCRE2 %d", patterns[i], text,
                         found(patterns[i], subject), plainly(patterns[i], subject));
    }
}

static void test_a_long_text_is_looked_at_as_far_as_the_limit_and_cut_between_letters(void **state)
{
    enum { LEN = 16 * 1024 };
    static char text[LEN + 16];
    (void)state;

    memset(text, ' ', sizeof text);
    memcpy(text + LEN - 3, "abc", 3);
    assert_int_equal(found("\\babc$", (struct span){text, sizeof text}), 1);
    memcpy(text + LEN - 2, "abc", 3);
    assert_int_equal(found("\\babc", (struct span){text, sizeof text}), 0);
    memcpy(text + LEN - 2, "-\xc3\xa9 ", 4); /* its second byte is beyond the limit */
    assert_int_equal(found("-$", (struct span){text, sizeof text}), 1);
    assert_int_equal(found("\\b\xc3\xa9", (struct span){text, sizeof text}), 0);
}

static void test_no_text_is_a_text(void **state)
{
    (void)state;
    assert_int_equal(found("^$", (struct span){NULL, 0}), 1);
    assert_int_equal(found("\\b", (struct span){NULL, 0}), 0);
}

static void test_what_takes_too_long_is_told(void **state)
{
    static char text[2000];
    (void)state;

    memset(text, 'a', sizeof text);
    assert_true(found("(?:a+)+[bc]", (struct span){text, sizeof text}) < 0);
    assert_true(found("\\b(?:a+)+[bc]", (struct span){text, sizeof text}) < 0);
}

static void test_what_is_no_pattern_is_told_with_its_letter(void **state)
{
    struct pattern_fault fault;
    (void)state;

    assert_null(pattern_new("\\ba(", &fault));
    assert_int_equal(fault.letter, 4);
    assert_string_equal(fault.why, "missing closing parenthesis");
    assert_null(pattern_new("[a", &fault));
    assert_null(pattern_new("\\C", &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_finds_is_what_pcre2_finds),
        cmocka_unit_test(test_a_long_text_is_looked_at_as_far_as_the_limit_and_cut_between_letters),
        cmocka_unit_test(test_no_text_is_a_text),
        cmocka_unit_test(test_what_takes_too_long_is_told),
        cmocka_unit_test(test_what_is_no_pattern_is_told_with_its_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
