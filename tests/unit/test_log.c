/* The log: each event is one line that everybody can read, whatever its values are. */
#include "log.h"
#include "utf8.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

/* Up to so many bytes of a file are taken, as of a disk that is full. */
static void room_set(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_line_that_a_full_disk_cut_is_ended_and_what_was_lost_is_counted(void **state)
{
    char path[] = "/tmp/docket-log-XXXXXX", text[LINE_BYTES] = "";
    int fd = mkstemp(path), before = dup(STDERR_FILENO);
    (void)state;

    assert_true(fd >= 0 && before >= 0 && unlink(path) == 0 && signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    room_set(100);
    for (int i = 0; i < 5; i++)
        log_event(LOG_ERROR, "lost", "value=%0*d", 40, i);
    room_set(RLIM_INFINITY);
    log_event(LOG_ERROR, "kept", "value=1");
    log_event(LOG_ERROR, "kept", "value=2");
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    assert_true(pread(fd, text, sizeof text - 1, 0) > 100);
    (void)close(fd);
    (void)close(before);

    char *line = text;
    for (const char *const *want = (const char *const[]){"event=lost", "event=log_lines_lost lines=5",
                                                         "event=kept value=1", "event=kept value=2", NULL};
         *want != NULL; want++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        assert_int_equal(strncmp(line, "at=", 3), 0);
        assert_non_null(strstr(line, *want));
        assert_null(strstr(line + 3, "at="));
        line = end + 1;
    }
    assert_string_equal(line, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_cut_inside_a_letter_is_utf8_all_the_same),
        cmocka_unit_test(test_an_event_is_one_line_whatever_its_values_hold),
        cmocka_unit_test(test_a_line_that_a_full_disk_cut_is_ended_and_what_was_lost_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
