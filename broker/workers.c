/* The workers' endpoint: the socket, the sessions, the conversation; see workers.h.
 *
 * A turn reads a bounded number of messages, then ends sessions that could not be sent to, then tells the
 * owner once that there is room. Time is judged in turns of a timer, four an interval, only after the socket
 * was read empty. */
#include "workers_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "clock.h"
#include "log.h"
#include "mem.h"

enum {
    HEARTBEAT_US_DEFAULT = 1000 * 1000,
    DECIDE_TIMEOUT_US_DEFAULT = 10 * 1000 * 1000,
    HANDSHAKE_MS = 5000,
    /* A worker's pipe holds all that its credits allow and what else is said to it. */
    SEND_MESSAGES_MAX = WORKERS_CREDITS_MAX + 1000,
    RECEIVE_MESSAGES_MAX = WORKERS_CREDITS_MAX + 1000,
    TURNS_AN_INTERVAL = 4,
    CODE_TEXT_MAX = 64,
    MESSAGE_TEXT_MAX = 1000
};

/* ---- sessions ---- */

static struct session *session_find(const struct workers *workers, const void *rid, size_t rid_len)
{
    struct session *session = NULL;
    HASH_FIND(hh, workers->sessions, rid, rid_len, session);
    return session;
}

static struct session *session_new(struct workers *workers, const void *rid, size_t rid_len, int64_t now_us)
{
    if (HASH_COUNT(workers->sessions) >= WORKERS_MAX) {
        if (now_us - workers->stranger_logged_us >= US_PER_S)
            log_event(LOG_WARN, "workers_full", "sessions=%d", WORKERS_MAX);
        workers->stranger_logged_us = now_us;
        return NULL;
    }
    struct session *session = mem_new(1, sizeof *session);
    memcpy(session->rid, rid, rid_len);
    session->rid_len = rid_len;
    session->heard_us = now_us;
    buf_init(&session->promise, WORKERS_MESSAGE_BYTES_MAX);
    HASH_ADD_KEYPTR(hh, workers->sessions, session->rid, session->rid_len, session);
    return session;
}

/* Everything that the session held goes back before it is freed. It is out of the table first, so that
 * nothing that the owner does in between comes to it again. */
static void workers_session_end(struct workers *workers, struct session *session, const char *why)
{
    if (session->greeted)
        log_event(session->leaving ? LOG_INFO : LOG_WARN, "worker_left", "worker=%s reason=%s held=%zu",
                  log_quote(session->name), why, session->handout.held);
    HASH_DEL(workers->sessions, session);
    session->gone = true;
    workers_session_count(workers, session);
    workers_works_void(workers, session);
    workers_asked_void(workers, session);
    free(session);
}

/* ---- the conversation: worker → broker. False: not of the protocol's form ---- */

/* Text of at most max bytes into ret (max + 1 bytes). */
static bool read_text(const struct wire_val *body, const char *key, char *ret, size_t max)
{
    struct span text;
    if (!wire_get_str(wire_find(body, key), &text) || text.len > max)
        return false;
    workers_text_copy(ret, max + 1, text);
    return true;
}

static bool on_hello(struct workers *workers, struct session *session, const struct wire_val *body,
                     int64_t now_us)
{
    struct session seen = {0};
    if (!read_text(body, "name", seen.name, SHORT_TEXT_MAX) ||
        !read_text(body, "version", seen.version, SHORT_TEXT_MAX))
        return false;
    (void)read_text(body, "zones", seen.zones, SHORT_TEXT_MAX);

    /* A second hello comes from a worker that began anew behind the same routing id: what it held is void. */
    if (session->greeted) {
        char rid[RID_BYTES_MAX];
        size_t rid_len = session->rid_len;
        memcpy(rid, session->rid, rid_len);
        workers_session_end(workers, session, "again");
        session = session_new(workers, rid, rid_len, now_us);
        if (session == NULL)
            return true;
    }
    memcpy(session->name, seen.name, sizeof seen.name);
    memcpy(session->version, seen.version, sizeof seen.version);
    memcpy(session->zones, seen.zones, sizeof seen.zones);
    session->greeted = true;
    session->broken = 0;
    session->heard_us = now_us;
    log_event(LOG_INFO, "worker_joined", "worker=%s version=%s zones=%s", log_quote(session->name),
              log_quote(session->version), log_quote(session->zones));
    workers_send_welcome(workers, session, now_us);
    if (workers->draining)
        (void)workers_bye_when_empty(workers, session, now_us);
    return true;
}

static bool on_ready(struct workers *workers, struct session *session, const struct wire_val *body)
{
    int64_t credits;
    char process[HASH_TEXT_MAX + 1] = "";
    if (!wire_get_int(wire_find(body, "credits"), &credits) || credits < 1 || credits > WORKERS_CREDITS_MAX)
        return false;
    if (wire_type(wire_find(body, "process")) != WIRE_NIL &&
        !read_text(body, "process", process, HASH_TEXT_MAX))
        return false;
    if (strcmp(session->process, process) != 0)
        log_event(LOG_INFO, "worker_ready", "worker=%s credits=%lld process=%s", log_quote(session->name),
                  (long long)credits, log_quote(process));
    memcpy(session->process, process, sizeof process);
    session->handout.credits = (size_t)credits;
    workers_session_count(workers, session);
    return true;
}

static bool on_refused(struct workers *workers, struct session *session, const struct wire_val *body)
{
    const struct workers_config *config = &workers->config;
    struct span hash;
    if (!wire_get_str(wire_find(body, "process"), &hash) || hash.len > HASH_TEXT_MAX)
        return false;
    const struct wire_val *errors = wire_find(body, "errors");
    struct span first;
    char text[200];
    workers_text_copy(text, sizeof text, wire_get_str(wire_at(errors, 0), &first) ? first : SPAN_NONE);
    log_event(LOG_WARN, "worker_refused", "worker=%s errors=%zu first=%s", log_quote(session->name),
              wire_count(errors), log_quote(text));
    if (config->on_refused != NULL)
        config->on_refused(config->arg, session->name, hash, wire_type(errors) == WIRE_LIST ? errors : NULL);
    return true;
}

/* Takes doc. */
static bool on_decision(struct workers *workers, struct session *session, const int64_t *id,
                        const struct wire_val *body, struct wire_doc *doc, int64_t now_us)
{
    const struct workers_config *config = &workers->config;
    struct work *work = id != NULL ? workers_work_find(workers, session, *id) : NULL;
    struct wake *wake = work != NULL ? workers_work_end(workers, work, now_us) : NULL;
    if (wake == NULL)
        wire_doc_free(doc);
    else
        config->on_decision(config->arg, wake, doc, body, session->name);
    return id != NULL;
}

static bool on_fail(struct workers *workers, struct session *session, const int64_t *id,
                    const struct wire_val *body, int64_t now_us)
{
    const struct workers_config *config = &workers->config;
    char code[CODE_TEXT_MAX + 1], message[MESSAGE_TEXT_MAX + 1];
    if (id == NULL)
        return false;
    workers_text_copy(code, sizeof code, wire_find_str(body, "code"));
    workers_text_copy(message, sizeof message, wire_find_str(body, "message"));
    struct work *work = workers_work_find(workers, session, *id);
    struct wake *wake = work != NULL ? workers_work_end(workers, work, now_us) : NULL;
    if (wake != NULL)
        config->on_fail(config->arg, wake, code[0] != '\0' ? code : "internal", message, session->name, true);
    return true;
}

static void on_bye(struct workers *workers, struct session *session)
{
    log_event(LOG_INFO, "worker_leaving", "worker=%s held=%zu", log_quote(session->name),
              session->handout.held);
    session->leaving = true;
    workers_promise_void(workers, session);
    workers_session_count(workers, session);
}

enum op { OP_HELLO, OP_READY, OP_REFUSED, OP_DECISION, OP_FAIL, OP_ANSWER, OP_HEARTBEAT, OP_BYE, OPS };
static const char *const op_names[OPS] = {"hello", "ready",  "refused",   "decision",
                                          "fail",  "answer", "heartbeat", "bye"};

static enum op op_find(struct span name)
{
    size_t op = 0;
    while (op < OPS && !span_is(name, op_names[op]))
        op++;
    return (enum op)op;
}

/* A message of a session that said hello. Takes doc. An op that we do not know comes from a newer worker. */
static bool session_do(struct workers *workers, struct session *session, enum op op, struct wire_doc *doc,
                       int64_t now_us)
{
    const struct wire_val *root = wire_root(doc);
    const struct wire_val *body = wire_find(root, "body");
    int64_t number;
    const int64_t *id = wire_get_int(wire_find(root, "id"), &number) ? &number : NULL;
    bool ok = true;

    if (op == OP_DECISION || op == OP_FAIL)
        session->late = false, workers_session_count(workers, session);
    if (op == OP_DECISION)
        return on_decision(workers, session, id, body, doc, now_us);
    if (op == OP_READY)
        ok = on_ready(workers, session, body);
    else if (op == OP_REFUSED)
        ok = on_refused(workers, session, body);
    else if (op == OP_FAIL)
        ok = on_fail(workers, session, id, body, now_us);
    else if (op == OP_ANSWER)
        ok = workers_on_answer(workers, session, id, body);
    else if (op == OP_BYE)
        on_bye(workers, session);
    wire_doc_free(doc);
    return ok;
}

/* A sender that did not say hello, or that was given up: told so, once an interval. */
static void session_estrange(struct workers *workers, struct session *session, int64_t now_us)
{
    if (session->sent_us == 0 || beat_is_due(&workers->beat, session->sent_us, now_us))
        workers_send_empty(workers, session, "hello?", now_us);
}

static void session_broken(struct workers *workers, struct session *session, const char *why)
{
    session->broken++;
    log_event(LOG_WARN, "worker_malformed", "worker=%s count=%u reason=%s", log_quote(session->name),
              session->broken, log_quote(why));
    if (session->broken >= BROKEN_MAX)
        workers_session_end(workers, session, "malformed");
}

/* One message. Afterwards the session may have ended. */
static void session_take(struct workers *workers, struct session *session, const void *bytes, size_t len,
                         int64_t now_us)
{
    struct wire_doc *doc = NULL;
    struct err err = {0};
    int64_t version = 0;
    struct span name;

    session->heard_us = now_us;
    if (!wire_parse(bytes, len, WORKERS_DEPTH_MAX, &doc, &err)) {
        session_broken(workers, session, err.msg);
        return;
    }
    if (!wire_get_int(wire_find(wire_root(doc), "dkt"), &version) || version != 1 ||
        !wire_get_str(wire_find(wire_root(doc), "op"), &name)) {
        wire_doc_free(doc);
        session_broken(workers, session, "not a map with dkt 1 and an op");
        return;
    }
    enum op op = op_find(name);
    if (op == OP_HELLO) {
        bool ok = on_hello(workers, session, wire_find(wire_root(doc), "body"), now_us);
        wire_doc_free(doc);
        if (!ok)
            session_broken(workers, session, "hello: name and version are texts of up to 64 bytes");
        return;
    }
    if (!session->greeted) {
        wire_doc_free(doc);
        session_estrange(workers, session, now_us);
        return;
    }
    if (!session_do(workers, session, op, doc, now_us)) {
        session_broken(workers, session, op_names[op]);
        return;
    }
    session->broken = 0;
    if (session->leaving && workers_bye_when_empty(workers, session, now_us))
        workers_session_end(workers, session, "bye");
    else if (workers->draining && (op == OP_DECISION || op == OP_FAIL))
        (void)workers_bye_when_empty(workers, session, now_us);
}

/* ---- the socket ---- */

/* Reads one message: the sender's routing id and one frame. False when there is none. */
static bool workers_receive(struct workers *workers, int64_t now_us)
{
    zmq_msg_t rid, body, rest;
    zmq_msg_init(&rid);
    zmq_msg_init(&body);
    bool got = zmq_msg_recv(&rid, workers->handle, ZMQ_DONTWAIT) >= 0;
    if (got && zmq_msg_more(&rid) && zmq_msg_recv(&body, workers->handle, ZMQ_DONTWAIT) >= 0) {
        bool one = !zmq_msg_more(&body);
        for (bool more = !one; more;) {
            zmq_msg_init(&rest);
            more = zmq_msg_recv(&rest, workers->handle, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&rest);
            zmq_msg_close(&rest);
        }
        struct session *session = session_find(workers, zmq_msg_data(&rid), zmq_msg_size(&rid));
        if (session == NULL)
            session = session_new(workers, zmq_msg_data(&rid), zmq_msg_size(&rid), now_us);
        if (session != NULL && one)
            session_take(workers, session, zmq_msg_data(&body), zmq_msg_size(&body), now_us);
        else if (session != NULL)
            session_broken(workers, session, "more than one frame");
    }
    zmq_msg_close(&rid);
    zmq_msg_close(&body);
    return got;
}

/* Reads up to the bound of a turn. True: it is empty now. */
static bool workers_read(struct workers *workers, int64_t now_us)
{
    for (int i = 0; i < WORKERS_TURN_MESSAGES; i++)
        if (!workers_receive(workers, now_us))
            return true;
    return false;
}

/* The end of each turn. Ending a session calls the owner, who may hand to others and find them gone too. */
static void workers_settle(struct workers *workers)
{
    struct session *session = workers->sessions;
    while (session != NULL) {
        struct session *next = session->hh.next;
        if (session->gone)
            workers_session_end(workers, session, "unreachable");
        session = next;
    }
    if (workers->owes_turn) {
        workers->owes_turn = false;
        workers->config.on_turn(workers->config.arg);
    }
}

static int on_readable(zloop_t *loop, zsock_t *reader, void *arg)
{
    struct workers *workers = arg;
    (void)loop, (void)reader;
    (void)workers_read(workers, workers_now(workers));
    workers_settle(workers);
    return 0;
}

static int on_soon(zloop_t *loop, int timer_id, void *arg)
{
    struct workers *workers = arg;
    (void)loop, (void)timer_id;
    workers->soon = -1;
    workers_settle(workers);
    return 0;
}

/* A turn follows this one at once: something is owed that must not be done from inside a call of the owner's.
 */
void workers_soon(struct workers *workers)
{
    if (workers->soon == -1)
        workers->soon = zloop_timer(workers->config.loop, 0, 1, on_soon, workers);
}

/* ---- time ---- */

static void workers_judge(struct workers *workers, int64_t now_us)
{
    workers_works_late(workers, now_us);
    workers_asked_late(workers, now_us);
    struct session *session = workers->sessions;
    while (session != NULL) {
        struct session *next = session->hh.next;
        if (beat_is_dead(&workers->beat, session->heard_us, now_us))
            workers_session_end(workers, session, "silent");
        session = next;
    }
}

static int on_turn(zloop_t *loop, int timer_id, void *arg)
{
    struct workers *workers = arg;
    (void)loop, (void)timer_id;
    int64_t now_us = workers_now(workers);
    bool drained = workers_read(workers, now_us);

    if (beat_turn(&workers->beat, now_us, drained))
        workers_judge(workers, now_us);
    for (struct session *session = workers->sessions; session != NULL; session = session->hh.next)
        if (session->greeted && beat_is_due(&workers->beat, session->sent_us, now_us))
            workers_send_empty(workers, session, "heartbeat", now_us);
    workers_settle(workers);
    return 0;
}

/* ---- beginning and end ---- */

static bool workers_bind(struct workers *workers, struct err *err)
{
    workers->sock = zsock_new(ZMQ_ROUTER);
    if (workers->sock == NULL)
        return err_set(err, ERR_IO, "no socket for workers: %s", zmq_strerror(zmq_errno()));
    workers->handle = zsock_resolve(workers->sock);
    workers->sending = sending_new(workers->handle);
    sending_on_failed(workers->sending, workers_on_unsent, workers);
    zsock_set_linger(workers->sock, 0);
    zsock_set_router_mandatory(workers->sock, 1);
    zsock_set_maxmsgsize(workers->sock, WORKERS_MESSAGE_BYTES_MAX);
    zsock_set_sndhwm(workers->sock, SEND_MESSAGES_MAX);
    zsock_set_rcvhwm(workers->sock, RECEIVE_MESSAGES_MAX);
    zsock_set_handshake_ivl(workers->sock, HANDSHAKE_MS);
    if (zsock_bind(workers->sock, "%s", workers->config.endpoint) < 0)
        return err_field(err, ERR_IO, "workers", "%s cannot be bound: %s", workers->config.endpoint,
                         zmq_strerror(zmq_errno()));
    workers->endpoint = mem_strdup(zsock_endpoint(workers->sock));
    return true;
}

bool workers_new(const struct workers_config *config, struct workers **ret_workers, struct err *err)
{
    struct workers *workers = mem_new(1, sizeof *workers);
    workers->config = *config;
    if (config->heartbeat_us <= 0)
        workers->config.heartbeat_us = HEARTBEAT_US_DEFAULT;
    if (config->decide_timeout_us <= 0)
        workers->config.decide_timeout_us = DECIDE_TIMEOUT_US_DEFAULT;
    if (config->clock_us == NULL)
        workers->config.clock_us = clock_mono_us;
    workers->name = mem_strdup(config->broker_name);
    workers->timer = workers->soon = -1;
    buf_init(&workers->out, WORKERS_MESSAGE_BYTES_MAX);
    buf_init(&workers->files, WORKERS_MESSAGE_BYTES_MAX);
    if (!workers_bind(workers, err)) {
        workers_free(workers);
        return false;
    }
    beat_init(&workers->beat, workers->config.heartbeat_us, workers_now(workers));
    int64_t turn_ms = workers->config.heartbeat_us / TURNS_AN_INTERVAL / US_PER_MS;
    zloop_reader(config->loop, workers->sock, on_readable, workers);
    zloop_reader_set_tolerant(config->loop, workers->sock);
    workers->timer = zloop_timer(config->loop, (size_t)(turn_ms > 0 ? turn_ms : 1), 0, on_turn, workers);
    *ret_workers = workers;
    return true;
}

static void session_drop(struct workers *workers, struct session *session)
{
    struct work *work, *next;
    DL_FOREACH_SAFE(session->works, work, next)
    {
        HASH_DEL(workers->works, work);
        free(work);
    }
    HASH_DEL(workers->sessions, session);
    buf_clear(&session->promise);
    free(session);
}

static void asked_drop(struct workers *workers)
{
    struct asked *asked, *next;
    DL_FOREACH_SAFE(workers->asked, asked, next)
    {
        if (--asked->question->left == 0)
            free(asked->question);
        free(asked);
    }
}

void workers_free(struct workers *workers)
{
    if (workers == NULL)
        return;
    if (workers->timer != -1) {
        zloop_reader_end(workers->config.loop, workers->sock);
        zloop_timer_end(workers->config.loop, workers->timer);
    }
    if (workers->soon != -1)
        zloop_timer_end(workers->config.loop, workers->soon);
    asked_drop(workers);
    while (workers->sessions != NULL)
        session_drop(workers, workers->sessions);
    zsock_destroy(&workers->sock);
    sending_free(workers->sending);
    buf_clear(&workers->out);
    buf_clear(&workers->files);
    free(workers->endpoint);
    free(workers->hash);
    free(workers->name);
    free(workers);
}

const char *workers_endpoint(const struct workers *workers)
{
    return workers->endpoint;
}

void workers_set_process(struct workers *workers, const char *hash, struct span files)
{
    int64_t now_us = workers_now(workers);
    char *old = workers->hash;
    workers->hash = mem_strdup(hash);
    free(old);
    buf_reset(&workers->files);
    (void)buf_add_span(&workers->files, files);
    assert(!workers->files.failed);
    for (struct session *session = workers->sessions; session != NULL; session = session->hh.next) {
        workers_session_count(workers, session);
        if (session->greeted && !session->leaving)
            workers_send_process(workers, session, now_us);
    }
    workers_soon(workers);
}

void workers_drain(struct workers *workers)
{
    int64_t now_us = workers_now(workers);
    workers->draining = true;
    for (struct session *session = workers->sessions; session != NULL; session = session->hh.next) {
        workers_session_count(workers, session);
        if (session->greeted)
            (void)workers_bye_when_empty(workers, session, now_us);
    }
}
