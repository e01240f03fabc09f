/* Meetings in mail: the object says what, when, where and who; hostile words make no line of their own. */
#include "mail_calendar.h"
#include "meeting_body.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Lines whole, as their readers see them (RFC 5545, 3.1). */
static void unfold(char *text)
{
    for (char *fold; (fold = strstr(text, "\r\n ")) != NULL;)
        memmove(fold, fold + 3, strlen(fold + 3) + 1);
}

static bool put_body(struct span body, const char *summary, char *ret, size_t size, bool *ret_cancelled)
{
    const struct mail_meeting meeting = {.body = body,
                                         .organizer = "desk+token@localhost",
                                         .sender = "desk@localhost",
                                         .summary = summary,
                                         .now = INT64_C(1774600000000000),
                                         .version = 7};
    struct buf out;

    buf_init(&out, 1 << 16);
    bool is = mail_calendar_put(&meeting, &out, ret_cancelled);
    (void)snprintf(ret, size, "%s", buf_text(&out));
    unfold(ret);
    buf_clear(&out);
    return is;
}

static bool put(const char *json, const char *summary, char *ret, size_t size, bool *ret_cancelled)
{
    struct buf body;
    struct err err;

    buf_init(&body, 1 << 16);
    if (!wire_from_json(&body, json, strlen(json), &err))
        fail_msg("%s", err.msg);
    bool is = put_body(buf_span(&body), summary, ret, size, ret_cancelled);
    buf_clear(&body);
    return is;
}

static void test_a_meeting_is_a_request_with_its_facts(void **state)
{
    static const char *const lines[] = {
        "METHOD:REQUEST\r\n",
        "UID:m1@DKT-X.docket\r\n",
        "SEQUENCE:7\r\n",
        "DTSTART:20260401T080000Z\r\n",
        "DTEND:20260401T083000Z\r\n",
        "LOCATION:Room 7\\, left\r\n",
        "STATUS:CONFIRMED\r\n",
        "ORGANIZER;SENT-BY=\"mailto:desk@localhost\":mailto:desk+token@localhost\r\n",
        "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:",
        "mailto:a@b.example\r\n"};
    char text[8192];
    bool cancelled = true;
    (void)state;

    assert_true(put(
        "{\"meeting\": {\"uid\": \"m1@DKT-X.docket\", \"what\": \"made\", \"starts_at\": 1775030400000000, "
        "\"ends_at\": "
        "1775032200000000, \"where\": \"Room 7, left\", \"attendees\": [\"a@b.example\", \"no address\"]}}",
        "[DKT-X] Meeting", text, sizeof text, &cancelled));
    assert_false(cancelled);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strstr(text, lines[i]) == NULL)
            fail_msg("no %s in\n%s", lines[i], text);
    assert_null(strstr(text, "no address"));
}

static void test_a_cancelled_meeting_is_a_cancel_of_the_same_uid(void **state)
{
    char text[8192];
    bool cancelled = false;
    (void)state;

    assert_true(put("{\"meeting\": {\"uid\": \"m1@x\", \"what\": \"cancelled\", \"starts_at\": "
                    "1775030400000000, \"ends_at\": 1775032200000000}}",
                    "x", text, sizeof text, &cancelled));
    assert_true(cancelled && strstr(text, "METHOD:CANCEL\r\n") != NULL &&
                strstr(text, "STATUS:CANCELLED\r\n") != NULL && strstr(text, "UID:m1@x\r\n") != NULL);
}

/* RFC 5546, 3.2.5: who is uninvited gets a CANCEL that names him alone and says nothing of the meeting's own status. */
static void test_who_is_dropped_gets_a_cancel_of_his_own(void **state)
{
    static const char json[] =
        "{\"by\": \"ada\", \"meeting\": {\"uid\": \"m1@x\", \"what\": \"moved\", \"starts_at\": "
        "1775030400000000, "
        "\"ends_at\": 1775032200000000, \"attendees\": [\"a@b.example\"], \"dropped\": [\"C@b.example\"]}}";
    char text[8192];
    bool cancelled = false;
    struct buf body, own;
    struct err err;
    (void)state;

    buf_init(&body, 1 << 16);
    buf_init(&own, 1 << 16);
    assert_true(wire_from_json(&body, json, strlen(json), &err));
    assert_false(meeting_body_put_for(buf_span(&body), "a@b.example", &own));
    assert_int_equal(own.len, 0);
    assert_true(meeting_body_put_for(buf_span(&body), "c@b.example", &own));
    assert_true(put_body(buf_span(&own), "x", text, sizeof text, &cancelled) && cancelled);
    assert_non_null(strstr(text, "METHOD:CANCEL\r\n"));
    assert_non_null(strstr(text, "mailto:c@b.example\r\n"));
    assert_non_null(strstr(text, "SEQUENCE:7\r\n"));
    assert_null(strstr(text, "a@b.example"));
    assert_null(strstr(text, "STATUS:"));
    assert_null(strstr(text, "RSVP"));
    buf_clear(&body);
    buf_clear(&own);
}

static void test_a_reminder_changes_no_calendar(void **state)
{
    char text[8192];
    bool cancelled;
    (void)state;

    assert_false(
        put("{\"meeting\": {\"uid\": \"m1@x\", \"what\": \"reminder\", \"starts_at\": 1775030400000000, "
            "\"ends_at\": 1775032200000000}}",
            "x", text, sizeof text, &cancelled));
}

static void test_hostile_words_make_no_line_of_their_own(void **state)
{
    char text[8192];
    bool cancelled;
    (void)state;

    assert_true(
        put("{\"meeting\": {\"uid\": \"m1@x\", \"what\": \"made\", \"starts_at\": 1775030400000000, "
            "\"ends_at\": 1775032200000000, \"where\": "
            "\"a\\r\\nATTENDEE:mailto:evil@x\\r\\nEND:VCALENDAR\", \"attendees\": [\"b@c\\r\\nX-EVIL:1\"]}}",
            "s\r\nX-EVIL:2", text, sizeof text, &cancelled));
    assert_null(strstr(text, "\nATTENDEE"));
    assert_null(strstr(text, "\nX-EVIL"));
    assert_ptr_equal(strstr(text, "END:VCALENDAR\r\n") != NULL ? NULL : text, NULL);
    size_t len = strlen(text);
    assert_string_equal(text + len - strlen("END:VCALENDAR\r\n"), "END:VCALENDAR\r\n");
}

static void test_what_is_no_meeting_gives_nothing(void **state)
{
    char text[64];
    bool cancelled;
    (void)state;
    assert_false(put("{\"text\": \"x\"}", "x", text, sizeof text, &cancelled));
    assert_false(put("{\"meeting\": {\"uid\": \"x\"}}", "x", text, sizeof text, &cancelled));
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_meeting_is_a_request_with_its_facts),
        cmocka_unit_test(test_a_cancelled_meeting_is_a_cancel_of_the_same_uid),
        cmocka_unit_test(test_who_is_dropped_gets_a_cancel_of_his_own),
        cmocka_unit_test(test_a_reminder_changes_no_calendar),
        cmocka_unit_test(test_hostile_words_make_no_line_of_their_own),
        cmocka_unit_test(test_what_is_no_meeting_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
