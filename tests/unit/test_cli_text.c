/* Text for terminals, tables, instants and spans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <time.h>

#include "cli.h"

static void test_text_put_makes_what_steers_visible(void **state)
{
    static const struct {
        const char *text, *want;
        bool lines;
    } rows[] = {
        {"plain ä 漢", "plain ä 漢", false},
        {"a\x1b[31mb", "a\\u001b[31mb", false},
        {"a\nb\tc", "a b c", false},
        {"a\nb\tc", "a\nb c", true},
        {"\xc2\x9b", "\\u009b", true},
        {"x\xe2\x80\xaey", "x\\u202ey", true},
        {"\r\x7f", "\\u000d\\u007f", true},
        {"\xef\xbb\xbf", "\\ufeff", false},
        {"😀", "😀", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, 1000);
        cli_text_put(&out, span_of(rows[i].text), rows[i].lines);
        assert_string_equal(buf_text(&out), rows[i].want);
        buf_clear(&out);
    }
}

static void test_text_width_counts_columns(void **state)
{
    (void)state;
    assert_int_equal(cli_text_width(span_of("abc")), 3);
    assert_int_equal(cli_text_width(span_of("äöü")), 3);
    assert_int_equal(cli_text_width(span_of("漢字")), 4);
    assert_int_equal(cli_text_width(span_of("e\xcc\x81")), 1);
    assert_int_equal(cli_text_width(span_of("")), 0);
}

/* That value as a message has it. The caller frees it, and bytes, in which it lies. */
static struct wire_doc *doc_of(struct buf *bytes, const char *json)
{
    struct wire_doc *ret = NULL;
    struct err err;

    buf_init(bytes, 1000);
    assert_true(wire_from_json(bytes, json, strlen(json), &err));
    assert_true(wire_parse(bytes->p, bytes->len, 10, &ret, &err));
    return ret;
}

static void test_table_put_aligns_cuts_and_leaves_out_empty_columns(void **state)
{
    static const struct cli_column columns[] = {{"a", "AAA", CLI_CELL_ANY, 0},
                                                {"none", "NONE", CLI_CELL_ANY, 0},
                                                {"p", "P", CLI_CELL_PRIORITY, 0},
                                                {"t", "T", CLI_CELL_ANY, 4}};
    static const char json[] = "[{\"a\": \"x\", \"p\": 1, \"t\": \"äöüß\"}, {\"a\": \"漢字漢字\", \"p\": "
                               "null, \"t\": \"abcdefgh\"}, {\"a\": true, "
                               "\"t\": [1, 2]}]";
    struct buf bytes, out;
    struct wire_doc *doc = doc_of(&bytes, json);

    (void)state;
    buf_init(&out, 1000);
    cli_table_put(&out, wire_root(doc), columns, 4, (struct cli_style){.utc = true});
    assert_string_equal(buf_text(&out), "AAA       P   T\n"
                                        "x         P1  äöüß\n"
                                        "漢字漢字      abc…\n"
                                        "yes           1, 2\n");
    buf_reset(&out);
    cli_table_put(&out, wire_root(doc), columns, 1, (struct cli_style){.colour = true, .utc = true});
    assert_int_equal(strncmp(buf_text(&out), "\033[1mAAA\033[0m\n", 12), 0);
    wire_doc_free(doc);
    buf_clear(&bytes);
    buf_clear(&out);
}

static void test_table_put_cuts_to_the_terminal_what_may_be_cut(void **state)
{
    static const struct cli_column columns[] = {{"n", "NUMBER", CLI_CELL_ANY, 0},
                                                {"who", "WHO", CLI_CELL_ANY, 20},
                                                {"t", "TITLE", CLI_CELL_ANY, 60}};
    static const char json[] = "[{\"n\": \"DKT-4Q7K-M2P9-ZX3A-H\", \"who\": \"0123456789ab\", "
                               "\"t\": \"abcdefghijklmnopqrstuvwxyz\"}]";
    static const struct {
        size_t columns;
        const char *want;
    } rows[] = {
        {0, "DKT-4Q7K-M2P9-ZX3A-H  0123456789ab  abcdefghijklmnopqrstuvwxyz\n"},
        {62, "DKT-4Q7K-M2P9-ZX3A-H  0123456789ab  abcdefghijklmnopqrstuvwxyz\n"},
        {61, "DKT-4Q7K-M2P9-ZX3A-H  0123456789ab  abcdefghijklmnopqrstuvwx…\n"},
        {46, "DKT-4Q7K-M2P9-ZX3A-H  0123456789…  abcdefghij…\n"},
        {10, "DKT-4Q7K-M2P9-ZX3A-H  0123456…  abcdefg…\n"},
    };
    struct buf bytes, out;
    struct wire_doc *doc = doc_of(&bytes, json);

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_reset(&out);
        cli_table_put(&out, wire_root(doc), columns, 3, (struct cli_style){.columns = rows[i].columns});
        assert_string_equal(strchr(buf_text(&out), '\n') + 1, rows[i].want);
    }
    wire_doc_free(doc);
    buf_clear(&bytes);
    buf_clear(&out);
}

/* Only names of the protocol say how a value is shown: a fact of somebody's own is a number, whatever it is called. */
static void test_cell_put_of_a_map_shows_the_protocols_fields_by_their_names(void **state)
{
    static const char json[] = "{\"meeting\": {\"starts_at\": 1795514400000000, \"duration_s\": 1800, "
                               "\"where\": \"room 1\"}, \"set\": {\"priority\": 1, \"attributes\": "
                               "{\"built_at\": 7, \"priority\": 2}}, \"equipment\": {\"up_s\": 90}}";
    struct buf bytes, out;
    struct wire_doc *doc = doc_of(&bytes, json);

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < wire_count(wire_root(doc)); i++) {
        cli_cell_put(&out, wire_val_at(wire_root(doc), i), cli_key_cell(wire_key_at(wire_root(doc), i)),
                     (struct cli_style){.utc = true});
        (void)buf_add_text(&out, "\n");
    }
    assert_string_equal(buf_text(&out), "starts_at=2026-11-24T10:00:00Z, duration_s=30m00s, where=room 1\n"
                                        "priority=P1, attributes=built_at=7, priority=2\n"
                                        "up_s=90\n");
    wire_doc_free(doc);
    buf_clear(&bytes);
    buf_clear(&out);
}

static void test_time_parse_reads_each_form(void **state)
{
    static const struct {
        const char *text;
        int64_t want; /* -1: refused */
    } rows[] = {
        {"2026-11-24T10:00:00Z", 1795514400000000},
        {"2026-11-24T10:00:00.25Z", 1795514400250000},
        {"2026-11-24t10:00z", 1795514400000000},
        {"2026-11-24T12:00:00+02:00", 1795514400000000},
        {"2026-11-24T04:30:00-05:30", 1795514400000000},
        {"1969-12-31T23:59:59Z", -1000000},
        {"2026-11-24 11:00", 1795514400000000},    /* local: TZ is one hour east */
        {"2026-11-24 11:00:00", 1795514400000000}, /* local */
        {"2026-11-24", 1795474800000000},          /* local midnight */
        {"now", 5000000},
        {"+2h", 7205000000},
        {"-3s", 2000000},
        {"1795514400000000", 1795514400000000},
        {"2026-02-29", -1},
        {"2024-02-29T00:00:00Z", 1709164800000000},
        {"2026-13-01", -1},
        {"2026-11-24T24:00:00Z", -1},
        {"2026-11-24T10:00:00", 1795510800000000}, /* local */
        {"2026-11-24T10:00:00ZZ", -1},
        {"2026-11-24T10:00:00+0200", -1},
        {"tomorrow", -1},
        {"+2", -1},
        {"+2w", -1},
        {"+1000001d", -1},
        {"-99999999999999999999d", -1},
        {"", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err;
        int64_t got = -1;
        bool ok = cli_time_parse(rows[i].text, 5000000, &got, &err);
        assert_int_equal(ok, rows[i].want != -1);
        assert_int_equal(got, rows[i].want);
    }
}

static void test_time_format_local_and_utc(void **state)
{
    char text[CLI_TIME_BYTES];
    (void)state;
    cli_time_format(1795514400000000, true, text);
    assert_string_equal(text, "2026-11-24T10:00:00Z");
    cli_time_format(1795514400000000, false, text);
    assert_string_equal(text, "2026-11-24 11:00:00");
}

static void test_span_format_by_size(void **state)
{
    static const struct {
        int64_t seconds;
        const char *want;
    } rows[] = {{0, "0s"},       {59, "59s"},       {60, "1m00s"},   {3599, "59m59s"},
                {7500, "2h05m"}, {-7500, "-2h05m"}, {90000, "1d01h"}};
    char text[32];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cli_span_format(rows[i].seconds, text, sizeof text);
        assert_string_equal(text, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_put_makes_what_steers_visible),
        cmocka_unit_test(test_text_width_counts_columns),
        cmocka_unit_test(test_table_put_aligns_cuts_and_leaves_out_empty_columns),
        cmocka_unit_test(test_table_put_cuts_to_the_terminal_what_may_be_cut),
        cmocka_unit_test(test_cell_put_of_a_map_shows_the_protocols_fields_by_their_names),
        cmocka_unit_test(test_time_parse_reads_each_form),
        cmocka_unit_test(test_time_format_local_and_utc),
        cmocka_unit_test(test_span_format_by_size),
    };
    (void)setenv("TZ", "TST-1", 1);
    tzset();
    return cmocka_run_group_tests_name("cli_text", tests, NULL, NULL);
}
