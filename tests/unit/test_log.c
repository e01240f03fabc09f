/* The log: each event is one line that everybody can read, whatever its values are. */
#include "log.h"
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LINE_BYTES = 4096, TEXT_BYTES = 700 };

/* What an event with this value writes. */
static struct span line_of(const char *value, bool quoted, char line[LINE_BYTES])
{
    int ends[2], before = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_event(LOG_ERROR, "tested", "value=%s", quoted ? log_quote(value) : value);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    ssize_t len = read(ends[0], line, LINE_BYTES);
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(before);
    assert_true(len > 0);
    return (struct span){line, (size_t)len};
}

static void test_what_is_cut_inside_a_letter_is_utf8_all_the_same(void **state)
{
    char value[4 * TEXT_BYTES + 4], line[LINE_BYTES];
    (void)state;

    for (size_t before = 0; before < 4; before++)
        for (int quoted = 0; quoted < 2; quoted++) {
            memset(value, 'x', before);
            for (size_t i = 0; i < TEXT_BYTES; i++)
                memcpy(value + before + 4 * i, "\xf0\x9f\x93\x9e", 4);
            value[before + 4 * TEXT_BYTES] = '\0';
            assert_true(utf8_check(line_of(value, quoted, line), NULL));
        }
}

static void test_an_event_is_one_line_whatever_its_values_hold(void **state)
{
    char line[LINE_BYTES];
    (void)state;

    struct span got = line_of("a\nevent=forged\x1b[2J\xff", true, line);
    assert_int_equal(got.p[got.len - 1], '\n');
    assert_null(memchr(got.p, '\n', got.len - 1));
    line[got.len - 1] = '\0';
    assert_non_null(strstr(line, "value=\"a?event=forged?[2J?\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_cut_inside_a_letter_is_utf8_all_the_same),
        cmocka_unit_test(test_an_event_is_one_line_whatever_its_values_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
