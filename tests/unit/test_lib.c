/* The pure parts of libdocket and of the programs on it: bodies, keys, back-off, imported lines' keys,
 * percentiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bench.h"
#include "cli_files.h"
#include "cli_import.h"
#include "lib_internal.h"
#include "ops.h"

/* ---- memory that runs out: the n-th allocation fails while a countdown runs ---- */

static long allocations_left = -1; /* -1: as many as wanted */

#if !defined(__SANITIZE_ADDRESS__)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool may_allocate(void)
{
    if (allocations_left < 0)
        return true;
    return allocations_left > 0 && allocations_left-- > 0;
}

void *malloc(size_t size)
{
    return may_allocate() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t count, size_t size)
{
    return may_allocate() ? __libc_calloc(count, size) : NULL;
}

void *realloc(void *old, size_t size)
{
    return may_allocate() ? __libc_realloc(old, size) : NULL;
}
#endif

/* Builds a body in all ways; gives whether all went well. */
static bool build_all(struct docket_error *error)
{
    struct docket_body *body = docket_body_new();
    struct span bytes;

    docket_body_text(body, "key", "k");
    docket_body_open_map(body, "m");
    for (int i = 0; i < 100; i++)
        docket_body_text(body, (char[]){(char)('0' + i / 10), (char)('0' + i % 10), 0},
                         "some words that make it grow");
    docket_body_close(body);
    bool ok = docket_body_merge_json(body, "{\"a\": [1, {\"b\": null}], \"c\": \"d\"}", error);
    ok = ok && lib_body_finish(body, &bytes, error);
    docket_body_free(body);
    return ok;
}

static void test_body_when_an_allocation_fails_then_error_without_crash(void **state)
{
    struct docket_error error;
    long n = 0;

    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip();
#endif
    for (bool ok = false; !ok; n++) {
        assert_true(n < 1000);
        error.code = DOCKET_OK;
        allocations_left = n;
        ok = build_all(&error);
        allocations_left = -1;
        assert_true(ok || error.code != DOCKET_OK);
    }
    assert_true(n > 5);
}

/* ---- bodies ---- */

static void test_body_json_is_what_was_built(void **state)
{
    struct docket_body *body = docket_body_new();
    struct docket_error error;
    struct wire_doc *doc = NULL;
    struct span bytes;
    struct err err;
    struct buf json;

    (void)state;
    docket_body_text(body, "t", "ä");
    docket_body_text(body, "nil", NULL);
    docket_body_open_list(body, "l");
    docket_body_int(body, NULL, -7);
    docket_body_open_map(body, NULL);
    docket_body_bool(body, "b", true);
    docket_body_close(body);
    docket_body_close(body);
    docket_body_number(body, "x", 0.5);
    docket_body_bytes(body, "y", "\0\1", 2);
    assert_false(docket_body_json(body, "z", "{", &error));
    assert_int_equal(error.code, DOCKET_INVALID);
    assert_false(docket_body_merge_json(body, "[1]", &error));
    assert_true(docket_body_merge_json(body, "{\"key\": \"mine\"}", &error));
    assert_string_equal(body->key, "mine");
    assert_true(lib_body_finish(body, &bytes, &error));
    assert_true(wire_parse(bytes.p, bytes.len, 10, &doc, &err));
    buf_init(&json, 1000);
    wire_to_json(&json, wire_root(doc));
    assert_string_equal(buf_text(&json), "{\"t\": \"ä\", \"nil\": null, \"l\": [-7, {\"b\": true}], \"x\": "
                                         "0.5, \"y\": \"AAE=\", \"key\": \"mine\"}");
    buf_clear(&json);
    wire_doc_free(doc);
    docket_body_free(body);
}

static void test_body_built_wrongly_is_refused_when_sent(void **state)
{
    struct docket_error error;
    struct span bytes;

    (void)state;
    for (int way = 0; way < 5; way++) {
        struct docket_body *body = docket_body_new();
        if (way == 0)
            docket_body_open_map(body, "open");
        if (way == 1)
            docket_body_close(body);
        if (way == 2)
            docket_body_text(body, NULL, "no name in a map");
        for (int i = 0; way == 3 && i < 17; i++)
            docket_body_open_map(body, "deep");
        for (int i = 0; way == 4 && i < 65536; i++)
            docket_body_int(body, "x", i);
        error.code = DOCKET_OK;
        assert_false(lib_body_finish(body, &bytes, &error));
        assert_int_equal(error.code, DOCKET_INVALID);
        docket_body_free(body);
    }
    assert_false(lib_body_finish(NULL, &bytes, &error));
    assert_int_equal(error.code, DOCKET_INTERNAL);
}

static void test_client_new_with_bad_brokers_then_invalid(void **state)
{
    static const char *const bad[] = {"nonsense", "tcp://127.0.0.1:7401,foo://x", " , ", "tcp://127.0.0.1"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct docket_client *client = NULL;
        struct docket_error error = {.code = DOCKET_OK};
        assert_false(docket_client_new(bad[i], &client, &error));
        assert_null(client);
        assert_int_equal(error.code, DOCKET_INVALID);
    }
}

/* Both sides know which ops take no key. (ticket.find, which writes to answer, is asked with a key of its own.) */
static void test_op_reads_exactly_when_the_brokers_table_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        const struct op *op = ops_find(span_of(op_forms[i].name));
        assert_ptr_equal(op->form, &op_forms[i]);
        bool changes = op->changes && strcmp(op->form->name, "ticket.find") != 0;
        if (docket_op_reads(op->form->name) == changes)
            fail_msg("%s %s", op->form->name, changes ? "changes" : "reads");
    }
}

static void test_key_random_is_new_each_time(void **state)
{
    char a[33], b[33];
    (void)state;
    assert_true(docket_key_random(a, sizeof a) && docket_key_random(b, sizeof b));
    assert_int_equal(strlen(a), 32);
    assert_string_not_equal(a, b);
    assert_false(docket_key_random(a, 32));
}

static void test_backoff_doubles_within_its_limits(void **state)
{
    (void)state;
    for (unsigned round = 1; round < 100; round++) {
        int64_t most = round < 7 ? 50000LL << (round - 1) : 2000000;
        most = most > 2000000 ? 2000000 : most;
        for (uint32_t dice = 0; dice < 5; dice++) {
            int64_t us = lib_backoff_us(round, dice * 1234567891u);
            assert_true(us >= most / 2 && us <= most);
        }
    }
    assert_int_not_equal(lib_backoff_us(3, 1), lib_backoff_us(3, 50000));
}

/* ---- import ---- */

static void key_of(struct import_seen *seen, const char *json, char *ret)
{
    struct buf bytes;
    struct wire_doc *doc = NULL;
    struct err err;

    buf_init(&bytes, 1000);
    assert_true(wire_from_json(&bytes, json, strlen(json), &err));
    assert_true(wire_parse(bytes.p, bytes.len, 10, &doc, &err));
    import_key(seen, wire_root(doc), ret);
    wire_doc_free(doc);
    buf_clear(&bytes);
}

static void test_import_key_by_content_and_occurrence(void **state)
{
    struct import_seen first = {0}, again = {0};
    char a[IMPORT_KEY_BYTES], b[IMPORT_KEY_BYTES], c[IMPORT_KEY_BYTES], d[IMPORT_KEY_BYTES], json[64];

    (void)state;
    key_of(&first, "{\"a\": 1, \"b\": 2}", a);
    key_of(&first, "{\"b\":2,\"a\":1}", b);
    key_of(&first, "{\"a\": 1, \"b\": 3}", c);
    assert_string_not_equal(a, b); /* two equal lines are two tickets */
    assert_string_not_equal(a, c);
    key_of(&again, "{ \"b\": 2, \"a\": 1 }", d);
    assert_string_equal(a, d); /* the same file again: the same keys */
    key_of(&again, "{\"a\": 1, \"b\": 2}", d);
    assert_string_equal(b, d);
    for (int i = 0; i < 5000; i++) { /* the table grows */
        (void)snprintf(json, sizeof json, "{\"n\": %d}", i);
        key_of(&again, json, d);
    }
    key_of(&first, "{\"n\": 17}", c);
    key_of(&again, "{\"n\": 17}", d);
    assert_string_not_equal(c, d);
    assert_int_equal(strlen(a), IMPORT_KEY_BYTES - 1);
    import_seen_clear(&first);
    import_seen_clear(&again);
}

static void test_file_names_that_leave_the_directory_are_unsafe(void **state)
{
    static const char *const bad[] = {"",    "/etc/passwd", "../x", "a/../b", "a//b",
                                      "./a", "a/",          "a\\b", "a\nb",   ".."};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cli_files_name_is_safe(bad[i]));
    assert_true(cli_files_name_is_safe("rules/10-outage.yaml") && cli_files_name_is_safe("a..b"));
}

/* ---- bench ---- */

static void test_samples_at_gives_exact_percentiles(void **state)
{
    struct bench_samples samples = {0};
    (void)state;
    assert_int_equal(bench_samples_at(&samples, 0.5), 0);
    for (int i = 100000; i >= 1; i--)
        bench_samples_add(&samples, i);
    assert_int_equal(bench_samples_at(&samples, 0.5), 50000);
    assert_int_equal(bench_samples_at(&samples, 0.99), 99000);
    assert_int_equal(bench_samples_at(&samples, 1), 100000);
    bench_samples_add(&samples, -5);
    assert_int_equal(bench_samples_at(&samples, 0), 0);
    bench_samples_clear(&samples);
}

static void test_bench_bodies_have_a_key_of_their_own_each(void **state)
{
    struct bench_bodies *bodies = bench_bodies_new(3, 0xabc);
    struct err err;

    (void)state;
    for (uint64_t n = 0; n < 10; n++) {
        struct span bytes = bench_bodies_next(bodies, n * 1000003);
        struct wire_doc *doc = NULL;
        char want[64];
        assert_true(wire_parse(bytes.p, bytes.len, 10, &doc, &err));
        (void)snprintf(want, sizeof want, "bench-0000000000000abc-%010llu",
                       (unsigned long long)(n * 1000003));
        assert_true(span_is(wire_find_str(wire_root(doc), "key"), want));
        (void)snprintf(want, sizeof want, "bench-%llu", (unsigned long long)(n * 1000003 % 3));
        assert_true(span_is(wire_find_str(wire_root(doc), "customer"), want));
        wire_doc_free(doc);
    }
    bench_bodies_free(bodies);
}

static void test_bench_options_given_words_then_values_or_error(void **state)
{
    struct bench_options got;
    struct err err;

    (void)state;
    assert_true(
        bench_options_parse(7,
                            (char *[]){(char *)"b", (char *)"--in-flight=256", (char *)"--mode",
                                       (char *)"life", (char *)"--seconds", (char *)"2.5", (char *)"--json"},
                            &got, &err));
    assert_true(got.in_flight == 256 && got.mode == BENCH_LIFE && got.json && got.count == INT64_MAX);
    static const char *const bad[] = {"--in-flight=0", "--count=x", "--mode=fast",
                                      "--nosuch",      "count",     "--rate"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(bench_options_parse(2, (char *[]){(char *)"b", (char *)bad[i]}, &got, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_when_an_allocation_fails_then_error_without_crash),
        cmocka_unit_test(test_body_json_is_what_was_built),
        cmocka_unit_test(test_body_built_wrongly_is_refused_when_sent),
        cmocka_unit_test(test_client_new_with_bad_brokers_then_invalid),
        cmocka_unit_test(test_op_reads_exactly_when_the_brokers_table_says_so),
        cmocka_unit_test(test_key_random_is_new_each_time),
        cmocka_unit_test(test_backoff_doubles_within_its_limits),
        cmocka_unit_test(test_import_key_by_content_and_occurrence),
        cmocka_unit_test(test_file_names_that_leave_the_directory_are_unsafe),
        cmocka_unit_test(test_samples_at_gives_exact_percentiles),
        cmocka_unit_test(test_bench_bodies_have_a_key_of_their_own_each),
        cmocka_unit_test(test_bench_options_given_words_then_values_or_error),
    };
    return cmocka_run_group_tests_name("lib", tests, NULL, NULL);
}
