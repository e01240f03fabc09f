/* Templates: the cases of the Mustache specification (tests/unit/mustache-spec), limits, and the check of names. */
#include "mustache.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define SPEC "tests/unit/mustache-spec/"

static struct span json_partial(void *arg, struct span name)
{
    json_t *partials = arg;
    char key[64];
    (void)snprintf(key, sizeof key, "%.*s", (int)name.len, name.p);
    const char *text = json_string_value(json_object_get(partials, key));
    return text == NULL ? SPAN_NONE : (struct span){text, strlen(text)};
}

/* JSON as a document of ours. */
static struct wire_doc *doc_of(json_t *data)
{
    struct wire_doc *doc = NULL;
    struct buf bytes;
    struct err err;
    char *text = json_dumps(data, JSON_ENCODE_ANY);

    buf_init(&bytes, 1 << 16);
    if (!wire_from_json(&bytes, text, strlen(text), &err) ||
        !wire_parse(buf_text(&bytes), bytes.len, 32, &doc, &err))
        fail_msg("%s: %s", text, err.msg);
    free(text);
    buf_clear(&bytes);
    return doc;
}

static void run_case(const char *file, json_t *one)
{
    const char *name = json_string_value(json_object_get(one, "name"));
    const char *text = json_string_value(json_object_get(one, "template"));
    const char *expected = json_string_value(json_object_get(one, "expected"));
    struct wire_doc *doc = doc_of(json_object_get(one, "data"));
    struct buf out;
    struct err err;

    buf_init(&out, 1 << 16);
    if (!mustache_render(span_of(text), wire_root(doc), MUSTACHE_HTML, json_partial,
                         json_object_get(one, "partials"), &out, &err))
        fail_msg("%s, %s: %s", file, name, err.msg);
    if (strcmp(buf_text(&out), expected) != 0)
        fail_msg("%s, %s: got \"%s\", want \"%s\"", file, name, buf_text(&out), expected);
    buf_clear(&out);
    wire_doc_free(doc);
}

static void run_file(const char *file, size_t cases)
{
    char path[200];
    json_error_t why;

    (void)snprintf(path, sizeof path, SPEC "%s.json", file);
    json_t *all = json_load_file(path, 0, &why);
    if (all == NULL)
        fail_msg("%s: %s", path, why.text);
    json_t *tests = json_object_get(all, "tests");
    assert_int_equal(json_array_size(tests), cases);
    for (size_t i = 0; i < cases; i++)
        run_case(file, json_array_get(tests, i));
    json_decref(all);
}

static void test_the_specification_when_rendered_gives_what_it_expects(void **state)
{
    static const struct {
        const char *file;
        size_t cases;
    } rows[] = {
        {"interpolation", 42}, {"sections", 34}, {"inverted", 22}, {"comments", 12}, {"partials", 12}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        run_file(rows[i].file, rows[i].cases);
}

static void test_a_template_that_is_wrong_is_an_error_with_its_line(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"a\nb {{x", "line 2: "},   {"{{#a}}\n\n", "line 1: "},
        {"\n\n{{/a}}", "line 3: "}, {"{{#a}}\n{{/b}}", "line 2: "},
        {"{{}}", "line 1: "},       {"\n{{=<% %>=}}", "line 2: "},
        {"{{{x}}", "line 1: "},     {"a\r\nb\r\n{{#x}}", "line 3: "},
    };
    json_t *empty = json_object();
    struct wire_doc *doc = doc_of(empty);
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {.code = ERR_NONE};
        struct buf out;
        buf_init(&out, 1000);
        assert_false(
            mustache_render(span_of(rows[i].text), wire_root(doc), MUSTACHE_TEXT, NULL, NULL, &out, &err));
        if (strncmp(err.msg, rows[i].want, strlen(rows[i].want)) != 0)
            fail_msg("\"%s\": %s", rows[i].text, err.msg);
        buf_clear(&out);
    }
    wire_doc_free(doc);
    json_decref(empty);
}

static void test_a_template_that_never_ends_is_given_up(void **state)
{
    /* Nine loops over ten entries each, which write nothing: a thousand million steps. */
    static const char text[] = "{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#no}}{{/no}}"
                               "{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}";
    json_error_t why;
    json_t *data = json_loads("{\"l\": [1,2,3,4,5,6,7,8,9,10]}", 0, &why);
    struct wire_doc *doc = doc_of(data);
    struct err err = {.code = ERR_NONE};
    struct buf out;
    (void)state;

    buf_init(&out, 1000);
    assert_false(mustache_render(span_of(text), wire_root(doc), MUSTACHE_TEXT, NULL, NULL, &out, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_clear(&out);
    wire_doc_free(doc);
    json_decref(data);
}

enum { LARGE_BYTES = 60000 };

/* A comment that fills a partial; counts how often it was read. */
static struct span large_partial(void *arg, struct span name)
{
    static char text[LARGE_BYTES];
    size_t *reads = arg;
    (void)name;

    ++*reads;
    memset(text, 'x', sizeof text);
    memcpy(text, "{{!", 3);
    memcpy(text + sizeof text - 2, "}}", 2);
    return (struct span){text, sizeof text};
}

static void test_a_large_partial_in_a_loop_is_given_up_before_it_was_read_for_seconds(void **state)
{
    static const char text[] =
        "{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{> p}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}"; /* 100,000 times */
    json_error_t why;
    json_t *data = json_loads("{\"l\": [1,2,3,4,5,6,7,8,9,10]}", 0, &why);
    struct wire_doc *doc = doc_of(data);
    struct err err = {.code = ERR_NONE};
    size_t reads = 0;
    struct buf out;
    (void)state;

    buf_init(&out, 1000);
    assert_false(
        mustache_render(span_of(text), wire_root(doc), MUSTACHE_TEXT, large_partial, &reads, &out, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_true(reads * LARGE_BYTES < 20000000); /* milliseconds */
    buf_clear(&out);
    wire_doc_free(doc);
    json_decref(data);
}

/* ---- names ---- */

static bool on_known(void *arg, const char *path)
{
    static const char *const names[] = {"a", "list", "list.x", "map", "map.in", "map.in.deep"};
    (void)arg;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], path) == 0)
            return true;
    return false;
}

static struct span on_partial(void *arg, struct span name)
{
    (void)arg;
    if (span_is(name, "good"))
        return span_of("{{x}}");
    if (span_is(name, "outer"))
        return span_of("{{a}}\n{{> good}}");
    return span_is(name, "loop") ? span_of("{{> loop}}") : SPAN_NONE;
}

static void on_fault(void *arg, size_t line, size_t column, const char *what)
{
    (void)buf_printf(arg, "%zu:%zu %s\n", line, column, what);
}

static void test_names_are_checked_where_they_stand(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: right */
    } rows[] = {
        {"{{a}} {{map.in.deep}}", NULL},
        {"{{#list}}{{x}} {{a}} {{.}}{{/list}}", NULL},
        {"{{#map}}{{#in}}{{deep}}{{/in}}{{in.deep}}{{/map}}", NULL},
        {"{{^a}}{{a}}{{/a}}", NULL},
        {"{{#list}}{{> good}}{{/list}}", NULL},
        {"{{> good}}", "1:1 partial good, line 1, column 1: unknown variable \"x\"\n"},
        {"\n  {{b}}", "2:3 unknown variable \"b\"\n"},
        {"{{a}}\xc3\xa4 {{x}}", "1:8 unknown variable \"x\"\n"},
        {"{{a.b}}", "1:1 unknown variable \"a.b\"\n"},
        {"{{#list}}{{in}}{{/list}}", "1:10 unknown variable \"in\"\n"},
        {"{{^list}}{{x}}{{/list}}", "1:10 unknown variable \"x\"\n"},
        {"{{{nope}}}", "1:1 unknown variable \"nope\"\n"},
        {"{{> missing}}", "1:1 there is no partial missing\n"},
        /* all of them */
        {"{{b}} {{a}} {{c}}\n{{#list}}{{d}}{{/list}} {{> missing}} {{> good}}",
         "1:1 unknown variable \"b\"\n1:13 unknown variable \"c\"\n2:10 unknown variable \"d\"\n"
         "2:25 there is no partial missing\n2:39 partial good, line 1, column 1: unknown variable \"x\"\n"},
        {"{{#none}}{{b}}{{/none}}{{c}}", "1:1 unknown variable \"none\"\n1:24 unknown variable \"c\"\n"},
        {"{{> outer}}",
         "1:1 partial outer, line 2, column 1: partial good, line 1, column 1: unknown variable \"x\"\n"},
        {"{{b}} {{#a}}", "1:7 section a is not closed\n"},
        {"{{b}} {{/a}}", "1:7 {{/a}} closes nothing that is open\n"},
        {"a\nb {{", "2:3 a tag is not closed by }}\n"},
    };
    struct buf told;
    (void)state;

    buf_init(&told, 4096);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool ok = mustache_check(span_of(rows[i].text), on_known, on_partial, on_fault, &told);
        if (ok != (rows[i].want == NULL) || strcmp(buf_text(&told), ok ? "" : rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].text, ok ? "accepted" : buf_text(&told));
        buf_reset(&told);
    }
    buf_clear(&told);
    assert_false(mustache_check(span_of("{{> loop}}"), on_known, on_partial, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_specification_when_rendered_gives_what_it_expects),
        cmocka_unit_test(test_a_template_that_is_wrong_is_an_error_with_its_line),
        cmocka_unit_test(test_a_template_that_never_ends_is_given_up),
        cmocka_unit_test(test_a_large_partial_in_a_loop_is_given_up_before_it_was_read_for_seconds),
        cmocka_unit_test(test_names_are_checked_where_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
