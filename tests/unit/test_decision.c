/* The check of decisions: what is taken, what is refused by which field, and random bytes and trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "decision.h"
#include "wire.h"
#include "utf8.h"
#include "wire_same.h"

enum { MUTATIONS = 20000 };

static struct span to_wire(const char *json, struct buf *buf)
{
    struct err err = {0};
    buf_init(buf, 1 << 20);
    assert_true(wire_from_json(buf, json, strlen(json), &err));
    return buf_span(buf);
}

/* Parses JSON as a body. */
static bool parse(const char *json, const struct decision_base *base, struct wire_doc **ret_doc,
                  struct decision *ret, struct err *err)
{
    struct buf buf;
    struct span bytes = to_wire(json, &buf);
    struct err none = {0};
    assert_true(wire_parse(bytes.p, bytes.len, 32, ret_doc, &none));
    bool ok = decision_parse(*ret_doc, wire_root(*ret_doc), base, ret, err);
    buf_clear(&buf);
    return ok;
}

#define CLOCK(rest) "{\"clock\": \"response\", \"cycle\": 1, " rest "}"
#define RUNNING \
    CLOCK("\"state\": \"running\", \"promise_s\": 3600, \"due_at\": 5000, \"warn_at\": 4000, \"x\": 1")

static const char whole[] = "{\"set\": {\"priority\": 2, \"queue\": \"noc\", \"kind\": null, \"tags\": "
                            "[\"a\", \"b\"], \"attributes\": {\"k\": 1},"
                            " \"reply_pending\": true, \"assignee\": \"anna\"}, \"clocks\": [" RUNNING
                            ", {\"clock\": \"update\", \"cycle\": 2,"
                            " \"state\": \"paused\", \"due_at\": null}], \"deadlines\": [{\"clock\": "
                            "\"update\", \"cycle\": 1, \"verdict\": \"missed\","
                            " \"cause\": \"moved\", \"priority\": 2, \"promise_s\": 60, \"due_at\": 9, "
                            "\"met_at\": 11, \"worked_s\": 61,"
                            " \"paused_s\": 0, \"zones\": \"2026a\"}], \"events\": [{\"kind\": \"warned\", "
                            "\"public\": false, \"body\": {\"clock\": \"update\"}}],"
                            " \"notify\": [{\"to\": \"customer\", \"kind\": \"triaged\"}, {\"to\": "
                            "\"staff\", \"kind\": \"alert\", \"generation\": 1,"
                            " \"body\": {\"a\": 1}, \"alert\": {\"cause\": \"c1\", \"priority\": 1, "
                            "\"text\": \"help\"}}], \"resolve\": [\"c0\"],"
                            " \"wake_at\": 4500, \"trace\": {\"rules\": []}, \"process\": \"h1\", \"zones\": "
                            "\"2026a\", \"future\": [1]}";

static void test_decision_whole_body_is_read(void **state)
{
    struct decision_base base = {.state = STATE_NEW};
    struct decision d = {0};
    struct wire_doc *doc = NULL;
    struct err err = {0};
    (void)state;
    assert_true(parse(whole, &base, &doc, &d, &err));
    assert_int_equal(d.set, SET_PRIORITY | SET_STATE | SET_QUEUE | SET_KIND | SET_TAGS | SET_ATTRIBUTES |
                                SET_REPLY_PENDING | SET_ASSIGNEE);
    assert_int_equal(d.state, STATE_TRIAGED);
    assert_int_equal(d.priority, 2);
    assert_true(span_is(d.queue, "noc") && d.kind.p == NULL && span_is(d.assignee, "anna") &&
                d.reply_pending);
    assert_int_equal(d.tag_count, 2);
    assert_true(span_is(d.tags[1], "b"));
    assert_int_equal(d.next_at, 4000);
    assert_int_equal(d.deadline_count, 1);
    assert_true(d.deadlines[0].missed && d.deadlines[0].met_at == 11 &&
                span_is(d.deadlines[0].cause, "moved"));
    assert_int_equal(d.event_count, 1);
    assert_int_equal(d.events[0].kind, EVENT_WARNED);
    assert_int_equal(d.notify_count, 2);
    assert_int_equal(d.notify[0].to, AUDIENCE_CUSTOMER);
    assert_null(d.notify[0].body.p);
    assert_true(!d.notify[0].is_alert && d.notify[1].is_alert && span_is(d.notify[1].alert_text, "help"));
    assert_int_equal(d.resolve_count, 1);
    assert_true(span_is(d.process, "h1") && span_is(d.zones, "2026a"));
    struct span clocks = d.clocks;
    struct wire_doc *kept = NULL;
    assert_true(wire_parse(clocks.p, clocks.len, 8, &kept, &err));
    assert_true(wire_same(wire_root(kept), wire_find(wire_root(doc), "clocks"))); /* unknown fields too */
    wire_doc_free(kept);
    assert_int_equal(d.trace.len, strlen("\x81\xa5rules\x90"));
    decision_clear(&d);
    wire_doc_free(doc);
}

static const struct row {
    const char *name, *json;
    struct decision_base base;
    const char *old_clocks;
    const char *field; /* NULL: taken */
} rows[] = {
    {"nothing at all", "{}", {STATE_TRIAGED, 0, {0}}, NULL, NULL},
    {"not a map", "[]", {STATE_TRIAGED, 0, {0}}, NULL, "body"},
    {"unknown field of set", "{\"set\": {\"title\": \"x\"}}", {STATE_TRIAGED, 0, {0}}, NULL, "set"},
    {"set is no map", "{\"set\": []}", {STATE_TRIAGED, 0, {0}}, NULL, "set"},
    {"priority 0", "{\"set\": {\"priority\": 0}, \"clocks\": []}", {STATE_NEW, 0, {0}}, NULL, "priority"},
    {"priority 5", "{\"set\": {\"priority\": 5}, \"clocks\": []}", {STATE_NEW, 0, {0}}, NULL, "priority"},
    {"priority nil",
     "{\"set\": {\"priority\": null}, \"clocks\": []}",
     {STATE_NEW, 0, {0}},
     NULL,
     "priority"},
    {"priority as text",
     "{\"set\": {\"priority\": \"1\"}, \"clocks\": []}",
     {STATE_NEW, 0, {0}},
     NULL,
     "priority"},
    {"priority without clocks", "{\"set\": {\"priority\": 1}}", {STATE_NEW, 0, {0}}, NULL, "clocks"},
    {"had a priority, no clocks", "{}", {STATE_TRIAGED, 3, {0}}, NULL, "clocks"},
    {"clocks no list", "{\"clocks\": {}}", {STATE_TRIAGED, 3, {0}}, NULL, "clocks"},
    {"state unknown", "{\"set\": {\"state\": \"done\"}}", {STATE_TRIAGED, 0, {0}}, NULL, "state"},
    {"new to closed", "{\"set\": {\"state\": \"closed\"}}", {STATE_NEW, 0, {0}}, NULL, "set.state"},
    {"resolved to closed", "{\"set\": {\"state\": \"closed\"}}", {STATE_RESOLVED, 0, {0}}, NULL, NULL},
    {"resolved to in_progress",
     "{\"set\": {\"state\": \"in_progress\"}}",
     {STATE_RESOLVED, 0, {0}},
     NULL,
     NULL},
    {"closed to reopened", "{\"set\": {\"state\": \"reopened\"}}", {STATE_CLOSED, 0, {0}}, NULL, NULL},
    {"waiting to work",
     "{\"set\": {\"state\": \"in_progress\"}}",
     {STATE_WAITING_VENDOR, 0, {0}},
     NULL,
     NULL},
    {"triaged to resolved",
     "{\"set\": {\"state\": \"resolved\"}}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "set.state"},
    {"tags of numbers", "{\"set\": {\"tags\": [1]}}", {STATE_TRIAGED, 0, {0}}, NULL, "tags"},
    {"attributes nil", "{\"set\": {\"attributes\": null}}", {STATE_TRIAGED, 0, {0}}, NULL, "attributes"},
    {"open clock kept", "{\"clocks\": [" RUNNING "]}", {STATE_TRIAGED, 3, {0}}, "[" RUNNING "]", NULL},
    {"open clock left out", "{\"clocks\": []}", {STATE_TRIAGED, 3, {0}}, "[" RUNNING "]", "clocks"},
    {"paused clock left out",
     "{\"clocks\": []}",
     {STATE_TRIAGED, 3, {0}},
     "[" CLOCK("\"state\": \"paused\"") "]",
     "clocks"},
    {"missed unmet left out",
     "{\"clocks\": []}",
     {STATE_TRIAGED, 3, {0}},
     "[" CLOCK("\"state\": \"missed\"") "]",
     "clocks"},
    {"missed and met left out",
     "{\"clocks\": []}",
     {STATE_TRIAGED, 3, {0}},
     "[" CLOCK("\"state\": \"missed\", \"met_at\": 5") "]",
     NULL},
    {"met left out",
     "{\"clocks\": []}",
     {STATE_TRIAGED, 3, {0}},
     "[" CLOCK("\"state\": \"met\", \"met_at\": 5") "]",
     NULL},
    {"goes on in a later cycle",
     "{\"clocks\": [{\"clock\": \"response\", \"cycle\": 2, \"state\": \"paused\"}]}",
     {STATE_TRIAGED, 3, {0}},
     "[" RUNNING "]",
     NULL},
    {"goes on in an earlier cycle",
     "{\"clocks\": [" RUNNING "]}",
     {STATE_TRIAGED, 3, {0}},
     "[{\"clock\": \"response\", \"cycle\": 2, \"state\": \"paused\"}]",
     "clocks"},
    {"running without due",
     "{\"clocks\": [" CLOCK("\"state\": \"running\"") "]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "clocks[0].due_at"},
    {"clock twice",
     "{\"clocks\": [" RUNNING ", " RUNNING "]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "clocks[1].cycle"},
    {"clock unknown",
     "{\"clocks\": [{\"clock\": \"x\", \"cycle\": 1, \"state\": \"met\"}]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "clocks[0].clock"},
    {"cycle 0",
     "{\"clocks\": [{\"clock\": \"update\", \"cycle\": 0, \"state\": \"met\"}]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "clocks[0].cycle"},
    {"due as float",
     "{\"clocks\": [" CLOCK("\"state\": \"running\", \"due_at\": 1.5") "]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "clocks[0].due_at"},
    {"calendar a number",
     "{\"clocks\": [" CLOCK("\"state\": \"met\", \"calendar\": 5") "]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "clocks[0].calendar"},
    {"deadline without due",
     "{\"deadlines\": [{\"clock\": \"update\", \"cycle\": 1, \"verdict\": \"met\", \"promise_s\": 1}]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "deadlines[0].due_at"},
    {"deadline verdict",
     "{\"deadlines\": [{\"clock\": \"update\", \"cycle\": 1, \"verdict\": \"late\"}]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "deadlines[0].verdict"},
    {"event kind",
     "{\"events\": [{\"kind\": \"commented\"}]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "events[0].kind"},
    {"event a number", "{\"events\": [5]}", {STATE_TRIAGED, 0, {0}}, NULL, "events[0].kind"},
    {"notify nobody",
     "{\"notify\": [{\"to\": \"all\", \"kind\": \"x\"}]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "notify[0].to"},
    {"notify without kind",
     "{\"notify\": [{\"to\": \"ops\"}]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "notify[0].kind"},
    {"notify twice",
     "{\"notify\": [{\"to\": \"ops\", \"kind\": \"x\"}, {\"to\": \"ops\", \"kind\": \"x\"}]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "notify[1].generation"},
    {"alert without text",
     "{\"notify\": [{\"to\": \"ops\", \"kind\": \"x\", \"alert\": {\"cause\": \"c\", \"priority\": 1}}]}",
     {STATE_TRIAGED, 0, {0}},
     NULL,
     "notify[0].text"},
    {"resolve a text", "{\"resolve\": \"c\"}", {STATE_TRIAGED, 0, {0}}, NULL, "resolve"},
    {"wake_at negative", "{\"wake_at\": -1}", {STATE_TRIAGED, 0, {0}}, NULL, "wake_at"},
    {"trace a list", "{\"trace\": []}", {STATE_TRIAGED, 0, {0}}, NULL, "trace"},
    {"process a number", "{\"process\": 5}", {STATE_TRIAGED, 0, {0}}, NULL, "process"},
};

static void test_decision_rows_are_taken_or_refused_by_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct decision_base base = row->base;
        struct decision d;
        struct wire_doc *doc = NULL;
        struct err err = {0};
        struct buf old = {0};
        if (row->old_clocks != NULL)
            base.clocks = to_wire(row->old_clocks, &old);
        bool ok = parse(row->json, &base, &doc, &d, &err);
        if (ok != (row->field == NULL) || (!ok && strcmp(err.field, row->field) != 0))
            fail_msg("%s: ok=%d field=%s: %s", row->name, ok, err.field, err.msg);
        if (ok)
            decision_clear(&d);
        else
            assert_int_equal(err.code, ERR_INVALID);
        buf_clear(&old);
        wire_doc_free(doc);
    }
}

static void test_decision_missed_or_resting_promise_wakes_nobody(void **state)
{
    struct decision_base base = {.state = STATE_TRIAGED, .priority = 3};
    struct decision d = {0};
    struct wire_doc *doc = NULL;
    struct err err = {0};
    (void)state;
    assert_true(parse("{\"clocks\": [" CLOCK("\"state\": \"missed\", \"due_at\": 5") "], \"wake_at\": 77}",
                      &base, &doc, &d, &err));
    assert_int_equal(d.next_at, 77);
    assert_true((d.set & SET_STATE) == 0);
    decision_clear(&d);
    wire_doc_free(doc);
    assert_true(parse("{\"clocks\": [" CLOCK("\"state\": \"running\", \"due_at\": 50") "], \"wake_at\": 77}",
                      &base, &doc, &d, &err));
    assert_int_equal(d.next_at, 50); /* one that runs does, also when no warning comes before */
    decision_clear(&d);
    wire_doc_free(doc);
    assert_true(parse("{\"clocks\": []}", &base, &doc, &d, &err));
    assert_int_equal(d.next_at, INT64_MAX);
    assert_true(d.clocks.len == 1);
    decision_clear(&d);
    wire_doc_free(doc);
}

/* {"trace": {"t": text of len bytes}} and lists beyond their limits. */
static void test_decision_limits_hold(void **state)
{
    static const struct {
        const char *field;
        size_t count, want;
    } lists[] = {{"deadlines", DECISION_DEADLINES_MAX + 1, 0},
                 {"events", DECISION_EVENTS_MAX + 1, 0},
                 {"notify", DECISION_NOTIFY_MAX + 1, 0},
                 {"resolve", DECISION_RESOLVE_MAX + 1, 0},
                 {"clocks", DECISION_CLOCKS_MAX + 1, 0}};
    struct decision_base base = {.state = STATE_TRIAGED};
    struct wire_doc *doc = NULL;
    struct decision d = {0};
    struct buf buf;
    (void)state;
    buf_init(&buf, 1 << 20);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct err err = {0};
        buf_reset(&buf);
        wire_put_map(&buf, 1);
        wire_put_text(&buf, lists[i].field);
        wire_put_list(&buf, lists[i].count);
        for (size_t k = 0; k < lists[i].count; k++)
            wire_put_text(&buf, "x");
        assert_true(wire_parse(buf.p, buf.len, 8, &doc, &err));
        assert_false(decision_parse(doc, wire_root(doc), &base, &d, &err));
        assert_string_equal(err.field, lists[i].field);
        wire_doc_free(doc);
    }
    for (size_t len = DECISION_TRACE_BYTES_MAX - 6; len <= DECISION_TRACE_BYTES_MAX; len += 6) {
        struct err err = {0};
        char *text = calloc(1, len);
        memset(text, 'a', len);
        buf_reset(&buf);
        wire_put_map(&buf, 1);
        wire_put_text(&buf, "trace");
        wire_put_map(&buf, 1);
        wire_put_key_str(&buf, "", (struct span){text, len});
        assert_true(wire_parse(buf.p, buf.len, 8, &doc, &err));
        bool ok = decision_parse(doc, wire_root(doc), &base, &d, &err);
        assert_int_equal(ok, len < DECISION_TRACE_BYTES_MAX);
        if (ok)
            decision_clear(&d);
        wire_doc_free(doc);
        free(text);
    }
    buf_clear(&buf);
}

/* Flipped bytes of a good body: whatever still is MessagePack is taken or refused, with a field, and nothing
 * leaks. */
static void test_decision_mutations_never_break_it(void **state)
{
    struct decision_base base = {.state = STATE_TRIAGED, .priority = 3};
    struct buf body, old;
    uint64_t seed = 20261124;
    size_t taken = 0, refused = 0;
    (void)state;
    (void)to_wire(whole, &body);
    base.clocks = to_wire("[" RUNNING "]", &old);
    char *bytes = malloc(body.len);
    for (int i = 0; i < MUTATIONS; i++) {
        struct wire_doc *doc = NULL;
        struct decision d;
        struct err err = {0};
        memcpy(bytes, body.p, body.len);
        for (int k = 0; k < 1 + i % 3; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[(seed >> 33) % body.len] = (char)(seed >> 25);
        }
        if (!wire_parse(bytes, body.len, 32, &doc, &err))
            continue;
        if (decision_parse(doc, wire_root(doc), &base, &d, &err)) {
            taken++;
            assert_true(d.next_at >= 0);
            decision_clear(&d);
        } else {
            refused++;
            assert_true(err.code == ERR_INVALID && err.field[0] != '\0' &&
                        utf8_check(span_of(err.msg), NULL));
        }
        wire_doc_free(doc);
    }
    assert_true(taken > 100 && refused > 100);
    free(bytes);
    buf_clear(&body);
    buf_clear(&old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decision_whole_body_is_read),
        cmocka_unit_test(test_decision_rows_are_taken_or_refused_by_field),
        cmocka_unit_test(test_decision_missed_or_resting_promise_wakes_nobody),
        cmocka_unit_test(test_decision_limits_hold),
        cmocka_unit_test(test_decision_mutations_never_break_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
