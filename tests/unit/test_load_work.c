/* broker/load_work.h against a private PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_work.h"
#include "mem.h"
#include "migrate.h"
#include "private_pg.h"
#include "reader_session.h"
#include "wire_same.h"

static struct private_pg server;

/* Ticket 1: new, without desk row, of a known customer. Ticket 2: decided at version 2 of 5. */
static const char *const content_sql =
    "INSERT INTO customers (id, updated_at, name, package, record) VALUES ('acme', 1, 'Acme', 'gold', "
    "'\\x81a26964a461636d65');"
    "INSERT INTO tickets (id, posted_at, key_digest, content_digest, customer, package, title, problem, "
    "extra) VALUES "
    " (1, 1000, '\\x01', '\\x01', 'acme', 'gold', 'one', 'first', '\\x81a6696d70616374a4646f776e'),"
    " (2, 2000, '\\x02', '\\x02', 'nobody', NULL, 'two', 'second', NULL);"
    "INSERT INTO desk (ticket, updated_at, version, decided, attempt, state, priority, held, tags, owner, "
    "clocks) "
    " VALUES (2, 3000, 5, 2, 7, 3, 2, 5, '{a,NULL,\"b c\"}', 77, '\\x9181a5636c6f636ba6757064617465');"
    "INSERT INTO amendments (ticket, title, equipment) VALUES (2, 'two, amended', '\\x81a17801');"
    "INSERT INTO events (ticket, at, version, kind, role, public, actor, body) VALUES "
    " (2, 2100, 2, 2, NULL, true, NULL, '\\x82a87072696f7269747902a5747261636501'),"
    " (2, 2200, 3, 10, 0, true, 'eva', '\\x82a26f6ea8637573746f6d6572a6726561736f6ea178'),"
    " (2, 2300, 4, 4, 1, true, 'bob', convert_to(chr(1), 'UTF8')),"
    " (2, 2400, 5, 4, 1, true, 'bob', NULL),"
    " (2, 2500, 6, 4, 1, true, 'later', NULL);"
    "UPDATE events SET body = '\\x81a474657874a5776f726473' WHERE version = 4";

static int setup(void **state)
{
    struct err err;
    (void)state;
    if (private_pg_start(&server) != 0)
        return -1;
    if (!migrate_run(server.dsn, NULL, NULL, &err))
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
    size_t count;
    struct err err;
    struct load_work_item items[4];
    struct wire_doc *docs[4];
};

static void on_loaded(void *arg, const struct load_work_item *items, size_t count, const struct err *err)
{
    struct answer *answer = arg;
    answer->done = true;
    if (err != NULL)
        answer->err = *err;
    answer->count = count;
    for (size_t i = 0; i < count; i++) {
        size_t at = items[i].ticket == 1 ? 0 : 1;
        answer->items[at] = items[i];
        assert_true(
            wire_parse(items[i].content.p, items[i].content.len, WIRE_DEPTH_MAX, &answer->docs[at], NULL));
    }
}

static void test_load_gives_new_and_decided_tickets_whole(void **state)
{
    struct reader_session s = {0};
    struct answer answer = {0};
    const int64_t tickets[] = {1, 2, 3};
    (void)state;

    assert_true(reader_session_open(&s, server.dsn));
    load_work_send(s.pg, s.params, tickets, 3, "DKT", on_loaded, &answer);
    assert_true(reader_session_wait(&s, &answer.done));
    assert_int_equal(answer.err.code, ERR_NONE);
    assert_int_equal(answer.count, 2); /* 3 is not there */

    const struct load_work_item *fresh = &answer.items[0], *old = &answer.items[1];
    assert_false(fresh->has_desk);
    assert_int_equal(fresh->attempt, 1);
    assert_int_equal(fresh->version, 1);
    const struct wire_val *root = wire_root(answer.docs[0]);
    const struct wire_val *ticket = wire_find(root, "ticket");
    assert_int_equal(wire_count(root), 3);
    assert_true(span_is(wire_find_str(ticket, "impact"), "down"));
    assert_true(span_is(wire_find_str(ticket, "state"), "new"));
    assert_true(span_is(wire_find_str(ticket, "problem"), "first"));
    assert_true(span_is(wire_find_str(ticket, "channel"), "ticket"));
    assert_int_equal(wire_find_int(ticket, "version", 0), 1);
    assert_int_equal(wire_find_int(ticket, "updated_at", 0), 1000);
    assert_int_equal(wire_type(wire_find(ticket, "equipment")), WIRE_MAP);
    assert_true(span_is(wire_find_str(wire_find(root, "customer"), "id"), "acme"));
    assert_int_equal(wire_count(wire_find(root, "events")), 0);

    assert_true(old->has_desk);
    assert_int_equal(old->owner, 77);
    assert_int_equal(old->attempt, 7);
    assert_int_equal(old->priority, 2);
    assert_int_equal(old->state, 3);
    root = wire_root(answer.docs[1]);
    ticket = wire_find(root, "ticket");
    assert_true(span_is(wire_find_str(ticket, "title"), "two, amended"));
    assert_int_equal(wire_find_int(wire_find(ticket, "equipment"), "x", 0), 1);
    assert_int_equal(wire_count(wire_find(ticket, "tags")), 2);
    assert_int_equal(wire_count(wire_find(ticket, "held")), 2);
    assert_int_equal(wire_count(wire_find(ticket, "clocks")), 1);
    assert_int_equal(wire_type(wire_find(root, "customer")), WIRE_NIL);

    const struct wire_val *events = wire_find(root, "events");
    assert_int_equal(wire_count(events), 4); /* 2–5; 6 lies beyond the version that was read */
    const struct wire_val *head = wire_find(wire_at(events, 0), "body");
    assert_int_equal(wire_find_int(head, "priority", 0), 2);
    assert_null(wire_find(head, "trace"));
    const struct wire_val *waiting = wire_at(events, 1);
    assert_true(span_is(wire_find_str(wire_find(waiting, "body"), "reason"), "x"));
    assert_true(span_is(wire_find_str(wire_find(waiting, "as"), "name"), "eva"));
    assert_true(span_is(wire_find_str(wire_find(wire_at(events, 2), "body"), "text"), "words"));
    assert_int_equal(wire_type(wire_find(wire_at(events, 3), "body")), WIRE_MAP);

    wire_doc_free(answer.docs[0]);
    wire_doc_free(answer.docs[1]);
    reader_session_close(&s);
}

static void test_load_without_session_is_unavailable(void **state)
{
    struct reader_session s = {0};
    struct answer answer = {0};
    const int64_t tickets[] = {1};
    (void)state;

    assert_true(reader_session_open(&s, server.dsn));
    pg_drop(s.pg, "test");
    load_work_send(s.pg, s.params, tickets, 1, "DKT", on_loaded, &answer);
    assert_true(answer.done);
    assert_int_equal(answer.err.code, ERR_UNAVAILABLE);
    reader_session_close(&s);
}

static void test_fresh_content_equals_loaded_one(void **state)
{
    struct reader_session s = {0};
    struct answer answer = {0};
    const int64_t tickets[] = {1};
    struct buf out;
    struct ticket_row row = {.id = 1,
                             .posted_at = 1000,
                             .version = 1,
                             .customer = span_of("acme"),
                             .package = span_of("gold"),
                             .title = span_of("one"),
                             .problem = span_of("first"),
                             .extra = {"\x81\xa6impact\xa4"
                                       "down",
                                       13}};
    struct wire_doc *doc = NULL;
    (void)state;

    buf_init(&out, 1 << 20);
    load_work_put_fresh(&out, &row,
                        (struct span){"\x81\xa2id\xa4"
                                      "acme",
                                      9},
                        "DKT");
    assert_false(out.failed);
    assert_true(wire_parse(out.p, out.len, WIRE_DEPTH_MAX, &doc, NULL));
    assert_true(reader_session_open(&s, server.dsn));
    load_work_send(s.pg, s.params, tickets, 1, "DKT", on_loaded, &answer);
    assert_true(reader_session_wait(&s, &answer.done));
    assert_true(wire_same(wire_root(doc), wire_root(answer.docs[0])));
    wire_doc_free(doc);
    wire_doc_free(answer.docs[0]);
    buf_clear(&out);
    reader_session_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_gives_new_and_decided_tickets_whole),
        cmocka_unit_test(test_load_without_session_is_unavailable),
        cmocka_unit_test(test_fresh_content_equals_loaded_one),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
