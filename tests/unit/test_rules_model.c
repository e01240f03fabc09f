/* Rules against a slow and plain model: random processes, tickets, events. The model evaluates its own tree of conditions on its own
 * ticket, gathers everything that every rule proposes, and judges at the end; it shares nothing with the worker. What the loader says of
 * conditions by their form (one follows from another, one never holds) is held against the same tickets.
 * DOCKET_CASES: how many processes (default 1,500). DOCKET_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "choice.h"
#include "rule_logic.h"

#include <stdlib.h>
#include <string.h>

enum {
    CASES = 1500,
    TICKETS = 8,
    RULES_MAX = 9,
    NODES_MAX = 400,
    PARTS_MAX = 3,
    EVENTS_MAX = 3,
    WORDS = 3,
    BYTES_MAX = 1 << 20
};

static const char *const words[WORDS] = {"alpha", "beta", "gamma"};
static const char *const impacts[] = {NULL, "down", "degraded", "request"};

static uint64_t seed, begun;

static unsigned chance(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 11) % below);
}

/* ---- the model's ticket ---- */

/* A value of attributes.a and .b: nothing, one of the words, a number. */
struct value {
    enum { NOTHING, WORD, NUMBER } shape;
    unsigned n;
};

struct event {
    bool is_reply; /* else updated */
    unsigned text; /* bits of words */
};

struct ticket {
    struct value attributes[2];
    unsigned title; /* bits of words */
    unsigned tags;
    unsigned impact;
    unsigned priority; /* 0: none yet */
    bool held_queue, held_kind, held_tags, is_first;
    struct event events[EVENTS_MAX];
    size_t event_count;
};

static struct value value_random(void)
{
    unsigned shape = chance(5);
    if (shape == 0)
        return (struct value){NOTHING, 0};
    return (struct value){shape < 3 ? WORD : NUMBER, chance(shape < 3 ? WORDS : 5)};
}

static struct ticket ticket_random(void)
{
    struct ticket t = {.attributes = {value_random(), value_random()},
                       .title = chance(8),
                       .tags = chance(8),
                       .impact = chance(4),
                       .is_first = chance(2) == 0,
                       .event_count = chance(EVENTS_MAX + 1)};
    t.priority = t.is_first ? 0 : 1 + chance(4);
    t.held_queue = chance(4) == 0, t.held_kind = chance(4) == 0, t.held_tags = chance(4) == 0;
    if (!t.is_first && t.event_count == 0)
        t.event_count = 1;
    for (size_t i = 0; i < t.event_count; i++)
        t.events[i] = (struct event){chance(2) == 0, chance(8)};
    return t;
}

/* ---- conditions: a tree, its YAML, its truth ---- */

enum test {
    IS,
    IN,
    LESS,
    MORE,
    EXISTS,
    TITLE,
    TITLE_PATTERN,
    TAG,
    IMPACT,
    PRIORITY,
    REPLY,
    KIND,
    ALL,
    ANY,
    NOT
};

struct node {
    enum test test;
    unsigned field; /* attribute */
    struct value value, other;
    bool yes;
    size_t parts[PARTS_MAX], part_count;
};

static struct node nodes[NODES_MAX];
static size_t node_count;

static size_t node_random(unsigned depth)
{
    size_t at = node_count++;
    struct node n = {.test = (enum test)chance(depth < 3 && node_count < NODES_MAX / 2 ? NOT + 1 : ALL)};

    n.field = chance(2);
    do
        n.value = value_random();
    while (n.value.shape == NOTHING);
    do
        n.other = value_random();
    while (n.other.shape == NOTHING);
    if (n.test == LESS || n.test == MORE || n.test == PRIORITY)
        n.value = (struct value){NUMBER, chance(5)};
    if (n.test == TITLE || n.test == TITLE_PATTERN || n.test == TAG || n.test == REPLY || n.test == KIND ||
        n.test == IMPACT)
        n.value = (struct value){WORD, chance(WORDS)};
    n.yes = chance(2) == 0;
    if (n.test >= ALL) {
        n.part_count = n.test == NOT ? 1 : 1 + chance(PARTS_MAX);
        for (size_t i = 0; i < n.part_count; i++)
            n.parts[i] = node_random(depth + 1);
    }
    nodes[at] = n;
    return at;
}

static void value_print(struct buf *out, struct value value)
{
    if (value.shape == WORD)
        (void)buf_add_text(out, words[value.n]);
    else
        (void)buf_printf(out, "%u", value.n);
}

static void node_print(struct buf *out, size_t at)
{
    static const char *const kinds[WORDS] = {"posted", "commented", "updated"};
    const struct node *n = &nodes[at];
    const char *word = words[n->value.n % WORDS];

    switch (n->test) {
    case IS:
    case LESS:
    case MORE:
        (void)buf_printf(out, "{field: attributes.%c, %s: ", 'a' + (int)n->field,
                         n->test == IS     ? "is"
                         : n->test == LESS ? "less"
                                           : "more");
        value_print(out, n->value);
        break;
    case IN:
        (void)buf_printf(out, "{field: attributes.%c, in: [", 'a' + (int)n->field);
        value_print(out, n->value);
        (void)buf_add_text(out, ", ");
        value_print(out, n->other);
        (void)buf_add_text(out, "]");
        break;
    case EXISTS:
        (void)buf_printf(out, "{field: attributes.%c, exists: %s", 'a' + (int)n->field,
                         n->yes ? "true" : "false");
        break;
    case TITLE:
        (void)buf_printf(out, "{field: title, contains: %s", word);
        break;
    case TITLE_PATTERN:
        (void)buf_printf(out, "{field: title, matches: '\\b%s\\b'", word);
        break;
    case TAG:
        (void)buf_printf(out, "{field: tags, %s: %s", n->yes ? "is" : "contains", word);
        break;
    case IMPACT:
        (void)buf_printf(out, "{field: impact, is: %s", impacts[1 + n->value.n]);
        break;
    case PRIORITY:
        (void)buf_printf(out, "{field: priority, %s: %u", n->yes ? "less" : "more", n->value.n);
        break;
    case REPLY:
        (void)buf_printf(out, "{field: reply.text, contains: %s", word);
        break;
    case KIND:
        (void)buf_printf(out, "{field: event.kind, is: %s", kinds[n->value.n]);
        break;
    default:
        (void)buf_add_text(out, n->test == ALL ? "{all: [" : n->test == ANY ? "{any: [" : "{not: ");
        for (size_t i = 0; i < n->part_count; i++) {
            (void)buf_add_text(out, i == 0 ? "" : ", ");
            node_print(out, n->parts[i]);
        }
        (void)buf_add_text(out, n->test == NOT ? "" : "]");
    }
    (void)buf_add_text(out, "}");
}

static bool same(struct value a, struct value b)
{
    return a.shape == b.shape && a.n == b.n;
}

/* event: NULL for the posting. */
static bool node_holds(size_t at, const struct ticket *t, const struct event *event)
{
    const struct node *n = &nodes[at];
    struct value attribute = t->attributes[n->field];
    unsigned bit = 1U << (n->value.n % WORDS);

    switch (n->test) {
    case IS:
        return same(attribute, n->value);
    case IN:
        return same(attribute, n->value) || same(attribute, n->other);
    case LESS:
        return attribute.shape == NUMBER && attribute.n < n->value.n;
    case MORE:
        return attribute.shape == NUMBER && attribute.n > n->value.n;
    case EXISTS:
        return (attribute.shape != NOTHING) == n->yes;
    case TITLE:
    case TITLE_PATTERN:
        return (t->title & bit) != 0;
    case TAG:
        return (t->tags & bit) != 0;
    case IMPACT:
        return t->impact == 1 + n->value.n;
    case PRIORITY:
        return t->priority != 0 && (n->yes ? t->priority < n->value.n : t->priority > n->value.n);
    case REPLY:
        return event != NULL && event->is_reply && (event->text & bit) != 0;
    case KIND:
        return n->value.n == 0   ? event == NULL
               : n->value.n == 1 ? event != NULL && event->is_reply
                                 : event != NULL && !event->is_reply;
    case NOT:
        return !node_holds(n->parts[0], t, event);
    default:
        for (size_t i = 0; i < n->part_count; i++)
            if (node_holds(n->parts[i], t, event) == (n->test == ANY))
                return n->test == ANY;
        return n->test == ALL;
    }
}

/* ---- rules ---- */

enum { ON_POSTED = 1, ON_REPLY = 2, ON_UPDATED = 4 };

struct rule {
    unsigned on;
    bool has_when, force, stop;
    size_t when;
    unsigned priority, queue, kind; /* 0: none */
    unsigned tags, region;          /* region: an attribute's value, 0: none */
};

struct model {
    struct rule rules[RULES_MAX];
    size_t count;
    unsigned last_priority;
};

static void model_random(struct model *m)
{
    node_count = 0;
    m->count = chance(RULES_MAX + 1);
    m->last_priority = 1 + chance(4);
    for (size_t i = 0; i < m->count; i++) {
        struct rule r = {.on = 1 + chance(7), .has_when = chance(8) != 0, .stop = chance(7) == 0};
        r.when = r.has_when ? node_random(0) : 0;
        r.priority = chance(2) == 0 ? 1 + chance(4) : 0;
        r.force = r.priority != 0 && chance(4) == 0;
        r.queue = chance(4), r.kind = chance(4), r.tags = chance(8), r.region = chance(4);
        m->rules[i] = r;
    }
}

static void model_print(const struct model *m, struct buf *out)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct rule *r = &m->rules[i];
        (void)buf_printf(out, "- rule: r%zu\n  on: [%s%s%s]\n", i, (r->on & ON_POSTED) != 0 ? "posted, " : "",
                         (r->on & ON_REPLY) != 0 ? "reply, " : "",
                         (r->on & ON_UPDATED) != 0 ? "updated" : "");
        if (r->has_when) {
            (void)buf_add_text(out, "  when: ");
            node_print(out, r->when);
            (void)buf_add_text(out, "\n");
        }
        (void)buf_printf(out, "  then: {attribute: {n%zu: 1}", i);
        if (r->priority != 0)
            (void)buf_printf(out, ", priority: %u%s", r->priority, r->force ? ", force: true" : "");
        if (r->queue != 0)
            (void)buf_printf(out, ", queue: q%u", r->queue);
        if (r->kind != 0)
            (void)buf_printf(out, ", kind: k%u", r->kind);
        if (r->tags != 0) {
            (void)buf_add_text(out, ", tag: [");
            for (unsigned k = 0; k < WORDS; k++)
                if ((r->tags >> k & 1) != 0)
                    (void)buf_printf(out, "%s%s", (r->tags & ((1U << k) - 1)) != 0 ? ", " : "", words[k]);
            (void)buf_add_text(out, "]");
        }
        (void)buf_printf(out, "%s}\n", r->stop ? ", stop: true" : "");
    }
    (void)buf_printf(out, "- {rule: last, default: true, then: {priority: %u}}\n", m->last_priority);
}

/* What comes of it, from all that was proposed. */
struct outcome {
    unsigned priority, queue, kind, tags;
    unsigned ran; /* a bit a rule */
};

static struct outcome model_outcome(const struct model *m, const struct ticket *t)
{
    struct outcome o = {0};
    unsigned stands = t->priority;
    bool began = !t->is_first;

    for (size_t e = 0; e < t->event_count + (t->is_first ? 1 : 0); e++) {
        const struct event *event = began ? &t->events[t->is_first ? e - 1 : e] : NULL;
        unsigned on = event == NULL ? ON_POSTED : event->is_reply ? ON_REPLY : ON_UPDATED;
        unsigned proposals = 0, most_urgent = 5, forced = 0; /* each event by itself */
        bool stopped = false;
        struct ticket seen = *t; /* as those before it left it */
        seen.priority = stands != 0 ? stands : t->priority;
        seen.tags |= o.tags;
        for (size_t i = 0; i < m->count && !stopped; i++) {
            const struct rule *r = &m->rules[i];
            if ((r->on & on) == 0 || (r->has_when && !node_holds(r->when, &seen, event)))
                continue;
            stopped = r->stop;
            o.ran |= 1U << i;
            o.queue = r->queue != 0 && !t->held_queue ? r->queue : o.queue;
            o.kind = r->kind != 0 && !t->held_kind ? r->kind : o.kind;
            o.tags |= t->held_tags ? 0 : r->tags & ~t->tags;
            if (r->priority == 0 || (event != NULL && stands != 0 && r->priority >= stands))
                continue;
            proposals++;
            most_urgent = r->priority < most_urgent ? r->priority : most_urgent;
            forced = r->force ? r->priority : forced;
        }
        began = true;
        if (event == NULL && proposals == 0) /* the default speaks at the posting */
            proposals++, most_urgent = m->last_priority;
        if (proposals != 0)
            o.priority = stands = forced != 0 ? forced : most_urgent;
    }
    return o;
}

/* ---- the real ones ---- */

static struct engine *engine_make(const struct model *m)
{
    struct process_files files = {NULL, 0};
    struct faults faults = {NULL, 0, 0};
    struct process *process = NULL;
    struct engine *engine = NULL;
    struct err err = {0};
    struct buf rules;

    buf_init(&rules, BYTES_MAX);
    model_print(m, &rules);
    bool ok = process_files_add(&files, span_of("process.yaml"), span_of("zone: UTC\n"), &err) &&
              process_files_add(&files, span_of("calendars.yaml"), span_of(""), &err) &&
              process_files_add(&files, span_of("packages.yaml"), span_of("standard: {}\n"), &err) &&
              process_files_add(&files, span_of("rules/1.yaml"), buf_span(&rules), &err) &&
              process_load_files(&files, &process, &faults) &&
              engine_new(process, "tests/zones", &engine, &faults);
    if (!ok)
        fail_msg("DOCKET_SEED=%llu %s\n%s", (unsigned long long)begun,
                 faults.count != 0 ? faults.items[0].text : err.msg, buf_text(&rules));
    process_files_clear(&files);
    buf_clear(&rules);
    return engine;
}

static void words_print(struct buf *out, unsigned bits, const char *between, const char *quote)
{
    bool first = true;
    for (unsigned k = 0; k < WORDS; k++)
        if ((bits >> k & 1) != 0) {
            (void)buf_printf(out, "%s%s%s%s", first ? "" : between, quote, words[k], quote);
            first = false;
        }
}

static void work_print(const struct ticket *t, struct buf *out)
{
    (void)buf_add_text(out, "{\"now\":9000000,\"ticket\":{\"tracking\":\"T\",\"state\":\"new\",\"posted_at\":"
                            "1000000,\"title\":\"x ");
    words_print(out, t->title, " ", "");
    (void)buf_add_text(out, "\",\"problem\":\"p\",\"tags\":[");
    words_print(out, t->tags, ",", "\"");
    (void)buf_printf(out, "],\"held\":[\"priority_\"%s%s%s],\"attributes\":{\"z\":1",
                     t->held_queue ? ",\"queue\"" : "", t->held_kind ? ",\"kind\"" : "",
                     t->held_tags ? ",\"tags\"" : "");
    for (unsigned i = 0; i < 2; i++)
        if (t->attributes[i].shape == WORD)
            (void)buf_printf(out, ",\"%c\":\"%s\"", 'a' + (int)i, words[t->attributes[i].n]);
        else if (t->attributes[i].shape == NUMBER)
            (void)buf_printf(out, ",\"%c\":%u", 'a' + (int)i, t->attributes[i].n);
    (void)buf_add_text(out, "}");
    if (t->impact != 0)
        (void)buf_printf(out, ",\"impact\":\"%s\"", impacts[t->impact]);
    if (t->priority != 0)
        (void)buf_printf(out, ",\"priority\":%u", t->priority);
    (void)buf_printf(out, "},\"events\":[%s",
                     t->is_first
                         ? ""
                         : "{\"kind\":\"triaged\",\"at\":1,\"version\":2,\"public\":false,\"body\":{}}");
    for (size_t i = 0; i < t->event_count; i++) {
        const struct event *e = &t->events[i];
        (void)buf_printf(out,
                         "%s{\"at\":%zu,\"version\":%zu,\"kind\":\"%s\",\"public\":true,\"as\":{\"name\":"
                         "\"n\",\"role\":\"%s\"},\"body\":{\"%s\":\"y ",
                         t->is_first && i == 0 ? "" : ",", i + 2, i + 3,
                         e->is_reply ? "commented" : "updated", e->is_reply ? "customer" : "staff",
                         e->is_reply ? "text" : "note");
        words_print(out, e->text, " ", "");
        (void)buf_add_text(out, "\"}}");
    }
    (void)buf_add_text(out, "]}");
}

static void check_ticket(const struct model *m, const struct engine *engine, struct conditions *conditions,
                         const struct ticket *t)
{
    struct outcome want = model_outcome(m, t);
    struct buf json, bytes, trace;
    struct wire_doc *doc = NULL;
    struct work work = {0};
    struct choice got;
    struct err err = {0};
    bool traced;

    buf_init(&json, BYTES_MAX);
    buf_init(&bytes, BYTES_MAX);
    buf_init(&trace, BYTES_MAX);
    work_print(t, &json);
    if (!wire_from_json(&bytes, json.p, json.len, &err) || !wire_parse(bytes.p, bytes.len, 16, &doc, &err) ||
        !work_parse(wire_root(doc), &work, &err))
        fail_msg("%s: %s", buf_text(&json), err.msg);
    choice_make(engine, &work, conditions, false, &got, &trace, &traced);
    struct outcome is = {.priority = (unsigned)got.priority,
                         .queue = got.queue == NULL ? 0 : (unsigned)(got.queue[1] - '0'),
                         .kind = got.kind == NULL ? 0 : (unsigned)(got.kind[1] - '0')};
    for (size_t i = 0; i < got.tag_count; i++)
        for (unsigned k = 0; k < WORDS; k++)
            is.tags |= strcmp(got.tags[i], words[k]) == 0 ? 1U << k : 0;
    for (size_t i = 0; i < got.attribute_count; i++)
        is.ran |= 1U << (unsigned)(got.attributes[i]->name[1] - '0');
    if (memcmp(&is, &want, sizeof is) != 0) {
        struct buf rules;
        buf_init(&rules, BYTES_MAX);
        model_print(m, &rules);
        fail_msg("DOCKET_SEED=%llu\n%s%s\n got priority %u queue %u kind %u tags %x ran %x\nwant priority %u "
                 "queue %u kind %u tags "
                 "%x ran %x",
                 (unsigned long long)begun, buf_text(&rules), buf_text(&json), is.priority, is.queue, is.kind,
                 is.tags, is.ran, want.priority, want.queue, want.kind, want.tags, want.ran);
    }
    work_clear(&work);
    wire_doc_free(doc);
    buf_clear(&json);
    buf_clear(&bytes);
    buf_clear(&trace);
}

/* ---- what the loader says of conditions ---- */

struct logic_counts {
    unsigned implied, excluded, never;
};

static void check_logic(const struct model *m, const struct engine *engine, const struct ticket *t,
                        struct logic_counts *counts)
{
    const struct process_rule *rules = engine_process(engine)->rules;
    const struct event *event = t->is_first ? NULL : &t->events[0];
    unsigned on = event == NULL ? RULE_ON_POSTED : event->is_reply ? RULE_ON_REPLY : RULE_ON_UPDATED;

    for (size_t i = 0; i < m->count; i++) {
        struct rule_logic logic = {RULE_LOGIC_STEPS};
        if (!m->rules[i].has_when)
            continue;
        bool holds = node_holds(m->rules[i].when, t, event);
        enum rule_verdict verdict = rule_verdict_of(&logic, rules[i].when, on);
        counts->never += verdict == RULE_NEVER;
        if ((verdict == RULE_NEVER && holds) || (verdict == RULE_ALWAYS && !holds))
            fail_msg("DOCKET_SEED=%llu verdict of r%zu", (unsigned long long)begun, i);
        for (size_t k = 0; k < m->count; k++) {
            if (k == i || !m->rules[k].has_when)
                continue;
            bool other = node_holds(m->rules[k].when, t, event);
            bool implies = rule_implies(&logic, rules[i].when, rules[k].when);
            bool excludes = rule_excludes(&logic, rules[i].when, rules[k].when);
            counts->implied += implies, counts->excluded += excludes;
            if ((implies && holds && !other) || (excludes && holds && other))
                fail_msg("DOCKET_SEED=%llu r%zu and r%zu", (unsigned long long)begun, i, k);
        }
    }
}

static void test_rules_equal_the_model(void **state)
{
    const char *cases_text = getenv("DOCKET_CASES"), *seed_text = getenv("DOCKET_SEED");
    long cases = cases_text == NULL ? CASES : strtol(cases_text, NULL, 10);
    struct conditions *conditions = conditions_new();
    struct logic_counts counts = {0};
    (void)state;

    seed = seed_text == NULL ? 20261125 : strtoull(seed_text, NULL, 10);
    for (long i = 0; i < cases; i++) {
        struct model m;
        begun = seed;
        model_random(&m);
        struct engine *engine = engine_make(&m);
        for (int k = 0; k < TICKETS; k++) {
            struct ticket t = ticket_random();
            check_ticket(&m, engine, conditions, &t);
            check_logic(&m, engine, &t, &counts);
        }
        engine_free(engine);
    }
    print_message("%ld processes; %u conditions follow, %u exclude, %u never hold\n", cases, counts.implied,
                  counts.excluded, counts.never);
    assert_true(cases < CASES || (counts.implied > 100 && counts.excluded > 100 && counts.never > 100));
    conditions_free(conditions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_equal_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
