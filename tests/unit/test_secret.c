/* Secrets from files: what is taken, and what each file that is none is refused for. */
#include "secret.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOM = 9 };

static char folder[] = "/tmp/docket-secret-XXXXXX", path[sizeof folder + 16];

static void put(const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0);
    (void)close(fd);
}

static void test_a_secret_is_taken_whole_up_to_the_room_there_is(void **state)
{
    static const char *const rows[] = {"s", "lines\n", "12345678"};
    char got[ROOM];
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put(rows[i], 0600);
        assert_true(secret_read("what", path, got, sizeof got, &err));
        assert_string_equal(got, rows[i]);
    }
}

static void test_a_file_that_is_no_secret_is_refused_and_leaves_nothing(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        const char *says;
    } rows[] = {{"", 0600, "is empty"},
                {"123456789", 0600, "is longer than 8 bytes"},
                {"1234", 0640, "may be read by others"},
                {"1234", 0604, "may be read by others"}};
    static const char zeros[ROOM];
    char got[ROOM];
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put(rows[i].text, rows[i].mode);
        memset(got, 'x', sizeof got);
        assert_false(secret_read("what", path, got, sizeof got, &err));
        assert_non_null(strstr(err.msg, rows[i].says));
        assert_int_equal(err.code, ERR_INVALID);
        assert_memory_equal(got, zeros, sizeof got);
    }
}

static void test_what_cannot_be_read_is_told_as_that(void **state)
{
    static const char *const names[] = {"/tmp/docket-no-such-file", folder};
    static const char *const says[] = {"No such file", "Is a directory"};
    char got[ROOM];
    struct err err;
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        assert_false(secret_read("what", names[i], got, sizeof got, &err));
        assert_int_equal(err.code, ERR_IO);
        assert_non_null(strstr(err.msg, "what: cannot read "));
        assert_non_null(strstr(err.msg, says[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_secret_is_taken_whole_up_to_the_room_there_is),
        cmocka_unit_test(test_a_file_that_is_no_secret_is_refused_and_leaves_nothing),
        cmocka_unit_test(test_what_cannot_be_read_is_told_as_that),
    };

    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "%s/secret", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    (void)rmdir(folder);
    return failed;
}
