/* Cases of a process; see cases.h. */
#include "cases.h"

#include "clock.h"
#include "decide.h"
#include "given.h"
#include "instant.h"
#include "mem.h"
#include "request_fields.h"
#include "trial.h"
#include "yaml_node.h"

#include <stdlib.h>
#include <string.h>

enum {
    BYTES_MAX = 4 << 20,
    DEPTH_MAX = 32,
    NAME_MAX_BYTES = 200,
    TEXT_MAX = 65536,
    LINE_BYTES = 512,
    TOLD_BYTES = 2048
};

/* A Monday morning: the desk is open in most calendars. */
#define POSTED_BY_DEFAULT "2026-03-02T09:00:00Z"

/* What faults show, for people to copy. */
#define TICKET_FORM "{title: No tone, problem: Since nine.}"
#define EXPECT_FORM "{priority: 3, state: triaged}"
#define STEP_FORM "{after: 1h, do: take, as: ada, expect: {state: in_progress}}"
#define CASE_FORM "{case: NAME, ticket: " TICKET_FORM ", expect: {priority: 3}}"

static const char *const case_keys[] = {"case", "ticket", "customer", "package", "at", "expect", "steps"};
static const char *const step_own_keys[] = {"after", "at", "do", "as", "role", "until", "expect"};
static const char *const expect_keys[] = {"priority",   "state",         "queue",  "assignee",
                                          "kind",       "reply_pending", "tags",   "without_tags",
                                          "attributes", "response",      "update", "resolution",
                                          "told",       "refused"};
static const char *const clock_keys[] = {"state", "due", "met", "left", "worked", "paused", "cycle"};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* One case under way. */
struct run {
    const struct engine *engine;
    struct faults *faults;
    struct trial *trial;
    int64_t now;
    size_t told_seen;
    struct buf wrong; /* lines of differences, for people */
    char step[LINE_BYTES];
    bool step_told; /* the step's head is in wrong already */
};

/* ---- YAML to values ---- */

static void put_scalar(const struct yaml_node *node, struct buf *out)
{
    int64_t number;

    if (yaml_node_is_null(node))
        wire_put_nil(out);
    else if (!node->quoted && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0))
        wire_put_bool(out, node->text[0] == 't');
    else if (!node->quoted && decimal_parse(node->text, &number))
        wire_put_int(out, number);
    else
        wire_put_text(out, node->text);
}

static void put_node(const struct yaml_node *node, struct buf *out)
{
    if (node->kind == NODE_SCALAR) {
        put_scalar(node, out);
        return;
    }
    if (node->kind == NODE_MAP)
        wire_put_map(out, node->count);
    else
        wire_put_list(out, node->count);
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP)
            wire_put_text(out, node->keys[i]->text);
        put_node(node->items[i], out);
    }
}

/* form: what would be right there, for people to copy, or NULL where any scalar may be */
static bool is_kind(struct run *run, const struct yaml_node *node, enum node_kind kind, const char *what,
                    const char *form)
{
    static const char *const wants[] = {
        [NODE_SCALAR] = "text or a number", [NODE_LIST] = "a list like ", [NODE_MAP] = "a map like "};

    if (node->kind == kind)
        return true;
    return faults_add(run->faults, node->place, "%s: is %s, want %s%s", what, yaml_node_kind_name(node),
                      wants[kind], form == NULL ? "" : form);
}

static bool is_map(struct run *run, const struct yaml_node *node, const char *what, const char *form)
{
    return is_kind(run, node, NODE_MAP, what, form);
}

static bool is_scalar(struct run *run, const struct yaml_node *node, const char *what)
{
    return is_kind(run, node, NODE_SCALAR, what, NULL);
}

/* A text, or a list of texts. */
static bool is_texts(struct run *run, const struct yaml_node *node, const char *what, const char *form)
{
    bool ok = node->kind == NODE_SCALAR || is_kind(run, node, NODE_LIST, what, form);

    for (size_t i = 0; ok && node->kind == NODE_LIST && i < node->count; i++)
        ok = is_scalar(run, node->items[i], what);
    return ok;
}

static bool read_instant(struct run *run, const struct yaml_node *node, const char *what, int64_t *ret)
{
    if (node->kind == NODE_SCALAR && instant_parse(span_of(node->text), ret))
        return true;
    return is_scalar(run, node, what) &&
           faults_add(run->faults, node->place, "%s: \"%s\" is no instant, want e.g. " POSTED_BY_DEFAULT,
                      what, node->text);
}

static bool read_span(struct run *run, const struct yaml_node *node, const char *what, int64_t *ret_s)
{
    bool working;
    if (node->kind == NODE_SCALAR && process_duration_parse(node->text, ret_s, &working) && !working)
        return true;
    return is_scalar(run, node, what) &&
           faults_add(run->faults, node->place, "%s: \"%s\" is no time, want e.g. 30s, 15m, 6h, 2d", what,
                      node->text);
}

/* ---- differences ---- */

static void differ(struct run *run, const char *field, const char *want, const char *got)
{
    if (!run->step_told)
        (void)buf_printf(&run->wrong, "    %s\n", run->step);
    run->step_told = true;
    (void)buf_printf(&run->wrong, "      %-16s want %s\n      %-16s got  %s\n", field, want, "", got);
}

static void text_of(const struct wire_val *val, char ret[LINE_BYTES])
{
    struct span text;
    struct buf json;

    if (wire_get_str(val, &text)) {
        (void)snprintf(ret, LINE_BYTES, "%.*s", (int)text.len, text.p);
        return;
    }
    buf_init(&json, BYTES_MAX);
    if (val == NULL)
        (void)buf_add_text(&json, "nothing");
    else
        wire_to_json(&json, val);
    (void)snprintf(ret, LINE_BYTES, "%s", buf_text(&json));
    buf_clear(&json);
}

static void expect_value(struct run *run, const char *field, const struct yaml_node *want,
                         const struct wire_val *got)
{
    char text[LINE_BYTES];

    if (!is_scalar(run, want, field))
        return;
    text_of(wire_type(got) == WIRE_NIL ? NULL : got, text);
    const char *wanted = yaml_node_is_null(want) ? "nothing" : want->text;
    if (strcmp(wanted, text) != 0)
        differ(run, field, wanted, text);
}

static bool tags_have(const struct wire_val *tags, const char *tag)
{
    struct span text;
    for (size_t i = 0; i < wire_count(tags); i++)
        if (wire_get_str(wire_at(tags, i), &text) && span_is(text, tag))
            return true;
    return false;
}

static void expect_tags(struct run *run, const struct yaml_node *want, const struct wire_val *tags,
                        bool there)
{
    char got[LINE_BYTES];

    if (!is_texts(run, want, there ? "tags" : "without_tags", "[outage, sip]"))
        return;
    for (size_t i = 0; i < (want->kind == NODE_SCALAR ? 1 : want->count); i++) {
        const char *tag = want->kind == NODE_SCALAR ? want->text : want->items[i]->text;
        if (tags_have(tags, tag) == there)
            continue;
        text_of(tags, got);
        differ(run, there ? "tags" : "without_tags", tag, got);
    }
}

static void expect_attributes(struct run *run, const struct yaml_node *want, const struct wire_val *ticket)
{
    for (size_t i = 0; i < want->count; i++)
        expect_value(run, want->keys[i]->text, want->items[i],
                     wire_find(wire_find(ticket, "attributes"), want->keys[i]->text));
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

static void expect_instant(struct run *run, const char *field, const struct yaml_node *want, int64_t got)
{
    char text[INSTANT_BYTES] = "nothing", wanted[INSTANT_BYTES] = "nothing";
    int64_t at = CLOCK_NO_INSTANT;

    if (!yaml_node_is_null(want) && !read_instant(run, want, field, &at))
        return;
    if (got != CLOCK_NO_INSTANT)
        (void)instant_format(got, text);
    if (at != CLOCK_NO_INSTANT)
        (void)instant_format(at, wanted);
    if (at != got)
        differ(run, field, wanted, text);
}

static void expect_span(struct run *run, const char *field, const struct yaml_node *want, int64_t got_s)
{
    char text[40];
    int64_t want_s = 0;

    if (!read_span(run, want, field, &want_s) || want_s == got_s)
        return;
    (void)snprintf(text, sizeof text, "%lldh %dm %ds", (long long)(got_s / 3600), (int)(got_s / 60 % 60),
                   (int)(got_s % 60));
    differ(run, field, want->text, text);
}

/* The clock as it is at the step's time: what is stored is as of its last decision. doc: holds it, the caller's to free */
static const struct wire_val *clock_as_now(struct run *run, const char *kind, int64_t cycle,
                                           struct wire_doc **doc)
{
    struct decider *decider = decider_new();
    struct wire_doc *work = NULL;
    struct buf body, out;
    struct err err = {0};

    buf_init(&body, BYTES_MAX);
    buf_init(&out, BYTES_MAX);
    trial_put_work(run->trial, run->now, &body);
    bool ok = wire_parse(body.p, body.len, DEPTH_MAX, &work, &err) &&
              decide_explain(decider, run->engine, wire_root(work), &out, &err) &&
              wire_parse(out.p, out.len, DEPTH_MAX, doc, &err);
    wire_doc_free(work);
    decider_free(decider);
    buf_clear(&body);
    buf_clear(&out);
    return ok ? clock_find(wire_root(*doc), kind, cycle) : NULL;
}

static void expect_clock(struct run *run, const char *kind, const struct yaml_node *want,
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
            differ(run, kind, "not promised", "promised");
        return;
    }
    if (!is_map(run, want, kind, "{state: met, due: " POSTED_BY_DEFAULT "}"))
        return;
    (void)yaml_node_check_keys(want, kind, clock_keys, COUNT_OF(clock_keys), run->faults);
    if (cycle != NULL && !yaml_node_int(cycle, "cycle", 1, INT32_MAX, &number, run->faults))
        return;
    const struct wire_val *clock = clock_find(ticket, kind, number);
    if (clock == NULL) {
        differ(run, kind, "promised", "not promised");
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

/* ---- what was told ---- */

/* All that was told since the last look, in order. */
static void expect_told(struct run *run, const struct yaml_node *want)
{
    char got[TOLD_BYTES] = "", wanted[TOLD_BYTES] = "";

    if (!is_texts(run, want, "told", "[customer received, staff alert p1]"))
        return;
    for (size_t i = run->told_seen; i < trial_told_count(run->trial); i++)
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", got[0] == '\0' ? "" : ", ",
                       trial_told(run->trial, i)->what);
    for (size_t i = 0; i < (want->kind == NODE_SCALAR ? 1 : want->count); i++)
        (void)snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s%s",
                       wanted[0] == '\0' ? "" : ", ",
                       want->kind == NODE_SCALAR ? want->text : want->items[i]->text);
    if (strcmp(got, wanted) != 0)
        differ(run, "told", wanted[0] == '\0' ? "nothing" : wanted, got[0] == '\0' ? "nothing" : got);
}

/* A state that there is none of would never be met, and the case say so of the process. */
static void expect_state(struct run *run, const struct yaml_node *want, const struct wire_val *got)
{
    const char *words[FIELD_WORDS_MAX];
    char allowed[LINE_BYTES];

    if (!is_scalar(run, want, "state"))
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
static void expect(struct run *run, const struct yaml_node *want, bool has_op)
{
    static const char *const plain[] = {"priority", "queue", "assignee", "kind", "reply_pending"};
    static const char *const clocks[] = {"response", "update", "resolution"};
    const struct wire_val *ticket = trial_ticket(run->trial);
    const struct yaml_node *node = NULL;

    if (want == NULL || !is_map(run, want, "expect", EXPECT_FORM))
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
        is_map(run, node, "attributes", "{region: emea}"))
        expect_attributes(run, node, ticket);
    for (size_t i = 0; i < COUNT_OF(clocks); i++)
        if ((node = yaml_node_find(want, clocks[i])) != NULL)
            expect_clock(run, clocks[i], node, ticket);
    if ((node = yaml_node_find(want, "told")) != NULL)
        expect_told(run, node);
}

/* ---- steps ---- */

static bool step_time(struct run *run, const struct yaml_node *step)
{
    const struct yaml_node *after = yaml_node_find(step, "after"), *at = yaml_node_find(step, "at");
    int64_t span_s = 0, then = run->now;

    if ((after == NULL) == (at == NULL))
        return faults_add(run->faults, step->place, "a step needs either after (15m) or at (an instant)");
    if (after != NULL ? !read_span(run, after, "after", &span_s) : !read_instant(run, at, "at", &then))
        return false;
    then += span_s * US_PER_S;
    if (then < run->now)
        return faults_add(run->faults, at->place, "at: lies before the step before it");
    run->now = then;
    return true;
}

static bool is_own_key(struct span key)
{
    for (size_t i = 0; i < COUNT_OF(step_own_keys); i++)
        if (span_is(key, step_own_keys[i]))
            return true;
    return false;
}

static bool step_body(struct run *run, const struct yaml_node *step, struct buf *out)
{
    const struct yaml_node *until = yaml_node_find(step, "until");
    struct wire_map map = wire_map_open(out);
    int64_t span_s = 0;

    for (size_t i = 0; i < step->count; i++)
        if (!is_own_key(span_of(step->keys[i]->text))) {
            wire_put_text(out, step->keys[i]->text);
            put_node(step->items[i], out), map.count++;
        }
    if (until != NULL) {
        if (!read_span(run, until, "until", &span_s))
            return false;
        wire_put_key_int(out, "until_at", run->now + span_s * US_PER_S), map.count++;
    }
    wire_map_close(out, &map);
    return true;
}

/* out: doc  the caller's to free */
static bool value_of(struct run *run, struct fault_place place, struct buf *bytes, struct wire_doc **doc)
{
    struct err err = {0};

    bool ok = wire_parse(bytes->p, bytes->len, DEPTH_MAX, doc, &err) ||
              faults_add(run->faults, place, "%s", err.msg);
    buf_reset(bytes);
    return ok;
}

/* Who acts has a name as a request has it. */
static bool step_name(struct run *run, const struct yaml_node *as)
{
    struct wire_doc *doc = NULL;
    struct buf out;

    buf_init(&out, BYTES_MAX);
    wire_put_map(&out, 2);
    wire_put_text(&out, "name");
    put_node(as, &out);
    wire_put_key_text(&out, "role", "staff");
    bool ok = value_of(run, as->place, &out, &doc) &&
              given_check_value(F_AS, wire_root(doc), NULL, as->place, run->faults);
    wire_doc_free(doc);
    buf_clear(&out);
    return ok;
}

static bool step_as(struct run *run, const struct yaml_node *step, const char *op, struct trial_as *ret)
{
    const struct yaml_node *as = yaml_node_find(step, "as"), *role = yaml_node_find(step, "role");
    bool customers = strcmp(op, "reply") == 0 || strcmp(op, "approve") == 0 || strcmp(op, "reject") == 0 ||
                     strcmp(op, "agree") == 0 || strcmp(op, "decline") == 0;

    *ret = (struct trial_as){customers ? ROLE_CUSTOMER : ROLE_STAFF, as == NULL ? "somebody" : as->text};
    if (role != NULL && !is_scalar(run, role, "role"))
        return false;
    if (role != NULL && !desk_role_parse(span_of(role->text), &ret->role))
        return faults_add(run->faults, role->place,
                          "role: \"%s\" is not allowed, want staff, customer, system or admin", role->text);
    return as == NULL || step_name(run, as);
}

/* Whether a broker would take it. An op that there is none of is told by who does it. */
static bool step_form(struct run *run, const struct yaml_node *step, const char *op,
                      const struct trial_as *as, const struct wire_val *body)
{
    struct given given = {.body = body,
                          .written = step,
                          .place = step->place,
                          .has_as = true,
                          .role = as->role,
                          .may_lack = given_step_may_lack};
    const struct yaml_node *role = yaml_node_find(step, "role");
    char name[NAME_MAX_BYTES];
    struct err err = {0};

    (void)snprintf(name, sizeof name, "ticket.%s", strcmp(op, "reply") == 0 ? "comment" : op);
    given.form = op_form_find(span_of(name));
    return given.form == NULL ||
           ((op_form_may(given.form, as->role, &err) ||
             faults_add(run->faults, role == NULL ? step->place : role->place, "%s", err.msg)) &
            given_check(&given, run->faults));
}

/* Of an op that there is none of: its name; else the step. */
static struct fault_place place_of_do(const struct yaml_node *step, const struct err *err)
{
    return strcmp(err->field, "do") == 0 ? yaml_node_find(step, "do")->place : step->place;
}

static bool step_do(struct run *run, const struct yaml_node *step, const char *op, const struct trial_as *as)
{
    const struct yaml_node *node = yaml_node_find(yaml_node_find(step, "expect"), "refused");
    struct wire_doc *doc = NULL;
    struct err err = {0};
    struct buf body;
    bool refused = false;

    if (node != NULL && !yaml_node_bool(node, "refused", &refused, run->faults))
        return false;
    buf_init(&body, BYTES_MAX);
    bool ok = step_body(run, step, &body);
    ok = ok && value_of(run, step->place, &body, &doc);
    if (ok && step_form(run, step, op, as, wire_root(doc))) {
        bool done = trial_do(run->trial, op, *as, wire_root(doc), run->now, &err);
        if (!done && err.code != ERR_CONFLICT)
            ok = faults_add(run->faults, place_of_do(step, &err), "%s", err.msg);
        else if (done == refused)
            differ(run, "refused", refused ? "refused" : "done", done ? "done" : err.msg);
    } else {
        ok = false;
    }
    wire_doc_free(doc);
    buf_clear(&body);
    return ok;
}

static bool run_step(struct run *run, const struct yaml_node *step, size_t number)
{
    const struct yaml_node *op = yaml_node_find(step, "do");
    char at[INSTANT_BYTES];
    struct trial_as as;
    struct err err = {0};

    if (!is_map(run, step, "a step", STEP_FORM) || (op != NULL && !is_scalar(run, op, "do")) ||
        (op == NULL &&
         !yaml_node_check_keys(step, "a step", step_own_keys, COUNT_OF(step_own_keys), run->faults)))
        return false;
    run->told_seen = trial_told_count(run->trial);
    if (!step_time(run, step))
        return false;
    (void)instant_format(run->now, at);
    (void)snprintf(run->step, sizeof run->step, "step %zu (line %u), %s: %s", number, step->place.line, at,
                   op == NULL ? "time passes" : op->text);
    run->step_told = false;
    if (op != NULL) {
        if (!step_as(run, step, op->text, &as) || !step_do(run, step, op->text, &as))
            return false;
    } else if (!trial_pass(run->trial, run->now, &err)) {
        return faults_add(run->faults, step->place, "%s", err.msg);
    }
    expect(run, yaml_node_find(step, "expect"), op != NULL);
    return true;
}

/* ---- cases ---- */

static bool read_package(struct run *run, const struct yaml_node *package)
{
    const struct process *process = engine_process(run->engine);

    if (package == NULL || yaml_node_is_null(package))
        return true;
    return is_scalar(run, package, "package") &&
           (process_package_known(process, span_of(package->text)) ||
            process_package_refuse(process, "package", package->text, package->place, run->faults));
}

/* The case says when, and by whom, its ticket is posted. */
static bool read_ticket(struct run *run, const struct yaml_node *ticket, const struct wire_val *body)
{
    const struct given given = {.form = &op_forms[FORM_TICKET_SUBMIT],
                                .body = body,
                                .written = ticket,
                                .place = ticket->place,
                                .has_as = true,
                                .role = ROLE_STAFF,
                                .may_lack = given_ticket_may_lack};
    const struct yaml_node *posted_at = yaml_node_find(ticket, "posted_at"),
                           *as = yaml_node_find(ticket, "as");
    bool ok = given_check(&given, run->faults);

    if (posted_at != NULL)
        ok = faults_add(run->faults, posted_at->place, "posted_at: belongs to the case, as `at`");
    if (as != NULL)
        ok = faults_add(run->faults, as->place, "as: a case's ticket is posted, and taken, by somebody");
    return ok;
}

/* `take`: who posts for a customer takes it in the same step. */
static bool case_take(struct run *run, const struct yaml_node *ticket)
{
    static const struct trial_as by = {ROLE_STAFF, "somebody"};
    const struct yaml_node *take = yaml_node_find(ticket, "take");
    struct err err = {0};

    return take == NULL || take->kind != NODE_SCALAR || strcmp(take->text, "true") != 0 ||
           trial_do(run->trial, "take", by, NULL, run->now, &err) ||
           faults_add(run->faults, take->place, "take: %s", err.msg);
}

/* The customer's record as the case has it, or one with its package alone; nil: unknown. */
static void put_customer(const struct yaml_node *node, struct buf *out)
{
    const struct yaml_node *customer = yaml_node_find(node, "customer"),
                           *package = yaml_node_find(node, "package");

    if (customer != NULL) {
        put_node(customer, out);
    } else if (package != NULL) {
        wire_put_map(out, 3);
        wire_put_key_text(out, "id", "somebody");
        wire_put_key_text(out, "name", "Somebody");
        wire_put_key_text(out, "package", package->text);
    } else {
        wire_put_nil(out);
    }
}

/* A case's customer is of the form of customer.put but for what it leaves out: that is as somebody has it. */
static bool read_customer(struct run *run, const struct yaml_node *customer, struct buf *out)
{
    static const char *const names[] = {"id", "name", "package"};
    struct wire_doc *doc = NULL;

    if (customer == NULL)
        return true;
    struct wire_map map = wire_map_open(out);
    for (size_t i = 0; i < customer->count; i++, map.count++) {
        wire_put_text(out, customer->keys[i]->text);
        put_node(customer->items[i], out);
    }
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (yaml_node_find(customer, names[i]) == NULL)
            wire_put_key_text(out, names[i], "somebody"), map.count++;
    wire_map_close(out, &map);
    bool ok = value_of(run, customer->place, out, &doc) &&
              given_check_value(F_CUSTOMER_RECORD, wire_root(doc), customer, customer->place, run->faults);
    wire_doc_free(doc);
    return read_package(run, yaml_node_find(customer, "package")) && ok;
}

static bool case_post(struct run *run, const struct yaml_node *node)
{
    const struct yaml_node *ticket = yaml_node_find(node, "ticket"),
                           *customer = yaml_node_find(node, "customer");
    struct wire_doc *docs[2] = {NULL, NULL};
    struct err err = {0};
    struct buf out;

    if (ticket == NULL)
        return faults_add(run->faults, node->place, "a case without a ticket, want ticket: " TICKET_FORM);
    if (!is_map(run, ticket, "ticket", TICKET_FORM) ||
        (customer != NULL && !is_map(run, customer, "customer", "{id: acme, name: Acme, package: gold}")))
        return false;
    buf_init(&out, BYTES_MAX);
    put_node(ticket, &out);
    bool ok = value_of(run, ticket->place, &out, &docs[0]);
    put_customer(node, &out);
    ok = value_of(run, node->place, &out, &docs[1]) && ok;
    ok = ok && read_ticket(run, ticket, wire_root(docs[0]));
    ok = read_package(run, yaml_node_find(node, "package")) && ok;
    ok = read_customer(run, customer, &out) && ok;
    if (ok && !trial_new(run->engine, wire_root(docs[0]), wire_root(docs[1]), run->now, &run->trial, &err))
        ok = faults_add(run->faults, ticket->place, "%s", err.msg);
    wire_doc_free(docs[0]);
    wire_doc_free(docs[1]);
    buf_clear(&out);
    return ok;
}

static bool case_steps(struct run *run, const struct yaml_node *node)
{
    const struct yaml_node *at = yaml_node_find(node, "at"), *steps = yaml_node_find(node, "steps");

    (void)instant_parse(span_of(POSTED_BY_DEFAULT), &run->now);
    if (at != NULL && !read_instant(run, at, "at", &run->now))
        return false;
    if (!case_post(run, node) || !case_take(run, yaml_node_find(node, "ticket")))
        return false;
    (void)snprintf(run->step, sizeof run->step, "posted (line %u)", node->place.line);
    expect(run, yaml_node_find(node, "expect"), false);
    if (steps != NULL && !is_kind(run, steps, NODE_LIST, "steps", "[" STEP_FORM "]"))
        return false;
    for (size_t i = 0; steps != NULL && i < steps->count; i++)
        if (!run_step(run, steps->items[i], i + 1))
            return false;
    return true;
}

/* Names are what people look a case up by; --only takes each that has it. */
struct case_names {
    struct case_name {
        char *name;
        struct fault_place place;
    } * items;
    size_t count;
};

static void names_clear(struct case_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].name);
    free(names->items);
}

static bool read_name(struct run *run, const struct yaml_node *node, struct case_names *names,
                      const char **ret)
{
    const struct yaml_node *named = yaml_node_find(node, "case");

    if (named == NULL)
        return faults_add(run->faults, node->place, "a case without a name, want case: NAME");
    if (!yaml_node_text(named, "case", NAME_MAX_BYTES, ret, run->faults))
        return false;
    if (!text_is_line(span_of(*ret)))
        return faults_add(run->faults, named->place,
                          "case: \"%s\" is not allowed, want one line, without control characters", *ret);
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i].name, *ret) == 0)
            return faults_add(run->faults, named->place, "case: \"%s\" is the name of another one, %s:%u",
                              *ret, names->items[i].place.file, names->items[i].place.line);
    names->items = mem_grow(names->items, names->count + 1, sizeof *names->items);
    names->items[names->count++] = (struct case_name){mem_strndup(*ret, strlen(*ret)), named->place};
    return true;
}

static void case_run(const struct engine *engine, const struct yaml_node *node, const char *only,
                     struct case_names *names, FILE *out, struct cases_count *count, struct faults *faults)
{
    struct run run = {.engine = engine, .faults = faults};
    const char *name = NULL;

    if (!is_map(&run, node, "a case", CASE_FORM) ||
        !yaml_node_check_keys(node, "a case", case_keys, COUNT_OF(case_keys), faults))
        return;
    if (!read_name(&run, node, names, &name) || (only != NULL && strstr(name, only) == NULL))
        return;
    buf_init(&run.wrong, TEXT_MAX);
    size_t before = faults->count + faults->dropped;
    bool ok = case_steps(&run, node) && run.wrong.len == 0 && faults->count + faults->dropped == before;
    count->passed += ok;
    count->failed += !ok;
    (void)fprintf(out, "%s  %s: %s\n%s", ok ? "ok  " : "FAIL", node->place.file, name, buf_text(&run.wrong));
    buf_clear(&run.wrong);
    trial_free(run.trial);
}

bool cases_run(const struct engine *engine, const char *only, FILE *out, struct cases_count *count,
               struct faults *faults)
{
    const struct process_files *files = &engine_process(engine)->files;
    struct case_names names = {NULL, 0};
    size_t before = faults->count;

    for (size_t i = 0; i < files->count; i++) {
        const struct process_file *file = &files->items[i];
        struct yaml_node *root = NULL;
        if (strncmp(file->name, "tests/", 6) != 0 || strlen(file->name) < 5 ||
            strcmp(file->name + strlen(file->name) - 5, ".yaml") != 0)
            continue;
        if (!yaml_node_parse(file->name, file->bytes, file->len, &root, faults)) {
            yaml_node_free(root);
            continue;
        }
        if (root->kind != NODE_LIST && !yaml_node_is_null(root))
            (void)is_kind(&(struct run){.faults = faults}, root, NODE_LIST, "the file", "[" CASE_FORM "]");
        for (size_t k = 0; root->kind == NODE_LIST && k < root->count; k++)
            case_run(engine, root->items[k], only, &names, out, count, faults);
        yaml_node_free(root);
    }
    names_clear(&names);
    return faults->count == before;
}
