/* What a rule tells in several languages: which of them a reader gets, and what who knows nothing of it reads. */
#include "tell_body.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct rule_said said[] = {{"en", "At it."},
                                  {"de", "Dran."},
                                  {"de-CH", "Dran, gell."},
                                  {"pt-BR", "Estamos nisso."}};

static struct wire_doc *body_of(const struct rule_tell *tell)
{
    struct wire_doc *doc = NULL;
    struct buf out;
    struct err err;

    buf_init(&out, 4096);
    tell_body_put(&out, tell);
    if (!wire_parse(out.p, out.len, WIRE_DEPTH_MAX, &doc, &err))
        fail_msg("%s", err.msg);
    buf_clear(&out);
    return doc;
}

static void test_tell_when_it_has_languages_then_the_reader_s_the_desk_s_or_the_first(void **state)
{
    static const struct {
        const char *locale, *desk, *text;
    } rows[] = {
        {"en", "de", "At it."},
        {"de", "", "Dran."},
        {"de-CH", "en", "Dran, gell."},
        {"de-AT", "en", "Dran."},
        {"pt", "de-AT", "Dran."}, /* a language does not stand for one of its regions */
        {"pt-BR", NULL, "Estamos nisso."},
        {"fr", "pt-BR", "Estamos nisso."},
        {"fr", "it", "At it."},
        {"fr", NULL, "At it."},
        {"", "", "At it."},
        {"-", "-", "At it."},
        {"DE", "de", "Dran."}, /* letters as written, as templates are found */
    };
    const struct rule_tell tell = {RULE_TELL_CUSTOMER, said[0].text, said, sizeof said / sizeof said[0]};
    struct wire_doc *doc = body_of(&tell);
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span text = tell_body_text(wire_root(doc), rows[i].locale, rows[i].desk);
        if (!span_is(text, rows[i].text))
            fail_msg("row %zu: %.*s", i, (int)text.len, text.p);
    }
    assert_true(
        span_is(wire_find_str(wire_root(doc), "text"), "At it.")); /* all that an older notifier knows */
    wire_doc_free(doc);
}

static void test_tell_when_it_is_one_text_then_the_body_is_as_it_always_was(void **state)
{
    const struct rule_tell tell = {.to = RULE_TELL_OPS, .text = "Look."};
    struct wire_doc *doc = body_of(&tell);
    (void)state;

    assert_int_equal(wire_count(wire_root(doc)), 1);
    assert_true(span_is(tell_body_text(wire_root(doc), "de", "de"), "Look."));
    wire_doc_free(doc);
}

/* Of a worker in another language, or of a message of another kind. */
static void test_tell_when_the_texts_are_odd_then_the_text_for_all_is_read(void **state)
{
    static const char *const bodies[] = {
        "{\"text\": \"T\"}",
        "{\"text\": \"T\", \"texts\": {}}",
        "{\"text\": \"T\", \"texts\": []}",
        "{\"text\": \"T\", \"texts\": \"de\"}",
        "{\"text\": \"T\", \"texts\": {\"de\": 5, \"en\": null}}",
        "{\"texts\": {\"de\": \"\", \"de-AT\": {}}, \"text\": \"T\"}",
    };
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct wire_doc *doc = NULL;
        struct buf bytes;
        buf_init(&bytes, 4096);
        assert_true(wire_from_json(&bytes, bodies[i], strlen(bodies[i]), &err));
        assert_true(wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &err));
        assert_true(span_is(tell_body_text(wire_root(doc), "de-AT", "en"), "T"));
        wire_doc_free(doc);
        buf_clear(&bytes);
    }
    assert_null(tell_body_text(NULL, "de", "en").p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tell_when_it_has_languages_then_the_reader_s_the_desk_s_or_the_first),
        cmocka_unit_test(test_tell_when_it_is_one_text_then_the_body_is_as_it_always_was),
        cmocka_unit_test(test_tell_when_the_texts_are_odd_then_the_text_for_all_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
