/* From an outbox row to who is told: each address once, as many as one message has, and who is left out is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "escal_targets.h"
#include "expand.h"
#include "wire.h"

enum { NAME_BYTES = 32 };

static const bool open_all[CHANNELS] = {[CHANNEL_EMAIL] = true};

static void put_address(struct buf *out, const char *name, size_t i)
{
    char address[NAME_BYTES];

    (void)snprintf(address, sizeof address, "%s%zu@x.example", name, i);
    wire_put_text(out, address);
}

static struct buf record_of(size_t contacts)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    wire_put_map(&out, 1);
    wire_put_text(&out, "contacts");
    wire_put_list(&out, contacts);
    for (size_t i = 0; i < contacts; i++) {
        wire_put_map(&out, 1);
        wire_put_text(&out, "email");
        put_address(&out, "c", i);
    }
    return out;
}

static struct buf meeting_of(size_t guests)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    wire_put_map(&out, 1);
    wire_put_text(&out, "meeting");
    wire_put_map(&out, 1);
    wire_put_text(&out, "attendees");
    wire_put_list(&out, guests);
    for (size_t i = 0; i < guests; i++)
        put_address(&out, "g", i);
    return out;
}

/* A meeting may have 50 guests, and the customer's contacts hear of it too. */
static void test_contacts_and_guests_are_told_all_and_counted_beyond_the_limit(void **state)
{
    static const struct {
        size_t contacts, guests, count, left_out;
    } rows[] = {{1, 50, 51, 0},   {60, 0, 60, 0},     {200, 0, 200, 0},
                {201, 0, 200, 1}, {190, 50, 200, 40}, {0, 3, 3, 0}};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf record = record_of(rows[i].contacts), body = meeting_of(rows[i].guests);
        struct recipients told = {.count = 0};
        size_t guests = 0;
        expand_customer(open_all, "meeting", 3, SPAN_NONE, buf_span(&record), &told);
        expand_guests(open_all, buf_span(&body), &told);
        assert_int_equal(told.count, rows[i].count);
        assert_int_equal(told.left_out, rows[i].left_out);
        expand_guests(open_all, buf_span(&body), &told); /* none twice */
        assert_int_equal(told.count, rows[i].count);
        for (size_t k = 0; k < told.count; k++)
            guests += told.items[k].is_guest;
        assert_int_equal(guests, rows[i].count - (rows[i].contacts < 200 ? rows[i].contacts : 200));
        recipients_clear(&told);
        assert_int_equal(told.left_out, 0);
        buf_clear(&record);
        buf_clear(&body);
    }
}

/* A team of sixty hears of a warning; fifty did. */
static void test_people_are_told_all_each_with_their_other_ways(void **state)
{
    static char names[60][NAME_BYTES];
    struct recipients told = {.count = 0};
    struct pages pages;
    (void)state;

    pages_clear(&pages);
    for (size_t i = 0; i < 60; i++) {
        (void)snprintf(names[i], sizeof names[i], "p%zu@x.example", i);
        pages.items[pages.count++] = (struct page){"email", names[i], names[i], 0, (int64_t)i};
        pages.items[pages.count++] = (struct page){"phone", names[i], "+431", 1, (int64_t)i};
    }
    expand_pages(&pages, &told);
    assert_int_equal(told.count, 60);
    assert_int_equal(told.left_out, 0);
    for (size_t i = 0; i < 60; i++) {
        assert_string_equal(told.items[i].address, names[i]);
        assert_int_equal(told.items[i].not_before, i);
        assert_string_equal(told.items[i].others, "phone" RECIPIENT_SPLIT "+431");
    }
    recipients_clear(&told);
}

/* Who shares a mailbox with somebody brings no hours to whoever was added last. */
static void test_an_address_that_is_there_changes_nobody_s_hours(void **state)
{
    struct recipients told = {.count = 0};
    struct pages pages;
    (void)state;

    pages_clear(&pages);
    pages.items[pages.count++] = (struct page){"email", "ada", "team@x", 0, 0};
    pages.items[pages.count++] = (struct page){"email", "ben", "ben@x", 0, 7};
    pages.items[pages.count++] = (struct page){"email", "cy", "team@x", 0, 9};
    expand_pages(&pages, &told);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.items[0].not_before, 0);
    assert_int_equal(told.items[1].not_before, 7);
    recipients_clear(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contacts_and_guests_are_told_all_and_counted_beyond_the_limit),
        cmocka_unit_test(test_people_are_told_all_each_with_their_other_ways),
        cmocka_unit_test(test_an_address_that_is_there_changes_nobody_s_hours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
