/* libdocket: the client side of DKT/1 for programs in C.
 *
 * A client holds a list of brokers and one connection. It sends requests, waits for their answers, and moves
 * to the next broker when one is gone or silent, repeating with the same key whatever was not answered: what
 * changes something is therefore done once.
 *
 *     struct docket_ticket ticket = {.customer = "acme", .title = "No calls", .problem = "Since 9:00 …"};
 *     struct docket_client *client = NULL;
 *     struct docket_submitted done;
 *     struct docket_error error;
 *
 *     if (docket_client_new("tcp://127.0.0.1:7401", &client, &error) &&
 *         docket_submit(client, &ticket, &done, &error))
 *         puts(done.tracking);
 *     else
 *         fprintf(stderr, "%s: %s\n", error.name, error.message);
 *     docket_client_free(client);
 *
 * Rules for all functions here:
 *   - Texts are UTF-8, ended by NUL. Instants (…_at) are microseconds since the Unix epoch, UTC. Spans name
 *     their unit.
 *   - A function that can fail returns false, fills *error and writes no other result. error may be NULL.
 *   - The caller keeps what it passes; the library copies what it needs.
 *   - A client, a body and an answer belong to one thread at a time. Several clients do not share anything.
 *   - The library installs no signal handlers, writes to no stream, and does not abort when memory is out
 *     (code DOCKET_INTERNAL); libzmq itself does, so leave it some.
 *   - Knows nothing of what the ops mean: that is docs/protocol.md. */
#ifndef DOCKET_H
#define DOCKET_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DOCKET_API __attribute__((visibility("default")))
#define DOCKET_CHECK __attribute__((warn_unused_result))

#define DOCKET_BROKER_DEFAULT "tcp://127.0.0.1:7401"

enum {
    DOCKET_KEY_BYTES_MAX = 128,      /* of a key, without NUL */
    DOCKET_BROKERS_MAX = 32,         /* of one client */
    DOCKET_OUTSTANDING_MAX = 131072, /* requests sent and not answered yet */
    DOCKET_BODY_BYTES_MAX = 4194304, /* of one request; the broker's own limits are lower */
    DOCKET_TIMEOUT_MS_DEFAULT = 10000
};

/* Why something did not happen. The first ten are the broker's answers (docs/protocol.md, "Codes"). */
enum docket_code {
    DOCKET_OK = 0,
    DOCKET_MALFORMED,
    DOCKET_UNSUPPORTED,
    DOCKET_INVALID, /* also: an argument of yours, with field naming it */
    DOCKET_NOT_FOUND,
    DOCKET_FORBIDDEN,
    DOCKET_CONFLICT,
    DOCKET_TOO_LARGE,
    DOCKET_BUSY,
    DOCKET_UNAVAILABLE,
    DOCKET_INTERNAL,   /* also: memory is out, or a library failed here */
    DOCKET_TIMEOUT,    /* no answer in time: whether it was done is unknown; repeat with the same key */
    DOCKET_INTERRUPTED /* a signal, see docket_client_set_interrupt; as unknown as a time-out */
};

struct docket_error {
    enum docket_code code;
    char name[24];                      /* the code as the wire writes it: "not_found", "timeout" */
    char field[96];                     /* the field at fault, "" when none */
    char message[1024];                 /* one sentence for people */
    char key[DOCKET_KEY_BYTES_MAX + 1]; /* the request's key, "" when it had none: to repeat with */
    bool retry;                         /* repeating later, with the same key, can help */
    int64_t retry_after_ms;             /* 0: not told */
};

/* ---- a client ---- */

struct docket_client;

/* Makes a client. Does not wait: the connection is made with the first request.
 * in:  brokers     endpoints separated by commas, tried in this order from the first; NULL or "":
 * DOCKET_BROKER_DEFAULT out: ret_client  the caller frees it with docket_client_free err: DOCKET_INVALID  an
 * endpoint that ZeroMQ does not take, or more than DOCKET_BROKERS_MAX DOCKET_INTERNAL */
DOCKET_API bool docket_client_new(const char *brokers, struct docket_client **ret_client,
                                  struct docket_error *error) DOCKET_CHECK;

/* Closes at once: what was sent and not answered may be done or not. Accepts NULL. */
DOCKET_API void docket_client_free(struct docket_client *client);

/* How long docket_call and docket_submit wait for their answer over all brokers; at least 1. Default
 * DOCKET_TIMEOUT_MS_DEFAULT. */
DOCKET_API void docket_client_set_timeout_ms(struct docket_client *client, int timeout_ms);

/* How long one broker may be silent while a request waits before the next one is asked. 0 (default): the
 * time-out divided by the number of brokers. A broker that is gone (connection refused or cut, no ZeroMQ
 * heartbeat for 3 s) is left at once. Set it above wait_ms for long polls. */
DOCKET_API void docket_client_set_try_ms(struct docket_client *client, int try_ms);

/* Waiting functions end with DOCKET_INTERRUPTED within 250 ms once *flag is not 0; NULL (default): only when
 * a signal handler interrupts the wait itself. The flag must outlive the client; a signal handler may set it.
 */
DOCKET_API void docket_client_set_interrupt(struct docket_client *client, const volatile sig_atomic_t *flag);

/* The endpoint in use, or tried next; valid until the client is freed. */
DOCKET_API const char *docket_client_broker(const struct docket_client *client);

/* How many times this client left a broker for the next one. */
DOCKET_API uint64_t docket_client_failovers(const struct docket_client *client);

/* ---- the body of a request ---- */

/* A map under construction. A write that cannot be made (no memory, over DOCKET_BODY_BYTES_MAX, maps not
 * closed) marks the body failed; sending it says so, so a row of writes needs no checks. */
struct docket_body;

/* An empty map; NULL when memory is out (all functions accept that NULL: sending it is DOCKET_INTERNAL). */
DOCKET_API struct docket_body *docket_body_new(void);
DOCKET_API void docket_body_free(struct docket_body *body);  /* accepts NULL */
DOCKET_API void docket_body_reset(struct docket_body *body); /* empty again, for reuse; keeps its memory */

/* Each adds one entry. Inside a list (docket_body_open_list) name is NULL. A text or list of NULL adds nil.
 */
DOCKET_API void docket_body_text(struct docket_body *body, const char *name, const char *text);
DOCKET_API void docket_body_text_n(struct docket_body *body, const char *name, const char *text, size_t len);
DOCKET_API void docket_body_bytes(struct docket_body *body, const char *name, const void *bytes, size_t len);
DOCKET_API void docket_body_int(struct docket_body *body, const char *name, int64_t value);
DOCKET_API void docket_body_number(struct docket_body *body, const char *name, double value);
DOCKET_API void docket_body_bool(struct docket_body *body, const char *name, bool value);

/* Adds an entry given as JSON text. err: DOCKET_INVALID: not JSON (line and column in the message); the body
 * is as before. */
DOCKET_API bool docket_body_json(struct docket_body *body, const char *name, const char *json,
                                 struct docket_error *error) DOCKET_CHECK;

/* Adds all entries of a JSON object. err: DOCKET_INVALID: not JSON, or not an object; the body is as before.
 */
DOCKET_API bool docket_body_merge_json(struct docket_body *body, const char *json,
                                       struct docket_error *error) DOCKET_CHECK;

/* Opens a map or list as an entry; what follows goes into it until docket_body_close. Nesting at most 16. */
DOCKET_API void docket_body_open_map(struct docket_body *body, const char *name);
DOCKET_API void docket_body_open_list(struct docket_body *body, const char *name);
DOCKET_API void docket_body_close(struct docket_body *body);

/* Writes a new random key of 32 hexadecimal letters: 128 bits of the system's randomness. size: of ret, at
 * least 33. */
DOCKET_API bool docket_key_random(char *ret, size_t size) DOCKET_CHECK;

/* Whether an op only reads, judged by the last part of its name (find, show, list, get, explain, since, ping,
 * stats, who, why). All others get a random key when their body has none, so that they can be repeated at
 * another broker. */
DOCKET_API bool docket_op_reads(const char *op);

/* ---- an answer ---- */

struct docket_answer;

DOCKET_API void docket_answer_free(struct docket_answer *answer); /* accepts NULL */

/* Whether the broker did it. If not, docket_answer_error says why; it lives as long as the answer and is NULL
 * for a success. */
DOCKET_API bool docket_answer_ok(const struct docket_answer *answer);
DOCKET_API const struct docket_error *docket_answer_error(const struct docket_answer *answer);

DOCKET_API uint64_t docket_answer_id(const struct docket_answer *answer);  /* as docket_send gave it */
DOCKET_API uint64_t docket_answer_tag(const struct docket_answer *answer); /* as docket_send got it */

/* The body as one line of JSON; NULL when memory is out. Lives as long as the answer. */
DOCKET_API const char *docket_answer_json(struct docket_answer *answer);

/* An entry of the body by its path ("ticket.state"; list items by number: "tickets.0.tracking"). The text is
 * valid as long as the answer and has no closing NUL: *ret_len says how long it is. NULL or fallback when
 * there is none of that type. */
DOCKET_API const char *docket_answer_text(const struct docket_answer *answer, const char *path,
                                          size_t *ret_len);
DOCKET_API int64_t docket_answer_int(const struct docket_answer *answer, const char *path, int64_t fallback);
DOCKET_API bool docket_answer_bool(const struct docket_answer *answer, const char *path, bool fallback);

/* The whole message as MessagePack, for those who bring a reader of their own. Lives as long as the answer.
 */
DOCKET_API const void *docket_answer_message(const struct docket_answer *answer, size_t *ret_len);

/* ---- one request ---- */

/* Sends and waits until the answer or the time-out. When the op changes something and the body has no key,
 * one is added to the body. `unavailable` of one broker is asked of the others before it is told. Not while
 * requests of docket_send are outstanding (DOCKET_INVALID). out: ret_answer  of a success only; the caller
 * frees it with docket_answer_free err: what the broker answered; DOCKET_TIMEOUT, DOCKET_INTERRUPTED (key is
 * set: repeat with it); DOCKET_INTERNAL */
DOCKET_API bool docket_call(struct docket_client *client, const char *op, struct docket_body *body,
                            struct docket_answer **ret_answer, struct docket_error *error) DOCKET_CHECK;

/* All that the broker said when it refused the last docket_call, also where error.message cuts it; "" when it was answered, or nobody
 * answered. Lives until the next call. */
DOCKET_API const char *docket_client_refusal(const struct docket_client *client);

/* The same with JSON in and out.
 * in:  body_json  an object; NULL: an empty one
 * out: ret_json   the answer's body; the caller frees it with free(); may be NULL when not wanted
 * err: also DOCKET_INVALID: body_json is no JSON object */
DOCKET_API bool docket_call_json(struct docket_client *client, const char *op, const char *body_json,
                                 char **ret_json, struct docket_error *error) DOCKET_CHECK;

/* ---- posting a ticket ---- */

struct docket_pair {
    const char *name, *value;
};

/* What is NULL or 0 is left out. customer, title and problem are required by the broker. */
struct docket_ticket {
    const char *key; /* NULL: a random one; give your own to be able to repeat after a crash of yours */
    const char *customer, *title, *problem;
    const char *impact;  /* "down", "critical", "degraded", "impaired", "request", "question" */
    const char *channel; /* "ticket" (default), "im", "phone" */
    const char *contact_name, *contact_email, *contact_xmpp, *contact_phone;
    const char *correlation; /* while a ticket with it is open, another submit becomes an event there */
    const struct docket_pair *equipment;
    size_t equipment_count;
    const struct docket_pair *configuration;
    size_t configuration_count;
    const struct docket_pair *attributes;
    size_t attributes_count;
    bool take; /* staff who post for a customer on the telephone: taken at once */
};

struct docket_submitted {
    char tracking[32];
    char key[DOCKET_KEY_BYTES_MAX + 1];
    int64_t posted_at;
    bool duplicate; /* this key was in already: the same ticket */
    bool merged;    /* it became an event of an open ticket with this correlation */
};

/* Posts a ticket: on true it is stored durably. err: as docket_call; error->key is the key to repeat with. */
DOCKET_API bool docket_submit(struct docket_client *client, const struct docket_ticket *ticket,
                              struct docket_submitted *ret, struct docket_error *error) DOCKET_CHECK;

/* ---- many requests at once ---- */

/* Sends without waiting. Answers come by docket_receive, in any order; changes of one ticket happen in the
 * order of sending. Until it is answered or forgotten the request is repeated at the next broker whenever
 * this one fails. in:  tag     comes back with the answer out: ret_id  of this request, from 1; may be NULL
 * err: DOCKET_BUSY     DOCKET_OUTSTANDING_MAX are waiting: receive some
 *      DOCKET_INVALID, DOCKET_INTERNAL, DOCKET_TOO_LARGE */
DOCKET_API bool docket_send(struct docket_client *client, const char *op, struct docket_body *body,
                            uint64_t tag, uint64_t *ret_id, struct docket_error *error) DOCKET_CHECK;

/* Waits up to wait_ms (0: only what is there) for one answer, success or refusal, and does the fail-over
 * meanwhile: call it regularly. err: DOCKET_TIMEOUT  none came; everything stays outstanding
 *      DOCKET_INTERRUPTED, DOCKET_INTERNAL */
DOCKET_API bool docket_receive(struct docket_client *client, int wait_ms, struct docket_answer **ret_answer,
                               struct docket_error *error) DOCKET_CHECK;

DOCKET_API size_t docket_outstanding(const struct docket_client *client);

/* Gives a request up: no repeats, its answer is dropped. 0: all of them. */
DOCKET_API void docket_forget(struct docket_client *client, uint64_t id);

#ifdef __cplusplus
}
#endif

#endif
