/* The forecast on desks small enough to count by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "engine_of.h"
#include "forecast.h"
#include "instant.h"

static int64_t at(const char *text)
{
    int64_t ret = 0;
    assert_true(instant_parse(span_of(text), &ret));
    return ret;
}

static void ticket(struct buf *out, const char *name, int priority, const char *state, const char *due)
{
    wire_put_map(out, 4);
    wire_put_key_text(out, "tracking", name);
    wire_put_key_int(out, "priority", priority);
    wire_put_key_text(out, "state", state);
    wire_put_text(out, "clocks");
    wire_put_list(out, 1);
    wire_put_map(out, 3);
    wire_put_key_text(out, "clock", "response");
    wire_put_key_text(out, "state", "running");
    wire_put_key_int(out, "due_at", at(due));
}

static struct wire_doc *run(int64_t staff, const char *now, void (*tickets)(struct buf *out))
{
    struct engine *engine =
        engine_of((struct test_files){"zone: UTC\ncalendar: office\n",
                                      "office: {hours: {mon-fri: [09:00-17:00]}}\n", "standard: {}\n", NULL});
    struct wire_doc *ask = NULL, *told = NULL;
    struct err err = {0};
    struct buf body, out;

    assert_non_null(engine);
    buf_init(&body, 1 << 20);
    buf_init(&out, 1 << 20);
    wire_put_map(&body, 4);
    wire_put_key_int(&body, "now", at(now));
    wire_put_key_int(&body, "staff", staff);
    wire_put_text(&body, "tickets");
    tickets(&body);
    wire_put_text(&body, "handled"); /* P3 take two hours of opening time: over a night, too */
    wire_put_list(&body, 3);
    static const char *const spans[][2] = {{"2026-03-02T16:00:00Z", "2026-03-03T10:00:00Z"},
                                           {"2026-03-02T09:00:00Z", "2026-03-02T09:01:00Z"},
                                           {"2026-03-02T09:00:00Z", "2026-03-02T17:00:00Z"}};
    for (size_t i = 0; i < 3; i++) {
        wire_put_map(&body, 3);
        wire_put_key_int(&body, "priority", 3);
        wire_put_key_int(&body, "from_at", at(spans[i][0]));
        wire_put_key_int(&body, "until_at", at(spans[i][1]));
    }
    assert_true(wire_parse(body.p, body.len, 8, &ask, &err));
    if (!forecast_put(engine, wire_root(ask), &out, &err))
        fail_msg("%s", err.msg);
    assert_true(wire_parse(out.p, out.len, 8, &told, &err));
    wire_doc_free(ask);
    buf_clear(&body);
    buf_clear(&out);
    engine_free(engine);
    return told;
}

static int64_t number(const struct wire_doc *told, const char *key)
{
    return wire_find_int(wire_root(told), key, -1);
}

/* Four tickets of two hours at 09:00, due 10:00, 12:00, 12:30 and 14:00 as begun: one person begins at 9, 11, 13, 15. */
static void four(struct buf *out)
{
    wire_put_list(out, 5);
    ticket(out, "D", 3, "triaged", "2026-03-02T14:00:00Z");
    ticket(out, "A", 3, "triaged", "2026-03-02T10:00:00Z");
    ticket(out, "C", 3, "triaged", "2026-03-02T12:30:00Z");
    ticket(out, "B", 3, "triaged", "2026-03-02T12:00:00Z");
    ticket(out, "X", 3, "waiting_customer", "2026-03-02T09:30:00Z"); /* waits for the customer, not for us */
}

static void test_forecast_counts_people_in_order_of_due(void **state)
{
    struct wire_doc *told = run(1, "2026-03-02T09:00:00Z", four);
    (void)state;
    const struct wire_val *tickets = wire_find(wire_root(told), "tickets");
    assert_int_equal(number(told, "misses"), 2);
    assert_int_equal(number(told, "unavoidable"), 0);
    assert_int_equal(number(told, "wanted"), 2);
    assert_true(span_is(wire_find_str(wire_at(tickets, 0), "tracking"), "C"));
    assert_int_equal(wire_find_int(wire_at(tickets, 0), "expected_at", 0), at("2026-03-02T13:00:00Z"));
    assert_int_equal(wire_find_int(wire_at(tickets, 1), "late_s", 0), 3600);
    int64_t handling = 0;
    assert_true(wire_get_int(wire_at(wire_find(wire_root(told), "handling_s"), 2), &handling));
    assert_int_equal(handling, 7200);
    wire_doc_free(told);
}

/* At 16:30 a P1 comes before a P3 that is due at 16:45; the P1 takes two hours (assumed), so the P3 begins on the next morning. What
 * is over already nobody can help. */
static void urgent(struct buf *out)
{
    wire_put_list(out, 3);
    ticket(out, "P3", 3, "triaged", "2026-03-02T16:45:00Z");
    ticket(out, "P1", 1, "triaged", "2026-03-02T16:35:00Z");
    ticket(out, "lost", 3, "triaged", "2026-03-02T16:00:00Z");
}

static void test_forecast_urgent_first_and_closed_at_night(void **state)
{
    struct wire_doc *told = run(1, "2026-03-02T16:30:00Z", urgent);
    (void)state;
    const struct wire_val *tickets = wire_find(wire_root(told), "tickets");
    assert_int_equal(number(told, "misses"), 2);
    assert_int_equal(number(told, "unavoidable"), 1);
    assert_int_equal(number(told, "wanted"), 3);
    assert_true(span_is(wire_find_str(wire_at(tickets, 0), "tracking"), "lost"));
    assert_int_equal(wire_find_int(wire_at(tickets, 0), "expected_at", 0), at("2026-03-03T09:00:00Z"));
    assert_int_equal(wire_find_int(wire_at(tickets, 1), "expected_at", 0), at("2026-03-03T11:00:00Z"));
    wire_doc_free(told);
}

static void none(struct buf *out)
{
    wire_put_list(out, 0);
}

static void test_forecast_of_an_empty_desk(void **state)
{
    struct wire_doc *told = run(3, "2026-03-02T16:30:00Z", none);
    (void)state;
    assert_int_equal(number(told, "misses"), 0);
    assert_int_equal(number(told, "wanted"), 3);
    wire_doc_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forecast_counts_people_in_order_of_due),
        cmocka_unit_test(test_forecast_urgent_first_and_closed_at_night),
        cmocka_unit_test(test_forecast_of_an_empty_desk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
