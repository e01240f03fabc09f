/* What the files of libdocket share, and docket-bench uses to stay cheap. Not installed. */
#ifndef DOCKET_LIB_INTERNAL_H
#define DOCKET_LIB_INTERNAL_H

#include "docket.h"

#include "buf.h"
#include "err.h"
#include "wire.h"

#include <zmq.h>

enum { LIB_BODY_DEPTH_MAX = 16, LIB_MESSAGE_BYTES_MAX = 16 * 1024 * 1024, LIB_SLICE_MS = 250 };

/* ---- errors ---- */

/* Writes an error of our own making; error may be NULL. Returns false. */
bool lib_error_set(struct docket_error *error, enum docket_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Turns an error of common/ into a public one. Returns false. */
bool lib_error_from(struct docket_error *error, const struct err *err);

enum docket_code lib_code_parse(struct span name); /* unknown: DOCKET_INTERNAL */

/* ---- bodies ---- */

struct docket_body {
    struct buf buf; /* open[0] is the root map, never closed by the caller */
    struct wire_map open[LIB_BODY_DEPTH_MAX + 1];
    bool is_list[LIB_BODY_DEPTH_MAX + 1];
    size_t depth;
    char key[DOCKET_KEY_BYTES_MAX + 1]; /* of the entry `key` of the root, "" while there is none */
    bool has_key;
    bool failed;
};

/* The encoded map. err: DOCKET_INTERNAL, DOCKET_TOO_LARGE, DOCKET_INVALID (a map or list is still open). */
bool lib_body_finish(struct docket_body *body, struct span *ret, struct docket_error *error) DOCKET_CHECK;

/* ---- one connection: a DEALER and its monitor ---- */

struct lib_link {
    void *socket; /* NULL: closed */
    void *monitor;
};

enum lib_link_event { LIB_LINK_QUIET, LIB_LINK_FRAME, LIB_LINK_BROKEN, LIB_LINK_INTERRUPTED };

/* serial: a number that this process did not use before on ctx. err: ERR_INVALID (endpoint), ERR_IO. */
bool lib_link_open(void *ctx, const char *endpoint, uint64_t serial, struct lib_link *ret, struct err *err)
    __attribute__((warn_unused_result));
void lib_link_close(struct lib_link *link); /* linger 0; accepts a closed one */

/* False when ZeroMQ did not take it: the link is broken. */
bool lib_link_send(struct lib_link *link, struct span frame);

/* Waits up to wait_ms for a frame (0: does not wait). FRAME: msg holds it, the caller closes msg; msg is
 * initialised by the caller and untouched else. */
enum lib_link_event lib_link_wait(struct lib_link *link, long wait_ms, zmq_msg_t *msg);

/* ---- the client ---- */

/* One answer as received; reused by those who receive many. */
struct lib_answer {
    struct wire_doc *doc; /* owned */
    const struct wire_val *body;
    uint64_t id, tag;
    bool ok;
};

void lib_answer_clear(struct lib_answer *answer);
void lib_answer_error(const struct lib_answer *answer, struct docket_error *ret);

/* docket_send for a body that is encoded already. */
bool lib_client_send(struct docket_client *client, const char *op, struct span body, uint64_t tag,
                     uint64_t *ret_id, struct docket_error *error) DOCKET_CHECK;

/* docket_receive into a reused answer: ret is cleared first. */
bool lib_client_receive(struct docket_client *client, int wait_ms, struct lib_answer *ret,
                        struct docket_error *error) DOCKET_CHECK;

int lib_client_timeout_ms(const struct docket_client *client);
size_t lib_client_brokers(const struct docket_client *client);

/* Goes to the next broker as if this one had failed. */
void lib_client_fail_over(struct docket_client *client);

/* Keeps what docket_client_refusal gives; SPAN_NONE: nothing. */
void lib_client_refused(struct docket_client *client, struct span message);

/* How long to wait before the round-th round over all brokers (from 1): doubling from 50 ms to 2 s, spread by
 * dice over its upper half. */
int64_t lib_backoff_us(unsigned round, uint32_t dice);

/* Wraps a received answer, taking what it holds; NULL when memory is out (answer is cleared then). */
struct docket_answer *lib_answer_wrap(struct lib_answer *answer);

/* The body of a success; NULL of a refusal. Lives as long as the answer. */
const struct wire_val *lib_answer_body(const struct docket_answer *answer);

/* What a refusal says. */
struct span lib_answer_message(const struct docket_answer *answer);

#endif
