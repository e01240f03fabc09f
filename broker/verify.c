/* The invariants that a database can show; see verify.h. */
#include "verify.h"
#include "embed.h"
#include "pg.h"
#include "tracking.h"
#include "verify_memory.h"
#include "verify_walk.h"

#include <stdlib.h>

/* A statement (how many were looked at, how many break it, the first of them), a walk, or both. */
static const struct {
    const char *name, *file;
    bool (*walk)(PGconn *conn, struct verify_count *count, struct err *err);
    const char *says;
} rows[] = {
    {"S1", "verify_s1.sql", NULL, "a key stands for one ticket or one change"},
    {"S2", "verify_s2.sql", NULL, "the posting is event 1 of its ticket"},
    {"S3", "verify_s3.sql", NULL, "version = number of events, no gap"},
    {"S4", NULL, verify_walk_states, "each state follows from its events by the transition table"},
    {"S5", "verify_s5.sql", NULL, "at most one committed decision per attempt"},
    {"S6", "verify_s6.sql", verify_walk_wakes, "a running clock has its wake, and a wake its lane"},
    {"S7", "verify_s7.sql", NULL, "no wake is owned by a dead epoch"},
    {"S8", "verify_s8.sql", NULL, "exactly one receipt per ticket"},
    {"S9", "verify_s9.sql", NULL, "no delivery without its outbox row, none left behind"},
    {"S10", "verify_s10.sql", NULL, "each missed promise has its alert, once; one open alert per cause"},
    {"S11", "verify_s11.sql", NULL, "a met promise never alerted"},
    {"S12", "verify_s12.sql", NULL, "nothing is told before it is committed"},
    {"S13", "verify_s13.sql", NULL, "a ticket's versions rise in the feed"},
    {"S14", "verify_s14.sql", NULL, "a dead letter has alerted staff"},
    {"S16", "verify_s16.sql", NULL, "posted = open + closed"},
};

/* Where the lines go, and what tracking numbers begin with there. */
struct verify_to {
    FILE *out;
    const char *prefix;
};

static bool verify_failed(PGconn *conn, PGresult *result, struct err *err)
{
    (void)err_set(err, ERR_INTERNAL, "%s", PQerrorMessage(conn));
    PQclear(result);
    return false;
}

static bool verify_by_statement(PGconn *conn, const char *file, struct verify_count *count, struct err *err)
{
    const struct embed_file *sql = embed_find(broker_sql, broker_sql_count, file);
    PGresult *result = PQexec(conn, (const char *)sql->data);

    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
        return verify_failed(conn, result, err);
    count->looked = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    count->bad = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
    count->first = strtoll(PQgetvalue(result, 0, 2), NULL, 10); /* "" for NULL reads as 0 */
    PQclear(result);
    return true;
}

static void verify_print(const struct verify_to *to, const char *name, const char *says,
                         const struct verify_count *count)
{
    FILE *out = to->out;
    char tracking[TRACKING_TEXT_BYTES];

    tracking_format(count->first, to->prefix, tracking);
    if (count->bad == 0)
        (void)fprintf(out, "%-4s ok      %lld looked at: %s\n", name, (long long)count->looked, says);
    else
        (void)fprintf(out, "%-4s BROKEN  %lld of %lld: %s%s%s\n", name, (long long)count->bad,
                      (long long)count->looked, says, count->first == 0 ? "" : ", first ",
                      count->first == 0 ? "" : tracking);
}

static bool verify_one(PGconn *conn, size_t i, const struct verify_to *to, bool *ok, struct err *err)
{
    struct verify_count count = {0};

    if ((rows[i].file != NULL && !verify_by_statement(conn, rows[i].file, &count, err)) ||
        (rows[i].walk != NULL && !rows[i].walk(conn, &count, err)))
        return err_prefix(err, "%s: ", rows[i].name);
    verify_print(to, rows[i].name, rows[i].says, &count);
    *ok = *ok && count.bad == 0;
    return true;
}

/* After the snapshot: the broker is asked now. */
static bool verify_memories(PGconn *conn, const char *endpoint, const struct verify_to *to, bool *ok,
                            struct err *err)
{
    static const char *const says = "each wake that the broker owns is in its memory";
    struct verify_count count = {0};
    const char *why_not;

    PQclear(PQexec(conn, "COMMIT"));
    if (!verify_memory(conn, endpoint, &count, &why_not, err))
        return err_prefix(err, "S7b: ");
    if (why_not != NULL)
        (void)fprintf(to->out, "%-4s -       not judged: %s\n", "S7b", why_not);
    else
        verify_print(to, "S7b", says, &count);
    *ok = *ok && count.bad == 0;
    return true;
}

bool verify_run(const struct broker_settings *settings, FILE *out, bool *ret_ok, struct err *err)
{
    const struct verify_to to = {out, settings->tracking_prefix};
    PGconn *conn = NULL;
    bool ok = true, done = false;

    if (!pg_connect_blocking(settings->dsn, "docket-broker verify", &conn, err))
        return false;
    PGresult *begun = PQexec(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (PQresultStatus(begun) != PGRES_COMMAND_OK) {
        (void)verify_failed(conn, begun, err);
        goto out;
    }
    PQclear(begun);
    done = true;
    for (size_t i = 0; done && i < sizeof rows / sizeof rows[0]; i++)
        done = verify_one(conn, i, &to, &ok, err);
    done = done && verify_memories(conn, settings->clients, &to, &ok, err);
    if (done)
        *ret_ok = ok;
out:
    PQfinish(conn);
    return done;
}
