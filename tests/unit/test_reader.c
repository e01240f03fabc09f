/* In which language and by which wall clock somebody reads. */
#include "reader.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void put_contact(struct buf *out, const char *way, const char *address, const char *locale)
{
    wire_put_map(out, locale == NULL ? 1 : 2);
    wire_put_key_text(out, way, address);
    if (locale != NULL)
        wire_put_key_text(out, "locale", locale);
}

static void test_reader_when_the_contact_has_a_language_then_that_else_the_customer_s(void **state)
{
    struct zones *zones = zones_new("/usr/share/zoneinfo");
    struct reader reader;
    struct buf record;
    (void)state;

    buf_init(&record, 1024);
    wire_put_map(&record, 3);
    wire_put_key_text(&record, "locale", "de-AT");
    wire_put_key_text(&record, "zone", "Asia/Kathmandu");
    wire_put_text(&record, "contacts");
    wire_put_list(&record, 3);
    put_contact(&record, "email", "sam@acme.example", "en");
    put_contact(&record, "xmpp", "kim@acme.example", "fr");
    put_contact(&record, "email", "zoe@acme.example", NULL);
    const struct {
        const char *address, *locale;
    } rows[] = {{"sam@acme.example", "en"},
                {"kim@acme.example", "fr"},
                {"zoe@acme.example", "de-AT"},
                {"who@acme.example", "de-AT"},
                {"", "de-AT"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        reader_of_contact(zones, buf_span(&record), rows[i].address, &reader);
        assert_string_equal(reader.locale, rows[i].locale);
        assert_non_null(reader.zone);
    }
    /* Staff: what is theirs, else the customer's. */
    const struct process_person ada = {.name = "ada", .locale = "hu", .zone = "Europe/Budapest"},
                                ben = {.name = "ben"};
    struct reader nothing, desk;
    reader_of_desk(zones, "", "", &nothing);
    reader_of_desk(zones, "nl", "Europe/Amsterdam", &desk);
    reader_of_person(zones, &ada, &nothing, buf_span(&record), &reader);
    assert_string_equal(reader.locale, "hu");
    assert_ptr_equal(reader.zone, zones_find(zones, span_of("Europe/Budapest")));
    reader_of_person(zones, &ben, &nothing, buf_span(&record), &reader);
    assert_string_equal(reader.locale, "de-AT");
    assert_ptr_equal(reader.zone, zones_find(zones, span_of("Asia/Kathmandu")));
    /* The desk's own comes between. */
    reader_of_person(zones, &ada, &desk, buf_span(&record), &reader);
    assert_string_equal(reader.locale, "hu");
    assert_ptr_equal(reader.zone, zones_find(zones, span_of("Europe/Budapest")));
    const struct process_person *mailbox[] = {&ben, NULL};
    for (size_t i = 0; i < 2; i++) {
        reader_of_person(zones, mailbox[i], &desk, buf_span(&record), &reader);
        assert_string_equal(reader.locale, "nl");
        assert_ptr_equal(reader.zone, zones_find(zones, span_of("Europe/Amsterdam")));
    }
    buf_clear(&record);
    zones_free(zones);
}

static void test_reader_when_the_record_is_none_then_nothing_is_known(void **state)
{
    static const char *const spoiled[] = {"",
                                          "\xff",
                                          "\x81\xa6locale",
                                          "\x81\xa6locale\x07",
                                          "\xc0",
                                          "\x81\xa6locale\xd9\x20"
                                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct zones *zones = zones_new("/usr/share/zoneinfo");
    char locale[LOCALE_BYTES];
    struct reader reader;
    (void)state;

    for (size_t i = 0; i < sizeof spoiled / sizeof spoiled[0]; i++) {
        reader_of_contact(zones, span_of(spoiled[i]), "x", &reader);
        assert_string_equal(reader.locale, "");
        assert_null(reader.zone);
        assert_false(reader_record_locale(span_of(spoiled[i]), locale));
    }
    reader_of_person(zones, NULL, &(struct reader){.zone = NULL}, SPAN_NONE, &reader);
    assert_string_equal(reader.locale, "");
    assert_null(reader.zone);
    zones_free(zones);
}

static void test_instant_when_written_then_it_is_of_the_zone_with_its_offset(void **state)
{
    static const struct {
        const char *zone;
        int64_t at_s;
        const char *text;
    } rows[] = {{"Europe/Berlin", 1774798200, "2026-03-29 17:30 +02:00"},
                {"", 0, "1970-01-01 00:00 UTC"},
                {"America/St_Johns", 1767225600, "2025-12-31 20:30 -03:30"},
                {"Europe/London", 1767225600, "2026-01-01 00:00 UTC"},
                {"Asia/Kathmandu", -1, "1970-01-01 05:29 +05:30"}};
    struct zones *zones = zones_new("/usr/share/zoneinfo");
    char text[READER_INSTANT_BYTES];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        reader_instant(zones_find(zones, span_of(rows[i].zone)), rows[i].at_s * INT64_C(1000000), text);
        assert_string_equal(text, rows[i].text);
    }
    zones_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_when_the_contact_has_a_language_then_that_else_the_customer_s),
        cmocka_unit_test(test_reader_when_the_record_is_none_then_nothing_is_known),
        cmocka_unit_test(test_instant_when_written_then_it_is_of_the_zone_with_its_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
