/* The broker's readers (read_show.h, read_list.h) against a private PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mem.h"
#include "migrate.h"
#include "private_pg.h"
#include "read_list.h"
#include "read_show.h"
#include "reader_session.h"
#include "wire.h"

static struct private_pg server;

/* Ticket 1: whole story. Tickets 101–130: of acme (odd) and bobs (even); every third has a desk row. */
static const char *const content_sql =
    "INSERT INTO tickets (id, posted_at, key_digest, content_digest, customer, package, title, problem) "
    " SELECT i, 1577836800000000 + i, int8send(i), int8send(i), CASE WHEN i % 2 = 1 THEN 'acme' ELSE 'bobs' "
    "END, 'gold', 'title ' || i, "
    "  convert_to('Problem ' || i, 'UTF8') FROM (SELECT 1 UNION ALL SELECT generate_series(101, 130)) AS "
    "x(i);"
    "INSERT INTO desk (ticket, updated_at, version, attempt, state, priority, assignee, queue, tags) "
    " SELECT i, 5000, 2, 2, 2, 3, 'ben', 'noc', '{late}' FROM generate_series(102, 130, 3) AS x(i);"
    "INSERT INTO desk (ticket, updated_at, version, attempt, state, priority) VALUES (1, 9000, 4, 5, 1, 2);"
    "INSERT INTO events (ticket, at, version, kind, role, public, actor, body) VALUES "
    " (1, 10, 2, 2, NULL, true, NULL, NULL), (1, 20, 3, 4, 0, true, 'eva', '\\x81a474657874a26869'), "
    " (1, 30, 4, 3, NULL, false, NULL, NULL);"
    "INSERT INTO links VALUES (1, 101, 'related', 1), (102, 1, 'child', 2);"
    "INSERT INTO outbox (ticket, version, audience, state, created_at, kind) VALUES (1, 1, 1, 2, 1, "
    "'received'), (1, 2, 2, 0, 2, 'alert');"
    "INSERT INTO deliveries (ticket, version, generation, audience, state, attempts, created_at, next_at, "
    "kind, channel, recipient, address) "
    " VALUES (1, 1, 0, 1, 3, 2, 1, 1, 'received', 'email', 'Ada', 'ada@localhost');"
    "INSERT INTO attempts VALUES (1, 1, 5, NULL, 'n1', NULL, NULL), (1, 2, 6, 7, 'n1', 'delivered', '250 "
    "ok');"
    "ANALYZE";

static int setup(void **state)
{
    struct err err;
    (void)state;
    if (private_pg_start(&server) != 0 || !migrate_run(server.dsn, NULL, NULL, &err))
        return -1;
    private_pg_sql(&server, content_sql, NULL, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return private_pg_stop(&server);
}

struct answer {
    bool done;
    struct err err;
    struct wire_doc *doc;
};

static void on_answer(void *arg, struct span body, const struct err *err)
{
    struct answer *answer = arg;
    answer->done = true;
    if (err != NULL)
        answer->err = *err;
    else
        assert_true(wire_parse(body.p, body.len, WIRE_DEPTH_MAX, &answer->doc, NULL));
}

static struct answer show(struct reader_session *s, int64_t ticket, int32_t after)
{
    struct answer answer = {0};
    read_show_send(s->pg, s->params, ticket, after, -1, "DKT", on_answer, &answer);
    assert_true(reader_session_wait(s, &answer.done));
    return answer;
}

static void test_show_gives_ticket_links_messages_and_events(void **state)
{
    struct reader_session s = {0};
    (void)state;
    assert_true(reader_session_open(&s, server.dsn));

    struct answer answer = show(&s, 1, 0);
    const struct wire_val *ticket = wire_root(answer.doc), *events = wire_find(ticket, "events");
    assert_true(span_is(wire_find_str(ticket, "state"), "triaged"));
    assert_int_equal(wire_count(wire_find(ticket, "links")), 2);
    assert_int_equal(wire_count(events), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(wire_find_int(wire_at(events, i), "version", 0), (int64_t)i + 1);
    assert_true(span_is(wire_find_str(wire_at(events, 0), "kind"), "posted"));
    assert_true(span_is(wire_find_str(wire_find(wire_at(events, 2), "body"), "text"), "hi"));
    assert_false(wire_find_bool(ticket, "events_more", true));
    const struct wire_val *messages = wire_find(ticket, "messages");
    assert_int_equal(wire_count(messages), 2);
    const struct wire_val *delivery = wire_at(wire_find(wire_at(messages, 0), "deliveries"), 0);
    assert_true(span_is(wire_find_str(delivery, "state"), "delivered"));
    assert_int_equal(wire_count(wire_find(delivery, "history")), 2);
    assert_int_equal(wire_count(wire_find(wire_at(messages, 1), "deliveries")), 0);
    wire_doc_free(answer.doc);

    answer = show(&s, 1, 3);
    assert_int_equal(wire_count(wire_find(wire_root(answer.doc), "events")), 1);
    wire_doc_free(answer.doc);

    answer = show(&s, 2, 0);
    assert_int_equal(answer.err.code, ERR_NOT_FOUND);
    reader_session_close(&s);
}

static void test_show_of_long_history_gives_pages(void **state)
{
    struct reader_session s = {0};
    int32_t after = 0;
    int pages = 0;
    bool more = true;
    (void)state;
    assert_true(reader_session_open(&s, server.dsn));
    /* 30 comments of 60,000 bytes: four pages */
    private_pg_sql(&server,
                   "INSERT INTO events (ticket, at, version, kind, role, public, actor, body) "
                   " SELECT 101, 1, i, 4, 0, true, 'x', '\\x81a474657874c5ea60'::bytea || "
                   "convert_to(repeat('x', 60000), 'UTF8') "
                   " FROM generate_series(2, 31) i;"
                   "INSERT INTO desk (ticket, updated_at, version, attempt, state) VALUES (101, 1, 31, 2, 1)",
                   NULL, 0);
    while (more && pages < 10) {
        struct answer answer = show(&s, 101, after);
        const struct wire_val *events = wire_find(wire_root(answer.doc), "events");
        for (size_t i = 0; i < wire_count(events); i++)
            assert_int_equal(wire_find_int(wire_at(events, i), "version", 0), ++after);
        assert_true(wire_doc_bytes(answer.doc).len < 600 * 1024);
        more = wire_find_bool(wire_root(answer.doc), "events_more", false);
        wire_doc_free(answer.doc);
        pages++;
    }
    assert_int_equal(after, 31);
    assert_int_equal(pages, 4);
    private_pg_sql(&server, "DELETE FROM desk WHERE ticket = 101; DELETE FROM events WHERE ticket = 101",
                   NULL, 0);
    reader_session_close(&s);
}

/* Lists all pages; gives how many tickets, checks their order. */
static int list_all(struct reader_session *s, struct read_list_query query)
{
    char cursor[64] = "", last[32] = "";
    int count = 0;

    for (int pages = 0; pages < 50; pages++) {
        struct answer answer = {0};
        struct span next;
        query.cursor = span_of(cursor);
        read_list_send(s->pg, s->params, &query, "DKT", on_answer, &answer);
        assert_true(reader_session_wait(s, &answer.done));
        assert_int_equal(answer.err.code, ERR_NONE);
        const struct wire_val *tickets = wire_find(wire_root(answer.doc), "tickets");
        assert_true(query.limit == 0 || wire_count(tickets) <= (size_t)query.limit);
        for (size_t i = 0; i < wire_count(tickets); i++) {
            struct span tracking = wire_find_str(wire_at(tickets, i), "tracking");
            char now[32];
            (void)snprintf(now, sizeof now, "%.*s", 18, tracking.p);
            if (last[0] != '\0')
                assert_true(query.oldest_first ? strcmp(now, last) > 0 : strcmp(now, last) < 0);
            memcpy(last, now, sizeof last);
            assert_null(wire_find(wire_at(tickets, i), "problem"));
            count++;
        }
        bool more = wire_get_str(wire_find(wire_root(answer.doc), "cursor"), &next);
        if (more)
            (void)snprintf(cursor, sizeof cursor, "%.*s", (int)next.len, next.p);
        wire_doc_free(answer.doc);
        if (!more)
            return count;
    }
    return -1;
}

static void test_list_by_each_filter_gives_those_that_pass(void **state)
{
    static const struct {
        const char *name;
        struct read_list_query query;
        int count;
    } cases[] = {
        {"all", {0}, 31},
        {"all, pages of 4", {.limit = 4}, 31},
        {"all, oldest first, pages of 4", {.limit = 4, .oldest_first = true}, 31},
        {"customer", {.customer = {"acme", 4}}, 16},
        {"customer, pages", {.customer = {"acme", 4}, .limit = 3, .oldest_first = true}, 16},
        {"no such customer", {.customer = {"x", 1}}, 0},
        {"new, without desk row", {.states = 1u << 0}, 20},
        {"in progress", {.states = 1u << 2}, 10},
        {"in progress, pages of 3", {.states = 1u << 2, .limit = 3}, 10},
        {"two states", {.states = 1u << 2 | 1u << 1}, 11},
        {"priority", {.priority = 3}, 10},
        {"priority and state", {.priority = 2, .states = 1u << 1}, 1},
        {"assignee", {.assignee = {"ben", 3}, .limit = 4}, 10},
        {"assignee and customer", {.assignee = {"ben", 3}, .customer = {"acme", 4}}, 5},
        {"queue", {.queue = {"noc", 3}}, 10},
        {"tag", {.tag = {"late", 4}, .limit = 3}, 10},
        {"text in any case", {.text = {"pROBLEM 12", 10}}, 10},
        {"text in the title", {.text = {"title 130", 9}}, 1},
        {"posted from", {.posted_from_at = 1577836800000120}, 11},
        {"posted until", {.posted_until_at = 1577836800000103}, 3},
        {"overdue: no clocks", {.overdue = true, .now_at = 1}, 0},
    };
    struct reader_session s = {0};
    (void)state;
    assert_true(reader_session_open(&s, server.dsn));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int count = list_all(&s, cases[i].query);
        if (count != cases[i].count)
            fail_msg("%s: %d, want %d", cases[i].name, count, cases[i].count);
    }
    reader_session_close(&s);
}

static void test_list_with_foreign_cursor_is_invalid(void **state)
{
    static const char *const cursors[] = {"o12", "n", "n-1", "nx", "n12x", "12345678901234567890123"};
    struct reader_session s = {0};
    (void)state;
    assert_true(reader_session_open(&s, server.dsn));
    for (size_t i = 0; i < sizeof cursors / sizeof cursors[0]; i++) {
        struct answer answer = {0};
        struct read_list_query query = {.cursor = span_of(cursors[i])};
        read_list_send(s.pg, s.params, &query, "DKT", on_answer, &answer);
        assert_true(answer.done);
        assert_int_equal(answer.err.code, ERR_INVALID);
        assert_string_equal(answer.err.field, "cursor");
    }
    reader_session_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_show_gives_ticket_links_messages_and_events),
        cmocka_unit_test(test_show_of_long_history_gives_pages),
        cmocka_unit_test(test_list_by_each_filter_gives_those_that_pass),
        cmocka_unit_test(test_list_with_foreign_cursor_is_invalid),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
