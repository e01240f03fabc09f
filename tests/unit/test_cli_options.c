/* The command line's words to a request's body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "cli.h"
#include "lib_internal.h"
#include "mem.h"

enum { WORDS_MAX = 24 };

#define T "DKT-4Q7K-M2P9-ZX3A-H"

struct row {
    const char *words[WORDS_MAX]; /* after "docket" */
    const char *
        want; /* the body as JSON; or how the error begins when it starts with '!' (of what is unknown: all of it) */
};

static const struct row rows[] = {
    {{"submit", "--customer", "a", "--title", "t", "--take"},
     "{\"customer\": \"a\", \"title\": \"t\", \"take\": true, \"as\": {\"name\": \"ann\", \"role\": "
     "\"admin\"}}"},
    {{"submit", "--customer=a=b", "--key=", "--problem", "--"},
     "{\"customer\": \"a=b\", \"key\": \"\", \"problem\": \"--\"}"},
    {{"submit", "--equipment", "a=1", "--title", "t", "--equipment", "b:={\"c\": [1, null]}"},
     "{\"equipment\": {\"a\": \"1\", \"b\": {\"c\": [1, null]}}, \"title\": \"t\"}"},
    {{"--json", "--timeout", "3", "list", "--limit", "5", "--overdue"}, "{\"limit\": 5, \"overdue\": true}"},
    {{"list", "--utc", "--due-before-at", "2026-11-24T10:00:00Z"}, "{\"due_before_at\": 1795514400000000}"},
    {{"update", T, "--queue", "noc", "--tags", "a,,b", "--tags", "c"},
     "{\"tracking\": \"" T
     "\", \"set\": {\"queue\": \"noc\", \"tags\": [\"a\", \"b\", \"c\"]}, \"as\": {\"name\": \"ann\", "
     "\"role\": \"admin\"}}"},
    {{"comment", T, "x2", "--text", "-a", "--public"},
     "{\"tracking\": [\"" T
     "\", \"x2\"], \"text\": \"-a\", \"public\": true, \"as\": {\"name\": \"ann\", \"role\": \"admin\"}}"},
    {{"watch", T, "--kinds", "posted"}, "{\"filter\": {\"tracking\": \"" T "\", \"kinds\": [\"posted\"]}}"},
    {{"show", "--", "-1"}, "{\"tracking\": \"-1\"}"},
    {{"cannot-resolve", T, "--reason", "r"},
     "{\"tracking\": \"" T "\", \"reason\": \"r\", \"as\": {\"name\": \"ann\", \"role\": \"admin\"}}"},
    {{"list", "--due-before-at", "soon"}, "!--due-before-at: 'soon' is no time"},
    {{"submit", "--equipment", "x:=nope"}, "!--equipment: x: "},
    {{"list", "--limit", "5x"}, "!--limit: '5x' is not a whole number"},
    {{"list", "--limit", "99999999999999999999"}, "!--limit: "},
    {{"list", "--limit"}, "!--limit needs a value"},
    {{"list", "--overdue=yes"}, "!--overdue takes no value"},
    {{"list", "--state", "a", "--state", "b"}, "!--state is given twice"},
    {{"submit", "--equipment", "=x"}, "!--equipment: '=x' is not of the form name=value"},
    {{"update", T},
     "!nothing to change: give --title, --equipment, --configuration, --queue, --tags or --attributes"},
    {{"update", T, "--if-version", "3", "--key", "k"}, "!nothing to change: give --title"},
    {{"list", "-x"}, "!unknown option '-x'"},
    {{"list", "--custmer", "x"}, "!unknown option '--custmer', did you mean --customer?"},
    {{"comment", "--if-versoin=3"}, "!unknown option '--if-versoin', did you mean --if-version?"},
    {{"list", "--jsno"}, "!unknown option '--jsno', did you mean --json?"},
    {{"notification", "mutes", "--key", "k"}, "!unknown option '--key'"},
    {{"lst"}, "!unknown command 'lst', did you mean list?"},
    {{"xyzzy", "list"}, "!unknown command 'xyzzy'"},
    {{"proces", "apply", "x"}, "!unknown command 'proces', did you mean process apply?"},
    {{"process", "aply"}, "!unknown command 'process aply', did you mean process apply?"},
    {{"alert", "foo"}, "!unknown command 'alert foo'"},
    {{"customer", "list", "--package", "gold", "--email", "a@b"},
     "{\"package\": \"gold\", \"email\": \"a@b\"}"},
    {{"show"}, "!TRACKING is missing"},
    {{"show", "a", "b"}, "!'b' is too much"},
    {{"ping", "x"}, "!'x' is too much"},
    {{"alert", "show", "x"}, "!ALERT: 'x' is not a whole number"},
    {{"alert", "show", "7"}, "{\"alert\": 7}"},
    {{"help", "lst"}, "!unknown command 'lst', did you mean list?"},
    {{"--nosuch", "ping"}, "!unknown option '--nosuch' before the command"},
    {{"--jsn", "ping"}, "!unknown option '--jsn' before the command, did you mean --json?"},
};

/* Parses and builds; out gets the JSON, or '!' and the error. */
static void build(const struct row *row, struct cli_args *args, struct buf *out)
{
    struct cli cli = {.out = stdout};
    struct err err = {0};
    struct docket_body *body = docket_body_new();
    struct wire_doc *doc = NULL;
    struct span bytes;
    char *argv[WORDS_MAX + 1] = {(char *)"docket"};
    int argc = 1;

    for (; row->words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)row->words[argc - 1];
    buf_init(&cli.as_name, 64);
    buf_init(&cli.as_role, 64);
    (void)buf_add_text(&cli.as_name, "ann");
    (void)buf_add_text(&cli.as_role, "admin");
    if (!cli_args_parse(argc, argv, args, &err) || !cli_body_build(&cli, args, body, &err)) {
        (void)buf_printf(out, "!%s", err.msg);
    } else {
        assert_true(lib_body_finish(body, &bytes, NULL));
        assert_true(wire_parse(bytes.p, bytes.len, 20, &doc, &err));
        wire_to_json(out, wire_root(doc));
    }
    wire_doc_free(doc);
    docket_body_free(body);
    buf_clear(&cli.as_name);
    buf_clear(&cli.as_role);
}

static void test_args_given_words_then_body_or_error(void **state)
{
    struct cli_args *args = mem_new(1, sizeof *args);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, 65536);
        build(&rows[i], args, &out);
        if (rows[i].want[0] == '!') {
            bool whole = strncmp(rows[i].want, "!unknown", 8) == 0;
            char *head =
                mem_strndup(buf_text(&out),
                            !whole && strlen(rows[i].want) < out.len ? strlen(rows[i].want) : out.len);
            assert_string_equal(head, rows[i].want);
            free(head);
        } else {
            assert_string_equal(buf_text(&out), rows[i].want);
        }
        buf_clear(&out);
    }
    free(args);
}

/* Each row of the table can be found by its name, has help, an example that begins with it, and no option
 * twice. */
static void test_commands_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        assert_ptr_equal(cli_command_find(command->name), command);
        assert_true(command->op != NULL || command->run != NULL);
        assert_int_equal(strncmp(command->example, command->name, strlen(command->name)), 0);
        assert_true(strlen(command->help) > 10);
        for (const struct cli_option *option = command->options; option->name != NULL; option++) {
            assert_ptr_equal(cli_option_find(command, option->name, strlen(option->name)), option);
            for (const struct cli_option *global = cli_global_options; global->name != NULL; global++)
                assert_string_not_equal(option->name, global->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_args_given_words_then_body_or_error),
        cmocka_unit_test(test_commands_are_whole),
    };
    return cmocka_run_group_tests_name("cli_options", tests, NULL, NULL);
}
