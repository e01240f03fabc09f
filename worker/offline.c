/* docket-worker check, explain; see offline.h. */
#include "offline.h"

#include "check.h"
#include "clock.h"
#include "decide.h"
#include "given.h"
#include "history.h"
#include "instant.h"
#include "mem.h"
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICKET_BYTES_MAX = 4 << 20,
    OUT_BYTES_MAX = 8 << 20,
    DEPTH_MAX = 32,
    STATUS_REFUSED = 1,
    STATUS_USAGE = 2
};

bool offline_engine_open(const char *dir, const char *zoneinfo, struct engine **ret)
{
    struct process *process = NULL;
    struct faults faults = {0};
    bool ok = process_load_dir(dir, &process, &faults) && engine_new(process, zoneinfo, ret, &faults);

    faults_sort(&faults);
    faults_print(stderr, "", &faults);
    faults_clear(&faults);
    return ok;
}

/* Takes "--zoneinfo DIR" and "--json" out of the arguments; what is left are names. */
static bool arguments_parse(int argc, char **argv, const char **names, int name_count,
                            const char **ret_zoneinfo, bool *ret_json)
{
    int got = 0;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--zoneinfo") == 0 && i + 1 < argc)
            *ret_zoneinfo = argv[++i];
        else if (ret_json != NULL && strcmp(argv[i], "--json") == 0)
            *ret_json = true;
        else if ((argv[i][0] == '-' && argv[i][1] != '\0') || got == name_count)
            return false;
        else
            names[got++] = argv[i];
    }
    return got == name_count;
}

int offline_usage(const char *usage)
{
    fprintf(stderr, "usage: docket-worker %s [--zoneinfo DIR]\n", usage);
    return STATUS_USAGE;
}

int offline_check(int argc, char **argv)
{
    const char *dir = NULL, *zoneinfo = OFFLINE_ZONEINFO;
    struct engine *engine = NULL;
    struct faults faults = {0};

    if (!arguments_parse(argc, argv, &dir, 1, &zoneinfo, NULL))
        return offline_usage("check DIR");
    if (!offline_engine_open(dir, zoneinfo, &engine))
        return STATUS_REFUSED;
    bool ok = check_version(engine, zoneinfo, clock_wall_us(), &faults);
    faults_print(stderr, "", &faults);
    faults_clear(&faults);
    faults_print(stderr, "warning: ", &engine_process(engine)->warnings);
    if (ok)
        printf("ok %s\n", engine_process(engine)->hash);
    engine_free(engine);
    return ok ? 0 : STATUS_REFUSED;
}

/* ---- explain ---- */

/* out: ret  the caller frees it */
static bool file_read(const char *path, char **ret, size_t *ret_len, struct err *err)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

    if (file == NULL)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    char *bytes = mem_new(TICKET_BYTES_MAX + 1, 1);
    errno = 0;
    size_t len = fread(bytes, 1, TICKET_BYTES_MAX + 1, file);
    int fault = ferror(file) ? errno : 0;
    if (file != stdin)
        (void)fclose(file);
    if (fault != 0) {
        free(bytes);
        return err_set(err, ERR_IO, "%s: %s", path, strerror(fault));
    }
    if (len > TICKET_BYTES_MAX) {
        free(bytes);
        return err_set(err, ERR_TOO_LARGE, "%s: larger than %d bytes", path, TICKET_BYTES_MAX);
    }
    *ret = bytes;
    *ret_len = len;
    return true;
}

static int64_t instant_of(const struct wire_val *map, const char *key, int64_t fallback)
{
    struct span text = SPAN_NONE;
    int64_t at = wire_find_int(map, key, fallback);

    if (wire_get_str(wire_find(map, key), &text) && text.len != 0)
        (void)instant_parse(text, &at);
    return at;
}

/* ---- a work of what is given ---- */

static void put_entries(const struct wire_val *map, bool (*is_left_out)(struct span key), struct buf *out,
                        struct wire_map *into)
{
    for (size_t i = 0; i < wire_count(map); i++)
        if (is_left_out == NULL || !is_left_out(wire_key_at(map, i))) {
            wire_put_str(out, wire_key_at(map, i));
            wire_put_val(out, wire_val_at(map, i)), into->count++;
        }
}

/* A whole work. */
static void put_whole(const struct wire_val *given, struct buf *out)
{
    struct wire_map whole = wire_map_open(out);

    put_entries(given, NULL, out, &whole);
    if (wire_find(given, "now") == NULL)
        wire_put_key_int(out, "now", clock_wall_us()), whole.count++;
    wire_map_close(out, &whole);
}

static void put_reasons(const char *reason, struct buf *out)
{
    wire_put_text(out, "reasons");
    wire_put_list(out, 1);
    wire_put_text(out, reason);
}

static bool is_shown_beside(struct span key)
{
    static const char *const keys[] = {"events", "events_more", "deadlines", "messages", "now"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (span_is(key, keys[i]))
            return true;
    return false;
}

static bool is_of_event(const struct wire_val *event, const char *kind)
{
    return span_is(wire_find_str(event, "kind"), kind);
}

/* What staff set by hand stays; the answer tells it by its events alone. */
static bool is_prioritized(const struct wire_val *events)
{
    for (size_t i = 0; i < wire_count(events); i++) {
        struct span role = wire_find_str(wire_find(wire_at(events, i), "as"), "role");
        if (is_of_event(wire_at(events, i), "prioritized") &&
            (span_is(role, "staff") || span_is(role, "admin")))
            return true;
    }
    return false;
}

/* An answer of ticket.show: the ticket as it stands, with what happened to it. */
static void put_shown(const struct wire_val *given, const struct wire_val *customer, struct buf *out)
{
    const struct wire_val *events = wire_find(given, "events"), *deadlines = wire_find(given, "deadlines");

    wire_put_map(out, 6);
    wire_put_text(out, "ticket");
    struct wire_map ticket = wire_map_open(out);
    put_entries(given, is_shown_beside, out, &ticket);
    if (is_prioritized(events) && wire_find(given, "held") == NULL) {
        wire_put_text(out, "held"), ticket.count++;
        wire_put_list(out, 1);
        wire_put_text(out, "priority");
    }
    wire_map_close(out, &ticket);
    wire_put_key_val(out, "customer", customer);
    wire_put_text(out, "events");
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < wire_count(events); i++)
        if (!is_of_event(wire_at(events, i), "posted")) /* a work's events begin after it */
            wire_put_val(out, wire_at(events, i)), list.count++;
    wire_list_close(out, &list);
    put_reasons("event", out);
    wire_put_key_int(out, "now", instant_of(given, "now", clock_wall_us()));
    wire_put_text(out, "deadlines");
    if (deadlines != NULL)
        wire_put_val(out, deadlines);
    else
        wire_put_list(out, 0);
}

/* What life made of a ticket is not what was posted; its number is told, and its package counts. */
static bool is_not_posted(struct span key)
{
    return span_is(key, "now") || (work_is_made_by_life(key) && !span_is(key, "package"));
}

/* A ticket as it is submitted. */
static void put_posted(const struct wire_val *ticket, const struct wire_val *customer, struct buf *out)
{
    int64_t posted_at = instant_of(ticket, "posted_at", instant_of(ticket, "now", clock_wall_us()));
    struct span tracking = wire_find_str(ticket, "tracking");

    wire_put_map(out, 5);
    wire_put_text(out, "ticket");
    struct wire_map map = wire_map_open(out);
    wire_put_key_str(out, "tracking", tracking.len == 0 ? span_of("DKT-0000-0000-0001-E") : tracking),
        map.count++;
    wire_put_key_text(out, "state", "new"), map.count++;
    wire_put_key_int(out, "posted_at", posted_at), map.count++;
    wire_put_key_int(out, "version", 1), map.count++;
    if (wire_find(ticket, "channel") == NULL) /* as the broker does */
        wire_put_key_text(out, "channel", "ticket"), map.count++;
    if (wire_find(ticket, "customer") == NULL && wire_find(customer, "id") != NULL)
        wire_put_key_val(out, "customer", wire_find(customer, "id")), map.count++;
    if (wire_find(ticket, "package") == NULL && wire_find(customer, "package") != NULL)
        wire_put_key_val(out, "package", wire_find(customer, "package")), map.count++;
    put_entries(ticket, is_not_posted, out, &map);
    wire_map_close(out, &map);
    wire_put_key_val(out, "customer", customer);
    wire_put_text(out, "events");
    wire_put_list(out, 0);
    put_reasons("posted", out);
    wire_put_key_int(out, "now", instant_of(ticket, "now", posted_at));
}

/* What is given is a ticket, or {ticket, customer}: the record beside it; a work has what happened and why it woke, too. */
static bool is_work(const struct wire_val *given)
{
    const struct wire_val *ticket = wire_find(given, "ticket");

    return wire_type(ticket) == WIRE_MAP &&
           (wire_find(given, "events") != NULL || wire_find(given, "reasons") != NULL ||
            (given_ticket_is_stored(ticket) && wire_find(ticket, "events") == NULL));
}

static bool is_beside_customer(const struct wire_val *given)
{
    return wire_type(wire_find(given, "ticket")) == WIRE_MAP && !is_work(given);
}

void offline_work_make(const struct wire_val *given, struct buf *out)
{
    const struct wire_val *ticket = is_beside_customer(given) ? wire_find(given, "ticket") : given;
    const struct wire_val *customer = ticket == given ? NULL : wire_find(given, "customer");

    if (is_work(given))
        put_whole(given, out);
    else if (given_ticket_is_stored(ticket) && wire_type(wire_find(ticket, "events")) == WIRE_LIST)
        put_shown(ticket, customer, out);
    else
        put_posted(ticket, customer, out);
}

/* Instants of a ticket that cannot be read would be taken for now, and give other due times. */
static bool instants_check(const struct wire_val *ticket, const struct yaml_node *written,
                           struct fault_place place, struct faults *faults)
{
    static const char *const keys[] = {"posted_at", "now"};
    bool ok = true;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct wire_val *val = wire_find(ticket, keys[i]);
        const struct yaml_node *node = yaml_node_find(written, keys[i]);
        struct span text;
        int64_t at;
        if (val == NULL || wire_type(val) == WIRE_NIL || wire_get_int(val, &at) ||
            (wire_get_str(val, &text) && (text.len == 0 || instant_parse(text, &at))))
            continue;
        ok = faults_add(faults, node == NULL ? place : node->place,
                        "%s: want an instant like 2026-03-27T15:30:00Z", keys[i]);
    }
    return ok;
}

/* What explain takes besides the fields of ticket.submit. */
static bool is_own_field(struct span key)
{
    return span_is(key, "now") || span_is(key, "posted_at") || span_is(key, "package");
}

static bool submitted_check(const struct engine *engine, const struct wire_val *ticket,
                            const struct yaml_node *written, struct fault_place place, struct faults *faults)
{
    const struct given given = {.form = &op_forms[FORM_TICKET_SUBMIT],
                                .body = ticket,
                                .written = written,
                                .place = place,
                                .is_own = is_own_field,
                                .may_lack = given_ticket_may_lack};
    struct span package = wire_find_str(ticket, "package");
    bool ok = given_check(&given, faults);

    if (package.len != 0 && !process_package_known(engine_process(engine), package)) {
        const struct yaml_node *at = yaml_node_find(written, "package");
        char name[PROCESS_NAME_MAX + 1];
        (void)snprintf(name, sizeof name, "%.*s", (int)package.len, package.p);
        ok = process_package_refuse(engine_process(engine), "package", name, at == NULL ? place : at->place,
                                    faults);
    }
    return ok;
}

/* The record beside a ticket; none, or null: nobody knows the customer. */
static bool customer_check(const struct engine *engine, const struct wire_val *root,
                           const struct yaml_node *written, struct fault_place place, struct faults *faults)
{
    const struct wire_val *customer = wire_find(root, "customer");
    const struct yaml_node *node = yaml_node_find(written, "customer");
    struct fault_place at = node == NULL ? place : node->place;
    char package[PROCESS_NAME_MAX + 1];
    bool ok = true;

    for (size_t i = 0; i < wire_count(root); i++)
        if (!span_is(wire_key_at(root, i), "ticket") && !span_is(wire_key_at(root, i), "customer"))
            ok = faults_add(faults, place, "%.*s: is not known beside a ticket; allowed is customer",
                            (int)wire_key_at(root, i).len, wire_key_at(root, i).p);
    if (wire_type(customer) == WIRE_NIL)
        return ok;
    if (!given_check_value(F_CUSTOMER_RECORD, customer, node, at, faults))
        return false;
    struct span name = wire_find_str(customer, "package");
    const struct yaml_node *named = yaml_node_find(node, "package");
    (void)snprintf(package, sizeof package, "%.*s", (int)name.len, name.p);
    return (process_package_known(engine_process(engine), name) ||
            process_package_refuse(engine_process(engine), "customer.package", package,
                                   named == NULL ? at : named->place, faults)) &&
           ok;
}

bool offline_ticket_check(const struct engine *engine, const struct wire_val *root,
                          const struct yaml_node *written, struct fault_place place, struct faults *faults)
{
    bool whole = wire_type(wire_find(root, "ticket")) == WIRE_MAP;
    const struct wire_val *ticket = whole ? wire_find(root, "ticket") : root;
    const struct yaml_node *node = whole ? yaml_node_find(written, "ticket") : written;
    struct fault_place at = node == NULL ? place : node->place;
    bool beside = is_beside_customer(root);
    struct err err;
    bool ok = instants_check(ticket, node, at, faults);

    if ((whole || given_ticket_is_stored(ticket)) &&
        !history_check_events(wire_find(beside ? ticket : root, "events"), given_ticket_is_stored(ticket),
                              &err))
        ok = given_fault(beside ? node : written, place, &err, faults);
    ok = (!beside || customer_check(engine, root, written, place, faults)) && ok;
    return (given_ticket_is_stored(ticket) || submitted_check(engine, ticket, node, at, faults)) && ok;
}

/* "2:7: not JSON: …" is a place of the file. */
static bool json_fault(const char *path, const char *msg, struct faults *faults)
{
    struct fault_place place = {.file = path};
    const char *rest = NULL;

    wire_json_place(msg, &rest, &place.line, &place.column);
    return faults_add(faults, place, "%s", rest);
}

/* The file's value, checked. Places come from reading it as YAML, which JSON nearly is; where it is not, they are left out. */
static bool ticket_parse(const struct engine *engine, const char *path, const char *text, size_t len,
                         struct wire_doc **ret, struct faults *faults)
{
    const struct fault_place nowhere = {path, 0, 0};
    struct faults not_yaml = {0};
    struct yaml_node *written = NULL;
    struct err err = {0};
    struct buf bytes;

    buf_init(&bytes, OUT_BYTES_MAX);
    bool ok = wire_from_json(&bytes, text, len, &err) && wire_parse(bytes.p, bytes.len, DEPTH_MAX, ret, &err);
    if (!ok)
        (void)json_fault(path, err.msg, faults);
    else if (wire_type(wire_root(*ret)) != WIRE_MAP)
        ok = faults_add(faults, nowhere, "want one ticket, a JSON object");
    else {
        if (!yaml_node_parse(path, text, len, &written, &not_yaml))
            written = NULL;
        ok = offline_ticket_check(engine, wire_root(*ret), written, nowhere, faults);
    }
    yaml_node_free(written);
    faults_clear(&not_yaml);
    buf_clear(&bytes);
    return ok;
}

static bool explain_make(const struct engine *engine, const char *path, struct buf *out,
                         struct faults *faults, struct err *err)
{
    struct wire_doc *given = NULL, *work = NULL;
    struct decider *decider = decider_new();
    struct buf body;
    char *text = NULL;
    size_t len = 0;

    buf_init(&body, OUT_BYTES_MAX);
    bool ok = file_read(path, &text, &len, err) && ticket_parse(engine, path, text, len, &given, faults);
    if (ok) {
        offline_work_make(wire_root(given), &body);
        ok = wire_parse(body.p, body.len, DEPTH_MAX, &work, err) &&
             decide_explain(decider, engine, wire_root(work), out, err);
    }
    free(text);
    wire_doc_free(given);
    wire_doc_free(work);
    buf_clear(&body);
    decider_free(decider);
    return ok;
}

static void explain_print(const struct buf *out, bool as_json)
{
    struct wire_doc *doc = NULL;
    struct buf line;

    if (!wire_parse(out->p, out->len, DEPTH_MAX, &doc, NULL))
        return;
    buf_init(&line, OUT_BYTES_MAX);
    if (as_json)
        wire_to_json(&line, wire_root(doc));
    else
        (void)buf_add_span(&line, wire_find_str(wire_root(doc), "text"));
    (void)fputs(buf_text(&line), stdout);
    if (as_json)
        putchar('\n');
    buf_clear(&line);
    wire_doc_free(doc);
}

int offline_explain(int argc, char **argv)
{
    const char *names[2] = {NULL, NULL}, *zoneinfo = OFFLINE_ZONEINFO;
    struct engine *engine = NULL;
    struct faults faults = {0};
    struct err err = {0};
    struct buf out;
    bool as_json = false;

    if (!arguments_parse(argc, argv, names, 2, &zoneinfo, &as_json))
        return offline_usage("explain DIR TICKET.json [--json]");
    if (!offline_engine_open(names[0], zoneinfo, &engine))
        return STATUS_REFUSED;
    buf_init(&out, OUT_BYTES_MAX);
    bool ok = explain_make(engine, names[1], &out, &faults, &err);
    if (ok)
        explain_print(&out, as_json);
    else if (err.code != ERR_NONE)
        fprintf(stderr, "docket-worker: %s\n", err.msg);
    faults_sort(&faults);
    faults_print(stderr, "", &faults);
    faults_clear(&faults);
    buf_clear(&out);
    engine_free(engine);
    return ok ? 0 : STATUS_REFUSED;
}
