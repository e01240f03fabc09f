/* process apply, show, get, diff, rollback: a company's process as files and as versions. */
#include "cli.h"
#include "cli_files.h"
#include "lib_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A version: its files, and what it is called. */
struct version {
    struct cli_files files;
    char name[256]; /* hash or directory */
};

/* ---- fetching ---- */

/* The files of a hash, NULL: of the current version. */
static bool fetch_version(struct cli *cli, const char *hash, struct version *ret, enum cli_exit *ret_exit)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    const struct wire_val *val = NULL;
    struct err err = {0};

    if (hash != NULL)
        docket_body_text(body, "hash", hash);
    bool ok = cli_ask(cli, "process.get", body, &answer, &val, ret_exit);
    if (ok) {
        struct span told = wire_find_str(val, "hash");
        (void)snprintf(ret->name, sizeof ret->name, "%.*s", (int)(told.len > 200 ? 200 : told.len),
                       told.len != 0 ? told.p : "");
        ok = cli_files_from_map(wire_find(val, "files"), &ret->files, &err);
        if (!ok)
            *ret_exit = cli_report_err(&err, CLI_REFUSED);
    }
    docket_answer_free(answer);
    docket_body_free(body);
    return ok;
}

/* The hash of the version that was current before the current one: the newest but one in the list that is
 * another one. */
static struct span current_hash(const struct wire_val *versions)
{
    for (size_t i = 0; i < wire_count(versions); i++)
        if (wire_find_bool(wire_at(versions, i), "current", false))
            return wire_find_str(wire_at(versions, i), "hash");
    return SPAN_NONE;
}

/* The newest version that is another one than the current: one that was applied twice, as --recompute does, is no step back. */
static bool fetch_previous(struct cli *cli, char *ret_hash, size_t size, enum cli_exit *ret_exit)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    const struct wire_val *val = NULL;
    bool ok = cli_ask(cli, "process.list", body, &answer, &val, ret_exit);
    int64_t newest = INT64_MIN;

    *ret_hash = '\0';
    const struct wire_val *list =
        wire_find(val, "versions") != NULL ? wire_find(val, "versions") : wire_find(val, "processes");
    struct span current = current_hash(list);
    for (size_t i = 0; ok && i < wire_count(list); i++) {
        const struct wire_val *item = wire_at(list, i);
        int64_t at = wire_find_int(item, "applied_at", wire_find_int(item, "at", 0));
        struct span hash = wire_find_str(item, "hash");
        if (span_equal(hash, current) || at < newest || hash.len == 0)
            continue;
        newest = at;
        (void)snprintf(ret_hash, size, "%.*s", (int)hash.len, hash.p);
    }
    docket_answer_free(answer);
    docket_body_free(body);
    if (ok && *ret_hash == '\0') {
        (void)fputs("docket: not_found: there is no version before the current one\n", stderr);
        *ret_exit = CLI_REFUSED;
        ok = false;
    }
    return ok;
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool may_be_hash(const char *name)
{
    return name[0] != '\0' && name[strspn(name, "0123456789abcdef")] == '\0';
}

/* A directory, else a hash; NULL: the current version. */
static bool load_version(struct cli *cli, const char *name, struct version *ret, enum cli_exit *ret_exit)
{
    struct err err = {0};

    if (name == NULL)
        return fetch_version(cli, NULL, ret, ret_exit);
    if (is_directory(name)) {
        (void)snprintf(ret->name, sizeof ret->name, "%s", name);
        if (cli_files_read(name, &ret->files, &err))
            return true;
    } else if (may_be_hash(name)) {
        return fetch_version(cli, name, ret, ret_exit);
    } else {
        (void)err_set(&err, ERR_INVALID, "%s: want a directory that is there, or a version's hash", name);
    }
    *ret_exit = cli_report_err(&err, CLI_REFUSED);
    return false;
}

/* ---- apply, rollback ---- */

static enum cli_exit apply_files(struct cli *cli, const struct cli_files *files, const char *comment,
                                 bool dry_run, bool recompute)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    const struct wire_val *val = NULL;
    enum cli_exit status = CLI_DONE;
    const char *key = cli_args_value(cli->args, "key", NULL);

    docket_body_open_map(body, "files");
    for (size_t i = 0; i < files->count; i++)
        docket_body_bytes(body, files->items[i].name, files->items[i].bytes, files->items[i].len);
    docket_body_close(body);
    docket_body_text(body, "comment", comment);
    if (dry_run)
        docket_body_bool(body, "dry_run", true);
    if (recompute)
        docket_body_bool(body, "recompute", true);
    if (key != NULL)
        docket_body_text(body, "key", key);
    cli_body_put_as(cli, body);
    if (cli_ask(cli, "process.apply", body, &answer, &val, &status)) {
        struct span hash = wire_find_str(val, "hash");
        if (!cli->json)
            cli_print_warnings(wire_find(val, "warnings"));
        if (cli->json)
            cli_print_json(cli, val);
        else
            (void)fprintf(cli->out, "%.*s %s\n", (int)hash.len, hash.len != 0 ? hash.p : "",
                          dry_run ? "is good; nothing was changed" : "is current");
    }
    docket_answer_free(answer);
    docket_body_free(body);
    return status;
}

enum cli_exit cli_run_process_apply(struct cli *cli, const struct cli_args *args)
{
    struct cli_files files = {0};
    struct err err = {0};

    if (!cli_files_read(args->positional[0], &files, &err))
        return cli_report_err(&err, CLI_REFUSED);
    enum cli_exit status = apply_files(cli, &files, cli_args_value(args, "comment", ""),
                                       cli_args_has(args, "dry-run"), cli_args_has(args, "recompute"));
    cli_files_clear(&files);
    return status;
}

enum cli_exit cli_run_process_rollback(struct cli *cli, const struct cli_args *args)
{
    struct version version = {0};
    enum cli_exit status = CLI_DONE;
    char hash[200], comment[256];

    if (args->positional_count != 0)
        (void)snprintf(hash, sizeof hash, "%s", args->positional[0]);
    else if (!fetch_previous(cli, hash, sizeof hash, &status))
        return status;
    if (fetch_version(cli, hash, &version, &status)) {
        (void)snprintf(comment, sizeof comment, "rollback to %s", hash);
        status = apply_files(cli, &version.files, cli_args_value(args, "comment", comment), false,
                             cli_args_has(args, "recompute"));
    }
    cli_files_clear(&version.files);
    return status;
}

/* ---- show, get ---- */

static enum cli_exit show_file(struct cli *cli, const struct version *version, const char *name)
{
    for (size_t i = 0; i < version->files.count; i++)
        if (strcmp(version->files.items[i].name, name) == 0) {
            (void)fwrite(version->files.items[i].bytes, 1, version->files.items[i].len, cli->out);
            return CLI_DONE;
        }
    (void)fprintf(stderr, "docket: not_found: version %s has no file '%s'\n", version->name, name);
    return CLI_REFUSED;
}

enum cli_exit cli_run_process_show(struct cli *cli, const struct cli_args *args)
{
    const char *hash = args->positional_count != 0 ? args->positional[0] : NULL;
    const char *file = cli_args_value(args, "file", NULL);
    struct version version = {0};
    enum cli_exit status = CLI_DONE;

    if (!fetch_version(cli, hash, &version, &status))
        return status;
    if (file != NULL) {
        status = show_file(cli, &version, file);
    } else if (cli->json) {
        (void)fprintf(cli->out, "{\"hash\": \"%s\", \"files\": [", version.name);
        for (size_t i = 0; i < version.files.count; i++)
            (void)fprintf(cli->out, "%s\"%s\"", i != 0 ? ", " : "", version.files.items[i].name);
        (void)fputs("]}\n", cli->out);
    } else {
        (void)fprintf(cli->out, "%s\n", version.name);
        for (size_t i = 0; i < version.files.count; i++)
            (void)fprintf(cli->out, "%8zu  %s\n", version.files.items[i].len, version.files.items[i].name);
    }
    cli_files_clear(&version.files);
    return status;
}

enum cli_exit cli_run_process_get(struct cli *cli, const struct cli_args *args)
{
    const char *hash = args->positional_count != 0 ? args->positional[0] : NULL;
    struct version version = {0};
    enum cli_exit status = CLI_DONE;
    struct err err = {0};
    char own[64];

    if (!fetch_version(cli, hash, &version, &status))
        return status;
    (void)snprintf(own, sizeof own, "process-%.12s", version.name);
    const char *dir = cli_args_value(args, "dir", own);
    if (!cli_files_write(&version.files, dir, &err))
        status = cli_report_err(&err, CLI_REFUSED);
    else if (cli->json)
        (void)fprintf(cli->out, "{\"hash\": \"%s\", \"files\": %zu}\n", version.name, version.files.count);
    else
        (void)fprintf(cli->out, "%zu files of %s written to %s\n", version.files.count, version.name, dir);
    cli_files_clear(&version.files);
    return status;
}

/* ---- diff ---- */

/* Runs diff(1) over two directories; false when it could not be run. */
static bool run_diff(const char *where, bool colour)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        if (chdir(where) == 0)
            (void)execlp("diff", "diff", "-urN", colour ? "--color=always" : "--color=never", "from", "to",
                         (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) <= 1;
}

static void remove_copies(const char *where, const struct cli_files *files, const char *side)
{
    char path[8192];

    for (size_t i = files->count; i-- > 0;) {
        (void)snprintf(path, sizeof path, "%s/%s/%s", where, side, files->items[i].name);
        (void)unlink(path);
        for (char *slash = strrchr(path, '/'); slash != NULL && slash > path + strlen(where);
             slash = strrchr(path, '/')) {
            *slash = '\0';
            (void)rmdir(path); /* fails, rightly, until it is empty */
        }
    }
}

static enum cli_exit diff_versions(struct cli *cli, const struct version *from, const struct version *to)
{
    const char *tmp = getenv("TMPDIR");
    char where[256], side[300];
    struct err err = {0};
    enum cli_exit status = CLI_DONE;

    (void)snprintf(where, sizeof where, "%.200s/docket-diff-XXXXXX",
                   tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
    if (mkdtemp(where) == NULL) {
        (void)err_set(&err, ERR_IO, "%s: %s", where, strerror(errno));
        return cli_report_err(&err, CLI_REFUSED);
    }
    (void)snprintf(side, sizeof side, "%s/from", where);
    bool ok = cli_files_write(&from->files, side, &err);
    (void)snprintf(side, sizeof side, "%s/to", where);
    ok = ok && cli_files_write(&to->files, side, &err);
    (void)fflush(cli->out);
    if (ok && !run_diff(where, cli->colour))
        ok = err_set(&err, ERR_IO, "cannot run diff(1)");
    if (!ok)
        status = cli_report_err(&err, CLI_REFUSED);
    remove_copies(where, &from->files, "from");
    remove_copies(where, &to->files, "to");
    (void)rmdir(where);
    return status;
}

static const struct cli_file *files_find(const struct cli_files *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->items[i].name, name) == 0)
            return &files->items[i];
    return NULL;
}

/* Names of files of a that are not in b (changed: that are in both and differ), as a JSON list. */
static void print_names(struct cli *cli, const char *key, const struct cli_files *a,
                        const struct cli_files *b, bool changed)
{
    const char *comma = "";

    (void)fprintf(cli->out, ", \"%s\": [", key);
    for (size_t i = 0; i < a->count; i++) {
        const struct cli_file *mine = &a->items[i], *other = files_find(b, mine->name);
        bool differs =
            other != NULL && (other->len != mine->len || memcmp(other->bytes, mine->bytes, mine->len) != 0);
        if (changed ? !differs : other != NULL)
            continue;
        (void)fprintf(cli->out, "%s\"%s\"", comma, mine->name);
        comma = ", ";
    }
    (void)fputs("]", cli->out);
}

enum cli_exit cli_run_process_diff(struct cli *cli, const struct cli_args *args)
{
    struct version from = {0}, to = {0};
    enum cli_exit status = CLI_DONE;
    char previous[200];
    const char *names[2] = {NULL, NULL}; /* NULL: the current one */

    if (args->positional_count == 2) {
        names[0] = args->positional[0];
        names[1] = args->positional[1];
    } else if (args->positional_count == 1) {
        names[1] = args->positional[0];
    } else if (!fetch_previous(cli, previous, sizeof previous, &status)) {
        return status;
    } else {
        names[0] = previous;
    }
    bool ok = load_version(cli, names[0], &from, &status) && load_version(cli, names[1], &to, &status);
    if (ok && cli->json) {
        (void)fprintf(cli->out, "{\"from\": \"%s\", \"to\": \"%s\"", from.name, to.name);
        print_names(cli, "added", &to.files, &from.files, false);
        print_names(cli, "removed", &from.files, &to.files, false);
        print_names(cli, "changed", &from.files, &to.files, true);
        (void)fputs("}\n", cli->out);
    } else if (ok) {
        status = diff_versions(cli, &from, &to);
    }
    cli_files_clear(&from.files);
    cli_files_clear(&to.files);
    return status;
}
