/* One command: build, ask, print, exit status. Knows the ways of commands, not their ops. */
#include "cli.h"
#include "lib_internal.h"

#include <stdarg.h>
#include <string.h>

enum { REPORT_BYTES_MAX = 1 << 20 };

volatile sig_atomic_t cli_interrupted;

/* ---- telling what went wrong ---- */

static enum cli_exit report(const struct docket_error *error, const char *message)
{
    struct buf out;
    bool unknown = error->code == DOCKET_TIMEOUT || error->code == DOCKET_INTERRUPTED;

    buf_init(&out, REPORT_BYTES_MAX);
    (void)buf_printf(&out, "docket: %s: ", error->name);
    cli_text_put(&out, span_of(message), true);
    if (error->field[0] != '\0' && strstr(message, error->field) == NULL)
        (void)buf_printf(&out, " (field %s)", error->field);
    (void)buf_add_text(&out, "\n");
    if (unknown && error->key[0] != '\0')
        (void)buf_printf(&out, "docket: whether it was done is not known; repeat it safely with --key %s\n",
                         error->key);
    else if (error->retry && error->retry_after_ms > 0)
        (void)buf_printf(&out, "docket: repeating it in %lld ms can help\n",
                         (long long)error->retry_after_ms);
    (void)fputs(buf_text(&out), stderr);
    buf_clear(&out);
    return error->code == DOCKET_TIMEOUT       ? CLI_NO_ANSWER
           : error->code == DOCKET_INTERRUPTED ? CLI_INTERRUPTED
                                               : CLI_REFUSED;
}

enum cli_exit cli_report(const struct docket_error *error)
{
    return report(error, error->message);
}

/* The same of what docket_call said: all of it. */
static enum cli_exit report_call(const struct cli *cli, const struct docket_error *error)
{
    const char *whole = docket_client_refusal(cli->client);
    return report(error, *whole != '\0' ? whole : error->message);
}

enum cli_exit cli_report_err(const struct err *err, enum cli_exit status)
{
    if (status == CLI_USAGE)
        (void)fprintf(stderr, "docket: %s\n", err->msg);
    else
        (void)fprintf(stderr, "docket: %s: %s\n", err->code == ERR_IO ? "io" : err_code_name(err->code),
                      err->msg);
    return status;
}

enum cli_exit cli_usage_error(const struct cli_args *args, const char *fmt, ...)
{
    va_list list;

    (void)fputs("docket: ", stderr);
    va_start(list, fmt);
    (void)vfprintf(stderr, fmt, list);
    va_end(list);
    const char *whose = args->command != NULL ? args->command->name : args->group;
    (void)fprintf(stderr, "\nTry: docket%s%s --help\n", whose != NULL ? " " : "", whose != NULL ? whose : "");
    return CLI_USAGE;
}

/* A refusal names the field of the body: which option that is, where it is called otherwise. */
static void tell_option(const struct cli_command *command, const char *refused)
{
    const struct cli_option *lists[] = {command->options, cli_change_options(command)};
    char field[64];

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct cli_option *o = lists[i]; o->name != NULL; o++) {
            cli_option_field(o, field, sizeof field);
            if (!o->local && strcmp(field, refused) == 0 && strcmp(o->name, refused) != 0)
                (void)fprintf(stderr, "docket: %s is given with --%s\n", refused, o->name);
        }
}

/* ---- asking ---- */

bool cli_ask(struct cli *cli, const char *op, struct docket_body *body, struct docket_answer **ret_answer,
             const struct wire_val **ret_body, enum cli_exit *ret_exit)
{
    struct docket_error error;

    if (!docket_call(cli->client, op, body, ret_answer, &error)) {
        *ret_exit = report_call(cli, &error);
        tell_option(cli->args->command, error.field);
        if (error.code == DOCKET_UNSUPPORTED)
            (void)fprintf(stderr, "docket: %s: not yet in this version of the broker\n", op);
        return false;
    }
    *ret_body = lib_answer_body(*ret_answer);
    return true;
}

void cli_print_json(struct cli *cli, const struct wire_val *val)
{
    struct buf out;

    buf_init(&out, 256 * 1024 * 1024);
    wire_to_json(&out, val);
    (void)buf_add_text(&out, "\n");
    (void)fwrite(buf_text(&out), 1, out.len, cli->out);
    buf_clear(&out);
}

/* Each item of the answer's (only) list on its own line. */
static void print_json_lines(struct cli *cli, const struct wire_val *body)
{
    for (size_t i = 0; i < wire_count(body); i++) {
        const struct wire_val *list = wire_val_at(body, i);
        for (size_t k = 0; wire_type(list) == WIRE_LIST && k < wire_count(list); k++)
            cli_print_json(cli, wire_at(list, k));
    }
    struct span cursor = wire_find_str(body, "cursor");
    if (cursor.len != 0)
        (void)fprintf(stderr, "more: --cursor %.*s\n", (int)cursor.len, cursor.p);
}

static void print_body(struct cli *cli, const struct cli_command *command, const struct wire_val *body)
{
    if (cli->json && command->json_lines)
        print_json_lines(cli, body);
    else if (cli->json)
        cli_print_json(cli, body);
    else if (command->print != NULL)
        command->print(cli, body);
    else
        cli_print_any(cli, body);
}

/* Of a list of tickets: whether one was refused. */
static bool is_refused(const struct wire_val *body)
{
    const struct wire_val *results = wire_find(body, "results");

    for (size_t i = 0; i < wire_count(results); i++)
        if (wire_find(wire_at(results, i), "error") != NULL)
            return true;
    return false;
}

/* Build, ask, print. *ret_nothing (may be NULL): whether the answer's `ticket` is null. */
static enum cli_exit run_plain(struct cli *cli, const struct cli_args *args, bool ticket_may_be_null)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    const struct wire_val *val = NULL;
    enum cli_exit status = CLI_DONE;
    struct err err = {0};

    if (!cli_body_build(cli, args, body, &err)) {
        status = err.code == ERR_INVALID ? cli_usage_error(args, "%s", err.msg)
                                         : cli_report_err(&err, CLI_REFUSED);
    } else if (cli_ask(cli, args->command->op, body, &answer, &val, &status)) {
        bool nothing = ticket_may_be_null && wire_type(wire_find(val, "ticket")) == WIRE_NIL;
        if (!nothing || cli->json)
            print_body(cli, args->command, val);
        status = nothing ? CLI_NOTHING : is_refused(val) ? CLI_REFUSED : CLI_DONE;
    }
    docket_answer_free(answer);
    docket_body_free(body);
    return status;
}

enum cli_exit cli_run_next(struct cli *cli, const struct cli_args *args)
{
    enum cli_exit status = run_plain(cli, args, true);

    if (status == CLI_NOTHING)
        (void)fputs("docket: nothing waits\n", stderr);
    return status;
}

enum cli_exit cli_run(struct cli *cli, const struct cli_args *args)
{
    return args->command->run != NULL ? args->command->run(cli, args) : run_plain(cli, args, false);
}
