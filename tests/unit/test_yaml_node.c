/* YAML nodes: places, and each thing refused with its exact line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "buf.h"
#include "mem.h"
#include "utf8.h"
#include "wire.h"
#include "yaml_node.h"

struct refusal {
    const char *text;
    const char *fault;
};

static const struct refusal refusals[] = {
    {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: a: is written twice, first in line 1"},
    {"a: &x 1\n", "f.yaml:1:4: anchors (&x) are not allowed, write the value out where it is wanted"},
    {"a: *x\n", "f.yaml:1:4: aliases (*x) are not allowed, write the value out"},
    {"a: !!int 1\n", "f.yaml:1:4: tags (tag:yaml.org,2002:int) are not allowed, leave it out"},
    {"a:\n\tb: 1\n", "f.yaml:2:1: a tab, want blanks: lines are indented with them"},
    {"\xc3\xa4: \xe2\x82\xac\nb: @x\n", "f.yaml:2:4: \"@\" begins no value, put the whole value in quotes"},
    {"b: `x\n", "f.yaml:1:4: \"`\" begins no value, put the whole value in quotes"},
    {"\xef\xbb\xbf"
     "a: 1\na: 2\n",
     "f.yaml:2:1: a: is written twice, first in line 1"},
    {"<<: {b: 1}\n", "f.yaml:1:1: merge keys (<<) are not allowed, write the entries out"},
    {"[1]: 2\n", "f.yaml:1:1: a key is a list, want text"},
    {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document, want one"},
    {"a: \"x\\0y\"\n", "f.yaml:1:4: a NUL in text is not allowed"},
    {"a: 1\nü: b\xff\n", "f.yaml:2:5: a NUL or a byte that is not UTF-8"},
    {"a: 1\nb: \x07\n", "f.yaml:2:4: control characters are not allowed"},
};

static void test_yaml_refuses_each_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct faults faults = {NULL, 0, 0};
        struct yaml_node *root = NULL;
        assert_false(yaml_node_parse("f.yaml", refusals[i].text, strlen(refusals[i].text), &root, &faults));
        if (strstr(refusals[i].fault, "is written twice") == NULL)
            assert_null(root);
        yaml_node_free(root);
        assert_int_equal(faults.count, 1);
        assert_string_equal(faults.items[0].text, refusals[i].fault);
        faults_clear(&faults);
    }
}

static void test_yaml_tree_has_places(void **state)
{
    (void)state;
    const char text[] = "# head\nname: \"x\"\nlist:\n  - 12\n  - {k: v}\n";
    struct faults faults = {NULL, 0, 0};
    struct yaml_node *root = NULL;
    int64_t number = 0;

    assert_true(yaml_node_parse("f.yaml", text, strlen(text), &root, &faults));
    const struct yaml_node *list = yaml_node_find(root, "list");
    assert_int_equal(list->kind, NODE_LIST);
    assert_int_equal(list->items[0]->place.line, 4);
    assert_int_equal(list->items[0]->place.column, 5);
    assert_true(yaml_node_int(list->items[0], "n", 1, 20, &number, &faults));
    assert_int_equal(number, 12);
    assert_true(yaml_node_find(root, "name")->quoted);
    assert_string_equal(yaml_node_find(list->items[1], "k")->text, "v");
    assert_null(yaml_node_find(root, "none"));
    yaml_node_free(root);
}

static void test_yaml_empty_file_is_null(void **state)
{
    (void)state;
    struct faults faults = {NULL, 0, 0};
    struct yaml_node *root = NULL;
    assert_true(yaml_node_parse("f.yaml", "# nothing\n", 10, &root, &faults));
    assert_true(yaml_node_is_null(root));
    yaml_node_free(root);
}

static void test_yaml_limits_are_kept(void **state)
{
    (void)state;
    struct faults faults = {NULL, 0, 0};
    struct yaml_node *root = NULL;
    struct buf text;
    buf_init(&text, 4 * YAML_BYTES_MAX);
    for (int i = 0; i < YAML_DEPTH_MAX + 1; i++)
        assert_true(buf_add_text(&text, "["));
    assert_false(yaml_node_parse("f.yaml", text.p, text.len, &root, &faults));
    assert_string_equal(faults.items[0].text, "f.yaml:1:65: nested deeper than 64");
    faults_clear(&faults);
    buf_reset(&text);
    for (int i = 0; i < YAML_NODES_MAX; i++)
        assert_true(buf_add_text(&text, "- a\n"));
    assert_false(yaml_node_parse("f.yaml", text.p, text.len, &root, &faults));
    assert_string_equal(faults.items[0].text, "f.yaml:100000:3: more than 100000 values in one file");
    faults_clear(&faults);
    while (text.len <= YAML_BYTES_MAX)
        assert_true(buf_add_text(&text, "# comment comment comment comment\n"));
    assert_false(yaml_node_parse("f.yaml", text.p, text.len, &root, &faults));
    assert_string_equal(faults.items[0].text, "f.yaml: has 1048584 bytes, want at most 1048576");
    faults_clear(&faults);
    buf_clear(&text);
}

static void test_fraction_takes_only_plain_numbers_with_a_point(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        double number;
    } rows[] = {{"2.5", true, 2.5},
                {"-0.25", true, -0.25},
                {"0.0", true, 0},
                {"10.50", true, 10.5},
                {"123456789012.345", true, 123456789012.345},
                {"2", false, 0},
                {"2.", false, 0},
                {".5", false, 0},
                {"02.5", false, 0},
                {"2.5.1", false, 0},
                {"2.5e3", false, 0},
                {"+2.5", false, 0},
                {"1.-5", false, 0},
                {"-", false, 0},
                {"-.5", false, 0},
                {"", false, 0},
                {"1234567890123.456", false, 0}};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double number = 0;
        if (decimal_fraction_parse(rows[i].text, &number) != rows[i].ok || number < rows[i].number ||
            number > rows[i].number)
            fail_msg("%s %g", rows[i].text, number);
    }
}

static void test_decimal_takes_only_plain_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "-", "12x", "010", "-0", "00", "+1", "1.5", "0x10", " 1", "9223372036854775808"};
    int64_t number = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(decimal_parse(bad[i], &number));
    assert_int_equal(number, 7);
    assert_true(decimal_parse("9223372036854775807", &number));
    assert_true(number == INT64_MAX);
    assert_true(decimal_parse("-12", &number));
    assert_int_equal(number, -12);
}

static void test_near_finds_a_typing_error_and_nothing_else(void **state)
{
    (void)state;
    static const char *const names[] = {"priority", "queue", "assignee"};
    assert_string_equal(faults_near("priorty", names, 3), "priority");
    assert_string_equal(faults_near("uqeue", names, 3), "queue");
    assert_null(faults_near("colour", names, 3));
    assert_null(faults_near("x", names, 3));
}

static void test_hint_tells_the_near_name_and_what_is_allowed(void **state)
{
    (void)state;
    static const char *const names[] = {"priority", NULL, "queue"};
    const char *many[100];
    char hint[FAULTS_HINT_BYTES];

    faults_hint("priorty", names, 3, hint, sizeof hint);
    assert_string_equal(hint, " (did you mean priority?); allowed are priority, queue");
    faults_hint("colour", names, 3, hint, sizeof hint);
    assert_string_equal(hint, "; allowed are priority, queue");
    faults_hint("colour", names, 1, hint, sizeof hint);
    assert_string_equal(hint, "; allowed is priority");
    faults_hint("colour", names, 0, hint, sizeof hint);
    assert_string_equal(hint, "; allowed are none");
    for (size_t i = 0; i < 100; i++)
        many[i] = "a-name-of-thirty-letters-or-so";
    faults_hint("colour", many, 100, hint, sizeof hint);
    assert_int_equal(strncmp(hint, "; allowed are a-name", 20), 0);
    assert_string_equal(strstr(hint, " or "), " or 93 more");
}

/* A long value is quoted in part, so that what is allowed is told all the same; no letter of either part is torn. */
static void test_fault_of_a_long_value_then_what_is_allowed_is_told(void **state)
{
    static const char *const letters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    static const char tail[] = "\" is not allowed, want true or false";
    const struct fault_place place = {"a.yaml", 3, 4};
    (void)state;

    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        for (size_t count = 100; count < 1000; count += 7) {
            struct faults faults = {0};
            struct buf value;
            buf_init(&value, 10000);
            for (size_t k = 0; k < count; k++)
                (void)buf_printf(&value, "%s", letters[i]);
            assert_false(faults_add(&faults, place, "key: \"%s%s", buf_text(&value), tail));
            const char *text = faults.items[0].text;
            assert_int_equal(strncmp(text, "a.yaml:3:4: key: \"", 18), 0);
            assert_string_equal(text + strlen(text) - strlen(tail), tail);
            assert_true(strlen(text) < 600 && utf8_check(span_of(text), NULL));
            assert_true(strlen(text) == 18 + value.len + strlen(tail) || strstr(text, "…") != NULL);
            faults_clear(&faults);
            buf_clear(&value);
        }
}

static void test_fault_of_control_characters_then_none_is_told(void **state)
{
    struct faults faults = {0};
    (void)state;

    (void)faults_add(&faults, (struct fault_place){.file = "f"},
                     "a\x1b[1m\n\x7f\xc2\x9b"
                     "2J \xc2\xa0\xc3\xa9");
    assert_string_equal(faults.items[0].text, "f: a?[1m????2J \xc2\xa0\xc3\xa9");
    faults_clear(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_refuses_each_with_its_place),
        cmocka_unit_test(test_yaml_tree_has_places),
        cmocka_unit_test(test_yaml_empty_file_is_null),
        cmocka_unit_test(test_yaml_limits_are_kept),
        cmocka_unit_test(test_decimal_takes_only_plain_numbers),
        cmocka_unit_test(test_fraction_takes_only_plain_numbers_with_a_point),
        cmocka_unit_test(test_near_finds_a_typing_error_and_nothing_else),
        cmocka_unit_test(test_hint_tells_the_near_name_and_what_is_allowed),
        cmocka_unit_test(test_fault_of_a_long_value_then_what_is_allowed_is_told),
        cmocka_unit_test(test_fault_of_control_characters_then_none_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
