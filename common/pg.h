/* One asynchronous session with PostgreSQL on a zloop: it connects, prepares, pipelines batches, and
 * reconnects by itself.
 *
 * A batch is one implicit transaction: statements sent one after another, ended by pg_sync. Nothing of a
 * batch may be believed before its sync came back PG_OK: all statements may succeed and the commit fail, and
 * a WARNING during the commit means that a synchronous standby was not waited for. Batches answer in the
 * order in which they were sent. Knows no statement of any program; the words "ticket" and "queue" do not
 * occur here. Runs on the loop only; never waits, but for pg_new, which resolves host names. */
#ifndef DOCKET_PG_H
#define DOCKET_PG_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <czmq.h>
#include <libpq-fe.h>

struct pg;

/* A statement of the program's list; prepared under its name at each connect, so that a wrong schema stops
 * the start. */
struct pg_statement {
    const char *name; /* also the file below the program's sql/ folder, without ".sql" */
    const char *sql;
};

enum pg_outcome {
    PG_OK,      /* committed */
    PG_FAILED,  /* refused by the server and rolled back: sqlstate tells why */
    PG_UNKNOWN, /* the session was lost, or a warning came with the commit: it may or may not be committed */
    PG_UNSENT   /* not sent at all, or lost before its sync was sent: nothing was committed */
};

struct pg_end {
    enum pg_outcome outcome;
    char sqlstate[6]; /* PG_FAILED */
    char message[256];
};

/* What the owner wants to hear. arg is pg_config.arg. All are called from the loop, or from pg_send/pg_sync
 * when the socket breaks. */
struct pg_config {
    const char *dsn;
    const char *name;        /* application_name, and in logs */
    const char *session_sql; /* SET …; run after connecting, or NULL */
    const struct pg_statement *statements;
    size_t statement_count;
    void (*on_up)(void *arg);                    /* connected, prepared, ready */
    void (*on_down)(void *arg, const char *why); /* was ready and is no more; all batches were ended before */
    void (*on_refused)(
        void *arg,
        const char *why); /* could not connect or prepare; it tries again with back-off. May be NULL */
    void (*on_read)(
        void *arg); /* batches ended PG_OK in what was just read, and were all told. May be NULL */
    void *arg;
};

/* Starts connecting. The loop must outlive it. err: ERR_INVALID  the DSN is not one. */
bool pg_new(zloop_t *loop, const struct pg_config *config, struct pg **ret_pg, struct err *err)
    __attribute__((warn_unused_result));

/* Closes at once: batches under way end PG_UNKNOWN or PG_UNSENT, on_down is not called. Accepts NULL. */
void pg_free(struct pg *pg);

bool pg_is_up(const struct pg *pg);

/* Closes the session and connects again (with back-off): for a session that is not to be trusted any more. */
void pg_drop(struct pg *pg, const char *why);

/* ---- parameters, all binary ---- */

/* Grows with use; keeps its memory over pg_params_reset. Values are copied in. */
struct pg_params;
struct pg_params *pg_params_new(void);
void pg_params_free(struct pg_params *params);
void pg_params_reset(struct pg_params *params);

void pg_put_null(struct pg_params *params);
void pg_put_int8(struct pg_params *params, int64_t value);
void pg_put_int4(struct pg_params *params, int32_t value);
void pg_put_int2(struct pg_params *params, int16_t value);
void pg_put_bool(struct pg_params *params, bool value);
void pg_put_bytes(struct pg_params *params, struct span bytes); /* bytea and text; p == NULL is NULL */
void pg_put_text(struct pg_params *params, const char *text);   /* NULL is NULL */

/* One-dimensional arrays: open with the element type, add count elements, close. An element added as null is
 * NULL. */
enum pg_type { PG_INT8, PG_INT4, PG_INT2, PG_BOOL, PG_TEXT, PG_BYTEA };
void pg_array_open(struct pg_params *params, enum pg_type type);
void pg_array_null(struct pg_params *params);
void pg_array_int(struct pg_params *params, int64_t value);       /* of the array's integer type, or bool */
void pg_array_bytes(struct pg_params *params, struct span bytes); /* p == NULL is NULL */
void pg_array_close(struct pg_params *params);

/* ---- batches ---- */

/* Called once for a statement that succeeded, before the batch's end, with its rows (all columns binary). May
 * keep nothing of it. */
typedef void pg_rows_fn(void *arg, PGresult *rows);
typedef void pg_end_fn(void *arg, const struct pg_end *end);

/* Sends a statement of the current batch. statement: index in the list. params may be NULL for none; rows_fn
 * may be NULL. False when the session is not up or breaks with it: then pg_sync reports PG_UNSENT. */
bool pg_send(struct pg *pg, size_t statement, const struct pg_params *params, pg_rows_fn *rows_fn, void *arg);

/* Ends the batch. end_fn is called exactly once, possibly from inside this call (PG_UNSENT). */
void pg_sync(struct pg *pg, pg_end_fn *end_fn, void *arg);

/* Batches synced and not ended yet. */
size_t pg_in_flight(const struct pg *pg);

/* ---- reading rows ---- */

int64_t pg_int(const PGresult *rows, int row, int column); /* int2, int4, int8; 0 for NULL */
bool pg_bool(const PGresult *rows, int row, int column);
struct span pg_span(const PGresult *rows, int row, int column); /* text, bytea; SPAN_NONE for NULL */
char *pg_text(const PGresult *rows, int row,
              int column); /* the same as a text of the caller's own; NULL for NULL */
bool pg_is_null(const PGresult *rows, int row, int column);

/* What to do about an SQLSTATE: one table for all. */
enum pg_remedy {
    PG_REPEAT,    /* the same batch again */
    PG_SPLIT,     /* one row of it is refused: halve it until the culprit is alone */
    PG_RECONNECT, /* this session is no good */
    PG_WAIT,      /* the server has no room: keep, answer unavailable */
    PG_PREPARE,   /* the schema changed below the plan: a new session, then the same again */
    PG_BUG        /* ours */
};
enum pg_remedy pg_remedy(const char *sqlstate);

/* Whether another session held what was wanted for longer than lock_timeout. */
bool pg_is_held(const char *sqlstate);

/* Whether it failed by what others did just then (a circle of locks, a row or table that is held, a server without room): nothing is
 * wrong with the batch, and the same may succeed soon. */
bool pg_end_is_passing(const struct pg_end *end);

/* Whether libpq can read it as a connection string; asks nobody. err: ERR_INVALID with libpq's words */
bool pg_dsn_check(const char *dsn, struct err *err) __attribute__((warn_unused_result));

/* A blocking session for subcommands (migrate, verify): never on a loop.
 * err: ERR_UNAVAILABLE  with the server's words */
bool pg_connect_blocking(const char *dsn, const char *name, PGconn **ret_conn, struct err *err)
    __attribute__((warn_unused_result));

#endif
