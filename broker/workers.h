/* The workers' endpoint: a ROUTER on the loop that speaks docs/protocol-workers.md with every worker that
 * connects.
 *
 * Knows who is there, what each holds and may still take, and when one is late or dead. Holds no database
 * session, no rule, no queue: wakes come by workers_hand and leave by exactly one of on_decision, on_fail,
 * on_lost, workers_forget. Callbacks come from the loop (never from inside workers_hand) and may call any
 * function here but workers_free. */
#ifndef DOCKET_WORKERS_H
#define DOCKET_WORKERS_H

#include "buf.h"
#include "err.h"
#include "wake.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <czmq.h>

enum {
    WORKERS_MAX = 1000,          /* sessions; more are not answered and logged */
    WORKERS_CREDITS_MAX = 10000, /* of one worker */
    WORKERS_TURN_MESSAGES =
        500 /* read in one turn of the loop, so that clients and timers come to their turn */
};

struct workers;

struct workers_config {
    zloop_t *loop;        /* must outlive it */
    const char *endpoint; /* tcp://…, ipc://…; tcp://127.0.0.1:* takes a free port: workers_endpoint tells */
    const char *broker_name;   /* copied */
    int64_t heartbeat_us;      /* 0: one second */
    int64_t decide_timeout_us; /* 0: ten seconds */
    int64_t (*clock_us)(void); /* monotonic; NULL: clock_mono_us */

    /* A decision for a wake that was handed out: it is the owner's again. TAKES doc (wire_doc_free), body
     * lies in it; it is not checked yet. worker: name for people, valid during the call. */
    void (*on_decision)(void *arg, struct wake *wake, struct wire_doc *doc, const struct wire_val *body,
                        const char *worker);

    /* Not decided: the worker said fail, was too late (code "timeout"), or died while it held this ticket
     * alone
     * ("died"). alone: it held no other ticket, so the failure is this ticket's (wake->failures). */
    void (*on_fail)(void *arg, struct wake *wake, const char *code, const char *message, const char *worker,
                    bool alone);

    /* Void through no fault of its own: its worker died or left while it held several (wake->suspect is set
     * then), or was connected anew. Hand it out again. */
    void (*on_lost)(void *arg, struct wake *wake);

    /* Something can go on: credits became free, a worker became ready, a question was answered. Once a turn,
     * after the other callbacks. */
    void (*on_turn)(void *arg);

    /* A worker cannot use a version. errors: list of text, or NULL. May be NULL. */
    void (*on_refused)(void *arg, const char *worker, struct span hash, const struct wire_val *errors);

    void *arg;
};

/* Binds and starts. err: ERR_IO  the endpoint cannot be bound. */
bool workers_new(const struct workers_config *config, struct workers **ret_workers, struct err *err)
    __attribute__((warn_unused_result));

/* Closes at once; no callback comes, wakes that are out stay the owner's. Accepts NULL. Not from a callback.
 */
void workers_free(struct workers *workers);

const char *workers_endpoint(const struct workers *workers); /* as bound; for tests */

/* ---- handing out ---- */

/* How many wakes may be handed out now. Of each worker's credits one in eight (at least one when it has more
 * than one) is kept for P1. */
size_t workers_room(const struct workers *workers, bool p1);

/* Between the two, messages gather and go together (sending.h). */
void workers_hold(struct workers *workers);
void workers_release(struct workers *workers);

/* Sends a work to the worker with the most room. A wake with suspect set goes to a worker alone: that worker
 * gets nothing else, and it is sent when what the worker holds is answered. in:  content  encoded map of
 * exactly the entries ticket, customer, events; copied now_at   database's clock err: ERR_BUSY  no room: the
 * wake stays the caller's; on_turn will come. ERR_INVALID  content is not such a map. */
bool workers_hand(struct workers *workers, struct wake *wake, struct span content, int64_t now_at,
                  struct err *err) __attribute__((warn_unused_result));

/* Whoever owns the wake takes it back: no callback will name it any more. Its credit stays used until the
 * worker answers or is late. Nothing happens when it is not out. */
void workers_forget(struct workers *workers, struct wake *wake);

/* ---- process ---- */

/* A version became current: every worker is told, later ones get it with the welcome. files: encoded map name
 * → bytes. Both copied. */
void workers_set_process(struct workers *workers, const char *hash, struct span files);

/* ---- asking ---- */

struct workers_answer {
    const char *worker;
    const struct wire_val *result; /* ok: the map; valid during the call */
    const char *code; /* not ok: "unavailable" (died), "timeout", or the worker's; NULL when ok */
    const char *message;
    size_t left; /* answers that are still to come for this question */
};
typedef void workers_answer_fn(void *arg, const struct workers_answer *answer);

/* Asks one ready worker, or all that said hello. fn is called once for each that was asked, later, from the
 * loop. in:  body  encoded map of up to 14 entries; "what" is added. Copied. err: ERR_UNAVAILABLE  nobody to
 * ask (fn is not called) */
bool workers_ask(struct workers *workers, const char *what, struct span body, bool all, int64_t timeout_us,
                 workers_answer_fn *fn, void *arg, struct err *err) __attribute__((warn_unused_result));

/* ---- the whole ---- */

/* Says bye to all: nothing more is handed out (room is 0); what is out is still taken. */
void workers_drain(struct workers *workers);

size_t workers_count(const struct workers *workers);       /* sessions that said hello */
size_t workers_count_ready(const struct workers *workers); /* of these, with credits and not leaving */
size_t workers_count_hash(const struct workers *workers, const char *hash);
size_t workers_credits(const struct workers *workers); /* sum over the ready ones */
size_t workers_out(const struct workers *workers);     /* works that are out, forgotten ones too; for tests */

struct workers_view {
    const char *name, *version, *zones, *process; /* "" when not told */
    size_t credits, held;
    int64_t heard_us; /* monotonic */
    bool leaving;
};
void workers_each(const struct workers *workers, void (*fn)(void *arg, const struct workers_view *view),
                  void *arg);

#endif
