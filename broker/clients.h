/* The clients' endpoint: a ROUTER on the loop. Frames in, checked calls to the op table, answers out.
 *
 * Whatever the bytes, it answers if it can tell whom. Each turn reads a bounded number of messages, so that a client that floods does not
 * keep the others waiting; answers that a client does not take are dropped at its high-water mark and counted, never waited for.
 * Knows no op and no SQL. */
#ifndef DOCKET_CLIENTS_H
#define DOCKET_CLIENTS_H

#include "err.h"
#include "request.h"

#include <czmq.h>

struct broker;
struct clients;

/* One request under way. Owned by whoever handles it until call_answer or call_refuse, which free it. */
struct call {
    struct request req;
    struct clients *clients;
    unsigned char peer[256]; /* routing id */
    unsigned char peer_len;
    bool delimiter;   /* REQ adds an empty frame and wants it back */
    int64_t began_us; /* monotonic */
};

bool clients_new(struct broker *broker, zloop_t *loop, const char *endpoint, struct clients **ret_clients,
                 struct err *err) __attribute__((warn_unused_result));
void clients_free(struct clients *clients);

/* Stops reading; answers still go out. */
void clients_stop(struct clients *clients);

/* Sends the answer and frees the call. body: one encoded map. */
void call_answer(struct call *call, struct span body);
void call_refuse(struct call *call, const struct err *err);
/* With a message that is longer than an error holds. */
void call_refuse_long(struct call *call, const struct err *err, struct span message);

/* Between the two, answers gather and go out together (sending.h). */
void clients_hold(struct clients *clients);
void clients_release(struct clients *clients);

int64_t clients_answers_dropped(const struct clients *clients);
size_t clients_open_calls(const struct clients *clients);

#endif
