/* Messages that are sent together; see sending.h. */
#include "sending.h"

#include "mem.h"

#include <errno.h>
#include <stdlib.h>

#include <zmq.h>

enum { HELD_BYTES = 256 << 10, HELD_FRAMES = 256, KEPT_BYTES_MAX = 2 << 20 };

struct sending {
    void *socket;
    struct buf bytes; /* of all frames, one after another */
    struct {
        size_t len;
        bool more;
    } frames[HELD_FRAMES];
    size_t count;
    bool holds;
    int64_t failed;
    int last_errno;
    void (*failed_fn)(void *arg, struct span first);
    void *failed_arg;
};

struct sending *sending_new(void *socket)
{
    struct sending *sending = mem_new(1, sizeof *sending);
    sending->socket = socket;
    buf_init(&sending->bytes, SIZE_MAX / 2);
    return sending;
}

void sending_free(struct sending *sending)
{
    if (sending == NULL)
        return;
    buf_clear(&sending->bytes);
    free(sending);
}

void sending_set_socket(struct sending *sending, void *socket)
{
    sending->socket = socket;
}

/* A message whose frame was refused is skipped to its end: half a message would be taken for the next one's beginning. */
static void sending_flush(struct sending *sending)
{
    const char *p = sending->bytes.p;
    struct span first = SPAN_NONE; /* frame of the message that is sent */
    bool skips = false;

    for (size_t i = 0; i < sending->count; p += sending->frames[i++].len) {
        bool more = sending->frames[i].more;
        if (first.p == NULL)
            first = (struct span){p, sending->frames[i].len};
        if (!skips && zmq_send(sending->socket, p, sending->frames[i].len,
                               ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0) {
            sending->last_errno = errno;
            sending->failed++;
            skips = true;
            if (sending->failed_fn != NULL)
                sending->failed_fn(sending->failed_arg, first);
        }
        if (!more) {
            skips = false;
            first = SPAN_NONE;
        }
    }
    sending->count = 0;
    if (sending->bytes.cap > KEPT_BYTES_MAX) /* a large message is rare */
        buf_clear(&sending->bytes);
    buf_reset(&sending->bytes);
}

void sending_frame(struct sending *sending, struct span frame, bool more)
{
    if (!buf_add_span(&sending->bytes, frame)) { /* no memory: nothing of what is held can be trusted */
        sending->last_errno = ENOMEM;
        sending->failed++;
        sending->count = 0;
        buf_reset(&sending->bytes);
        return;
    }
    sending->frames[sending->count].len = frame.len;
    sending->frames[sending->count++].more = more;
    /* Room for the frames that may follow in a message: at most a peer, a delimiter and a payload. */
    bool full = sending->count >= HELD_FRAMES - 4 || sending->bytes.len >= HELD_BYTES;
    if (!more && (full || !sending->holds))
        sending_flush(sending);
}

void sending_on_failed(struct sending *sending, void (*fn)(void *arg, struct span first), void *arg)
{
    sending->failed_fn = fn;
    sending->failed_arg = arg;
}

void sending_hold(struct sending *sending)
{
    sending->holds = true;
}

void sending_release(struct sending *sending)
{
    sending->holds = false;
    sending_flush(sending);
}

int64_t sending_failed(const struct sending *sending, int *errno_of_last)
{
    *errno_of_last = sending->last_errno;
    return sending->failed;
}
