/* What a case expects after a step, compared with what is there; see cases.h. */
#include "cases_internal.h"

#include "decide.h"
#include "instant.h"

#include <string.h>

/* What faults show, for people to copy. */
#define EXPECT_FORM "{priority: 3, state: triaged}"

static const char *const expect_keys[] = {"priority",   "state",         "queue",  "assignee",
                                          "kind",       "reply_pending", "tags",   "without_tags",
                                          "attributes", "response",      "update", "resolution",
                                          "told",       "asked",         "warned", "refused"};
static const char *const clock_keys[] = {"state", "due", "met", "left", "worked", "paused", "cycle"};

/* ---- differences ---- */

void case_differ(struct case_state *run, const char *field, const char *want, const char *got)
{
    if (!run->step_told)
        (void)buf_printf(&run->wrong, "    %s\n", run->step);
    run->step_told = true;
    (void)buf_printf(&run->wrong, "      %-16s want %s\n      %-16s got  %s\n", field, want, "", got);
}

static void text_of(const struct wire_val *val, char ret[CASE_LINE_BYTES])
{
    struct span text;
    struct buf json;

    if (wire_get_str(val, &text)) {
        (void)snprintf(ret, CASE_LINE_BYTES, "%.*s", (int)text.len, text.p);
        return;
    }
    buf_init(&json, CASE_BYTES_MAX);
    if (val == NULL)
        (void)buf_add_text(&json, "nothing");
    else
        wire_to_json(&json, val);
    (void)snprintf(ret, CASE_LINE_BYTES, "%s", buf_text(&json));
    buf_clear(&json);
}

static void expect_value(struct case_state *run, const char *field, const struct yaml_node *want,
                         const struct wire_val *got)
{
    char text[CASE_LINE_BYTES];

    if (!case_is_scalar(run, want, field))
        return;
    text_of(wire_type(got) == WIRE_NIL ? NULL : got, text);
    const char *wanted = yaml_node_is_null(want) ? "nothing" : want->text;
    if (strcmp(wanted, text) != 0)
        case_differ(run, field, wanted, text);
}

static bool tags_have(const struct wire_val *tags, const char *tag)
{
    struct span text;
    for (size_t i = 0; i < wire_count(tags); i++)
        if (wire_get_str(wire_at(tags, i), &text) && span_is(text, tag))
            return true;
    return false;
}

static void expect_tags(struct case_state *run, const struct yaml_node *want, const struct wire_val *tags,
                        bool there)
{
    char got[CASE_LINE_BYTES];

    if (!case_is_texts(run, want, there ? "tags" : "without_tags", "[outage, sip]"))
        return;
    for (size_t i = 0; i < case_texts_count(want); i++) {
        const char *tag = case_text_at(want, i)->text;
        if (tags_have(tags, tag) == there)
            continue;
        text_of(tags, got);
        case_differ(run, there ? "tags" : "without_tags", tag, got);
    }
}

/* A list or a map, entry by entry; the order of a map's keys says nothing. */
static void expect_whole(struct case_state *run, const char *field, const struct yaml_node *want,
                         const struct wire_val *got)
{
    char text[CASE_LINE_BYTES], wanted[CASE_LINE_BYTES];
    struct wire_doc *doc = NULL;
    struct buf bytes, a, b;
    struct err err;

    buf_init(&bytes, CASE_BYTES_MAX);
    buf_init(&a, CASE_BYTES_MAX);
    buf_init(&b, CASE_BYTES_MAX);
    case_put_node(want, &bytes);
    if (!wire_parse(bytes.p, bytes.len, CASE_DEPTH_MAX, &doc, &err)) {
        (void)faults_add(run->faults, want->place, "%s: %s", field, err.msg);
    } else {
        wire_put_canonical(&a, wire_root(doc));
        if (got != NULL)
            wire_put_canonical(&b, got);
        text_of(got, text);
        text_of(wire_root(doc), wanted);
        if (!span_equal(buf_span(&a), buf_span(&b)))
            case_differ(run, field, wanted, text);
    }
    wire_doc_free(doc);
    buf_clear(&bytes);
    buf_clear(&a);
    buf_clear(&b);
}

static void expect_attributes(struct case_state *run, const struct yaml_node *want,
                              const struct wire_val *ticket)
{
    for (size_t i = 0; i < want->count; i++) {
        const char *field = want->keys[i]->text;
        const struct wire_val *got = wire_find(wire_find(ticket, "attributes"), field);
        if (want->items[i]->kind == NODE_SCALAR)
            expect_value(run, field, want->items[i], got);
        else
            expect_whole(run, field, want->items[i], got);
    }
}

/* ---- clocks ---- */

static const struct wire_val *clock_find(const struct wire_val *ticket, const char *kind, int64_t cycle)
{
    const struct wire_val *list = wire_find(ticket, "clocks"), *best = NULL;

    for (size_t i = 0; i < wire_count(list); i++) {
        const struct wire_val *clock = wire_at(list, i);
        int64_t has = wire_find_int(clock, "cycle", 0);
        if (span_is(wire_find_str(clock, "clock"), kind) && !wire_find_bool(clock, "unpromised", false) &&
            (cycle == 0 ? best == NULL || has > wire_find_int(best, "cycle", 0) : has == cycle))
            best = clock;
    }
    return best;
}

static void expect_instant(struct case_state *run, const char *field, const struct yaml_node *want,
                           int64_t got)
{
    char text[INSTANT_BYTES] = "nothing", wanted[INSTANT_BYTES] = "nothing";
    int64_t at = CLOCK_NO_INSTANT;

    if (!yaml_node_is_null(want) && !case_instant(run, want, field, &at))
        return;
    if (got != CLOCK_NO_INSTANT)
        (void)instant_format(got, text);
    if (at != CLOCK_NO_INSTANT)
        (void)instant_format(at, wanted);
    if (at != got)
        case_differ(run, field, wanted, text);
}

static void expect_span(struct case_state *run, const char *field, const struct yaml_node *want,
                        int64_t got_s)
{
    char text[40];
    int64_t want_s = 0;

    if (!case_span(run, want, field, &want_s) || want_s == got_s)
        return;
    (void)snprintf(text, sizeof text, "%lldh %dm %ds", (long long)(got_s / 3600), (int)(got_s / 60 % 60),
                   (int)(got_s % 60));
    case_differ(run, field, want->text, text);
}

/* The clock as it is at the step's time: what is stored is as of its last decision. doc: holds it, the caller's to free */
static const struct wire_val *clock_as_now(struct case_state *run, const char *kind, int64_t cycle,
                                           struct wire_doc **doc)
{
    struct decider *decider = decider_new();
    struct wire_doc *work = NULL;
    struct buf body, out;
    struct err err = {0};

    buf_init(&body, CASE_BYTES_MAX);
    buf_init(&out, CASE_BYTES_MAX);
    trial_put_work(run->trial, run->now, &body);
    bool ok = wire_parse(body.p, body.len, CASE_DEPTH_MAX, &work, &err) &&
              decide_explain(decider, run->engine, wire_root(work), &out, &err) &&
              wire_parse(out.p, out.len, CASE_DEPTH_MAX, doc, &err);
    wire_doc_free(work);
    decider_free(decider);
    buf_clear(&body);
    buf_clear(&out);
    return ok ? clock_find(wire_root(*doc), kind, cycle) : NULL;
}

static void expect_clock(struct case_state *run, const char *kind, const struct yaml_node *want,
                         const struct wire_val *ticket)
{
    static const struct {
        const char *key, *field;
        bool is_instant;
    } rows[] = {{"due", "due_at", true},
                {"met", "met_at", true},
                {"left", "left_s", false},
                {"worked", "worked_s", false},
                {"paused", "paused_s", false}};
    const struct yaml_node *cycle = yaml_node_find(want, "cycle"), *state = yaml_node_find(want, "state");
    char name[64];
    int64_t number = 0;

    if (yaml_node_is_null(want)) {
        if (clock_find(ticket, kind, 0) != NULL)
            case_differ(run, kind, "not promised", "promised");
        return;
    }
    if (!case_is_map(run, want, kind, "{state: met, due: " POSTED_BY_DEFAULT "}"))
        return;
    (void)yaml_node_check_keys(want, kind, clock_keys, COUNT_OF(clock_keys), run->faults);
    if (cycle != NULL && !yaml_node_int(cycle, "cycle", 1, INT32_MAX, &number, run->faults))
        return;
    const struct wire_val *clock = clock_find(ticket, kind, number);
    if (clock == NULL) {
        case_differ(run, kind, "promised", "not promised");
        return;
    }
    struct wire_doc *doc = NULL;
    const struct wire_val *now = clock_as_now(run, kind, wire_find_int(clock, "cycle", 0), &doc);
    now = now == NULL ? clock : now;
    (void)snprintf(name, sizeof name, "%s.state", kind);
    if (state != NULL)
        expect_value(run, name, state, wire_find(clock, "state"));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct yaml_node *node = yaml_node_find(want, rows[i].key);
        if (node == NULL)
            continue;
        (void)snprintf(name, sizeof name, "%s.%s", kind, rows[i].key);
        int64_t got = wire_find_int(rows[i].is_instant ? clock : now, rows[i].field, CLOCK_NO_INSTANT);
        if (rows[i].is_instant)
            expect_instant(run, name, node, got);
        else
            expect_span(run, name, node, got);
    }
    wire_doc_free(doc);
}

/* ---- all of it ---- */

/* A state that there is none of would never be met, and the case say so of the process. */
static void expect_state(struct case_state *run, const struct yaml_node *want, const struct wire_val *got)
{
    const char *words[FIELD_WORDS_MAX];
    char allowed[CASE_LINE_BYTES];

    if (!case_is_scalar(run, want, "state"))
        return;
    if (!yaml_node_is_null(want) && !process_field_has_word("state", want->text)) {
        size_t count = process_field_words("state", words);
        faults_hint(want->text, words, count, allowed, sizeof allowed);
        (void)faults_add(run->faults, want->place, "state: \"%s\" is none%s", want->text, allowed);
        return;
    }
    expect_value(run, "state", want, got);
}

/* has_op: somebody did something in this step */
void case_expect(struct case_state *run, const struct yaml_node *want, bool has_op)
{
    static const char *const plain[] = {"priority", "queue", "assignee", "kind", "reply_pending"};
    static const char *const clocks[] = {"response", "update", "resolution"};
    const struct wire_val *ticket = trial_ticket(run->trial);
    const struct yaml_node *node = NULL;

    if (want == NULL || !case_is_map(run, want, "expect", EXPECT_FORM))
        return;
    (void)yaml_node_check_keys(want, "expect", expect_keys, COUNT_OF(expect_keys), run->faults);
    if (!has_op && (node = yaml_node_find(want, "refused")) != NULL)
        (void)faults_add(run->faults, node->place,
                         "refused: nothing is asked for here that could be, want do: OP");
    for (size_t i = 0; i < COUNT_OF(plain); i++)
        if ((node = yaml_node_find(want, plain[i])) != NULL)
            expect_value(run, plain[i], node, wire_find(ticket, plain[i]));
    if ((node = yaml_node_find(want, "state")) != NULL)
        expect_state(run, node, wire_find(ticket, "state"));
    if ((node = yaml_node_find(want, "tags")) != NULL)
        expect_tags(run, node, wire_find(ticket, "tags"), true);
    if ((node = yaml_node_find(want, "without_tags")) != NULL)
        expect_tags(run, node, wire_find(ticket, "tags"), false);
    if ((node = yaml_node_find(want, "attributes")) != NULL &&
        case_is_map(run, node, "attributes", "{region: emea}"))
        expect_attributes(run, node, ticket);
    for (size_t i = 0; i < COUNT_OF(clocks); i++)
        if ((node = yaml_node_find(want, clocks[i])) != NULL)
            expect_clock(run, clocks[i], node, ticket);
    case_expect_said(run, want);
}
