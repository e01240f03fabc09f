/* Sorting the command line into command, options, positionals, by the tables. Knows nothing of what they
 * mean. */
#include "cli.h"

#include "faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 64, COMMANDS_MAX = 128 }; /* among which a near name is looked for */

bool cli_int_parse(const char *text, int64_t *ret)
{
    char *end = NULL;

    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*text == '\0' || *text == ' ' || *end != '\0' || errno != 0)
        return false;
    *ret = value;
    return true;
}

const struct cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i].name, name) == 0)
            return &cli_commands[i];
    return NULL;
}

bool cli_command_changes(const struct cli_command *command)
{
    return command->op != NULL && !docket_op_reads(command->op);
}

static const struct cli_option *option_in(const struct cli_option *options, const char *name, size_t len)
{
    for (; options->name != NULL; options++)
        if (strlen(options->name) == len && memcmp(options->name, name, len) == 0)
            return options;
    return NULL;
}

const struct cli_option *cli_option_find(const struct cli_command *command, const char *name, size_t len)
{
    const struct cli_option *found = NULL;

    if (command != NULL)
        found = option_in(command->options, name, len);
    if (found == NULL && command != NULL)
        found = option_in(cli_change_options(command), name, len);
    return found != NULL ? found : option_in(cli_global_options, name, len);
}

void cli_option_field(const struct cli_option *option, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s", option->field != NULL ? option->field : option->name);
    for (char *p = ret; option->field == NULL && *p != '\0'; p++)
        if (*p == '-')
            *p = '_';
}

const char *cli_args_value(const struct cli_args *args, const char *name, const char *fallback)
{
    for (size_t i = args->given_count; i-- > 0;)
        if (strcmp(args->given[i].option->name, name) == 0)
            return args->given[i].value;
    return fallback;
}

bool cli_args_has(const struct cli_args *args, const char *name)
{
    return cli_args_value(args, name, NULL) != NULL;
}

static bool word_is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

/* "unknown option '--custmer', did you mean --customer?" */
static bool option_refuse(const struct cli_command *command, const char *word, const char *where,
                          struct err *err)
{
    const struct cli_option *lists[] = {cli_global_options, command != NULL ? command->options : NULL,
                                        command != NULL ? cli_change_options(command) : NULL};
    const char *names[OPTIONS_MAX];
    char name[64];
    size_t count = 0;

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct cli_option *o = lists[i]; o != NULL && o->name != NULL && count < OPTIONS_MAX; o++)
            names[count++] = o->name;
    int len = (int)strcspn(word, "=");
    (void)snprintf(name, sizeof name, "%.*s", len, word + strspn(word, "-"));
    name[strcspn(name, "=")] = '\0';
    const char *near = faults_near(name, names, count);
    return err_set(err, ERR_INVALID, "unknown option '%.*s'%s%s%s%s", len, word, where,
                   near != NULL ? ", did you mean --" : "", near != NULL ? near : "",
                   near != NULL ? "?" : "");
}

/* "unknown command 'alert lst', did you mean alert list?"
 * in:  group   the first word where it begins commands ("alert"): only those are near; NULL: all
 *      word    what is not known     behind  NULL, or the word after it, which may belong to the name */
static bool command_refuse(const char *group, const char *word, const char *behind, struct err *err)
{
    const char *names[COMMANDS_MAX], *near;
    char both[128];
    size_t count = 0, skip = group != NULL ? strlen(group) + 1 : 0;

    for (size_t i = 0; i < cli_command_count && count < COMMANDS_MAX; i++)
        if (group == NULL ||
            (strncmp(cli_commands[i].name, group, skip - 1) == 0 && cli_commands[i].name[skip - 1] == ' '))
            names[count++] = cli_commands[i].name + skip;
    (void)snprintf(both, sizeof both, "%s %s", word, behind != NULL ? behind : "");
    near = faults_near(word, names, count);
    if (near == NULL && behind != NULL)
        near = faults_near(both, names, count);
    const char *before = group != NULL ? group : "", *blank = group != NULL ? " " : "";
    return near == NULL ? err_set(err, ERR_INVALID, "unknown command '%s%s%s'", before, blank, word)
                        : err_set(err, ERR_INVALID, "unknown command '%s%s%s', did you mean %s%s%s?", before,
                                  blank, word, before, blank, near);
}

/* Which of argv is the first word from there on that is neither an option nor its value; 0: none. */
static bool args_find_word(int argc, char *const *argv, int from, int *ret, struct err *err)
{
    for (int i = from; i < argc; i++) {
        if (!word_is_option(argv[i])) {
            *ret = i;
            return true;
        }
        if (strcmp(argv[i], "-h") == 0)
            continue;
        size_t len = strcspn(argv[i] + 2, "=");
        const struct cli_option *option = argv[i][1] == '-' ? cli_option_find(NULL, argv[i] + 2, len) : NULL;
        if (option == NULL)
            return option_refuse(NULL, argv[i], " before the command", err);
        i += option->kind != CLI_FLAG && argv[i][2 + len] == '\0';
    }
    *ret = 0;
    return true;
}

/* `help` and `version` in front, as other programs have them: the same as the options. Steps *first to the word behind. */
static bool args_take_word_option(int argc, char *const *argv, bool *is_command, int *first,
                                  struct cli_args *ret, struct err *err)
{
    bool is_help = *first != 0 && strcmp(argv[*first], "help") == 0;

    if (!is_help && (*first == 0 || strcmp(argv[*first], "version") != 0))
        return true;
    is_command[*first] = true;
    ret->help = is_help;
    ret->version = !is_help;
    return args_find_word(argc, argv, *first + 1, first, err);
}

/* The command's words: the first one or two that are neither options nor their values. Writes which of argv
 * they are. */
static bool args_find_command(int argc, char *const *argv, bool *is_command, struct cli_args *ret,
                              struct err *err)
{
    int first = 0;
    char name[64];

    if (!args_find_word(argc, argv, 1, &first, err) ||
        !args_take_word_option(argc, argv, is_command, &first, ret, err))
        return false;
    if (first == 0)
        return true;
    const char *second = first + 1 < argc && !word_is_option(argv[first + 1]) ? argv[first + 1] : NULL;
    is_command[first] = true;
    ret->command = cli_command_find(argv[first]);
    if (ret->command != NULL)
        return true;
    if (!cli_help_is_group(argv[first]))
        return command_refuse(NULL, argv[first], second, err);
    ret->group = argv[first];
    if (second == NULL)
        return true;
    is_command[first + 1] = true;
    (void)snprintf(name, sizeof name, "%s %s", argv[first], second);
    ret->command = cli_command_find(name);
    return ret->command != NULL || command_refuse(ret->group, second, NULL, err);
}

static bool args_add(struct cli_args *args, const struct cli_option *option, const char *value,
                     struct err *err)
{
    int64_t number;

    if (args->given_count == CLI_GIVEN_MAX)
        return err_set(err, ERR_INVALID, "more than %d options", CLI_GIVEN_MAX);
    if (option->kind == CLI_INT && !cli_int_parse(value, &number))
        return err_set(err, ERR_INVALID, "--%s: '%s' is not a whole number", option->name, value);
    if (option->kind == CLI_PAIRS && (strchr(value, '=') == NULL || *value == '=' || *value == ':'))
        return err_set(err, ERR_INVALID, "--%s: '%s' is not of the form name=value", option->name, value);
    if (option->kind != CLI_PAIRS && option->kind != CLI_LIST && cli_args_has(args, option->name))
        return err_set(err, ERR_INVALID, "--%s is given twice", option->name);
    args->given[args->given_count++] = (struct cli_given){option, value};
    return true;
}

/* One "--name value", "--name=value" or "--flag"; steps *i over what it took. */
static bool args_option(int argc, char *const *argv, int *i, struct cli_args *args, struct err *err)
{
    const char *word = argv[*i] + 2;
    size_t len = strcspn(word, "=");
    const struct cli_option *option = argv[*i][1] == '-' ? cli_option_find(args->command, word, len) : NULL;

    if (strcmp(argv[*i], "-h") == 0)
        option = cli_option_find(NULL, "help", 4);
    if (option == NULL)
        return option_refuse(args->command, argv[*i], "", err);
    if (option->kind == CLI_FLAG && word[len] == '=')
        return err_set(err, ERR_INVALID, "--%s takes no value", option->name);
    if (option->kind == CLI_FLAG || strcmp(argv[*i], "-h") == 0)
        return args_add(args, option, "", err);
    if (word[len] == '=')
        return args_add(args, option, word + len + 1, err);
    if (*i + 1 >= argc)
        return err_set(err, ERR_INVALID, "--%s needs a value", option->name);
    return args_add(args, option, argv[++*i], err);
}

static bool args_check_positionals(const struct cli_args *args, struct err *err)
{
    static const struct {
        size_t least, most;
    } limits[] = {[CLI_POS_NONE] = {0, 0},
                  [CLI_POS_ONE] = {1, 1},
                  [CLI_POS_OPTIONAL] = {0, 1},
                  [CLI_POS_MANY] = {1, 500},
                  [CLI_POS_UP_TO_TWO] = {0, 2}};
    const struct cli_command *command = args->command;
    int64_t number;

    if (command == NULL || args->help || args->version)
        return true;
    if (args->positional_count < limits[command->positional].least)
        return err_set(err, ERR_INVALID, "%s is missing", command->positional_name);
    if (args->positional_count > limits[command->positional].most)
        return err_set(err, ERR_INVALID, "'%s' is too much",
                       args->positional[limits[command->positional].most]);
    if (command->positional_is_int && args->positional_count == 1 &&
        !cli_int_parse(args->positional[0], &number))
        return err_set(err, ERR_INVALID, "%s: '%s' is not a whole number", command->positional_name,
                       args->positional[0]);
    return true;
}

bool cli_args_check_required(const struct cli_args *args, struct err *err)
{
    char names[200] = "";
    size_t len = 0, missing = 0;

    for (const struct cli_option *o = args->command->options; o->name != NULL; o++) {
        if (!o->required || cli_args_has(args, o->name))
            continue;
        if (len < sizeof names)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s--%s", missing == 0 ? "" : ", ",
                                    o->name);
        missing++;
    }
    return missing == 0 ? true
                        : err_set(err, ERR_INVALID, "%s %s missing", names, missing == 1 ? "is" : "are");
}

bool cli_args_parse(int argc, char *const *argv, struct cli_args *ret, struct err *err)
{
    bool *is_command = calloc((size_t)argc + 1, sizeof *is_command);
    bool only_words = false, ok = is_command != NULL;

    if (!ok)
        return err_set(err, ERR_INTERNAL, "out of memory");
    ret->command = NULL;
    ret->group = NULL;
    ret->given_count = ret->positional_count = 0;
    ret->help = ret->version = false;
    ok = args_find_command(argc, argv, is_command, ret, err);
    for (int i = 1; ok && i < argc; i++) {
        if (is_command[i])
            continue;
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (!only_words && word_is_option(argv[i]))
            ok = args_option(argc, argv, &i, ret, err);
        else if (ret->positional_count == CLI_GIVEN_MAX)
            ok = err_set(err, ERR_INVALID, "more than %d words", CLI_GIVEN_MAX);
        else
            ret->positional[ret->positional_count++] = argv[i];
    }
    free(is_command);
    ret->help = ret->help || cli_args_has(ret, "help");
    ret->version = ret->version || cli_args_has(ret, "version");
    ret->man = cli_args_has(ret, "man");
    ret->markdown = cli_args_has(ret, "markdown");
    ret->sample = cli_args_has(ret, "print-sample-config");
    return ok && args_check_positionals(ret, err);
}
