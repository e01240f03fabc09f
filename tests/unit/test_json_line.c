/* A line of JSON, read quickly: jansson judges every value that was read, and what is not understood is jansson's to read or to refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "json_line_judged.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { BYTES_MAX = 1 << 20, DEPTH_MAX = 32, ROUNDS = 20000, CHANGES_MAX = 4 };

static const char *const names[] = {"is left to jansson", "is read as jansson does", "differs from jansson"};

static void judge_text(const char *text, size_t len, enum json_judgment want)
{
    enum json_judgment got = json_line_judge(text, len);
    if (got != want)
        fail_msg("%.*s: %s", (int)len, text, names[got]);
}

/* What programs write is read quickly; a row here that is left to jansson costs ten times as much. */
static void test_read_what_programs_write_then_as_jansson(void **state)
{
    static const char *const rows[] = {
        "{}",
        "[]",
        " { } \r\n",
        "null",
        "true",
        "[true, false, null, \"\"]",
        "{\"a\":1,\"b\":[{\"c\":-2}],\"d\":{\"e\":{}}}",
        "{ \"a\" : 1 ,\t\"b\" : [ 1 , 2 ] }\n",
        "[0, -0, 1, -1, 127, 128, -128, -129, 65536, 999999999999999999, -999999999999999999]",
        "[0.0, -0.0, 1.5, 1e3, 1E-3, 1.25e+2, -0.1, 5e-324, 1e-999, 1456708560000000.5]",
        "\"plain\"",
        "\"a \\\"word\\\" \\\\ \\/ \\b\\f\\n\\r\\t end\"",
        "\"\\u00e4\\u20AC\\u007f\\u0001\\uFFFF\\uD83D\\uDE00 \\ud800\\udc00\"",
        "\"ä € 😀 and more than eight letters of them ä\"",
        "\"0123456\\n\"",
        "\"01234567\\n\"",
        "{\"a\\nb\": 1, \"a\\u000ab2\": 2}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", /* as deep as can be */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        judge_text(rows[i], strlen(rows[i]), JSON_READ);
}

static void test_read_anything_else_then_left_to_jansson(void **state)
{
    static const struct span rows[] = {
#define ROW(text) {text, sizeof text - 1}
        ROW(""),
        ROW(" "),
        ROW("{"),
        ROW("}"),
        ROW("{\"a\""),
        ROW("{\"a\":"),
        ROW("{\"a\":1"),
        ROW("{\"a\":1,}"),
        ROW("{,}"),
        ROW("{1:1}"),
        ROW("{a:1}"),
        ROW("{'a':1}"),
        ROW("{\"a\" 1}"),
        ROW("{\"a\":1 \"b\":2}"),
        ROW("{\"a\":1,\"a\":1}"),
        ROW("{\"a\":1,\"\\u0061\":1}"),
        ROW("[1,]"),
        ROW("[,1]"),
        ROW("[1 2]"),
        ROW("[1}"),
        ROW("1 2"),
        ROW("{} x"),
        ROW("{}\0"),
        ROW("01"),
        ROW("-"),
        ROW("-01"),
        ROW("+1"),
        ROW("1."),
        ROW(".5"),
        ROW("1.e3"),
        ROW("1e"),
        ROW("1e+"),
        ROW("1e999"),
        ROW("1000000000000000000"), /* it fits, but nothing is lost */
        ROW("9223372036854775808"),
        ROW("1.0000000000000000000000000000000000000000"),
        ROW("0x10"),
        ROW("NaN"),
        ROW("Infinity"),
        ROW("tru"),
        ROW("True"),
        ROW("truex"),
        ROW("nul"),
        ROW("\""),
        ROW("\"a"),
        ROW("\"a\\"),
        ROW("\"a\\\""),
        ROW("\"\\x\""),
        ROW("\"\\u12\""),
        ROW("\"\\u12g4\""),
        ROW("\"\\u0000\""),
        ROW("\"\\ud800\""),
        ROW("\"\\udc00\""),
        ROW("\"\\ud800\\u0041\""),
        ROW("\"\\ud800\\ud800\""),
        ROW("\"\\ud800x\""),
        ROW("\"a\nb\""),
        ROW("\"0123456789\x01\""),
        ROW("\"a\0b\""),
        ROW("\"\xff\""),
        ROW("\"\xc0\x80\""),
        ROW("\"\xed\xa0\x80\""),
        ROW("\"\xe2\x82\""),
        ROW("{\"\xff\":1}"),
        ROW("\xef\xbb\xbf{}"),
        ROW("// {}"),
        ROW("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), /* too deep */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        judge_text(rows[i].p, rows[i].len, JSON_LEFT);
}

static void test_read_a_map_of_many_entries_then_left_to_jansson(void **state)
{
    struct buf text;
    (void)state;

    for (int count = 63; count <= 66; count++) {
        buf_init(&text, BYTES_MAX);
        for (int i = 0; i < count; i++)
            (void)buf_printf(&text, "%s\"k%d\":%d", i == 0 ? "{" : ",", i, i);
        (void)buf_add_text(&text, "}");
        judge_text(text.p, text.len, count <= 64 ? JSON_READ : JSON_LEFT);
        buf_clear(&text);
    }
}

static void test_read_a_long_list_then_left_to_jansson(void **state)
{
    struct buf text;
    (void)state;

    for (int count = 65535; count <= 65536; count++) {
        buf_init(&text, BYTES_MAX);
        for (int i = 0; i < count; i++)
            (void)buf_add_text(&text, i == 0 ? "[0" : ",0");
        (void)buf_add_text(&text, "]");
        judge_text(text.p, text.len, count <= 65535 ? JSON_READ : JSON_LEFT);
        buf_clear(&text);
    }
}

/* ---- random ---- */

static void put_random(struct buf *out, int depth)
{
    static const char *const scalars[] = {"0",
                                          "-7",
                                          "12.5",
                                          "1e5",
                                          "true",
                                          "null",
                                          "\"\"",
                                          "\"x\"",
                                          "\"\\u00fc\"",
                                          "\"ü\\n\"",
                                          "\"\\\\\"",
                                          "\"0123456789ab\"",
                                          "1456708560000000"};
    int kind = rand() % (depth == 0 ? 1 : 3);

    if (kind == 0) {
        (void)buf_add_text(out, scalars[(size_t)rand() % COUNT_OF(scalars)]);
        return;
    }
    (void)buf_add_text(out, kind == 1 ? "[" : "{");
    for (int i = 0, count = rand() % 4; i < count; i++) {
        (void)buf_add_text(out, i == 0 ? "" : ", ");
        if (kind == 2)
            (void)buf_printf(out, "\"k%d\": ", rand() % 8 == 0 ? 0 : i);
        put_random(out, depth - 1);
    }
    (void)buf_add_text(out, kind == 1 ? "]" : "}");
}

/* A few bytes of it become others, go, or come twice. */
static void spoil(struct buf *text)
{
    static const char letters[] = "\"\\{}[],: \t\n0123456789-+.eEutrfnalsd\x80\xc3\xff";

    for (int i = rand() % CHANGES_MAX; i > 0 && text->len > 1; i--) {
        size_t at = (size_t)rand() % text->len;
        switch (rand() % 3) {
        case 0:
            text->p[at] = letters[(size_t)rand() % sizeof letters]; /* NUL is one of them */
            break;
        case 1:
            memmove(text->p + at, text->p + at + 1, text->len - at);
            text->len--;
            break;
        default:
            (void)buf_add(text, "x", 1);
            memmove(text->p + at + 1, text->p + at, text->len - at - 1);
        }
    }
}

static void test_read_random_and_spoiled_lines_then_never_other_than_jansson(void **state)
{
    int read = 0;
    (void)state;

    srand(1);
    for (int i = 0; i < ROUNDS; i++) {
        struct buf text;
        buf_init(&text, BYTES_MAX);
        put_random(&text, 5);
        if (i % 2 != 0)
            spoil(&text);
        enum json_judgment got = json_line_judge(text.p, text.len);
        if (got == JSON_DIFFERS)
            fail_msg("%.*s: differs", (int)text.len, text.p);
        read += got == JSON_READ;
        buf_clear(&text);
    }
    assert_in_range(read, ROUNDS / 2, ROUNDS - 1);
}

/* ---- the whole ---- */

static void test_parse_a_wrong_line_then_the_error_is_jansson_s(void **state)
{
    static const char *const rows[] = {"{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}", "[1,]", "{\"a\": 1e999}",
                                       "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"};
    struct json_line *line = json_line_new();
    struct buf bytes;
    (void)state;

    buf_init(&bytes, BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct wire_val *val = NULL;
        struct wire_doc *doc = NULL;
        struct err err = {0}, want = {0};
        const char *msg = NULL;
        unsigned number = 0, column = 0;
        assert_false(json_line_parse(line, rows[i], strlen(rows[i]), DEPTH_MAX, &val, &err));
        buf_reset(&bytes);
        assert_false(wire_from_json(&bytes, rows[i], strlen(rows[i]), &want) &&
                     wire_parse(bytes.p, bytes.len, DEPTH_MAX, &doc, &want));
        assert_int_equal(err.code, want.code);
        wire_json_place(want.msg, &msg, &number, &column);
        assert_string_equal(err.msg, msg);
        assert_int_equal(json_line_column(line), column);
    }
    buf_clear(&bytes);
    json_line_free(line);
}

/* One line after another, in the same room. */
static void test_parse_what_only_jansson_reads_then_it_is_read(void **state)
{
    static const char *const rows[] = {"[9223372036854775807]", "[9223372036854775806, \"\\n\"]",
                                       "[9223372036854775807]"};
    struct json_line *line = json_line_new();
    const struct wire_val *val = NULL;
    struct err err;
    int64_t number = 0;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct span text = SPAN_NONE;
        assert_true(json_line_parse(line, rows[i], strlen(rows[i]), DEPTH_MAX, &val, &err));
        assert_true(wire_get_int(wire_at(val, 0), &number));
        assert_true(number == INT64_MAX - (i == 1));
        assert_true(json_line_parse(line, "[\"a\\tb\", \"c\"]", 13, DEPTH_MAX, &val, &err));
        assert_true(wire_get_str(wire_at(val, 0), &text) && span_is(text, "a\tb"));
    }
    json_line_free(line);
}

/* Less deep than a message may be. */
static void test_parse_deeper_than_is_asked_then_refused(void **state)
{
    struct json_line *line = json_line_new();
    const struct wire_val *val = NULL;
    struct err err;
    (void)state;

    assert_true(json_line_parse(line, "[[1]]", 5, 3, &val, &err));
    assert_false(json_line_parse(line, "[[1]]", 5, 2, &val, &err));
    assert_int_equal(err.code, ERR_MALFORMED);
    json_line_free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_what_programs_write_then_as_jansson),
        cmocka_unit_test(test_read_anything_else_then_left_to_jansson),
        cmocka_unit_test(test_read_a_map_of_many_entries_then_left_to_jansson),
        cmocka_unit_test(test_read_a_long_list_then_left_to_jansson),
        cmocka_unit_test(test_read_random_and_spoiled_lines_then_never_other_than_jansson),
        cmocka_unit_test(test_parse_a_wrong_line_then_the_error_is_jansson_s),
        cmocka_unit_test(test_parse_what_only_jansson_reads_then_it_is_read),
        cmocka_unit_test(test_parse_deeper_than_is_asked_then_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
