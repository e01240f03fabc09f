/* customer apply: records from YAML or JSON lines, each put whole. */
#include "cli.h"
#include "lib_internal.h"

#include "faults.h"
#include "wire.h"
#include "yaml_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A scalar as the protocol's type: what is written without quotes as a number or a boolean is one. */
static void put_scalar(struct docket_body *body, const char *name, const struct yaml_node *node)
{
    int64_t number;

    if (yaml_node_is_null(node))
        docket_body_text(body, name, NULL);
    else if (!node->quoted && decimal_parse(node->text, &number))
        docket_body_int(body, name, number);
    else if (!node->quoted && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0))
        docket_body_bool(body, name, strcmp(node->text, "true") == 0);
    else
        docket_body_text_n(body, name, node->text, node->len);
}

/* Recursion is bounded by YAML_DEPTH_MAX, and by the body, which fails over its own depth. */
static void put_node(struct docket_body *body, const char *name, const struct yaml_node *node)
{
    if (node->kind == NODE_SCALAR) {
        put_scalar(body, name, node);
        return;
    }
    if (node->kind == NODE_MAP)
        docket_body_open_map(body, name);
    else
        docket_body_open_list(body, name);
    for (size_t i = 0; i < node->count; i++)
        put_node(body, node->kind == NODE_MAP ? node->keys[i]->text : NULL, node->items[i]);
    docket_body_close(body);
}

struct apply {
    struct cli *cli;
    size_t done;
    enum cli_exit status;
    struct buf ids; /* JSON, for --json */
};

/* What became of this record, whose put failed, and of the others. */
static void tell_the_rest(const struct apply *apply, const char *place)
{
    bool unknown = apply->status == CLI_NO_ANSWER || apply->status == CLI_INTERRUPTED;

    (void)fprintf(stderr, "docket: %s: %s; %zu before it were put, later ones not\n", place,
                  unknown ? "it is not known whether this record was put" : "this record was not put",
                  apply->done);
}

/* Puts one record; false ends the run. */
static bool apply_body(struct apply *apply, const char *place, struct docket_body *body)
{
    struct docket_answer *answer = NULL;
    const struct wire_val *val = NULL;

    const char *given = cli_args_value(apply->cli->args, "key", NULL);
    char key[256]; /* longer than the broker takes: a cut one is refused as the whole one is */

    if (given != NULL) {
        if (apply->done == 0)
            (void)snprintf(key, sizeof key, "%s", given);
        else
            (void)snprintf(key, sizeof key, "%s-%zu", given, apply->done + 1);
        docket_body_text(body, "key", key);
    }
    cli_body_put_as(apply->cli, body);
    if (cli_args_has(apply->cli->args, "open-tickets"))
        docket_body_bool(body, "open_tickets", true);
    bool ok = cli_ask(apply->cli, "customer.put", body, &answer, &val, &apply->status);
    if (!ok)
        tell_the_rest(apply, place);
    else if (apply->cli->json) {
        (void)buf_add_text(&apply->ids, apply->done != 0 ? ", " : "");
        wire_to_json(&apply->ids, val);
    } else {
        cli_print_warnings(wire_find(val, "warnings"));
    }
    apply->done += ok;
    docket_answer_free(answer);
    return ok;
}

static bool apply_node(struct apply *apply, const char *file, const struct yaml_node *node)
{
    struct docket_body *body = docket_body_new();
    char place[512];

    (void)snprintf(place, sizeof place, "%s:%u:%u", file, (unsigned)node->place.line,
                   (unsigned)node->place.column);
    if (node->kind != NODE_MAP) {
        (void)fprintf(stderr, "docket: invalid: %s: a customer is a map, this is %s\n", place,
                      yaml_node_kind_name(node));
        apply->status = CLI_REFUSED;
        docket_body_free(body);
        return false;
    }
    /* A file may hold records as `customer.list` shows them, or whole bodies with `customer:`. */
    const struct yaml_node *inner = yaml_node_find(node, "customer");
    put_node(body, "customer", inner != NULL && inner->kind == NODE_MAP ? inner : node);
    bool ok = apply_body(apply, place, body);
    docket_body_free(body);
    return ok;
}

static void apply_yaml(struct apply *apply, const char *file, const char *text, size_t len)
{
    struct faults faults = {NULL};
    struct yaml_node *root = NULL;

    if (!yaml_node_parse(file, text, len, &root, &faults)) {
        faults_report(stderr, "docket: invalid", &faults, NULL);
        apply->status = CLI_REFUSED;
    } else if (root->kind == NODE_LIST || yaml_node_find(root, "customers") != NULL) {
        const struct yaml_node *list = root->kind == NODE_LIST ? root : yaml_node_find(root, "customers");
        for (size_t i = 0; i < list->count && apply_node(apply, file, list->items[i]); i++)
            ;
    } else {
        (void)apply_node(apply, file, root);
    }
    yaml_node_free(root);
    faults_clear(&faults);
}

static void apply_json_lines(struct apply *apply, const char *file, char *text)
{
    size_t line = 0;
    char place[512];
    bool ok = true;

    for (char *p = text; ok && *p != '\0';) {
        size_t n = strcspn(p, "\n");
        bool last = p[n] == '\0';
        struct docket_body *body = docket_body_new();
        struct docket_error error;
        line++;
        p[n] = '\0';
        (void)snprintf(place, sizeof place, "%s:%zu", file, line);
        if (strspn(p, " \t\r") != n) {
            ok = docket_body_json(body, "customer", p, &error);
            if (!ok) {
                struct err err = {.code = ERR_INVALID};
                (void)snprintf(err.msg, sizeof err.msg, "%s", error.message);
                (void)wire_json_in_file(&err, file, (unsigned)line);
                (void)fprintf(stderr, "docket: invalid: %s\n", err.msg);
                apply->status = CLI_REFUSED;
            } else {
                ok = apply_body(apply, place, body);
            }
        }
        docket_body_free(body);
        p += n + !last;
    }
}

enum cli_exit cli_run_customer_apply(struct cli *cli, const struct cli_args *args)
{
    struct apply apply = {.cli = cli, .status = CLI_DONE};
    const char *path = args->positional[0];
    struct err err = {0};
    char *text = NULL;
    size_t len = 0;

    if (!cli_file_read(path, CLI_FILE_BYTES_MAX, &text, &len, &err))
        return cli_report_err(&err, CLI_REFUSED);
    buf_init(&apply.ids, CLI_FILE_BYTES_MAX * 2);
    if (text[strspn(text, " \t\r\n")] == '{')
        apply_json_lines(&apply, path, text);
    else
        apply_yaml(&apply, path, text, len);
    if (cli->json)
        (void)fprintf(cli->out, "[%s]\n", buf_text(&apply.ids));
    else if (apply.done != 0 || apply.status == CLI_DONE)
        (void)fprintf(cli->out, "%zu customers put\n", apply.done);
    buf_clear(&apply.ids);
    free(text);
    return apply.status;
}
