/* Numbered migrations; see migrate.h. */
#include "migrate.h"

#include <libpq-fe.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embed.h"
#include "mem.h"
#include "pg.h"
#include "process.h"

enum { DIGEST_TEXT = 64 + 1 /* SHA-256 in hex, NUL */ };

/* The advisory lock of a migration: any fixed number that nobody else uses. */
static const char *const lock_sql = "SELECT pg_advisory_lock(7401000001)";

static const char *const table_sql = "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                     " number integer PRIMARY KEY, name text NOT NULL, digest text NOT NULL,"
                                     " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())";

static const char *const newest_sql = "SELECT coalesce(max(number), 0)::text FROM schema_migrations";

static const char *const applied_sql = "SELECT digest FROM schema_migrations WHERE number = $1::integer";

static const char *const note_sql =
    "INSERT INTO schema_migrations (number, name, digest) VALUES ($1::integer, $2, $3)";

struct migration {
    int number;
    const struct embed_file *file;
    char digest[DIGEST_TEXT];
};

/* ---- the files ---- */

static int migration_number(const char *name)
{
    long number = strtol(name, NULL, 10);
    return number > 0 && number < 100000 ? (int)number : 0;
}

static struct migration migration_of(const struct embed_file *file)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    struct migration m = {.number = migration_number(file->name), .file = file};

    (void)crypto_hash_sha256(hash, file->data, file->len);
    (void)sodium_bin2hex(m.digest, sizeof m.digest, hash, sizeof hash);
    return m;
}

static int migration_newest(void)
{
    return schema_files_count == 0 ? 0 : migration_number(schema_files[schema_files_count - 1].name);
}

/* ---- asking the server ---- */

/* Counts warnings: one at a commit means that a synchronous standby was not waited for. Notices are of no
 * interest. */
static void migrate_on_notice(void *arg, const PGresult *result)
{
    int *warnings = arg;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (warnings != NULL && severity != NULL && strcmp(severity, "WARNING") == 0)
        ++*warnings;
}

/* Sets err from what the server said. A lost session is unavailable, a refusal invalid. */
static bool migrate_fail(PGconn *conn, const PGresult *result, struct err *err)
{
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (PQstatus(conn) != CONNECTION_OK || text == NULL)
        return err_set(err, ERR_UNAVAILABLE, "the database: %.*s", (int)strcspn(PQerrorMessage(conn), "\n"),
                       PQerrorMessage(conn));
    return err_set(err, ERR_INVALID, "the database: %s (%s)", text, state);
}

/* Runs one statement, or, with no parameters, a whole file of them. ret_value, if asked for, gets the first
 * column of the first row, owned by the caller, or NULL when there is no row. */
static bool migrate_exec(PGconn *conn, const char *sql, int count, const char *const *values,
                         char **ret_value, struct err *err)
{
    PGresult *result =
        count == 0 ? PQexec(conn, sql) : PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

    if (!ok)
        (void)migrate_fail(conn, result, err);
    else if (ret_value != NULL)
        *ret_value = PQntuples(result) == 0 ? NULL : mem_strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    return ok;
}

static bool migrate_do(PGconn *conn, const char *sql, struct err *err)
{
    return migrate_exec(conn, sql, 0, NULL, NULL, err);
}

/* COMMIT, and whether it can be believed. */
static bool migrate_commit(PGconn *conn, struct err *err)
{
    int warnings = 0;

    (void)PQsetNoticeReceiver(conn, migrate_on_notice, &warnings);
    bool ok = migrate_do(conn, "COMMIT", err);
    (void)PQsetNoticeReceiver(conn, migrate_on_notice, NULL);
    if (ok && warnings != 0)
        ok = err_set(err, ERR_UNAVAILABLE,
                     "the database warned while committing, it may not be replicated: run it again");
    return ok;
}

static bool migrate_newest(PGconn *conn, int *ret_number, struct err *err)
{
    char *text = NULL;

    if (!migrate_exec(conn, newest_sql, 0, NULL, &text, err))
        return false;
    *ret_number = migration_number(text);
    free(text);
    return true;
}

static bool migrate_refuse_newer(int number, struct err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "the database has schema %d, this docket-broker (%s) knows up to %d: install the newer "
                   "docket-broker",
                   number, DOCKET_VERSION, migration_newest());
}

/* ---- applying ---- */

static bool migrate_apply_in_transaction(PGconn *conn, const struct migration *m, struct err *err)
{
    char number[16];
    const char *values[] = {number, m->file->name, m->digest};

    (void)snprintf(number, sizeof number, "%d", m->number);
    /* One that cannot have its locks soon gives up: everybody else would queue behind it. */
    return migrate_do(conn, "SET LOCAL lock_timeout = '10s'", err) &&
           migrate_do(conn, (const char *)m->file->data, err) &&
           migrate_exec(conn, note_sql, 3, values, NULL, err) && migrate_commit(conn, err);
}

/* Applies it unless it was. */
static bool migrate_step(PGconn *conn, const struct migration *m, struct migrate_result *done,
                         struct err *err)
{
    char number[16], *digest = NULL;
    const char *values[] = {number};

    (void)snprintf(number, sizeof number, "%d", m->number);
    if (!migrate_exec(conn, applied_sql, 1, values, &digest, err))
        return false;
    if (digest != NULL) {
        bool same = strcmp(digest, m->digest) == 0;
        free(digest);
        return same || err_set(err, ERR_CONFLICT,
                               "%s is not what was applied to this database under its number: install the "
                               "docket-broker that made it, or restore the file",
                               m->file->name);
    }
    if (!migrate_do(conn, "BEGIN", err))
        return false;
    if (!migrate_apply_in_transaction(conn, m, err)) {
        struct err unused;
        (void)migrate_do(conn, "ROLLBACK", &unused);
        return err_prefix(err, "%s: ", m->file->name);
    }
    done->applied++;
    return true;
}

static bool migrate_files(PGconn *conn, struct migrate_result *done, struct err *err)
{
    int number = 0;

    if (!migrate_do(conn, table_sql, err) || !migrate_newest(conn, &number, err))
        return false;
    if (number > migration_newest())
        return migrate_refuse_newer(number, err);
    for (size_t i = 0; i < schema_files_count; i++) {
        struct migration m = migration_of(&schema_files[i]);
        if (!migrate_step(conn, &m, done, err))
            return false;
    }
    done->number = migration_newest();
    return true;
}

/* ---- the first version of the process ---- */

static bool process_from_shipped(struct process_files *ret, struct err *err)
{
    for (size_t i = 0; i < shipped_process_count; i++) {
        const struct embed_file *file = &shipped_process[i];
        if (!process_files_add(ret, span_of(file->name), (struct span){(const char *)file->data, file->len},
                               err))
            return false;
    }
    return true;
}

/* Checks the files as process.apply would; all faults at once. */
static bool process_load_first(const char *dir, struct process **ret_process, struct err *err)
{
    struct process_files files = {0};
    struct faults faults = {0};
    bool ok = dir != NULL ? process_files_read(dir, &files, err) : process_from_shipped(&files, err);

    if (ok && !process_load_new(&files, ret_process, &faults))
        ok = faults_to_err(&faults, ERR_INVALID, err);
    faults_clear(&faults);
    process_files_clear(&files);
    return ok;
}

static bool process_insert(PGconn *conn, const struct process *process, const char *comment, struct err *err)
{
    static const char *const sql =
        "WITH p AS (INSERT INTO processes (hash, files, first_at) VALUES ($1::text, $2::bytea, docket_now())"
        " ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash RETURNING hash)"
        " INSERT INTO process_log (hash, at, actor, role, comment)"
        " SELECT p.hash, docket_now(), 'migrate', 'system', $3::text FROM p";
    struct buf bytes;

    buf_init(&bytes, 2 * PROCESS_BYTES_MAX);
    process_files_encode(&process->files, &bytes);
    if (bytes.failed) {
        buf_clear(&bytes);
        return err_set(err, ERR_TOO_LARGE, "the process is too large to be stored");
    }
    const char *values[] = {process->hash, bytes.p, comment};
    const int lengths[] = {0, (int)bytes.len, 0}, formats[] = {0, 1, 0};
    PGresult *result = PQexecParams(conn, sql, 3, NULL, values, lengths, formats, 0);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK || migrate_fail(conn, result, err);
    PQclear(result);
    buf_clear(&bytes);
    return ok;
}

static bool migrate_process(PGconn *conn, const char *dir, struct migrate_result *done, struct err *err)
{
    struct process *process = NULL;
    char *known = NULL, comment[512];

    if (!migrate_exec(conn, "SELECT n::text FROM process_log LIMIT 1", 0, NULL, &known, err))
        return false;
    if (known != NULL) {
        free(known);
        return true;
    }
    if (dir == NULL && shipped_process_count == 0)
        return true; /* built without one: the first process.apply brings it */
    if (!process_load_first(dir, &process, err))
        return false;
    (void)snprintf(comment, sizeof comment, "%s %s", dir == NULL ? "shipped with docket" : "from",
                   dir == NULL ? DOCKET_VERSION : dir);
    done->made_process = process_insert(conn, process, comment, err);
    process_free(process);
    return done->made_process;
}

bool migrate_run(const char *dsn, const char *process_dir, struct migrate_result *ret, struct err *err)
{
    PGconn *conn = NULL;
    struct migrate_result done = {0};

    if (!pg_connect_blocking(dsn, "docket-broker migrate", &conn, err))
        return false;
    (void)PQsetNoticeReceiver(conn, migrate_on_notice, NULL);
    /* The lock ends with the session, also when this process is killed. */
    bool ok = migrate_do(conn, lock_sql, err) && migrate_files(conn, &done, err) &&
              migrate_process(conn, process_dir, &done, err);
    PQfinish(conn);
    if (ok && ret != NULL)
        *ret = done;
    return ok;
}

bool migrate_check(const char *dsn, const char *config_path, struct err *err)
{
    PGconn *conn = NULL;
    char *exists = NULL;
    int number = 0;

    if (!pg_connect_blocking(dsn, "docket-broker", &conn, err))
        return false;
    bool ok = migrate_exec(conn, "SELECT to_regclass('schema_migrations')::text", 0, NULL, &exists, err);
    if (ok && exists != NULL && exists[0] != '\0')
        ok = migrate_newest(conn, &number, err);
    free(exists);
    PQfinish(conn);
    if (!ok)
        return false;
    if (number > migration_newest())
        return migrate_refuse_newer(number, err);
    if (number < migration_newest())
        return err_set(
            err, ERR_CONFLICT,
            "the database has schema %d, this docket-broker needs %d; run: docket-broker migrate%s%s", number,
            migration_newest(), config_path == NULL ? "" : " --config ",
            config_path == NULL ? "" : config_path);
    return true;
}
