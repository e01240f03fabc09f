/* One asynchronous session with PostgreSQL; see pg.h. */
#include "pg_internal.h"

#include "clock.h"
#include "mem.h"

#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    PG_REASON_BYTES = 400, /* why a session is down, for people */
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MOST_MS = 5000,
    CONNECT_TIMEOUT_MS = 10000,
    RING_FIRST = 64,
    ADDRESS_BYTES = 64, /* a numeric address, also IPv6 with its scope */
};

enum pg_state { PG_DOWN, PG_CONNECTING, PG_PREPARING, PG_UP };

/* One thing whose result is awaited: a statement, or the sync that ends a batch. */
struct expected {
    pg_rows_fn *rows_fn; /* statement */
    pg_end_fn *end_fn;   /* sync */
    void *arg;
    bool is_sync;
    bool got; /* the statement's result came; its closing NULL is still to come */
};

struct pg {
    zloop_t *loop;
    struct pg_config config;
    char *hostaddr; /* of all hosts of the DSN, resolved once; NULL for sockets */
    enum pg_state state;
    PGconn *conn;
    int fd; /* polled; -1: none */
    short polled;
    int timer; /* back-off or connect time-out; -1: none */
    int backoff_ms;

    struct expected *ring; /* what is awaited, in order */
    size_t ring_cap, ring_head, ring_count;
    size_t syncs; /* batches awaiting their sync */
    bool is_cut;  /* a statement of the current batch could not be sent: it is not whole */

    /* the batch whose results are being read */
    struct pg_end end;
    bool warned;
    bool ended; /* on_read is owed */
};

static void pg_lose(struct pg *pg, const char *why);
static int pg_on_socket(zloop_t *loop, zmq_pollitem_t *item, void *arg);
static int pg_on_backoff(zloop_t *loop, int timer, void *arg);

/* ---- the ring of what is awaited ---- */

static struct expected *ring_head(struct pg *pg)
{
    return pg->ring_count == 0 ? NULL : &pg->ring[pg->ring_head];
}

static void ring_push(struct pg *pg, struct expected what)
{
    if (pg->ring_count == pg->ring_cap) {
        size_t cap = pg->ring_cap == 0 ? RING_FIRST : pg->ring_cap * 2;
        struct expected *ring = mem_new(cap, sizeof *ring);
        for (size_t i = 0; i < pg->ring_count; i++)
            ring[i] = pg->ring[(pg->ring_head + i) % pg->ring_cap];
        free(pg->ring);
        pg->ring = ring;
        pg->ring_cap = cap;
        pg->ring_head = 0;
    }
    pg->ring[(pg->ring_head + pg->ring_count++) % pg->ring_cap] = what;
}

static struct expected ring_pop(struct pg *pg)
{
    struct expected what = pg->ring[pg->ring_head];
    pg->ring_head = (pg->ring_head + 1) % pg->ring_cap;
    pg->ring_count--;
    return what;
}

/* ---- polling ---- */

static void pg_poll(struct pg *pg, short events)
{
    int fd = pg->conn == NULL ? -1 : PQsocket(pg->conn);

    if (fd == pg->fd && events == pg->polled)
        return;
    if (pg->fd >= 0) {
        zmq_pollitem_t old = {.fd = pg->fd};
        zloop_poller_end(pg->loop, &old);
    }
    pg->fd = events == 0 ? -1 : fd;
    pg->polled = events;
    if (pg->fd >= 0) {
        zmq_pollitem_t item = {.fd = pg->fd, .events = events};
        (void)zloop_poller(pg->loop, &item, pg_on_socket, pg);
        zloop_poller_set_tolerant(pg->loop,
                                  &item); /* else zloop drops it at POLLERR and we never hear of the end */
    }
}

static void pg_set_timer(struct pg *pg, int ms, zloop_timer_fn *fn)
{
    if (pg->timer >= 0)
        zloop_timer_end(pg->loop, pg->timer);
    pg->timer = fn == NULL ? -1 : zloop_timer(pg->loop, (size_t)ms, 1, fn, pg);
}

/* ---- ends ---- */

static void pg_start_reading_batch(struct pg *pg)
{
    pg->end = (struct pg_end){.outcome = PG_OK};
    pg->warned = false;
}

/* Ends all batches of a session that is gone. What was synced may be committed: unknown. What was not, is
 * not. */
static void pg_end_all(struct pg *pg, const char *why)
{
    while (pg->ring_count != 0) {
        struct expected what = ring_pop(pg);
        if (!what.is_sync)
            continue;
        struct pg_end end = {.outcome = PG_UNKNOWN};
        (void)snprintf(end.message, sizeof end.message, "%s", why);
        pg->syncs--;
        if (what.end_fn != NULL)
            what.end_fn(what.arg, &end);
    }
    pg_start_reading_batch(pg);
}

static void pg_close(struct pg *pg)
{
    pg_poll(pg, 0);
    PQfinish(pg->conn);
    pg->conn = NULL;
}

/* Waits the back-off, with jitter of a half, so that many programs do not return at the same moment. */
static void pg_back_off(struct pg *pg)
{
    int jitter = (int)(clock_mono_us() / 7 % (pg->backoff_ms / 2 + 1));
    pg_set_timer(pg, pg->backoff_ms / 2 + jitter, pg_on_backoff);
    pg->backoff_ms = pg->backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : pg->backoff_ms * 2;
}

static void pg_lose(struct pg *pg, const char *why)
{
    char reason[PG_REASON_BYTES];
    enum pg_state was = pg->state;

    if (was == PG_DOWN)
        return;
    (void)snprintf(reason, sizeof reason, "%.*s", (int)strcspn(why, "\n"), why);
    pg->state = PG_DOWN;
    pg_close(pg);
    pg_back_off(pg);
    pg_end_all(pg, reason);
    if (was == PG_UP)
        pg->config.on_down(pg->config.arg, reason);
    else if (pg->config.on_refused != NULL)
        pg->config.on_refused(pg->config.arg, reason);
}

/* ---- reading ---- */

static void pg_note_error(struct pg *pg, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (pg->end.outcome == PG_FAILED)
        return;
    pg->end.outcome = PG_FAILED;
    (void)snprintf(pg->end.sqlstate, sizeof pg->end.sqlstate, "%s", state == NULL ? "XX000" : state);
    (void)snprintf(pg->end.message, sizeof pg->end.message, "%s",
                   text == NULL ? PQresultErrorMessage(result) : text);
}

static void pg_on_sync(struct pg *pg)
{
    struct expected what = ring_pop(pg);
    struct pg_end end = pg->end;

    if (end.outcome == PG_OK && pg->warned) {
        end.outcome = PG_UNKNOWN;
        (void)snprintf(end.message, sizeof end.message, "the server warned at the commit");
    }
    pg_start_reading_batch(pg);
    pg->syncs--;
    pg->ended = pg->ended || end.outcome == PG_OK;
    if (what.end_fn != NULL)
        what.end_fn(what.arg, &end);
}

/* Takes one result. False when there is nothing more to take now. */
static bool pg_take_result(struct pg *pg)
{
    struct expected *head = ring_head(pg);
    PGresult *result = PQgetResult(pg->conn);

    if (result == NULL) {
        if (head->is_sync && !head->got && pg->end.outcome == PG_FAILED) {
            head->got = true; /* the NULL that closes an error of the commit itself; the sync still follows */
            return true;
        }
        if (!head->got || head->is_sync)
            return false;
        (void)ring_pop(pg);
        return true;
    }
    switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_SYNC:
        pg_on_sync(pg);
        break;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        head->got = true;
        if (head->rows_fn != NULL)
            head->rows_fn(head->arg, result);
        break;
    case PGRES_PIPELINE_ABORTED:
        head->got = true;
        break;
    default:
        pg_note_error(pg, result);
        /* An error of the commit itself comes when the sync is awaited, with no statement of its own. */
        if (!head->is_sync)
            head->got = true;
        break;
    }
    PQclear(result);
    return true;
}

static void pg_on_ready(struct pg *pg)
{
    pg->state = PG_UP;
    pg->backoff_ms = BACKOFF_FIRST_MS;
    pg_set_timer(pg, 0, NULL);
    pg->config.on_up(pg->config.arg);
}

static void pg_read(struct pg *pg)
{
    if (PQconsumeInput(pg->conn) == 0) {
        pg_lose(pg, PQerrorMessage(pg->conn));
        return;
    }
    while (pg->state != PG_DOWN && pg->ring_count != 0 && PQisBusy(pg->conn) == 0)
        if (!pg_take_result(pg))
            break;
    if (pg->state != PG_DOWN && PQstatus(pg->conn) == CONNECTION_BAD)
        pg_lose(pg, PQerrorMessage(pg->conn));
}

static void pg_flush(struct pg *pg)
{
    int left = PQflush(pg->conn);
    if (left < 0)
        pg_lose(pg, PQerrorMessage(pg->conn));
    else
        pg_poll(pg, left == 0 ? ZMQ_POLLIN : ZMQ_POLLIN | ZMQ_POLLOUT);
}

/* ---- connecting ---- */

/* What a statement names is not in the database: a table, a column, a function, a type. */
static bool is_of_older_schema(const char *sqlstate)
{
    static const char *const states[] = {"42P01", "42703", "42883", "42704"};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(sqlstate, states[i]) == 0)
            return true;
    return false;
}

static void pg_on_prepared(void *arg, const struct pg_end *end)
{
    struct pg *pg = arg;
    char why[PG_REASON_BYTES];

    if (end->outcome == PG_OK) {
        pg_on_ready(pg);
    } else if (end->outcome == PG_FAILED) {
        (void)snprintf(why, sizeof why, "%s%s", end->message,
                       is_of_older_schema(end->sqlstate)
                           ? ": the database has no schema, or an older one than this program needs: run "
                             "docket-broker migrate"
                           : "");
        pg_lose(pg, why);
    }
}

static void pg_on_notice(void *arg, const PGresult *result)
{
    struct pg *pg = arg;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity != NULL && strcmp(severity, "WARNING") == 0)
        pg->warned = true;
}

/* Session settings and all statements in one pipeline: one round trip. */
static bool pg_send_preparation(struct pg *pg)
{
    const char *sql = pg->config.session_sql == NULL ? "" : pg->config.session_sql;

    while (*sql != '\0') {
        size_t len = strcspn(sql, ";");
        char *one = mem_strndup(sql, len);
        bool sent = PQsendQueryParams(pg->conn, one, 0, NULL, NULL, NULL, NULL, 1) == 1;
        free(one);
        if (!sent)
            return false;
        ring_push(pg, (struct expected){0});
        sql += len + (sql[len] == ';');
        sql += strspn(sql, " \n");
    }
    for (size_t i = 0; i < pg->config.statement_count; i++) {
        const struct pg_statement *s = &pg->config.statements[i];
        if (PQsendPrepare(pg->conn, s->name, s->sql, 0, NULL) != 1)
            return false;
        ring_push(pg, (struct expected){0});
    }
    if (PQpipelineSync(pg->conn) != 1)
        return false;
    ring_push(pg, (struct expected){.is_sync = true, .end_fn = pg_on_prepared, .arg = pg});
    pg->syncs++;
    return true;
}

static void pg_on_connected(struct pg *pg)
{
    (void)PQsetNoticeReceiver(pg->conn, pg_on_notice, pg);
    pg->state = PG_PREPARING;
    if (PQsetnonblocking(pg->conn, 1) != 0 || PQenterPipelineMode(pg->conn) != 1 || !pg_send_preparation(pg))
        pg_lose(pg, PQerrorMessage(pg->conn));
    else
        pg_flush(pg);
}

static void pg_step_connect(struct pg *pg)
{
    switch (PQconnectPoll(pg->conn)) {
    case PGRES_POLLING_READING:
        pg_poll(pg, ZMQ_POLLIN);
        break;
    case PGRES_POLLING_WRITING:
        pg_poll(pg, ZMQ_POLLOUT);
        break;
    case PGRES_POLLING_OK:
        pg_on_connected(pg);
        break;
    default:
        pg_lose(pg, PQerrorMessage(pg->conn));
    }
}

static int pg_on_connect_timeout(zloop_t *loop, int timer, void *arg)
{
    struct pg *pg = arg;
    (void)loop;
    (void)timer;
    pg->timer = -1;
    if (pg->state == PG_CONNECTING || pg->state == PG_PREPARING)
        pg_lose(pg, "no answer while connecting");
    return 0;
}

static void pg_connect(struct pg *pg)
{
    /* A peer that vanished is noticed within a lease, also in the middle of a pipeline. */
    const char *keys[] = {"dbname",
                          "application_name",
                          "keepalives_idle",
                          "keepalives_interval",
                          "keepalives_count",
                          "tcp_user_timeout",
                          pg->hostaddr == NULL ? NULL : "hostaddr",
                          NULL};
    const char *values[] = {pg->config.dsn, pg->config.name, "2", "1", "3", "5000", pg->hostaddr, NULL};

    pg->state = PG_CONNECTING;
    pg->is_cut = false;
    pg->conn = PQconnectStartParams(keys, values, 1);
    if (pg->conn == NULL || PQstatus(pg->conn) == CONNECTION_BAD) {
        char why[256];
        (void)snprintf(why, sizeof why, "%s", pg->conn == NULL ? "out of memory" : PQerrorMessage(pg->conn));
        pg_lose(pg, why);
        return;
    }
    pg_set_timer(pg, CONNECT_TIMEOUT_MS, pg_on_connect_timeout);
    pg_poll(pg, ZMQ_POLLOUT);
}

static int pg_on_backoff(zloop_t *loop, int timer, void *arg)
{
    struct pg *pg = arg;
    (void)loop;
    (void)timer;
    pg->timer = -1;
    pg_connect(pg);
    return 0;
}

static int pg_on_socket(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    struct pg *pg = arg;
    (void)loop;
    (void)item;
    if (pg->state == PG_DOWN)
        return 0;
    if (pg->state == PG_CONNECTING) {
        pg_step_connect(pg);
        return 0;
    }
    pg_read(pg);
    if (pg->state != PG_DOWN)
        pg_flush(pg);
    if (pg->ended && pg->config.on_read != NULL)
        pg->config.on_read(pg->config.arg);
    pg->ended = false;
    return 0;
}

/* ---- names ---- */

/* The addresses of a comma-separated list of hosts, in its order; NULL when one is a socket's folder.
 * PQconnectStart would resolve names itself, and wait for it. */
static bool pg_resolve(const char *hosts, char **ret_addresses, struct err *err)
{
    struct buf list;
    buf_init(&list, 4096);

    for (const char *p = hosts; *p != '\0';) {
        char host[256], address[ADDRESS_BYTES];
        size_t len = strcspn(p, ",");
        struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
        (void)snprintf(host, sizeof host, "%.*s", (int)len, p);
        int rc = getaddrinfo(host, NULL, &hints, &found);
        if (rc != 0) {
            buf_clear(&list);
            return err_set(err, ERR_INVALID, "dsn: host \"%s\": %s", host, gai_strerror(rc));
        }
        (void)getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof address, NULL, 0,
                          NI_NUMERICHOST);
        freeaddrinfo(found);
        (void)buf_printf(&list, "%s%s", list.len == 0 ? "" : ",", address);
        p += len + (p[len] == ',');
    }
    size_t len;
    *ret_addresses = buf_take(&list, &len);
    return true;
}

/* NULL: it is none, and err says why. */
static PQconninfoOption *pg_dsn_parse(const char *dsn, struct err *err)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(dsn, &why);

    if (options == NULL) {
        /* libpq ends its words with a newline. */
        const char *words = why == NULL ? "not a connection string" : why;
        (void)err_field(err, ERR_INVALID, "dsn", "dsn: %.*s", (int)strcspn(words, "\n"), words);
        PQfreemem(why);
    }
    return options;
}

bool pg_dsn_check(const char *dsn, struct err *err)
{
    PQconninfoOption *options = pg_dsn_parse(dsn, err);
    PQconninfoFree(options);
    return options != NULL;
}

static bool pg_resolve_dsn(const char *dsn, char **ret_addresses, struct err *err)
{
    bool ok = true;
    PQconninfoOption *options = pg_dsn_parse(dsn, err);

    if (options == NULL)
        return false;
    const char *host = NULL, *hostaddr = NULL;
    for (PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (strcmp(o->keyword, "host") == 0)
            host = o->val;
        if (strcmp(o->keyword, "hostaddr") == 0)
            hostaddr = o->val;
    }
    if (host != NULL && host[0] != '\0' && strchr(host, '/') == NULL && hostaddr == NULL)
        ok = pg_resolve(host, ret_addresses, err);
    PQconninfoFree(options);
    return ok;
}

/* ---- public ---- */

bool pg_new(zloop_t *loop, const struct pg_config *config, struct pg **ret_pg, struct err *err)
{
    char *hostaddr = NULL;

    if (!pg_resolve_dsn(config->dsn, &hostaddr, err))
        return false;
    struct pg *pg = mem_new(1, sizeof *pg);
    pg->loop = loop;
    pg->config = *config;
    pg->hostaddr = hostaddr;
    pg->fd = -1;
    pg->timer = -1;
    pg->backoff_ms = BACKOFF_FIRST_MS;
    pg_start_reading_batch(pg);
    /* From the loop's first turn, so that on_up and on_refused find their owner complete. */
    pg_set_timer(pg, 1, pg_on_backoff);
    *ret_pg = pg;
    return true;
}

void pg_free(struct pg *pg)
{
    if (pg == NULL)
        return;
    pg->state = PG_DOWN;
    pg_set_timer(pg, 0, NULL);
    if (pg->conn != NULL)
        pg_close(pg);
    pg_end_all(pg, "closed");
    free(pg->ring);
    free(pg->hostaddr);
    free(pg);
}

bool pg_is_up(const struct pg *pg)
{
    return pg->state == PG_UP;
}

void pg_drop(struct pg *pg, const char *why)
{
    pg_lose(pg, why);
}

size_t pg_in_flight(const struct pg *pg)
{
    return pg->syncs;
}

bool pg_send(struct pg *pg, size_t statement, const struct pg_params *params, pg_rows_fn *rows_fn, void *arg)
{
    const char *values[PG_PARAMS_MAX];
    int lengths[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
    int count = params == NULL ? 0 : params->count;

    if (pg->state != PG_UP)
        return false;
    assert(statement < pg->config.statement_count);
    assert(params == NULL || !params->data.failed);
    for (int i = 0; i < count; i++) {
        values[i] = params->items[i].is_null ? NULL : params->data.p + params->items[i].at;
        lengths[i] = params->items[i].len;
        formats[i] = 1;
    }
    if (PQsendQueryPrepared(pg->conn, pg->config.statements[statement].name, count, values, lengths, formats,
                            1) != 1) {
        pg->is_cut = true;
        return false;
    }
    ring_push(pg, (struct expected){.rows_fn = rows_fn, .arg = arg});
    return true;
}

void pg_sync(struct pg *pg, pg_end_fn *end_fn, void *arg)
{
    if (pg->state != PG_UP || pg->is_cut || PQpipelineSync(pg->conn) != 1) {
        struct pg_end end = {.outcome = PG_UNSENT, .message = "the database is away"};
        if (pg->state == PG_UP)
            pg_lose(pg, PQerrorMessage(pg->conn));
        if (end_fn != NULL)
            end_fn(arg, &end);
        return;
    }
    pg->syncs++;
    ring_push(pg, (struct expected){.is_sync = true, .end_fn = end_fn, .arg = arg});
    pg_flush(pg);
}

bool pg_connect_blocking(const char *dsn, const char *name, PGconn **ret_conn, struct err *err)
{
    const char *keys[] = {"dbname", "application_name", NULL};
    const char *values[] = {dsn, name, NULL};
    PGconn *conn = PQconnectdbParams(keys, values, 1);

    if (PQstatus(conn) != CONNECTION_OK) {
        (void)err_set(err, ERR_UNAVAILABLE, "the database: %.*s", (int)strcspn(PQerrorMessage(conn), "\n"),
                      PQerrorMessage(conn));
        PQfinish(conn);
        return false;
    }
    *ret_conn = conn;
    return true;
}
