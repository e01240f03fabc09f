/* The workers' endpoint: what is out with workers; see workers.h. */
#include "workers_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "log.h"
#include "mem.h"

static const char *const reason_names[] = {"posted", "event", "due", "process", "retry"};
enum { REASON_NAMES = sizeof reason_names / sizeof reason_names[0] };

int64_t workers_now(const struct workers *workers)
{
    return workers->config.clock_us();
}

/* Brings the totals up to date with a session. Credits that became free are told once, at the end of the
 * turn. */
void workers_session_count(struct workers *workers, struct session *session)
{
    bool closed =
        session->leaving || session->late || session->gone || workers->draining || workers->hash == NULL;
    session->handout.closed = closed;
    size_t room = handout_room(&session->handout, false);
    size_t room_p1 = handout_room(&session->handout, true);
    if (room > session->room || room_p1 > session->room_p1)
        workers->owes_turn = true;
    workers->room += room - session->room;
    workers->room_p1 += room_p1 - session->room_p1;
    session->room = room;
    session->room_p1 = room_p1;
}

size_t workers_room(const struct workers *workers, bool p1)
{
    return p1 ? workers->room_p1 : workers->room;
}

/* ---- handing out ---- */

static void put_reasons(struct buf *out, unsigned reasons)
{
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < REASON_NAMES; i++)
        if ((reasons & 1u << i) != 0)
            wire_put_text(out, reason_names[i]), list.count++;
    wire_list_close(out, &list);
}

static void put_work(struct buf *out, int64_t id, const struct wake *wake, struct span entries,
                     int64_t now_at)
{
    workers_message_into(out, "work", id);
    wire_put_map(out, 6);
    wire_put_raw(out, entries);
    wire_put_text(out, "reasons");
    put_reasons(out, wake->reasons);
    wire_put_key_int(out, "now", now_at);
    wire_put_key_int(out, "attempt", wake->attempt);
}

static struct session *workers_pick(const struct workers *workers, bool p1, bool suspect)
{
    struct session *best = NULL;
    for (struct session *session = workers->sessions; session != NULL; session = session->hh.next) {
        if (!handout_takes(&session->handout, p1, suspect))
            continue;
        if (best == NULL || handout_beats(&session->handout, &best->handout, p1, suspect))
            best = session;
    }
    return best;
}

/* Notes that the work is with the session from now on. */
static void work_begin(struct workers *workers, struct session *session, int64_t id, struct wake *wake,
                       int64_t now_us)
{
    struct work *work = mem_new(1, sizeof *work);
    work->id = id;
    work->wake = wake;
    work->session = session;
    work->sent_us = now_us;
    HASH_ADD(hh, workers->works, id, sizeof work->id, work);
    DL_APPEND(session->works, work);
    DL_APPEND2(workers->late, work, late_prev, late_next);
}

/* Sends to one session, or promises. False: it could not be reached. */
static bool hand_to(struct workers *workers, struct session *session, struct wake *wake, int64_t now_us)
{
    int64_t id = workers->last_id;
    if (wake->suspect && session->handout.held > 0) {
        session->promised = wake;
        session->promise_id = id;
        buf_reset(&session->promise);
        (void)buf_add_span(&session->promise, buf_span(&workers->out));
    } else if (!workers_send(workers, session, &workers->out, now_us)) {
        return false;
    } else {
        work_begin(workers, session, id, wake, now_us);
    }
    (void)handout_give(&session->handout, wake->suspect);
    workers_session_count(workers, session);
    wake->work = id;
    return true;
}

bool workers_hand(struct workers *workers, struct wake *wake, struct span content, int64_t now_at,
                  struct err *err)
{
    bool p1 = wake->class == WAKE_P1;
    int64_t now_us = workers_now(workers);
    struct span entries;
    size_t count;

    if (!workers_map_open(content, &count, &entries) || count != 3)
        return err_set(err, ERR_INVALID, "the content of a work is not a map of ticket, customer and events");
    put_work(&workers->out, ++workers->last_id, wake, entries, now_at);
    if (workers->out.failed)
        return err_set(err, ERR_TOO_LARGE, "the work is larger than a message may be");
    for (;;) {
        struct session *session = workers_pick(workers, p1, wake->suspect);
        if (session == NULL)
            return err_set(err, ERR_BUSY, "no worker has room");
        if (hand_to(workers, session, wake, now_us))
            return true;
    }
}

void workers_forget(struct workers *workers, struct wake *wake)
{
    struct work *work = NULL;
    int64_t id = wake->work;
    wake->work = 0;
    if (id == 0)
        return;
    HASH_FIND(hh, workers->works, &id, sizeof id, work);
    if (work != NULL) {
        assert(work->wake == wake || work->wake == NULL);
        work->wake = NULL;
        return;
    }
    for (struct session *session = workers->sessions; session != NULL; session = session->hh.next) {
        if (session->promised != wake)
            continue;
        session->promised = NULL;
        buf_clear(&session->promise);
        handout_cancel(&session->handout);
        workers_session_count(workers, session);
        workers_soon(workers);
        return;
    }
}

/* ---- coming back ---- */

struct work *workers_work_find(struct workers *workers, const struct session *session, int64_t id)
{
    struct work *work = NULL;
    HASH_FIND(hh, workers->works, &id, sizeof id, work);
    return work != NULL && work->session == session ? work : NULL;
}

/* Takes the work out of all lists; its wake is the owner's again. */
static struct wake *work_unlink(struct workers *workers, struct work *work)
{
    struct wake *wake = work->wake;
    DL_DELETE(work->session->works, work);
    DL_DELETE2(workers->late, work, late_prev, late_next);
    HASH_DEL(workers->works, work);
    free(work);
    if (wake != NULL)
        wake->work = 0;
    return wake;
}

/* The suspect that waited for this session to be empty goes out. */
static void work_keep_promise(struct workers *workers, struct session *session, int64_t now_us)
{
    struct wake *wake = session->promised;
    session->promised = NULL;
    work_begin(workers, session, session->promise_id, wake, now_us);
    (void)workers_send(workers, session, &session->promise,
                       now_us); /* not reached: it ends with the session */
    buf_clear(&session->promise);
}

struct wake *workers_work_end(struct workers *workers, struct work *work, int64_t now_us)
{
    struct session *session = work->session;
    struct wake *wake = work_unlink(workers, work);
    if (handout_back(&session->handout))
        work_keep_promise(workers, session, now_us);
    workers_session_count(workers, session);
    return wake;
}

/* The suspect that waits for this session goes back to its owner: the session will not be empty soon. */
void workers_promise_void(struct workers *workers, struct session *session)
{
    struct wake *wake = session->promised;
    if (wake == NULL)
        return;
    session->promised = NULL;
    buf_clear(&session->promise);
    handout_cancel(&session->handout);
    workers_session_count(workers, session);
    wake->work = 0;
    workers->config.on_lost(workers->config.arg, wake);
}

/* The session is dead or void, and out of the table already: what it held goes back. */
void workers_works_void(struct workers *workers, struct session *session)
{
    const struct workers_config *config = &workers->config;
    bool alone =
        handout_is_alone(&session->handout) && !session->unsent; /* unsent: the worker never saw it */

    workers_promise_void(workers, session);
    while (session->works != NULL) {
        struct wake *wake = work_unlink(workers, session->works);
        if (wake == NULL)
            continue;
        wake->suspect = true;
        if (alone)
            config->on_fail(config->arg, wake, "died", "the worker died while it held this ticket",
                            session->name, true);
        else
            config->on_lost(config->arg, wake);
    }
}

void workers_works_late(struct workers *workers, int64_t now_us)
{
    const struct workers_config *config = &workers->config;
    while (workers->late != NULL && now_us - workers->late->sent_us > config->decide_timeout_us) {
        struct work *work = workers->late;
        struct session *session = work->session;
        bool alone = handout_is_alone(&session->handout);
        session->late = true;
        workers_promise_void(workers, session);
        struct wake *wake = workers_work_end(workers, work, now_us);
        log_event(LOG_WARN, "work_late", "worker=%s forgotten=%d", log_quote(session->name), wake == NULL);
        if (wake == NULL)
            continue;
        wake->suspect = true;
        config->on_fail(config->arg, wake, "timeout", "not decided in time", session->name, alone);
    }
}

size_t workers_out(const struct workers *workers)
{
    return HASH_COUNT(workers->works);
}

/* A worker that leaves and holds nothing is told that it may go. True: told. */
bool workers_bye_when_empty(struct workers *workers, struct session *session, int64_t now_us)
{
    if (!(session->leaving || workers->draining) || session->handout.held > 0 || session->promised != NULL)
        return false;
    workers_send_empty(workers, session, "bye", now_us);
    return true;
}
