/* Settings: kinds, limits, all faults at once, a bad file changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "request_fields.h"
#include "settings.h"
#include "settings_broker.h"

#include <unistd.h>

struct sample {
    char *endpoint;
    int64_t slots;
    bool insecure;
    int64_t lease_us;
    int64_t body_bytes;
    struct setting_list hosts;
    int64_t idle_us;
};

static const struct setting table[] = {
    {"endpoint", SETTING_TEXT, offsetof(struct sample, endpoint), "tcp://x", 1, 20, false, "where"},
    {"slots", SETTING_INT, offsetof(struct sample, slots), "4", 1, 8, true, "how many"},
    {"insecure", SETTING_BOOL, offsetof(struct sample, insecure), "false", 0, 0, false, "whether"},
    {"lease", SETTING_DURATION, offsetof(struct sample, lease_us), "3s", 1000000, 60000000, true, "how long"},
    {"body", SETTING_BYTES, offsetof(struct sample, body_bytes), "64KiB", 0, 1048576, true, "how large"},
    {"hosts", SETTING_LIST, offsetof(struct sample, hosts), "a,b", 0, 3, true, "which"},
    {"idle", SETTING_DURATION, offsetof(struct sample, idle_us), "1d", 0, 0, true,
     "how long, without limits"},
};
enum { ROWS = sizeof table / sizeof table[0] };

/* Writes text to a file of its own, loads it, removes it. */
static bool load_text(const char *text, struct sample *sample, struct err *err)
{
    char path[] = "/tmp/docket-settings-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
    bool ok = settings_load(path, table, ROWS, sample, err);
    assert_int_equal(unlink(path), 0);
    return ok;
}

static void test_settings_without_file_are_the_defaults(void **state)
{
    (void)state;
    struct sample sample = {0};
    struct err err = {0};
    assert_true(settings_load(NULL, table, ROWS, &sample, &err));
    assert_string_equal(sample.endpoint, "tcp://x");
    assert_int_equal(sample.slots, 4);
    assert_false(sample.insecure);
    assert_int_equal(sample.lease_us, 3000000);
    assert_int_equal(sample.body_bytes, 65536);
    assert_int_equal(sample.hosts.count, 2);
    assert_string_equal(sample.hosts.items[1], "b");
    settings_clear(table, ROWS, &sample);
    assert_null(sample.endpoint);
}

/* What is tried offline is held to the limits of a broker without settings. */
static void test_settings_of_a_broker_have_the_limits_of_requests(void **state)
{
    (void)state;
    struct broker_settings broker = {0};
    struct err err = {0};
    assert_true(settings_load(NULL, broker_settings_table, broker_settings_count, &broker, &err));
    assert_int_equal(broker.message_bytes, request_limits_default.message_bytes);
    assert_int_equal(broker.process_bytes, request_limits_default.process_bytes);
    assert_int_equal(broker.title_points, request_limits_default.title_points);
    assert_int_equal(broker.text_bytes, request_limits_default.text_bytes);
    assert_int_equal(broker.map_bytes, request_limits_default.map_bytes);
    settings_clear(broker_settings_table, broker_settings_count, &broker);
}

static void test_settings_of_a_file_win(void **state)
{
    (void)state;
    struct sample sample = {0};
    struct err err = {0};
    assert_true(
        load_text("endpoint: ipc:///x\nslots: 8\ninsecure: true\nlease: 1500ms\nbody: 1MiB\nhosts: one\n",
                  &sample, &err));
    assert_string_equal(sample.endpoint, "ipc:///x");
    assert_int_equal(sample.lease_us, 1500000);
    assert_int_equal(sample.body_bytes, 1048576);
    assert_true(sample.insecure);
    assert_int_equal(sample.hosts.count, 1);
    settings_clear(table, ROWS, &sample);
}

static void test_settings_tell_all_faults_with_places(void **state)
{
    (void)state;
    struct sample sample = {0};
    struct err err = {0};
    assert_false(load_text(
        "slot: 3\nslots: 010\nlease: 2h\ninsecure: \"true\"\nendpoint: ''\nhosts: [a, [b]]\nbody: {}\n",
        &sample, &err));
    assert_int_equal(err.code, ERR_INVALID);
    static const char *const lines[] = {
        ":1:1: slot: is not known in this file (did you mean slots?)",
        ":2:8: slots: \"010\" is not allowed, want a number from 1 to 8",
        ":3:8: lease: \"2h\" is not allowed, want a duration such as 500ms, 30s, 15m, 6h or 2d from 1s to 1m",
        ":4:11: insecure: \"true\" is not allowed in quotes, want true or false",
        ":5:11: endpoint: is missing, want text of 1 to 20 bytes",
        ":6:12: hosts: an entry is not text, want a list of texts of 0 to 3 entries",
        ":7:7: body: is a map, want a size such as 512, 64KiB, 1MiB or 1GiB from 0 to 1MiB",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strstr(err.msg, lines[i]) == NULL)
            fail_msg("missing: %s\nin: %s", lines[i], err.msg);
    assert_null(sample.endpoint);
    assert_int_equal(sample.slots, 0);
}

/* A program's own rules: words of its own, and those of an error that names its field. */
static void check_sample(void *settings, struct setting_faults *faults)
{
    struct sample *sample = settings;
    struct err err;

    if (sample->slots > 4 && !sample->insecure)
        settings_fault_beside(faults, "slots", "insecure", "%d are too many, want insecure",
                              (int)sample->slots);
    if (sample->lease_us < 3000000) {
        (void)err_field(&err, ERR_INVALID, "lease", "lease: is short");
        settings_fault_err(faults, &err);
    }
    sample->body_bytes++;
}

static void test_settings_check_tells_its_faults_together_at_the_places_of_the_file(void **state)
{
    (void)state;
    struct sample sample = {0};
    struct err err = {0};
    char path[] = "/tmp/docket-settings-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "lease: 2s\n\nslots: 5\n", 20), 20);
    assert_false(settings_load_checked(path, table, ROWS, check_sample, &sample, NULL, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.msg, ":1:8: lease: is short\n"));
    assert_non_null(strstr(err.msg, ":3:8: slots: 5 are too many, want insecure"));
    assert_null(sample.endpoint);
    assert_null(sample.hosts.items);
    assert_int_equal(write(fd, "insecure: true\n", 15), 15);
    assert_false(settings_load_checked(path, table, ROWS, check_sample, &sample, NULL, &err));
    assert_null(strstr(err.msg, "slots"));
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    sample = (struct sample){0};
    assert_true(settings_load_checked(NULL, table, ROWS, check_sample, &sample, NULL, &err));
    assert_int_equal(sample.body_bytes, 65537);
    settings_clear(table, ROWS, &sample);
}

static void test_settings_tell_what_the_table_and_what_the_check_refuses_together(void **state)
{
    (void)state;
    struct sample sample = {0};
    struct err err = {0};
    char path[] = "/tmp/docket-settings-XXXXXX";
    static const char text[] = "slots: 5\nbody: many\nlease: 2s\nslits: 1\nslots: 7\nendpoint: ''\n";
    static const char *const lines[] = {":1:8: slots: 5 are too many",
                                        ":2:7: body: \"many\" is not allowed",
                                        ":3:8: lease: is short",
                                        ":4:1: slits: is not known",
                                        ":5:1: slots: is written twice, first in line 1",
                                        ":6:11: endpoint: is missing"};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    assert_false(settings_load_checked(path, table, ROWS, check_sample, &sample, NULL, &err));
    const char *at = err.msg;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        at = strstr(at, lines[i]);
        if (at == NULL)
            fail_msg("missing, or not in the order of lines: %s\nin: %s", lines[i], err.msg);
    }
    assert_null(sample.endpoint);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
}

/* The default stands in for what is wrong by itself: it is no fault of the file. */
static void test_settings_of_which_one_is_wrong_by_itself_are_not_told_to_disagree(void **state)
{
    (void)state;
    struct sample sample = {0};
    struct err err = {0};
    char path[] = "/tmp/docket-settings-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "slots: 5\ninsecure: yes\nlease: 90d\n", 34), 34);
    assert_false(settings_load_checked(path, table, ROWS, check_sample, &sample, NULL, &err));
    assert_non_null(strstr(err.msg, ":2:11: insecure: \"yes\""));
    assert_non_null(strstr(err.msg, ":3:8: lease: \"90d\""));
    assert_null(strstr(err.msg, "too many"));
    assert_null(strstr(err.msg, "is short"));
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
}

static size_t stayed;

static void on_stays(const char *name)
{
    assert_string_equal(name, stayed++ == 0 ? "endpoint" : "insecure");
}

static void test_settings_taken_are_those_that_a_reload_may_change(void **state)
{
    (void)state;
    struct sample running = {0}, fresh = {0};
    struct err err = {0};

    assert_true(settings_load(NULL, table, ROWS, &running, &err));
    assert_true(load_text("endpoint: tcp://y\nslots: 7\ninsecure: true\nhosts: [c]\n", &fresh, &err));
    stayed = 0;
    settings_take(table, ROWS, &running, &fresh, on_stays);
    assert_int_equal(stayed, 2);
    assert_string_equal(running.endpoint, "tcp://x");
    assert_false(running.insecure);
    assert_int_equal(running.slots, 7);
    assert_int_equal(running.hosts.count, 1);
    assert_int_equal(fresh.hosts.count, 2);
    settings_clear(table, ROWS, &running);
    settings_clear(table, ROWS, &fresh);
}

static void test_settings_of_no_file_are_an_io_error(void **state)
{
    (void)state;
    struct sample sample = {0};
    struct err err = {0};
    assert_false(settings_load("/nonexistent/x.yaml", table, ROWS, &sample, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void test_duration_needs_a_unit(void **state)
{
    (void)state;
    static const char *const bad[] = {"",          "5",    "05s",
                                      "5 s",       "s",    "1w",
                                      "-1s",       "1.5h", "99999999999999d",
                                      "6h working"};
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {{"0", 0}, {"0m", 0}, {"1500ms", 1500000}, {"7s", 7000000}, {"2d", INT64_C(172800000000)}};
    struct sample sample = {0};
    struct err err = {0};
    char text[64];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(text, sizeof text, "idle: \"%s\"\n", bad[i]);
        assert_false(load_text(text, &sample, &err));
        assert_non_null(strstr(err.msg, "want a duration"));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        (void)snprintf(text, sizeof text, "idle: %s\n", good[i].text);
        assert_true(load_text(text, &sample, &err));
        assert_int_equal(sample.idle_us, good[i].us);
        settings_clear(table, ROWS, &sample);
    }
}

static void test_settings_sample_loads_when_uncommented(void **state)
{
    (void)state;
    char text[4096], bare[4096];
    size_t n = 0;
    FILE *file = tmpfile();
    assert_non_null(file);
    settings_print_sample(file, "docket-test", table, ROWS, NULL);
    rewind(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i < len; i++)
        if (text[i] != '#' || text[i + 1] == ' ')
            bare[n++] = text[i];
    bare[n] = '\0';
    struct sample sample = {0};
    struct err err = {0};
    if (!load_text(bare, &sample, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(sample.hosts.count, 2);
    assert_int_equal(sample.lease_us, 3000000);
    settings_clear(table, ROWS, &sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_without_file_are_the_defaults),
        cmocka_unit_test(test_settings_of_a_broker_have_the_limits_of_requests),
        cmocka_unit_test(test_settings_of_a_file_win),
        cmocka_unit_test(test_settings_tell_all_faults_with_places),
        cmocka_unit_test(test_settings_check_tells_its_faults_together_at_the_places_of_the_file),
        cmocka_unit_test(test_settings_tell_what_the_table_and_what_the_check_refuses_together),
        cmocka_unit_test(test_settings_of_which_one_is_wrong_by_itself_are_not_told_to_disagree),
        cmocka_unit_test(test_settings_of_no_file_are_an_io_error),
        cmocka_unit_test(test_settings_taken_are_those_that_a_reload_may_change),
        cmocka_unit_test(test_duration_needs_a_unit),
        cmocka_unit_test(test_settings_sample_loads_when_uncommented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
