/* From what was given to the body of the request. Types come from the tables. */
#include "cli.h"

#include "clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool cli_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    struct buf buf;
    char piece[8192];
    size_t n;

    if (file == NULL)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    buf_init(&buf, max);
    while ((n = fread(piece, 1, sizeof piece, file)) > 0 && buf_add(&buf, piece, n))
        ;
    int broken = ferror(file) ? errno : 0;
    if (!is_stdin)
        (void)fclose(file);
    if (broken != 0 || buf.failed) {
        bool large = buf.failed;
        buf_clear(&buf);
        return large ? err_set(err, ERR_TOO_LARGE, "%s has over %zu bytes",
                               is_stdin ? "standard input" : path, max)
                     : err_set(err, ERR_IO, "%s: %s", is_stdin ? "standard input" : path, strerror(broken));
    }
    *ret_text = buf_take(&buf, ret_len);
    return *ret_text != NULL ? true : err_set(err, ERR_INTERNAL, "out of memory");
}

/* Standard input as a text: one newline at the end is the shell's, not the author's. */
static bool body_read_stdin(struct cli *cli, const char *name, char **ret, size_t *ret_len, struct err *err)
{
    if (cli->stdin_read)
        return err_set(err, ERR_INVALID, "--%s: standard input was read already", name);
    cli->stdin_read = true;
    if (!cli_file_read("-", CLI_STDIN_BYTES_MAX, ret, ret_len, err))
        return false;
    if (*ret_len > 0 && (*ret)[*ret_len - 1] == '\n')
        (*ret)[--*ret_len] = '\0';
    return true;
}

static bool body_put_text(struct cli *cli, const char *name, const char *value, struct docket_body *body,
                          const char *field, struct err *err)
{
    char *text = NULL;
    size_t len = 0;

    if (strcmp(value, "-") != 0) {
        docket_body_text(body, field, value);
        return true;
    }
    if (!body_read_stdin(cli, name, &text, &len, err))
        return false;
    docket_body_text_n(body, field, text, len);
    free(text);
    return true;
}

/* The pieces between separators; empty ones are left out. */
static void body_put_pieces(struct docket_body *body, const char *text, const char *separators)
{
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, separators);
        if (n != 0)
            docket_body_text_n(body, NULL, p, n);
        p += n + (p[n] != '\0');
    }
}

/* All values given for one list. */
static bool body_put_list(struct cli *cli, const struct cli_args *args, const struct cli_option *option,
                          struct docket_body *body, const char *field, struct err *err)
{
    bool ok = true;

    docket_body_open_list(body, field);
    for (size_t i = 0; ok && i < args->given_count; i++) {
        char *text = NULL;
        size_t len = 0;
        if (args->given[i].option != option)
            continue;
        if (strcmp(args->given[i].value, "-") != 0) {
            body_put_pieces(body, args->given[i].value, ",");
            continue;
        }
        ok = body_read_stdin(cli, option->name, &text, &len, err);
        if (ok)
            body_put_pieces(body, text, "\n");
        free(text);
    }
    docket_body_close(body);
    return ok;
}

/* name=text or name:=JSON */
static bool body_put_pair(const char *option, const char *pair, struct docket_body *body, struct err *err)
{
    struct docket_error why;
    const char *equals = strchr(pair, '=');
    bool is_json = equals[-1] == ':';
    struct buf name;

    buf_init(&name, 1024);
    if (!buf_add(&name, pair, (size_t)(equals - pair) - (is_json ? 1 : 0))) {
        buf_clear(&name);
        return err_set(err, ERR_INVALID, "--%s: the name in '%.40s…' is too long", option, pair);
    }
    bool ok = true;
    if (!is_json)
        docket_body_text(body, buf_text(&name), equals + 1);
    else if (!docket_body_json(body, buf_text(&name), equals + 1, &why))
        ok = err_set(err, ERR_INVALID, "--%s: %s: %s", option, buf_text(&name), why.message);
    buf_clear(&name);
    return ok;
}

static bool body_put_pairs(const struct cli_args *args, const struct cli_option *option,
                           struct docket_body *body, const char *field, struct err *err)
{
    bool ok = true;

    docket_body_open_map(body, field);
    for (size_t i = 0; ok && i < args->given_count; i++)
        if (args->given[i].option == option)
            ok = body_put_pair(option->name, args->given[i].value, body, err);
    docket_body_close(body);
    return ok;
}

static bool body_put_option(struct cli *cli, const struct cli_args *args, const struct cli_given *given,
                            struct docket_body *body, const char *field, struct err *err)
{
    const struct cli_option *option = given->option;
    int64_t number = 0;

    switch (option->kind) {
    case CLI_TEXT:
        return body_put_text(cli, option->name, given->value, body, field, err);
    case CLI_LIST:
        return body_put_list(cli, args, option, body, field, err);
    case CLI_PAIRS:
        return body_put_pairs(args, option, body, field, err);
    case CLI_FLAG:
        docket_body_bool(body, field, true);
        return true;
    case CLI_INT:
        if (!cli_int_parse(given->value, &number))
            return err_set(err, ERR_INVALID, "--%s: '%s' is not a whole number", option->name, given->value);
        break;
    case CLI_TIME:
        if (!cli_time_parse(given->value, clock_wall_us(), &number, err))
            return err_prefix(err, "--%s: ", option->name);
        break;
    }
    docket_body_int(body, field, number);
    return true;
}

/* Options of lists and pairs count once, at their first place. */
static bool body_is_first(const struct cli_args *args, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (args->given[k].option == args->given[i].option)
            return false;
    return true;
}

/* Writes the fields of one group ("" is the body itself, "set." the map of that name). *ret_any: whether
 * there was one. */
static bool body_put_group(struct cli *cli, const struct cli_args *args, const char *group,
                           struct docket_body *body, bool write, bool *ret_any, struct err *err)
{
    size_t len = strlen(group);
    char field[64];

    *ret_any = false;
    for (size_t i = 0; i < args->given_count; i++) {
        const struct cli_given *given = &args->given[i];
        cli_option_field(given->option, field, sizeof field);
        bool inside = len == 0 ? strchr(field, '.') == NULL : strncmp(field, group, len) == 0;
        if (given->option->local || !inside || !body_is_first(args, i))
            continue;
        *ret_any = true;
        if (write && !body_put_option(cli, args, given, body, field + len, err))
            return false;
    }
    return true;
}

static void body_put_positionals(const struct cli_args *args, const char *field, struct docket_body *body)
{
    int64_t number = 0;

    if (args->positional_count == 1) {
        if (args->command->positional_is_int && cli_int_parse(args->positional[0], &number))
            docket_body_int(body, field, number);
        else
            docket_body_text(body, field, args->positional[0]);
        return;
    }
    docket_body_open_list(body, field);
    for (size_t i = 0; i < args->positional_count; i++)
        docket_body_text(body, NULL, args->positional[i]);
    docket_body_close(body);
}

void cli_body_put_as(const struct cli *cli, struct docket_body *body)
{
    docket_body_open_map(body, "as");
    docket_body_text(body, "name", buf_text(&cli->as_name));
    docket_body_text(body, "role", buf_text(&cli->as_role));
    docket_body_close(body);
}

/* The map "set" or "filter", when something of it was given. */
static bool body_put_map(struct cli *cli, const struct cli_args *args, const char *name,
                         struct docket_body *body, struct err *err)
{
    const char *field = args->command->positional_field;
    size_t len = strlen(name);
    char group[16];
    bool any = false;

    (void)snprintf(group, sizeof group, "%s.", name);
    bool place = field != NULL && args->positional_count != 0 && strncmp(field, group, len + 1) == 0;
    if (!body_put_group(cli, args, group, body, false, &any, err))
        return false;
    if (!any && !place)
        return true;
    docket_body_open_map(body, name);
    if (place)
        body_put_positionals(args, field + len + 1, body);
    bool ok = body_put_group(cli, args, group, body, true, &any, err);
    docket_body_close(body);
    return ok;
}

/* "--title, --queue or --tags": the command's options whose field lies in the group. False: there are none. */
static bool group_options(const struct cli_command *command, const char *group, char *ret, size_t size)
{
    const char *last = NULL;
    size_t used = 0;

    *ret = '\0';
    for (const struct cli_option *o = command->options; o != NULL && o->name != NULL && used < size; o++) {
        if (o->field == NULL || strncmp(o->field, group, strlen(group)) != 0)
            continue;
        if (last != NULL)
            used += (size_t)snprintf(ret + used, size - used, "%s--%s", used == 0 ? "" : ", ", last);
        last = o->name;
    }
    if (last != NULL && used < size)
        (void)snprintf(ret + used, size - used, "%s--%s", used == 0 ? "" : " or ", last);
    return last != NULL;
}

/* What only changes fields must be given one: the broker would say that `set` is missing, which nobody can type. */
static bool body_check_set(const struct cli_args *args, struct err *err)
{
    char field[64], options[256];

    for (size_t i = 0; i < args->given_count; i++) {
        cli_option_field(args->given[i].option, field, sizeof field);
        if (strncmp(field, "set.", 4) == 0)
            return true;
    }
    return !group_options(args->command, "set.", options, sizeof options) ||
           err_set(err, ERR_INVALID, "nothing to change: give %s", options);
}

bool cli_body_build(struct cli *cli, const struct cli_args *args, struct docket_body *body, struct err *err)
{
    const struct cli_command *command = args->command;
    const char *field = command->positional_field;
    bool any;

    if (!body_check_set(args, err))
        return false;
    if (field != NULL && strchr(field, '.') == NULL && args->positional_count != 0)
        body_put_positionals(args, field, body);
    if (!body_put_group(cli, args, "", body, true, &any, err) || !body_put_map(cli, args, "set", body, err) ||
        !body_put_map(cli, args, "filter", body, err))
        return false;
    /* Who posts is the key's owner; who takes is a person. */
    if (cli_command_changes(command) &&
        (strcmp(command->op, "ticket.submit") != 0 || cli_args_has(args, "take")))
        cli_body_put_as(cli, body);
    return true;
}
