/* What a broker owns against what it remembers; see verify_memory.h. */
#include "verify_memory.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <czmq.h>

enum {
    CONNECT_MS = 100,
    ANSWER_MS = 1000,
    LOOKS_MAX = 25,
    PAUSE_MS = 200,
    SURE_LOOKS = 5,
    REQUEST_BYTES = 128
};

/* Of a broker's stats what tells whether it stood still, and what it holds. */
struct memory {
    char epoch[24];
    int64_t total, fresh, committing, pending, batches; /* fresh: wakes of tickets without a desk row */
};

/* ---- asking ---- */

static bool memory_send(zsock_t *socket)
{
    struct buf out;

    buf_init(&out, REQUEST_BYTES);
    wire_put_map(&out, 4);
    wire_put_key_int(&out, "dkt", 1);
    wire_put_key_int(&out, "id", 1);
    wire_put_key_text(&out, "op", "stats");
    wire_put_text(&out, "body");
    wire_put_map(&out, 0);
    bool sent = zsock_send(socket, "b", buf_span(&out).p, buf_span(&out).len) == 0;
    buf_clear(&out);
    return sent;
}

static void memory_read(const struct wire_val *body, struct memory *ret)
{
    const struct wire_val *wakes = wire_find(body, "wakes");
    struct span epoch = wire_find_str(body, "epoch");

    (void)snprintf(ret->epoch, sizeof ret->epoch, "%.*s", (int)epoch.len, epoch.p == NULL ? "" : epoch.p);
    ret->total = wire_find_int(wakes, "total", 0);
    ret->fresh = wire_find_int(wakes, "fresh", 0);
    ret->committing = wire_find_int(wakes, "committing", 0);
    ret->pending = wire_find_int(body, "pending", 0);
    ret->batches = wire_find_int(body, "batches", 0);
}

/* False: nobody answers, or there is no epoch now. */
static bool memory_ask(zsock_t *socket, struct memory *ret)
{
    struct wire_doc *doc = NULL;
    struct err err;

    *ret = (struct memory){0};
    zframe_t *frame = memory_send(socket) ? zframe_recv(socket) : NULL;
    if (frame != NULL && wire_parse(zframe_data(frame), zframe_size(frame), WIRE_DEPTH_MAX, &doc, &err))
        memory_read(wire_find(wire_root(doc), "body"), ret);
    wire_doc_free(doc);
    zframe_destroy(&frame);
    return ret->epoch[0] != '\0' && strcmp(ret->epoch, "0") != 0;
}

static bool memory_stood_still(const struct memory *a, const struct memory *b)
{
    return strcmp(a->epoch, b->epoch) == 0 && a->total == b->total && a->fresh == b->fresh &&
           a->batches == b->batches && a->committing + b->committing + a->pending + b->pending == 0;
}

/* ---- comparing ---- */

static bool owned_count(PGconn *conn, const char *epoch, int64_t *ret, struct err *err)
{
    const char *values[] = {epoch};
    PGresult *result = PQexecParams(conn, "SELECT count(*) FROM desk WHERE owner = $1::bigint", 1, NULL,
                                    values, NULL, NULL, 0);
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;

    if (ok)
        *ret = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    else
        (void)err_set(err, ERR_INTERNAL, "%s", PQerrorMessage(conn));
    PQclear(result);
    return ok;
}

static bool memory_compare(PGconn *conn, zsock_t *socket, struct verify_count *count,
                           const char **ret_why_not, struct err *err)
{
    struct memory before, after;
    int64_t owned = 0;
    int sure = 0;

    for (int look = 0; look < LOOKS_MAX; look++) {
        if (!memory_ask(socket, &before)) {
            *ret_why_not = "no broker answers, or it has no epoch now";
            return true;
        }
        if (!owned_count(conn, before.epoch, &owned, err))
            return false;
        bool still = memory_ask(socket, &after) && memory_stood_still(&before, &after);
        int64_t held = before.total - before.fresh;
        count->looked = owned;
        if (still && owned <= held)
            return true; /* it may hold more: copies that somebody else changed die at the guard */
        /* A claim is in the table a moment before it is in memory: what stays is believed. */
        sure = still ? sure + 1 : 0;
        if (sure == SURE_LOOKS) {
            count->bad = owned - held;
            return true;
        }
        (void)nanosleep(&(struct timespec){0, PAUSE_MS * 1000000L}, NULL);
    }
    *ret_why_not = "the broker changes too fast to be compared";
    return true;
}

bool verify_memory(PGconn *conn, const char *endpoint, struct verify_count *count, const char **ret_why_not,
                   struct err *err)
{
    zsock_t *socket = zsock_new(ZMQ_DEALER);

    *ret_why_not = NULL;
    zsock_set_linger(socket, 0);
    zsock_set_rcvtimeo(socket, ANSWER_MS);
    zsock_set_immediate(socket, 1); /* nothing is sent, and nothing awaited, before somebody is there */
    zsock_set_sndtimeo(socket, CONNECT_MS);
    bool done = true;
    if (zsock_connect(socket, "%s", endpoint) != 0)
        *ret_why_not = "the broker's endpoint cannot be connected";
    else
        done = memory_compare(conn, socket, count, ret_why_not, err);
    zsock_destroy(&socket);
    return done;
}
