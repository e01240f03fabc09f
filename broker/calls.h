/* The requests under way and their answers: the outgoing half of the clients' endpoint (what comes in: clients.h).
 *
 * Answers that a client does not take are dropped at its high-water mark and counted, never waited for. Knows no op and no SQL. */
#ifndef DOCKET_CALLS_H
#define DOCKET_CALLS_H

#include "buf.h"
#include "err.h"
#include "fair.h"
#include "op.h"
#include "request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct broker_metrics;
struct calls;

/* One request under way. Owned by whoever handles it until call_answer, call_refuse or call_again, which take it. */
struct call {
    struct request req;
    struct fair_turn turn;
    struct fair *turn_of; /* of whose turns it has one; NULL: none */
    /* of a submit that the broker makes itself: the ticket that the new one is linked to; 0: none */
    int64_t related;
    struct calls *calls;
    unsigned char peer[256]; /* routing id */
    unsigned char peer_len;
    bool delimiter; /* REQ adds an empty frame and wants it back */
};

/* What tells its connection from others; lives as long as the call. */
struct span call_peer(const struct call *call);

/* Sends the answer and frees the call. body: one encoded map. */
void call_answer(struct call *call, struct span body);
void call_refuse(struct call *call, const struct err *err);
/* With a message that is longer than an error holds. */
void call_refuse_long(struct call *call, const struct err *err, struct span message);

/* Begins the call anew with another request, as if its client had sent that; when it cannot be, the call is refused. bytes: an envelope,
 * not kept. */
void call_again(struct call *call, struct span bytes);

/* Its reading is over; what is still to come asks no database. Without effect when it has no turn. */
void call_turn_over(struct call *call);

/* ---- for clients.c and the broker's life ---- */

/* socket: the ROUTER (zsock_resolve), which must outlive it. again: what call_again calls; takes the call. */
struct calls *calls_new(void *socket, struct broker_metrics *metrics,
                        void (*again)(void *arg, struct call *call, struct span bytes), void *arg);
void calls_free(struct calls *calls); /* accepts NULL; all calls must have ended */

/* A call of that peer (at most 255 bytes, copied), its request still empty. */
struct call *calls_begin(struct calls *calls, struct span peer, bool delimiter);

/* What waits until its connection's turn, as its op says; the next one of that kind, to be handled now, or NULL. */
void calls_wait(struct call *call);
size_t calls_at_once(enum turn turn); /* how many of that kind may be under way */
struct call *calls_next(struct calls *calls, enum turn turn);

/* Between the two, answers gather and go out together (sending.h). */
void calls_hold(struct calls *calls);
void calls_release(struct calls *calls);

size_t calls_open(const struct calls *calls);
int64_t calls_dropped(const struct calls *calls); /* answers that no client took, since the start */

#endif
