/* The workers' endpoint: questions to workers; see workers.h. */
#include "workers_internal.h"

#include <stdlib.h>

#include "mem.h"

enum { ASK_ENTRIES_MAX = 14, ASK_TEXT_MAX = 1024 };

/* Ends one question to one worker: tells its asker, frees what is over. */
static void asked_end(struct workers *workers, struct asked *asked, struct workers_answer *answer)
{
    struct question *question = asked->question;
    answer->worker = asked->session->name;
    answer->left = --question->left;
    DL_DELETE(workers->asked, asked);
    free(asked);
    workers_answer_fn *fn = question->fn;
    void *arg = question->arg;
    if (question->left == 0)
        free(question);
    workers->owes_turn = true;
    fn(arg, answer);
}

static void ask_session(struct workers *workers, struct session *session, struct question *question,
                        const char *what, struct span entries, size_t count, int64_t now_us)
{
    struct asked *asked = mem_new(1, sizeof *asked);
    asked->id = ++workers->last_id;
    asked->session = session;
    asked->question = question;
    DL_APPEND(workers->asked, asked);
    question->left++;

    struct buf *out = workers_message(workers, "ask", asked->id);
    wire_put_map(out, count + 1);
    wire_put_key_text(out, "what", what);
    wire_put_raw(out, entries);
    (void)workers_send(workers, session, out, now_us); /* not reached: answered when the session ends */
}

/* The one to ask when any will do: it decides, and holds least. */
static struct session *ask_pick(const struct workers *workers)
{
    struct session *best = NULL;
    for (struct session *session = workers->sessions; session != NULL; session = session->hh.next) {
        if (!session->greeted || session->leaving || session->gone)
            continue;
        bool ready = session->handout.credits > 0 && !session->late;
        bool best_ready = best != NULL && best->handout.credits > 0 && !best->late;
        if (best == NULL || (ready && !best_ready) ||
            (ready == best_ready && session->handout.held < best->handout.held))
            best = session;
    }
    return best;
}

bool workers_ask(struct workers *workers, const char *what, struct span body, bool all, int64_t timeout_us,
                 workers_answer_fn *fn, void *arg, struct err *err)
{
    int64_t now_us = workers_now(workers);
    struct session *one = ask_pick(workers);
    struct span entries;
    size_t count;

    if (!workers_map_open(body, &count, &entries) || count > ASK_ENTRIES_MAX)
        return err_set(err, ERR_INVALID, "the body of a question is not a map of up to %d entries",
                       ASK_ENTRIES_MAX);
    if (entries.len > WORKERS_MESSAGE_BYTES_MAX - ASK_TEXT_MAX)
        return err_set(err, ERR_TOO_LARGE, "the question is larger than a message may be");
    if (one == NULL)
        return err_set(err, ERR_UNAVAILABLE, "no worker is connected");
    struct question *question = mem_new(1, sizeof *question);
    *question = (struct question){.fn = fn, .arg = arg, .until_us = now_us + timeout_us};
    if (!all) {
        ask_session(workers, one, question, what, entries, count, now_us);
        return true;
    }
    for (struct session *session = workers->sessions; session != NULL; session = session->hh.next)
        if (session->greeted && !session->leaving && !session->gone)
            ask_session(workers, session, question, what, entries, count, now_us);
    return true;
}

/* False when the message is not of the protocol's form. An answer to a question that is over is ignored. */
bool workers_on_answer(struct workers *workers, struct session *session, const int64_t *id,
                       const struct wire_val *body)
{
    const struct wire_val *error = wire_find(body, "error");
    char code[SHORT_TEXT_MAX + 1], message[ASK_TEXT_MAX];
    struct workers_answer answer = {0};
    bool ok = false;

    if (id == NULL || !wire_get_bool(wire_find(body, "ok"), &ok))
        return false;
    if (ok) {
        answer.result = wire_find(body, "result");
    } else {
        workers_text_copy(code, sizeof code, wire_find_str(error, "code"));
        workers_text_copy(message, sizeof message, wire_find_str(error, "message"));
        answer.code = code[0] != '\0' ? code : "internal";
        answer.message = message;
    }
    struct asked *asked = NULL;
    for (asked = workers->asked; asked != NULL; asked = asked->next)
        if (asked->id == *id && asked->session == session)
            break;
    if (asked != NULL)
        asked_end(workers, asked, &answer);
    return true;
}

/* The first question that is open with this session, or late at now_us (session NULL). */
static struct asked *asked_find(const struct workers *workers, const struct session *session, int64_t now_us)
{
    for (struct asked *asked = workers->asked; asked != NULL; asked = asked->next)
        if (session != NULL ? asked->session == session : asked->question->until_us <= now_us)
            return asked;
    return NULL;
}

void workers_asked_void(struct workers *workers, const struct session *session)
{
    struct asked *asked = NULL;
    while ((asked = asked_find(workers, session, 0)) != NULL) {
        struct workers_answer answer = {.code = "unavailable", .message = "the worker died or left"};
        asked_end(workers, asked, &answer);
    }
}

void workers_asked_late(struct workers *workers, int64_t now_us)
{
    struct asked *asked = NULL;
    while ((asked = asked_find(workers, NULL, now_us)) != NULL) {
        struct workers_answer answer = {.code = "timeout", .message = "the worker did not answer in time"};
        asked_end(workers, asked, &answer);
    }
}
