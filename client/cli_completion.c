/* What bash, zsh and fish need to complete a line of docket: printed from the tables, a writer for each shell. */
#include "cli.h"

#include <string.h>

/* Names of a list of options, each behind a blank. */
static void put_options(FILE *to, const struct cli_option *options)
{
    for (; options->name != NULL; options++)
        (void)fprintf(to, " --%s", options->name);
}

/* "a|b|c" with blanks. */
static void put_words(FILE *to, const char *words)
{
    for (; *words != '\0'; words++)
        (void)fputc(*words == '|' ? ' ' : *words, to);
}

/* A text in single quotes; how a quote itself stands in them is the shell's. */
static void put_quoted(FILE *to, const char *text, const char *quote)
{
    for (; *text != '\0'; text++)
        if (*text == '\'')
            (void)fputs(quote, to);
        else
            (void)fputc(*text, to);
}

/* The global options that a value follows, with that between them: none of these values is a command. */
static void put_valued_globals(FILE *to, const char *between)
{
    const char *lead = "";

    for (const struct cli_option *option = cli_global_options; option->name != NULL; option++)
        if (option->kind != CLI_FLAG) {
            (void)fprintf(to, "%s--%s", lead, option->name);
            lead = between;
        }
}

/* The group of the i-th command, when it is the first of that group: "alert" of "alert list". */
static bool first_of_group(size_t i, char *ret, size_t size)
{
    const char *name = cli_commands[i].name;
    size_t n = strcspn(name, " ");

    if (name[n] == '\0' || (i > 0 && strncmp(cli_commands[i - 1].name, name, n + 1) == 0))
        return false;
    (void)snprintf(ret, size, "%.*s", (int)n, name);
    return true;
}

/* Called with each word that may follow (a first word, or the second one in a group), once, with its help. */
typedef void name_fn(FILE *to, const char *group, const char *word, size_t len, const char *help);

static void each_name(FILE *to, const char *group, name_fn *fn)
{
    size_t skip = group == NULL ? 0 : strlen(group) + 1;
    char first[32];

    for (size_t i = 0; i < cli_command_count; i++) {
        const char *name = cli_commands[i].name;
        bool is_pair = strchr(name, ' ') != NULL;
        if (group == NULL && is_pair && !first_of_group(i, first, sizeof first))
            continue;
        if (group != NULL && (strncmp(name, group, skip - 1) != 0 || name[skip - 1] != ' '))
            continue;
        fn(to, group, name + skip, strcspn(name + skip, " "),
           group == NULL && is_pair ? "" : cli_commands[i].help);
    }
}

/* bash and zsh: which words stand before, as command; of two words where its first one is a group. */
static void put_find_command(FILE *to, const char *words)
{
    char group[32];

    (void)fprintf(to,
                  "  for word in \"%s\"; do\n"
                  "    if [[ -n $skip ]]; then skip=; continue; fi\n"
                  "    case $word in ",
                  words);
    put_valued_globals(to, "|");
    (void)fputs(") skip=1 ;; -* | help) ;; *)\n      case \" $command\" in ' '", to);
    for (size_t i = 0; i < cli_command_count; i++)
        if (first_of_group(i, group, sizeof group))
            (void)fprintf(to, " | ' %s'", group);
    (void)fputs(") command=${command:+$command }$word ;; esac ;; esac\n  done\n", to);
}

/* ---- bash ---- */

/* What may follow "command --option": its words; files, where the value is another. */
static void bash_values(FILE *to, const struct cli_command *command, const struct cli_option *options)
{
    for (; options->name != NULL; options++)
        if (options->kind != CLI_FLAG) {
            (void)fprintf(to, "    '%s --%s') words='", command->name, options->name);
            put_words(to, options->words != NULL ? options->words : "");
            (void)fputs(options->words != NULL ? "' ;;\n" : "'; return ;;\n", to);
        }
}

static void bash_name(FILE *to, const char *group, const char *word, size_t len, const char *help)
{
    (void)group;
    (void)help;
    (void)fprintf(to, " %.*s", (int)len, word);
}

static void bash_names(FILE *to, const char *group)
{
    (void)fprintf(to, "    '%s') words='", group != NULL ? group : "");
    each_name(to, group, bash_name);
    (void)fputs("' ;;\n", to);
}

static void print_bash(FILE *to)
{
    char group[32];

    (void)fputs("# bash completion for docket; printed by `docket completion bash`\n_docket() {\n"
                "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= words= word "
                "skip=\n  COMPREPLY=()\n",
                to);
    put_find_command(to, "${COMP_WORDS[@]:1:COMP_CWORD-1}");
    (void)fputs("  case $prev in ", to);
    put_valued_globals(to, "|");
    (void)fputs(") return ;; esac\n  case \"$command $prev\" in\n", to);
    for (size_t i = 0; i < cli_command_count; i++) {
        bash_values(to, &cli_commands[i], cli_commands[i].options);
        bash_values(to, &cli_commands[i], cli_change_options(&cli_commands[i]));
    }
    (void)fputs("  esac\n  [[ -z $words ]] && case $command in\n", to);
    bash_names(to, NULL);
    for (size_t i = 0; i < cli_command_count; i++)
        if (first_of_group(i, group, sizeof group))
            bash_names(to, group);
    for (size_t i = 0; i < cli_command_count; i++) {
        (void)fprintf(to, "    '%s') words='", cli_commands[i].name);
        put_options(to, cli_commands[i].options);
        put_options(to, cli_change_options(&cli_commands[i]));
        (void)fputs("' ;;\n", to);
    }
    (void)fputs("  esac\n  [[ $cur == -* ]] && words+='", to);
    put_options(to, cli_global_options);
    (void)fputs(
        "'\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _docket docket\n",
        to);
}

/* ---- zsh ---- */

static void zsh_values(FILE *to, const struct cli_command *command, const struct cli_option *options)
{
    for (; options->name != NULL; options++)
        if (options->kind != CLI_FLAG) {
            (void)fprintf(to, "    '%s --%s') ", command->name, options->name);
            (void)fputs(options->words != NULL ? "compadd -- " : "_files", to);
            put_words(to, options->words != NULL ? options->words : "");
            (void)fputs("; return ;;\n", to);
        }
}

/* An item of an array for _describe: 'word:help'. */
static void zsh_item(FILE *to, const char *before, const char *word, size_t len, const char *help)
{
    (void)fprintf(to, " '%s%.*s:", before, (int)len, word);
    put_quoted(to, help, "'\\''");
    (void)fputs("'", to);
}

static void zsh_name(FILE *to, const char *group, const char *word, size_t len, const char *help)
{
    (void)group;
    zsh_item(to, "", word, len, help);
}

static void zsh_options(FILE *to, const struct cli_option *options)
{
    for (; options->name != NULL; options++)
        zsh_item(to, "--", options->name, strlen(options->name), options->help);
}

static void zsh_names(FILE *to, const char *group)
{
    (void)fprintf(to, "    '%s') names=(", group != NULL ? group : "");
    each_name(to, group, zsh_name);
    (void)fputs(") ;;\n", to);
}

static void print_zsh(FILE *to)
{
    char group[32];

    (void)fputs(
        "#compdef docket\n# zsh completion for docket; printed by `docket completion zsh`\n_docket() {\n"
        "  local command= skip= word prev=${words[CURRENT-1]}\n  local -a names options\n",
        to);
    put_find_command(to, "${(@)words[2,CURRENT-1]}");
    (void)fputs("  case $prev in ", to);
    put_valued_globals(to, "|");
    (void)fputs(") _files; return ;; esac\n  case \"$command $prev\" in\n", to);
    for (size_t i = 0; i < cli_command_count; i++) {
        zsh_values(to, &cli_commands[i], cli_commands[i].options);
        zsh_values(to, &cli_commands[i], cli_change_options(&cli_commands[i]));
    }
    (void)fputs("  esac\n  case $command in\n", to);
    zsh_names(to, NULL);
    for (size_t i = 0; i < cli_command_count; i++)
        if (first_of_group(i, group, sizeof group))
            zsh_names(to, group);
    for (size_t i = 0; i < cli_command_count; i++) {
        (void)fprintf(to, "    '%s') options=(", cli_commands[i].name);
        zsh_options(to, cli_commands[i].options);
        zsh_options(to, cli_change_options(&cli_commands[i]));
        (void)fputs(") ;;\n", to);
    }
    (void)fputs("  esac\n  if (( $#names )) && [[ ${words[CURRENT]} != -* ]]; then\n"
                "    _describe command names\n    return\n  fi\n  options+=(",
                to);
    zsh_options(to, cli_global_options);
    (void)
        fputs(")\n  if [[ ${words[CURRENT]} == -* ]]; then _describe -o option options; else _files; fi\n}\n"
              "if [[ $funcstack[1] == _docket ]]; then _docket \"$@\"; else compdef _docket docket; fi\n",
              to);
}

/* ---- fish ---- */

static void fish_help(FILE *to, const char *help)
{
    (void)fputs(" -d '", to);
    put_quoted(to, help, "\\'");
    (void)fputs("'\n", to);
}

static void fish_name(FILE *to, const char *group, const char *word, size_t len, const char *help)
{
    (void)fprintf(to, "complete -c docket -n '__docket_at \"%s\"' -f -a %.*s", group != NULL ? group : "",
                  (int)len, word);
    fish_help(to, help);
}

/* at: the command, NULL: of all. A value is a word of the list, or may be a file. */
static void fish_options(FILE *to, const char *at, const struct cli_option *options)
{
    for (; options->name != NULL; options++) {
        (void)fputs("complete -c docket", to);
        if (at != NULL)
            (void)fprintf(to, " -n '__docket_at \"%s\"'", at);
        (void)fprintf(to, " -l %s", options->name);
        if (options->words != NULL) {
            (void)fputs(" -x -a '", to);
            put_words(to, options->words);
            (void)fputs("'", to);
        } else if (options->kind != CLI_FLAG) {
            (void)fputs(" -r", to);
        }
        fish_help(to, options->help);
    }
}

static void print_fish(FILE *to)
{
    char group[32];

    (void)fputs("# fish completion for docket; printed by `docket completion fish`\n"
                "function __docket_at\n    set -l tokens (commandline -opc)\n    set -e tokens[1]\n"
                "    set -l command ''\n    set -l skip\n    for word in $tokens\n"
                "        if test -n \"$skip\"\n            set skip\n            continue\n        end\n"
                "        switch $word\n            case ",
                to);
    put_valued_globals(to, " ");
    (void)fputs("\n                set skip 1\n            case '-*' help\n            case '*'\n"
                "                switch $command\n                    case ''",
                to);
    for (size_t i = 0; i < cli_command_count; i++)
        if (first_of_group(i, group, sizeof group))
            (void)fprintf(to, " %s", group);
    (void)fputs("\n                        set command (string trim \"$command $word\")\n"
                "                end\n        end\n    end\n    test \"$command\" = \"$argv[1]\"\nend\n",
                to);
    each_name(to, NULL, fish_name);
    for (size_t i = 0; i < cli_command_count; i++)
        if (first_of_group(i, group, sizeof group))
            each_name(to, group, fish_name);
    for (size_t i = 0; i < cli_command_count; i++) {
        fish_options(to, cli_commands[i].name, cli_commands[i].options);
        fish_options(to, cli_commands[i].name, cli_change_options(&cli_commands[i]));
    }
    fish_options(to, NULL, cli_global_options);
}

/* ---- the command ---- */

enum cli_exit cli_run_completion(struct cli *cli, const struct cli_args *args)
{
    static const struct {
        const char *command;
        void (*print)(FILE *to);
    } shells[] = {{"completion bash", print_bash},
                  {"completion zsh", print_zsh},
                  {"completion fish", print_fish}};

    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(args->command->name, shells[i].command) == 0)
            shells[i].print(cli->out);
    return CLI_DONE;
}
