/* The invariants that a database can show; see verify.h. */
#include "verify.h"
#include "embed.h"
#include "pg.h"
#include "tracking.h"

#include <stdlib.h>

/* Each statement gives: how many were looked at, how many break it, the first of them. */
static const struct {
    const char *name, *file, *says;
} rows[] = {
    {"S2", "verify_s2.sql", "the posting is event 1 of its ticket"},
    {"S3", "verify_s3.sql", "version = number of events, no gap"},
    {"S4", "verify_s4.sql", "each state follows from its events"},
    {"S5", "verify_s5.sql", "at most one committed decision per attempt"},
    {"S6", "verify_s6.sql", "a wake that is to come stands in its lane"},
    {"S7", "verify_s7.sql", "no wake is owned by a dead epoch"},
    {"S8", "verify_s8.sql", "exactly one receipt per ticket"},
    {"S9", "verify_s9.sql", "no delivery without its outbox row, none left behind"},
    {"S10", "verify_s10.sql", "one open alert per cause"},
    {"S13", "verify_s13.sql", "a ticket's versions rise in the feed"},
    {"S14", "verify_s14.sql", "a dead letter has alerted staff"},
    {"S16", "verify_s16.sql", "posted = open + closed"},
};

static bool verify_failed(PGconn *conn, PGresult *result, struct err *err)
{
    (void)err_set(err, ERR_INTERNAL, "%s", PQerrorMessage(conn));
    PQclear(result);
    return false;
}

static bool verify_one(PGconn *conn, size_t i, FILE *out, bool *ok, struct err *err)
{
    const struct embed_file *sql = embed_find(broker_sql, broker_sql_count, rows[i].file);
    PGresult *result = PQexec(conn, (const char *)sql->data);
    char tracking[TRACKING_TEXT_BYTES];

    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
        return verify_failed(conn, result, err);
    long long looked = strtoll(PQgetvalue(result, 0, 0), NULL, 10),
              bad = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
    if (bad == 0) {
        (void)fprintf(out, "%-4s ok      %lld looked at: %s\n", rows[i].name, looked, rows[i].says);
    } else {
        *ok = false;
        tracking_format(strtoll(PQgetvalue(result, 0, 2), NULL, 10), "DKT", tracking);
        (void)fprintf(out, "%-4s BROKEN  %lld of %lld: %s%s%s\n", rows[i].name, bad, looked, rows[i].says,
                      PQgetisnull(result, 0, 2) ? "" : ", first ", PQgetisnull(result, 0, 2) ? "" : tracking);
    }
    PQclear(result);
    return true;
}

bool verify_run(const char *dsn, FILE *out, bool *ret_ok, struct err *err)
{
    PGconn *conn = NULL;
    bool ok = true, done = false;

    if (!pg_connect_blocking(dsn, "docket-broker verify", &conn, err))
        return false;
    PGresult *begun = PQexec(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (PQresultStatus(begun) != PGRES_COMMAND_OK) {
        (void)verify_failed(conn, begun, err);
        goto out;
    }
    PQclear(begun);
    done = true;
    for (size_t i = 0; done && i < sizeof rows / sizeof rows[0]; i++)
        done = verify_one(conn, i, out, &ok, err);
    if (done)
        *ret_ok = ok;
out:
    PQfinish(conn);
    return done;
}
