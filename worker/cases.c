/* Cases of a process; see cases.h. */
#include "cases_internal.h"

#include "clock.h"
#include "given.h"
#include "instant.h"
#include "mem.h"
#include "request_fields.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200, TEXT_MAX = 65536 };

/* What faults show, for people to copy. */
#define TICKET_FORM "{title: No tone, problem: Since nine.}"
#define STEP_FORM "{after: 1h, do: take, as: ada, expect: {state: in_progress}}"
#define CASE_FORM "{case: NAME, ticket: " TICKET_FORM ", expect: {priority: 3}}"

static const char *const case_keys[] = {"case", "ticket", "customer", "package", "at", "expect", "steps"};
static const char *const step_own_keys[] = {"after", "at", "do", "as", "role", "until", "begins", "expect"};

/* ---- YAML to values ---- */

static void put_scalar(const struct yaml_node *node, struct buf *out)
{
    int64_t number;
    double fraction;

    if (yaml_node_is_null(node))
        wire_put_nil(out);
    else if (!node->quoted && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0))
        wire_put_bool(out, node->text[0] == 't');
    else if (!node->quoted && decimal_parse(node->text, &number))
        wire_put_int(out, number);
    else if (!node->quoted && decimal_fraction_parse(node->text, &fraction))
        wire_put_float(out, fraction);
    else
        wire_put_text(out, node->text);
}

void case_put_node(const struct yaml_node *node, struct buf *out)
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
        case_put_node(node->items[i], out);
    }
}

/* form: what would be right there, for people to copy, or NULL where any scalar may be */
static bool case_is_kind(struct case_state *run, const struct yaml_node *node, enum node_kind kind,
                         const char *what, const char *form)
{
    static const char *const wants[] = {
        [NODE_SCALAR] = "text or a number", [NODE_LIST] = "a list like ", [NODE_MAP] = "a map like "};

    if (node->kind == kind)
        return true;
    return faults_add(run->faults, node->place, "%s: is %s, want %s%s", what, yaml_node_kind_name(node),
                      wants[kind], form == NULL ? "" : form);
}

bool case_is_map(struct case_state *run, const struct yaml_node *node, const char *what, const char *form)
{
    return case_is_kind(run, node, NODE_MAP, what, form);
}

bool case_is_scalar(struct case_state *run, const struct yaml_node *node, const char *what)
{
    return case_is_kind(run, node, NODE_SCALAR, what, NULL);
}

size_t case_texts_count(const struct yaml_node *node)
{
    return node->kind == NODE_LIST ? node->count : 1;
}

const struct yaml_node *case_text_at(const struct yaml_node *node, size_t i)
{
    return node->kind == NODE_LIST ? node->items[i] : node;
}

/* A text, or a list of texts. */
bool case_is_texts(struct case_state *run, const struct yaml_node *node, const char *what, const char *form)
{
    bool ok = node->kind == NODE_SCALAR || case_is_kind(run, node, NODE_LIST, what, form);

    for (size_t i = 0; ok && node->kind == NODE_LIST && i < node->count; i++)
        ok = case_is_scalar(run, node->items[i], what);
    return ok;
}

bool case_instant(struct case_state *run, const struct yaml_node *node, const char *what, int64_t *ret)
{
    if (node->kind == NODE_SCALAR && instant_parse(span_of(node->text), ret))
        return true;
    return case_is_scalar(run, node, what) &&
           faults_add(run->faults, node->place, "%s: \"%s\" is no instant, want e.g. " POSTED_BY_DEFAULT,
                      what, node->text);
}

bool case_span(struct case_state *run, const struct yaml_node *node, const char *what, int64_t *ret_s)
{
    bool working;
    if (node->kind == NODE_SCALAR && process_duration_parse(node->text, ret_s, &working) && !working)
        return true;
    return case_is_scalar(run, node, what) &&
           faults_add(run->faults, node->place, "%s: \"%s\" is no time, want e.g. 30s, 15m, 6h, 2d", what,
                      node->text);
}

/* ---- steps ---- */

static bool step_time(struct case_state *run, const struct yaml_node *step)
{
    const struct yaml_node *after = yaml_node_find(step, "after"), *at = yaml_node_find(step, "at");
    int64_t span_s = 0, then = run->now;

    if ((after == NULL) == (at == NULL))
        return faults_add(run->faults, step->place, "a step needs either after (15m) or at (an instant)");
    if (after != NULL ? !case_span(run, after, "after", &span_s) : !case_instant(run, at, "at", &then))
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

/* When a meeting begins: so long after the step, or an instant. */
static bool step_begins(struct case_state *run, const struct yaml_node *step, int64_t *ret)
{
    const struct yaml_node *begins = yaml_node_find(step, "begins"), *op = yaml_node_find(step, "do");
    int64_t span_s;
    bool working;

    if (op == NULL || strcmp(op->text, "meeting") != 0)
        return faults_add(run->faults, begins->place,
                          "begins: nothing does here but a meeting, want do: meeting");
    if (!case_is_scalar(run, begins, "begins"))
        return false;
    if (instant_parse(span_of(begins->text), ret))
        return true;
    if (!process_duration_parse(begins->text, &span_s, &working) || working)
        return faults_add(run->faults, begins->place,
                          "begins: \"%s\" is no time and no instant, want e.g. 2h, 1d or " POSTED_BY_DEFAULT,
                          begins->text);
    *ret = run->now + span_s * US_PER_S;
    return true;
}

static bool step_body(struct case_state *run, const struct yaml_node *step, struct buf *out)
{
    const struct yaml_node *until = yaml_node_find(step, "until");
    struct wire_map map = wire_map_open(out);
    int64_t span_s = 0, begins_at = 0;

    for (size_t i = 0; i < step->count; i++)
        if (!is_own_key(span_of(step->keys[i]->text))) {
            wire_put_text(out, step->keys[i]->text);
            case_put_node(step->items[i], out), map.count++;
        }
    if (until != NULL) {
        if (!case_span(run, until, "until", &span_s))
            return false;
        wire_put_key_int(out, "until_at", run->now + span_s * US_PER_S), map.count++;
    }
    if (yaml_node_find(step, "begins") != NULL) {
        if (!step_begins(run, step, &begins_at))
            return false;
        wire_put_key_int(out, "at", begins_at), map.count++;
    }
    wire_map_close(out, &map);
    return true;
}

/* out: doc  the caller's to free */
static bool value_of(struct case_state *run, struct fault_place place, struct buf *bytes,
                     struct wire_doc **doc)
{
    struct err err = {0};

    bool ok = wire_parse(bytes->p, bytes->len, CASE_DEPTH_MAX, doc, &err) ||
              faults_add(run->faults, place, "%s", err.msg);
    buf_reset(bytes);
    return ok;
}

/* Who acts has a name as a request has it. */
static bool step_name(struct case_state *run, const struct yaml_node *as)
{
    struct wire_doc *doc = NULL;
    struct buf out;

    buf_init(&out, CASE_BYTES_MAX);
    wire_put_map(&out, 2);
    wire_put_text(&out, "name");
    case_put_node(as, &out);
    wire_put_key_text(&out, "role", "staff");
    bool ok = value_of(run, as->place, &out, &doc) &&
              given_check_value(F_AS, wire_root(doc), NULL, as->place, run->faults);
    wire_doc_free(doc);
    buf_clear(&out);
    return ok;
}

static bool step_as(struct case_state *run, const struct yaml_node *step, const char *op,
                    struct trial_as *ret)
{
    const struct yaml_node *as = yaml_node_find(step, "as"), *role = yaml_node_find(step, "role");
    bool customers = strcmp(op, "reply") == 0 || strcmp(op, "approve") == 0 || strcmp(op, "reject") == 0 ||
                     strcmp(op, "agree") == 0 || strcmp(op, "decline") == 0;

    *ret = (struct trial_as){customers ? ROLE_CUSTOMER : ROLE_STAFF, as == NULL ? "somebody" : as->text};
    if (role != NULL && !case_is_scalar(run, role, "role"))
        return false;
    if (role != NULL && !desk_role_parse(span_of(role->text), &ret->role))
        return faults_add(run->faults, role->place,
                          "role: \"%s\" is not allowed, want staff, customer, system or admin", role->text);
    return as == NULL || step_name(run, as);
}

/* Whether a broker would take it. An op that there is none of is told by who does it. */
static bool step_form(struct case_state *run, const struct yaml_node *step, const char *op,
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

/* Of the field that is wrong, where it is written; else of the step. */
static struct fault_place place_of_field(const struct yaml_node *step, const struct err *err)
{
    const struct yaml_node *node = yaml_node_find(step, err->field);

    return node == NULL ? step->place : node->place;
}

static bool step_do(struct case_state *run, const struct yaml_node *step, const char *op,
                    const struct trial_as *as)
{
    const struct yaml_node *node = yaml_node_find(yaml_node_find(step, "expect"), "refused");
    struct wire_doc *doc = NULL;
    struct err err = {0};
    struct buf body;
    bool refused = false;

    if (node != NULL && !yaml_node_bool(node, "refused", &refused, run->faults))
        return false;
    buf_init(&body, CASE_BYTES_MAX);
    bool ok = step_body(run, step, &body);
    ok = ok && value_of(run, step->place, &body, &doc);
    if (ok && step_form(run, step, op, as, wire_root(doc))) {
        bool done = trial_do(run->trial, op, *as, wire_root(doc), run->now, &err);
        if (!done && err.code != ERR_CONFLICT)
            ok = faults_add(run->faults, place_of_field(step, &err), "%s", err.msg);
        else if (done == refused)
            case_differ(run, "refused", refused ? "refused" : "done", done ? "done" : err.msg);
    } else {
        ok = false;
    }
    wire_doc_free(doc);
    buf_clear(&body);
    return ok;
}

static bool run_step(struct case_state *run, const struct yaml_node *step, size_t number)
{
    const struct yaml_node *op = yaml_node_find(step, "do");
    char at[INSTANT_BYTES];
    struct trial_as as;
    struct err err = {0};

    int64_t begins_at;

    if (!case_is_map(run, step, "a step", STEP_FORM) || (op != NULL && !case_is_scalar(run, op, "do")) ||
        (op == NULL &&
         (!yaml_node_check_keys(step, "a step", step_own_keys, COUNT_OF(step_own_keys), run->faults) ||
          (yaml_node_find(step, "begins") != NULL && !step_begins(run, step, &begins_at)))))
        return false;
    for (size_t list = 0; list < TRIAL_LISTS; list++)
        run->seen[list] = trial_said_count(run->trial, (enum trial_list)list);
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
    case_expect(run, yaml_node_find(step, "expect"), op != NULL);
    return true;
}

/* ---- cases ---- */

static bool read_package(struct case_state *run, const struct yaml_node *package)
{
    const struct process *process = engine_process(run->engine);

    if (package == NULL || yaml_node_is_null(package))
        return true;
    return case_is_scalar(run, package, "package") &&
           (process_package_known(process, span_of(package->text)) ||
            process_package_refuse(process, "package", package->text, package->place, run->faults));
}

/* The case says when, and by whom, its ticket is posted. */
static bool read_ticket(struct case_state *run, const struct yaml_node *ticket, const struct wire_val *body)
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
static bool case_take(struct case_state *run, const struct yaml_node *ticket)
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
        case_put_node(customer, out);
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
static bool read_customer(struct case_state *run, const struct yaml_node *customer, struct buf *out)
{
    static const char *const names[] = {"id", "name", "package"};
    struct wire_doc *doc = NULL;

    if (customer == NULL)
        return true;
    struct wire_map map = wire_map_open(out);
    for (size_t i = 0; i < customer->count; i++, map.count++) {
        wire_put_text(out, customer->keys[i]->text);
        case_put_node(customer->items[i], out);
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

static bool case_may_be_refused(const struct case_state *run)
{
    return engine_process(run->engine)->policy.unknown_customer == UNKNOWN_REFUSE;
}

/* Whom the desk does not know it may refuse; then nothing is posted, as the case may expect. True: so it is. */
static bool case_refused(struct case_state *run, const struct yaml_node *node)
{
    const struct yaml_node *expect = yaml_node_find(node, "expect"),
                           *want = yaml_node_find(expect, "refused");
    bool refused = case_may_be_refused(run) && yaml_node_find(node, "customer") == NULL &&
                   yaml_node_find(node, "package") == NULL;
    bool wanted = false;

    if (!case_may_be_refused(run))
        return false;
    if (want != NULL && !yaml_node_bool(want, "refused", &wanted, run->faults))
        return true;
    if (refused != wanted)
        case_differ(run, "refused", wanted ? "refused" : "posted",
                    refused ? "the customer is not on file, and this desk refuses unknown customers"
                            : "posted");
    return refused;
}

static bool case_post(struct case_state *run, const struct yaml_node *node)
{
    const struct yaml_node *ticket = yaml_node_find(node, "ticket"),
                           *customer = yaml_node_find(node, "customer");
    struct wire_doc *docs[2] = {NULL, NULL};
    struct err err = {0};
    struct buf out;

    if (ticket == NULL)
        return faults_add(run->faults, node->place, "a case without a ticket, want ticket: " TICKET_FORM);
    if (!case_is_map(run, ticket, "ticket", TICKET_FORM) ||
        (customer != NULL &&
         !case_is_map(run, customer, "customer", "{id: acme, name: Acme, package: gold}")))
        return false;
    buf_init(&out, CASE_BYTES_MAX);
    case_put_node(ticket, &out);
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

static bool case_steps(struct case_state *run, const struct yaml_node *node)
{
    const struct yaml_node *at = yaml_node_find(node, "at"), *steps = yaml_node_find(node, "steps");

    (void)instant_parse(span_of(POSTED_BY_DEFAULT), &run->now);
    if (at != NULL && !case_instant(run, at, "at", &run->now))
        return false;
    (void)snprintf(run->step, sizeof run->step, "posted (line %u)", node->place.line);
    if (case_refused(run, node))
        return true;
    if (!case_post(run, node) || !case_take(run, yaml_node_find(node, "ticket")))
        return false;
    case_expect(run, yaml_node_find(node, "expect"), case_may_be_refused(run));
    if (steps != NULL && !case_is_kind(run, steps, NODE_LIST, "steps", "[" STEP_FORM "]"))
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

static bool read_name(struct case_state *run, const struct yaml_node *node, struct case_names *names,
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
    struct case_state run = {.engine = engine, .faults = faults};
    const char *name = NULL;

    if (!case_is_map(&run, node, "a case", CASE_FORM) ||
        !yaml_node_check_keys(node, "a case", case_keys, COUNT_OF(case_keys), faults))
        return;
    if (!read_name(&run, node, names, &name) || (only != NULL && strstr(name, only) == NULL))
        return;
    buf_init(&run.wrong, TEXT_MAX);
    size_t before = faults->count + faults->dropped;
    bool ok = case_steps(&run, node) && run.wrong.len == 0 && faults->count + faults->dropped == before;
    count->passed += ok;
    count->failed += !ok;
    if (out != NULL)
        (void)fprintf(out, "%s  %s: %s\n%s", ok ? "ok  " : "FAIL", node->place.file, name,
                      buf_text(&run.wrong));
    buf_clear(&run.wrong);
    trial_free(run.trial);
}

bool cases_run(const struct engine *engine, const char *only, FILE *out, struct cases_count *count,
               struct faults *faults)
{
    const struct process_files *files = &engine_process(engine)->files;
    struct case_names names = {NULL, 0};
    size_t before = faults->count + faults->dropped;

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
            (void)case_is_kind(&(struct case_state){.faults = faults}, root, NODE_LIST, "the file",
                               "[" CASE_FORM "]");
        for (size_t k = 0; root->kind == NODE_LIST && k < root->count; k++)
            case_run(engine, root->items[k], only, &names, out, count, faults);
        yaml_node_free(root);
    }
    names_clear(&names);
    return faults->count + faults->dropped == before;
}
