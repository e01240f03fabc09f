/* dead.retry; see retrying.h. */
#include "retrying.h"
#include "broker.h"
#include "calls.h"
#include "mem.h"
#include "op_unit.h"
#include "param_put.h"
#include "pg.h"
#include "statements.h"
#include "wakes.h"

#include <stdlib.h>

enum { RETRY_MAX = 500 };

struct retry {
    struct op_unit op;

    /* what the rows said: believed after the commit only */
    int64_t at;
    int key_count; /* how many it were when the key came first */
    struct {
        int64_t ticket;
        int32_t attempt, version;
        int priority;
    } woken[RETRY_MAX];
    int woken_count;
};

bool retrying_check(const struct request *req, struct err *err)
{
    if (request_has(req, F_TRACKING) == request_bool(req, F_ALL, false))
        return err_field(err, ERR_INVALID, "tracking", "tracking: want a tracking number, or all: true");
    return true;
}

static void retry_on_rows(void *arg, PGresult *rows)
{
    struct retry *retry = arg;
    enum { TICKET, ATTEMPT, VERSION, PRIORITY, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST, KEY_VERSION, AT };

    retry->woken_count = 0;
    for (int i = 0; i < PQntuples(rows) && i < RETRY_MAX; i++) {
        if (pg_is_null(rows, i, TICKET))
            continue;
        retry->woken[retry->woken_count].ticket = pg_int(rows, i, TICKET);
        retry->woken[retry->woken_count].attempt = (int32_t)pg_int(rows, i, ATTEMPT);
        retry->woken[retry->woken_count].version = (int32_t)pg_int(rows, i, VERSION);
        retry->woken[retry->woken_count++].priority = (int)pg_int(rows, i, PRIORITY);
    }
    retry->key_count = (int)pg_int(rows, 0, KEY_VERSION);
    retry->at = pg_int(rows, 0, AT);
    op_unit_read_key(&retry->op, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void retry_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct retry *retry = (struct retry *)unit;

    op_unit_put_key(&retry->op, params);
    param_put_int8_not_0(params, retry->op.call->req.ticket);
    pg_put_int8(params, retry->op.broker->epoch);
    (void)pg_send(pg, W_DEAD_RETRY, params, retry_on_rows, retry);
}

static void retry_answer(struct retry *retry)
{
    struct buf out;

    buf_init(&out, 256);
    wire_put_map(&out, 2);
    wire_put_key_int(&out, "retried", retry->woken_count != 0 ? retry->woken_count : retry->key_count);
    wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&retry->op.key));
    call_answer(retry->op.call, buf_span(&out));
    buf_clear(&out);
}

static void retry_end(struct retry *retry)
{
    struct err none;

    for (int i = 0; i < retry->woken_count; i++)
        wakes_changed(retry->op.broker, retry->woken[i].ticket, retry->woken[i].attempt,
                      retry->woken[i].version, retry->woken[i].priority, SPAN_NONE, retry->at, REASON_RETRY);
    if (retry->woken_count == 0 && !retry->op.key.is_there && retry->op.call->req.ticket != 0) {
        (void)err_field(&none, ERR_NOT_FOUND, "tracking", "this ticket is no dead letter");
        call_refuse(retry->op.call, &none);
    } else {
        retry_answer(retry);
    }
}

static void retry_done(struct unit *unit, const struct err *err)
{
    struct retry *retry = (struct retry *)unit;

    if (err != NULL)
        call_refuse(retry->op.call, err);
    else if (!op_unit_conflicts(&retry->op))
        retry_end(retry);
    free(retry);
}

void retrying_retry(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = retry_send,
                                          .done = retry_done};
    struct retry *retry = mem_new(1, sizeof *retry);
    op_unit_start(&retry->op, &type, broker, call);
}
