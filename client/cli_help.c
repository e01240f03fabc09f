/* Help, the manual page and Markdown: all printed from the tables. */
#include "cli.h"

#include <string.h>

static const char description[] =
    "docket talks to the brokers of a support desk: it posts tickets, shows and changes them, and follows "
    "what happens. "
    "A ticket is named by its tracking number, in any case, with or without dashes.";

static const struct {
    const char *status, *meaning;
} exits[] = {{"0", "done"},
             {"1", "refused: docket: CODE: message on standard error"},
             {"2", "wrong usage"},
             {"3", "no answer in time; the key to repeat with is printed"},
             {"4", "nothing there (next)"},
             {"130", "interrupted"}};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *option_value(const struct cli_option *option)
{
    static const char *const by_kind[] = {
        [CLI_TEXT] = "TEXT", [CLI_LIST] = "LIST", [CLI_PAIRS] = "NAME=VALUE",
        [CLI_INT] = "N",     [CLI_FLAG] = "",     [CLI_TIME] = "TIME"};
    return option->value != NULL   ? option->value
           : option->words != NULL ? option->words
                                   : by_kind[option->kind];
}

/* "--name VALUE" */
static void option_usage(const struct cli_option *option, char *ret, size_t size)
{
    const char *value = option_value(option);
    (void)snprintf(ret, size, "--%s%s%s", option->name, *value != '\0' ? " " : "", value);
}

static const char *option_mark(const struct cli_option *option)
{
    return option->required ? " (required)" : "";
}

static void print_options(FILE *to, const struct cli_option *options)
{
    char usage[160];

    for (; options->name != NULL; options++) {
        option_usage(options, usage, sizeof usage);
        (void)fprintf(to, strlen(usage) <= 26 ? "  %-26s  %s%s" : "  %s\n                              %s%s",
                      usage, options->help, option_mark(options));
        if (options->fallback != NULL)
            (void)fprintf(to, " (default: %s)", options->fallback);
        (void)fputs("\n", to);
    }
}

static void positional_usage(const struct cli_command *command, char *ret, size_t size)
{
    static const char *const forms[] = {[CLI_POS_NONE] = "",
                                        [CLI_POS_ONE] = " %s",
                                        [CLI_POS_OPTIONAL] = " [%s]",
                                        [CLI_POS_MANY] = " %s…",
                                        [CLI_POS_UP_TO_TWO] = " [%s [TO]]"};
    const char *form = forms[command->positional];
    const char *mark = strstr(form, "%s");

    if (mark == NULL)
        (void)snprintf(ret, size, "%s", form);
    else
        (void)snprintf(ret, size, "%.*s%s%s", (int)(mark - form), form, command->positional_name, mark + 2);
}

void cli_help_command(FILE *to, const struct cli_command *command)
{
    char positional[64];

    positional_usage(command, positional, sizeof positional);
    (void)fprintf(to, "Usage: docket %s%s [OPTION]…\n\n%s\n", command->name, positional, command->help);
    if (command->options->name != NULL || cli_command_changes(command))
        (void)fputs("\nOptions:\n", to);
    print_options(to, command->options);
    print_options(to, cli_change_options(command));
    (void)fputs("\nOptions of all commands:\n", to);
    print_options(to, cli_global_options);
    (void)fputs("\nA TEXT or LIST of - is read from standard input. A TIME is 2026-11-24T10:00:00Z, "
                "'2026-11-24 10:00' or 2026-11-24 (local), now, +2h, -30m.\n"
                "NAME:=JSON gives a value that is not text.\n",
                to);
    (void)fprintf(to, "\nExample:\n  docket %s\n", command->example);
}

/* The first sentence of a help text. */
static int first_sentence(const char *help)
{
    const char *end = strstr(help, ". ");
    size_t semicolon = strcspn(help, ";");
    size_t len = end != NULL ? (size_t)(end - help) : strlen(help) - 1;
    return (int)(semicolon < len ? semicolon : len);
}

static void print_command_line(FILE *to, const struct cli_command *command)
{
    (void)fprintf(to, "  %-20s %.*s\n", command->name, first_sentence(command->help), command->help);
}

void cli_help_all(FILE *to)
{
    (void)fputs("Usage: docket [OPTION]… COMMAND [ARGUMENT]…\n\nCommands:\n", to);
    for (size_t i = 0; i < cli_command_count; i++)
        print_command_line(to, &cli_commands[i]);
    (void)fputs("\nOptions:\n", to);
    print_options(to, cli_global_options);
    (void)fputs("\nExit status:\n", to);
    for (size_t i = 0; i < COUNT(exits); i++)
        (void)fprintf(to, "  %-4s %s\n", exits[i].status, exits[i].meaning);
    (void)fputs("\n`docket help COMMAND`, or COMMAND --help, tells all of a command.\n\nExample:\n  docket "
                "list --state new\n",
                to);
}

bool cli_help_is_group(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < cli_command_count; i++)
        if (strncmp(cli_commands[i].name, name, len) == 0 && cli_commands[i].name[len] == ' ')
            return true;
    return false;
}

void cli_help_group(FILE *to, const char *group)
{
    size_t len = strlen(group);

    (void)fprintf(to, "Usage: docket %s COMMAND [ARGUMENT]…\n\nCommands:\n", group);
    for (size_t i = 0; i < cli_command_count; i++)
        if (strncmp(cli_commands[i].name, group, len) == 0 && cli_commands[i].name[len] == ' ')
            print_command_line(to, &cli_commands[i]);
}

/* ---- manual ---- */

/* Text for roff: hyphens and backslashes escaped, no line begins with a control character. */
static void put_roff(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '-')
            (void)fputs("\\-", to);
        else if (*text == '\\')
            (void)fputs("\\e", to);
        else
            (void)fputc(*text, to);
    }
}

static void man_options(FILE *to, const struct cli_option *options)
{
    char usage[160];

    for (; options->name != NULL; options++) {
        option_usage(options, usage, sizeof usage);
        (void)fputs(".TP\n.B ", to);
        put_roff(to, usage);
        (void)fputs("\n", to);
        put_roff(to, options->help);
        put_roff(to, option_mark(options));
        if (options->fallback != NULL) {
            (void)fputs(" (default: ", to);
            put_roff(to, options->fallback);
            (void)fputs(")", to);
        }
        (void)fputs("\n", to);
    }
}

void cli_help_man(FILE *to)
{
    char positional[64];

    (void)fputs(".TH DOCKET 1 \"\" \"docket " DOCKET_VERSION
                "\" \"Docket\"\n.SH NAME\ndocket \\- the support desk on the command line\n"
                ".SH SYNOPSIS\n.B docket\n[OPTION]... COMMAND [ARGUMENT]...\n.SH DESCRIPTION\n",
                to);
    put_roff(to, description);
    (void)fputs("\n.SH OPTIONS\n", to);
    man_options(to, cli_global_options);
    (void)fputs(".SH COMMANDS\n", to);
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        positional_usage(command, positional, sizeof positional);
        (void)fputs(".SS ", to);
        put_roff(to, command->name);
        put_roff(to, positional);
        (void)fputs("\n", to);
        put_roff(to, command->help);
        (void)fputs("\n", to);
        man_options(to, command->options);
        man_options(to, cli_change_options(command));
        (void)fputs(".PP\nExample:\n.EX\ndocket ", to);
        put_roff(to, command->example);
        (void)fputs("\n.EE\n", to);
    }
    (void)fputs(".SH EXIT STATUS\n", to);
    for (size_t i = 0; i < COUNT(exits); i++)
        (void)fprintf(to, ".TP\n.B %s\n%s\n", exits[i].status, exits[i].meaning);
}

static void markdown_options(FILE *to, const struct cli_option *options)
{
    char usage[160];

    for (; options->name != NULL; options++) {
        option_usage(options, usage, sizeof usage);
        (void)fprintf(to, "- `%s`: %s%s", usage, options->help, option_mark(options));
        if (options->fallback != NULL)
            (void)fprintf(to, " (default: %s)", options->fallback);
        (void)fputs("\n", to);
    }
}

void cli_help_markdown(FILE *to)
{
    char positional[64];

    (void)fprintf(to,
                  "# docket: the command line\n\n(Printed by `docket --markdown` from the table of "
                  "commands.)\n\n%s\n\n",
                  description);
    (void)fputs("A TEXT or LIST of `-` is read from standard input. A TIME is `2026-11-24T10:00:00Z`, "
                "`2026-11-24 10:00` or `2026-11-24` (local), `now`, `+2h`, `-30m`. "
                "NAME:=JSON gives a value that is not text.\n\n## Options of all commands\n\n",
                to);
    markdown_options(to, cli_global_options);
    (void)fputs("\n## Exit status\n\n| status | meaning |\n|---|---|\n", to);
    for (size_t i = 0; i < COUNT(exits); i++)
        (void)fprintf(to, "| %s | %s |\n", exits[i].status, exits[i].meaning);
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        positional_usage(command, positional, sizeof positional);
        (void)fprintf(to, "\n## docket %s%s\n\n%s\n\n", command->name, positional, command->help);
        markdown_options(to, command->options);
        markdown_options(to, cli_change_options(command));
        (void)fprintf(to, "\n    docket %s\n", command->example);
    }
}
