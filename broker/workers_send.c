/* The workers' endpoint: what the broker says; see workers.h. */
#include "workers_internal.h"

#include <string.h>

#include <zmq.h>

#include "clock.h"

void workers_message_into(struct buf *out, const char *op, int64_t id)
{
    buf_reset(out);
    wire_put_map(out, id != 0 ? 4 : 3);
    wire_put_key_int(out, "dkt", 1);
    wire_put_key_text(out, "op", op);
    if (id != 0)
        wire_put_key_int(out, "id", id);
    wire_put_text(out, "body");
}

struct buf *workers_message(struct workers *workers, const char *op, int64_t id)
{
    workers_message_into(&workers->out, op, id);
    return &workers->out;
}

/* False when the worker cannot be reached, or does not read (its high-water mark lies above all that its
 * credits allow): the session is then ended on the next turn. While messages are held that is found out later, and what was handed out
 * goes back with the session. */
bool workers_send(struct workers *workers, struct session *session, const struct buf *message, int64_t now_us)
{
    if (session->gone || message->failed)
        return false;
    session->sent_us = now_us;
    sending_frame(workers->sending, (struct span){session->rid, session->rid_len}, true);
    sending_frame(workers->sending, buf_span(message), false);
    return !session->gone;
}

void workers_on_unsent(void *arg, struct span rid)
{
    struct workers *workers = arg;
    struct session *session = NULL;

    HASH_FIND(hh, workers->sessions, rid.p, rid.len, session);
    if (session == NULL || session->gone)
        return;
    session->gone = true;
    session->unsent = workers->holds;
    workers_session_count(workers, session);
    workers_soon(workers);
}

void workers_hold(struct workers *workers)
{
    workers->holds = true;
    sending_hold(workers->sending);
}

void workers_release(struct workers *workers)
{
    sending_release(workers->sending);
    workers->holds = false;
}

void workers_send_empty(struct workers *workers, struct session *session, const char *op, int64_t now_us)
{
    struct buf *out = workers_message(workers, op, 0);
    wire_put_map(out, 0);
    (void)workers_send(workers, session, out, now_us);
}

static void workers_put_process(const struct workers *workers, struct buf *out)
{
    wire_put_map(out, 2);
    wire_put_key_text(out, "hash", workers->hash);
    wire_put_text(out, "files");
    wire_put_raw(out, buf_span(&workers->files));
}

void workers_send_welcome(struct workers *workers, struct session *session, int64_t now_us)
{
    struct buf *out = workers_message(workers, "welcome", 0);
    int64_t beat_us = workers->beat.interval_us;
    wire_put_map(out, 3);
    wire_put_key_text(out, "broker", workers->name);
    wire_put_text(out, "heartbeat_s");
    if (beat_us % US_PER_S == 0)
        wire_put_int(out, beat_us / US_PER_S);
    else
        wire_put_float(out, (double)beat_us / (double)US_PER_S);
    wire_put_text(out, "process");
    if (workers->hash == NULL)
        wire_put_nil(out);
    else
        workers_put_process(workers, out);
    (void)workers_send(workers, session, out, now_us);
}

void workers_send_process(struct workers *workers, struct session *session, int64_t now_us)
{
    struct buf *out = workers_message(workers, "process", 0);
    workers_put_process(workers, out);
    (void)workers_send(workers, session, out, now_us);
}

bool workers_map_open(struct span map, size_t *ret_count, struct span *ret_entries)
{
    const unsigned char *p = (const unsigned char *)map.p;
    if (map.len >= 1 && (p[0] & 0xf0) == 0x80) {
        *ret_count = p[0] & 0x0f;
        *ret_entries = (struct span){map.p + 1, map.len - 1};
        return true;
    }
    if (map.len >= 3 && p[0] == 0xde) {
        *ret_count = (size_t)p[1] << 8 | p[2];
        *ret_entries = (struct span){map.p + 3, map.len - 3};
        return true;
    }
    return false;
}

void workers_text_copy(char *ret, size_t size, struct span text)
{
    struct span kept = span_cut(text, size - 1);
    if (kept.len > 0)
        memcpy(ret, kept.p, kept.len);
    ret[kept.len] = '\0';
}
