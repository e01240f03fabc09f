/* Walks over tickets for docket-broker verify; see verify_walk.h. */
#include "verify_walk.h"
#include "clock.h"
#include "desk.h"
#include "pg.h"
#include "states.h"
#include "wire.h"

/* A wake that was put off (by a failure that does not count) comes at most this much after its due time. */
#define PUT_OFF_US (INT64_C(10) * US_PER_S)

typedef void walk_row_fn(void *arg, const PGresult *rows, int row);

static bool walk_failed(PGconn *conn, PGresult *result, struct err *err)
{
    (void)err_set(err, ERR_INTERNAL, "%s", PQerrorMessage(conn));
    PQclear(result);
    return false;
}

/* Rows come by portions, so that a desk of millions needs no memory. */
static bool walk(PGconn *conn, const char *declare, walk_row_fn *on_row, void *arg, struct err *err)
{
    PGresult *result = PQexec(conn, declare);
    int count;

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return walk_failed(conn, result, err);
    do {
        PQclear(result);
        result = PQexec(conn, "FETCH 5000 FROM walk");
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            return walk_failed(conn, result, err);
        count = PQntuples(result);
        for (int row = 0; row < count; row++)
            on_row(arg, result, row);
    } while (count != 0);
    PQclear(result);
    PQclear(PQexec(conn, "CLOSE walk"));
    return true;
}

static void count_bad(struct verify_count *count, int64_t ticket)
{
    count->bad++;
    if (count->first == 0)
        count->first = ticket;
}

/* ---- S4 ---- */

/* Which row of the life cycle an event was. What is not here changes no state, or says more than its kind. */
static const int16_t ops[EVENTS_END] = {
    [EVENT_UPDATED] = 1 + DO_UPDATE,
    [EVENT_TAKEN] = 1 + DO_TAKE,
    [EVENT_ASSIGNED] = 1 + DO_ASSIGN,
    [EVENT_RELEASED] = 1 + DO_RELEASE,
    [EVENT_PRIORITIZED] = 1 + DO_PRIORITIZE,
    [EVENT_RESUMED] = 1 + DO_RESUME,
    [EVENT_AGREED] = 1 + DO_AGREE,
    [EVENT_CANNOT_RESOLVE] = 1 + DO_CANNOT_RESOLVE,
    [EVENT_DECLINED] = 1 + DO_DECLINE,
    [EVENT_RESOLVED] = 1 + DO_RESOLVE,
    [EVENT_APPROVED] = 1 + DO_APPROVE,
    [EVENT_REJECTED] = 1 + DO_REJECT,
    [EVENT_REOPENED] = 1 + DO_REOPEN,
    [EVENT_CLOSED] = 1 + DO_CLOSE,
    [EVENT_LINKED] = 1 + DO_LINK,
    [EVENT_MEETING] = 1 + DO_MEETING,
    [EVENT_REPEATED] = 1 + DO_REPEAT,
};

struct states_walk {
    struct verify_count *count;
    int64_t ticket;
    int state, stored; /* as the events lead to; as the desk says */
};

/* A decision may set the state; one that does not makes a new ticket triaged. */
static int state_decided(int from, const struct wire_val *body)
{
    enum desk_state state;
    if (desk_state_parse(wire_find_str(wire_find(body, "set"), "state"), &state))
        return (int)state;
    return from == STATE_NEW ? STATE_TRIAGED : from;
}

static int state_after(int from, int kind, int role, const struct wire_val *body)
{
    if (kind <= EVENT_POSTED || kind >= EVENTS_END)
        return STATE_REFUSED;
    if (kind == EVENT_TRIAGED || kind == EVENT_DECIDED)
        return state_decided(from, body);
    if (kind == EVENT_COMMENTED)
        return states_next(role == ROLE_CUSTOMER ? DO_REPLY : DO_COMMENT, (enum desk_state)from);
    if (kind == EVENT_WAITING)
        return states_next(states_wait(wire_find_str(body, "on")), (enum desk_state)from);
    return ops[kind] == 0 ? from : states_next((enum states_op)(ops[kind] - 1), (enum desk_state)from);
}

static void states_judge(struct states_walk *walk)
{
    if (walk->ticket != 0 && walk->state != walk->stored)
        count_bad(walk->count, walk->ticket);
}

static void states_on_row(void *arg, const PGresult *rows, int row)
{
    struct states_walk *walk = arg;
    enum { TICKET, STATE, KIND, ROLE, BODY };
    int64_t ticket = pg_int(rows, row, TICKET);
    struct span bytes = pg_span(rows, row, BODY);
    struct wire_doc *doc = NULL;
    struct err ignored;

    if (ticket != walk->ticket) {
        states_judge(walk);
        walk->ticket = ticket;
        walk->state = STATE_NEW;
        walk->stored = (int)pg_int(rows, row, STATE);
        walk->count->looked++;
    }
    if (pg_is_null(rows, row, KIND) || walk->state == STATE_REFUSED)
        return; /* no event at all; or one before it was impossible, and so is the whole */
    if (bytes.len != 0 && !wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &ignored))
        doc = NULL;
    walk->state = state_after(walk->state, (int)pg_int(rows, row, KIND),
                              pg_is_null(rows, row, ROLE) ? -1 : (int)pg_int(rows, row, ROLE),
                              doc == NULL ? NULL : wire_root(doc));
    wire_doc_free(doc);
}

bool verify_walk_states(PGconn *conn, struct verify_count *count, struct err *err)
{
    struct states_walk states = {.count = count};
    /* Bodies only of those kinds that need them: triaged, decided, waiting. */
    bool ok = walk(conn,
                   "DECLARE walk BINARY CURSOR FOR SELECT d.ticket, d.state, e.kind, e.role,"
                   " CASE WHEN e.kind IN (2, 3, 10) THEN e.body END"
                   " FROM desk d LEFT JOIN events e ON e.ticket = d.ticket ORDER BY d.ticket, e.version",
                   states_on_row, &states, err);
    if (ok)
        states_judge(&states);
    return ok;
}

/* ---- S6 ---- */

/* The next time at which a running clock wants to be looked at; INT64_MAX: none runs. */
static int64_t clocks_next_at(const struct wire_val *clocks)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < wire_count(clocks); i++) {
        const struct wire_val *clock = wire_at(clocks, i);
        if (!span_is(wire_find_str(clock, "state"), "running"))
            continue;
        int64_t due_at = wire_find_int(clock, "due_at", INT64_MAX);
        int64_t warn_at = wire_find_int(clock, "warn_at", INT64_MAX);
        next = due_at < next ? due_at : next;
        next = warn_at < next ? warn_at : next;
    }
    return next;
}

static void wakes_on_row(void *arg, const PGresult *rows, int row)
{
    struct verify_count *count = arg;
    enum { TICKET, SLEEPS, WAKE_AT, FAILURES, CLOCKS, NOW };
    struct span bytes = pg_span(rows, row, CLOCKS);
    struct wire_doc *doc = NULL;
    struct err ignored;

    count->looked++;
    if (!wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &ignored)) {
        count_bad(count, pg_int(rows, row, TICKET));
        return;
    }
    int64_t next_at = clocks_next_at(wire_root(doc)), wake_at = pg_int(rows, row, WAKE_AT);
    wire_doc_free(doc);
    if (next_at == INT64_MAX)
        return;
    /* One that is tried again after a failure, or comes at once because its time was over already, is late and not lost. */
    bool late = wake_at > next_at && wake_at > pg_int(rows, row, NOW) + PUT_OFF_US &&
                pg_int(rows, row, FAILURES) == 0;
    if (!pg_bool(rows, row, SLEEPS) || pg_is_null(rows, row, WAKE_AT) || late)
        count_bad(count, pg_int(rows, row, TICKET));
}

bool verify_walk_wakes(PGconn *conn, struct verify_count *count, struct err *err)
{
    return walk(conn,
                "DECLARE walk BINARY CURSOR FOR SELECT ticket, lane IS NOT NULL, wake_at, failures, clocks, "
                "docket_now() FROM desk WHERE clocks IS NOT NULL AND NOT dead ORDER BY ticket",
                wakes_on_row, count, err);
}
