/* Requests under way and their answers; see calls.h. */
#include "calls.h"
#include "broker_metrics.h"
#include "mem.h"
#include "sending.h"
#include "wire.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* So many readings at once keep the session with the database busy; each further one makes who comes later wait longer. */
enum { ANSWER_BYTES_MAX = 8 << 20, RETRY_AFTER_MS = 500 };

static const size_t at_once[TURN_KINDS] = {[TURN_READING] = 16, [TURN_TRYING] = 2, [TURN_APPLYING] = 1};

struct calls {
    struct sending *sending;
    struct broker_metrics *metrics;
    void (*again)(void *arg, struct call *call, struct span bytes);
    void *again_arg;
    struct buf answer; /* reused */
    size_t open;
    struct fair fair[TURN_KINDS];
};

/* ---- answers ---- */

struct span call_peer(const struct call *call)
{
    return (struct span){(const char *)call->peer, call->peer_len};
}

static void call_begin_answer(struct call *call, bool ok)
{
    struct buf *out = &call->calls->answer;
    buf_reset(out);
    wire_put_map(out, 4);
    wire_put_key_int(out, "dkt", 1);
    wire_put_text(out, "id");
    if (call->req.id.p == NULL)
        wire_put_nil(out);
    else
        wire_put_raw(out, call->req.id);
    wire_put_key_bool(out, "ok", ok);
}

/* A client that is gone or does not read: its retry with the same key finds the answer. */
static void call_end(struct call *call, enum err_code code)
{
    struct calls *calls = call->calls;

    broker_count_answer(calls->metrics, code);
    sending_frame(calls->sending, call_peer(call), true);
    if (call->delimiter)
        sending_frame(calls->sending, SPAN_NONE, true);
    sending_frame(calls->sending, buf_span(&calls->answer), false);
    call_turn_over(call);
    calls->open--;
    request_clear(&call->req);
    free(call);
}

void call_answer(struct call *call, struct span body)
{
    struct buf *out = &call->calls->answer;
    call_begin_answer(call, true);
    wire_put_text(out, "body");
    wire_put_raw(out, body);
    call_end(call, ERR_NONE);
}

void call_refuse(struct call *call, const struct err *err)
{
    call_refuse_long(call, err, span_of(err->msg));
}

void call_refuse_long(struct call *call, const struct err *err, struct span message)
{
    struct buf *out = &call->calls->answer;
    bool retry = err_is_retry(err->code);

    call_begin_answer(call, false);
    wire_put_text(out, "error");
    struct wire_map map = wire_map_open(out);
    wire_put_key_text(out, "code", err_code_name(err->code)), map.count++;
    wire_put_key_str(out, "message", message), map.count++;
    if (err->field[0] != '\0')
        wire_put_key_text(out, "field", err->field), map.count++;
    wire_put_key_bool(out, "retry", retry), map.count++;
    if (retry)
        wire_put_key_int(out, "retry_after_ms", RETRY_AFTER_MS), map.count++;
    wire_map_close(out, &map);
    call_end(call, err->code);
}

void call_again(struct call *call, struct span bytes)
{
    call->calls->again(call->calls->again_arg, call, bytes);
}

/* ---- turns ---- */

size_t calls_at_once(enum turn turn)
{
    return at_once[turn];
}

void calls_wait(struct call *call)
{
    fair_wait(&call->calls->fair[call->req.op->turn], &call->turn, call_peer(call));
}

struct call *calls_next(struct calls *calls, enum turn turn)
{
    struct fair_turn *next = fair_next(&calls->fair[turn]);

    if (next == NULL)
        return NULL;
    struct call *call = (struct call *)((char *)next - offsetof(struct call, turn));
    call->turn_of = &calls->fair[turn];
    return call;
}

void call_turn_over(struct call *call)
{
    if (call->turn_of != NULL)
        fair_over(call->turn_of);
    call->turn_of = NULL;
}

/* ---- life ---- */

struct calls *calls_new(void *socket, struct broker_metrics *metrics,
                        void (*again)(void *arg, struct call *call, struct span bytes), void *arg)
{
    struct calls *calls = mem_new(1, sizeof *calls);

    calls->sending = sending_new(socket);
    calls->metrics = metrics;
    calls->again = again;
    calls->again_arg = arg;
    buf_init(&calls->answer, ANSWER_BYTES_MAX);
    for (size_t turn = 0; turn < TURN_KINDS; turn++)
        fair_init(&calls->fair[turn], at_once[turn]);
    return calls;
}

void calls_free(struct calls *calls)
{
    if (calls == NULL)
        return;
    sending_free(calls->sending);
    buf_clear(&calls->answer);
    free(calls);
}

struct call *calls_begin(struct calls *calls, struct span peer, bool delimiter)
{
    struct call *call = mem_new(1, sizeof *call);

    call->calls = calls;
    memcpy(call->peer, peer.p, peer.len);
    call->peer_len = (unsigned char)peer.len;
    call->delimiter = delimiter;
    calls->open++;
    return call;
}

void calls_hold(struct calls *calls)
{
    sending_hold(calls->sending);
}

void calls_release(struct calls *calls)
{
    sending_release(calls->sending);
}

size_t calls_open(const struct calls *calls)
{
    return calls->open;
}

int64_t calls_dropped(const struct calls *calls)
{
    int last;
    return sending_failed(calls->sending, &last);
}
