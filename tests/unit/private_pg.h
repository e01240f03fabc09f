/* A private PostgreSQL for a test program (tests/private-pg), from group setup to group teardown. Included by
 * one .c only. */
#ifndef DOCKET_PRIVATE_PG_H
#define DOCKET_PRIVATE_PG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

struct private_pg {
    char dir[64];
    char dsn[256];
};

static inline int private_pg_start(struct private_pg *ret)
{
    char command[256];

    (void)snprintf(ret->dir, sizeof ret->dir, "/tmp/docket-test-XXXXXX");
    if (mkdtemp(ret->dir) == NULL)
        return -1;
    (void)snprintf(command, sizeof command, "tests/private-pg start %s", ret->dir);
    FILE *out = popen(command, "r");
    if (out == NULL)
        return -1;
    char *line = fgets(ret->dsn, sizeof ret->dsn, out);
    int status = pclose(out);
    if (line == NULL || status != 0)
        return -1;
    ret->dsn[strcspn(ret->dsn, "\n")] = '\0';
    return 0;
}

static inline int private_pg_stop(const struct private_pg *pg)
{
    char command[256];
    (void)snprintf(command, sizeof command, "tests/private-pg stop %s", pg->dir);
    return system(command);
}

/* Runs SQL and gives the first column of the last result's first row into ret (may be NULL), "" for none.
 * Ends the program on an error: a test's own SQL is right or the test is void. */
static inline void private_pg_sql(const struct private_pg *pg, const char *sql, char *ret, size_t size)
{
    PGconn *conn = PQconnectdb(pg->dsn);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        (void)fprintf(stderr, "test SQL: %s\n%s", PQerrorMessage(conn), sql);
        abort();
    }
    if (ret != NULL)
        (void)snprintf(ret, size, "%s", PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(conn);
}

static inline long private_pg_number(const struct private_pg *pg, const char *sql)
{
    char text[64];
    private_pg_sql(pg, sql, text, sizeof text);
    return strtol(text, NULL, 10);
}

#endif
