/* ticket.explain; see read_explain.h. */
#include "read_explain.h"
#include "broker.h"
#include "calls.h"
#include "clock.h"
#include "load_work.h"
#include "mem.h"
#include "read_show.h"
#include "tracking.h"
#include "workers.h"

#include <stdlib.h>

enum { ANSWER_BYTES_MAX = 6 << 20, ASK_TIMEOUT_MS = 8000 };

/* Three steps: the history, the ticket as a worker needs it, the worker's answer. */
struct explaining {
    struct broker *broker;
    struct call *call;
    struct buf decisions; /* encoded list */
    struct buf deadlines; /* the same: verdicts as ticket.show gives them */
};

static void explaining_end(struct explaining *x, const struct err *err)
{
    if (err != NULL)
        call_refuse(x->call, err);
    buf_clear(&x->decisions);
    buf_clear(&x->deadlines);
    free(x);
}

/* ---- the worker's answer ---- */

static void explain_answer(struct explaining *x, const struct wire_val *result)
{
    static const char *const fields[] = {"priority", "clocks", "verify", "versions", "rules", "text"};
    char tracking[TRACKING_TEXT_BYTES];
    struct buf out;

    tracking_format(x->call->req.ticket, x->broker->settings.tracking_prefix, tracking);
    buf_init(&out, ANSWER_BYTES_MAX);
    wire_put_map(&out, 2 + sizeof fields / sizeof fields[0]);
    wire_put_key_text(&out, "tracking", tracking);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        wire_put_key_val(&out, fields[i], wire_find(result, fields[i]));
    wire_put_text(&out, "decisions");
    wire_put_raw(&out, buf_span(&x->decisions));
    call_answer(x->call, buf_span(&out));
    buf_clear(&out);
}

static void explain_on_answer(void *arg, const struct workers_answer *answer)
{
    struct explaining *x = arg;
    struct err err;

    if (answer->code == NULL) {
        explain_answer(x, answer->result);
        explaining_end(x, NULL);
    } else {
        (void)err_set(&err, ERR_UNAVAILABLE, "the worker %s could not explain it: %s", answer->worker,
                      answer->message);
        explaining_end(x, &err);
    }
}

/* ---- the ticket as a worker needs it ---- */

/* The body of a work that wakes for nothing, and the verdicts. */
static bool explain_body(struct broker *broker, struct span content, struct span deadlines, struct buf *out,
                         struct err *err)
{
    static const char *const fields[] = {"ticket", "customer", "events"};
    struct wire_doc *doc = NULL;

    if (!wire_parse(content.p, content.len, WIRE_DEPTH_MAX, &doc, err))
        return false;
    wire_put_map(out, 6);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        wire_put_key_val(out, fields[i], wire_find(wire_root(doc), fields[i]));
    wire_put_text(out, "reasons");
    wire_put_list(out, 0);
    wire_put_key_int(out, "now", broker_now(broker));
    wire_put_text(out, "deadlines");
    wire_put_raw(out, deadlines);
    wire_doc_free(doc);
    return true;
}

static void explain_on_work(void *arg, const struct load_work_item *items, size_t count,
                            const struct err *failed)
{
    struct explaining *x = arg;
    struct err err = {0};
    struct buf body;

    if (failed != NULL || count == 0 || items[0].content.p == NULL) {
        if (failed == NULL)
            (void)err_set(&err, count == 0 ? ERR_NOT_FOUND : ERR_TOO_LARGE, "the ticket %s",
                          count == 0 ? "is not there" : "is too large for a worker");
        explaining_end(x, failed != NULL ? failed : &err);
        return;
    }
    call_turn_over(x->call);
    buf_init(&body, ANSWER_BYTES_MAX);
    bool ok = explain_body(x->broker, items[0].content, buf_span(&x->deadlines), &body, &err) &&
              workers_ask(x->broker->workers, "explain", buf_span(&body), false, ASK_TIMEOUT_MS * US_PER_MS,
                          explain_on_answer, x, &err);
    buf_clear(&body);
    if (!ok)
        explaining_end(x, &err);
}

/* ---- the history ---- */

/* The rules of the ticket's decisions and the steps of its clocks, as their events keep them. */
static void put_decisions(const struct wire_val *events, struct buf *out)
{
    struct wire_map list = wire_list_open(out);

    for (size_t i = 0; i < wire_count(events); i++) {
        const struct wire_val *event = wire_at(events, i);
        const struct wire_val *body = wire_find(event, "body");
        if (wire_find(body, "trace") == NULL && wire_find(body, "clocks") == NULL)
            continue;
        wire_put_map(out, 5), list.count++;
        wire_put_key_val(out, "version", wire_find(event, "version"));
        wire_put_key_val(out, "at", wire_find(event, "at"));
        wire_put_key_val(out, "set", wire_find(body, "set"));
        wire_put_key_val(out, "clocks", wire_find(body, "clocks"));
        wire_put_key_val(out, "trace", wire_find(body, "trace"));
    }
    wire_list_close(out, &list);
}

static void explain_on_shown(void *arg, struct span body, const struct err *failed)
{
    struct explaining *x = arg;
    struct broker *broker = x->broker;
    struct wire_doc *doc = NULL;
    struct err err;

    if (failed != NULL || !wire_parse(body.p, body.len, WIRE_DEPTH_MAX, &doc, &err)) {
        explaining_end(x, failed != NULL ? failed : &err);
        return;
    }
    put_decisions(wire_find(wire_root(doc), "events"), &x->decisions);
    wire_put_val(&x->deadlines, wire_find(wire_root(doc), "deadlines"));
    wire_doc_free(doc);
    load_work_send(broker->reader_pg, broker->params, &x->call->req.ticket, 1,
                   broker->settings.tracking_prefix, explain_on_work, x);
}

void read_explain(struct broker *broker, struct call *call)
{
    struct explaining *x = mem_new(1, sizeof *x);

    x->broker = broker;
    x->call = call;
    buf_init(&x->decisions, ANSWER_BYTES_MAX);
    buf_init(&x->deadlines, ANSWER_BYTES_MAX);
    read_show_send(broker->reader_pg, broker->params, call->req.ticket, 0, -1,
                   broker->settings.tracking_prefix, explain_on_shown, x);
}
