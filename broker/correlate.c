/* A submit with a correlation; see correlate.h. */
#include "correlate.h"
#include "broker.h"
#include "calls.h"
#include "change_internal.h"
#include "change_ops.h"
#include "mem.h"
#include "pg.h"
#include "statements.h"
#include "tracking.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* How often it is asked again before the client is: each time is a commit of its own. */
enum { TRIES_MAX = 50, ANSWER_BYTES = 512 };

struct correlating {
    struct unit unit;
    struct broker *broker;
    struct call *call;
    void (*post)(struct broker *broker, struct call *call, int64_t token);
    int64_t token;
    int tries;

    /* what the row said: believed after the commit only */
    bool was_before, was_posted, ours;
    int64_t ticket, posted_at;
};

static void correlate_again(struct correlating *c);

/* ---- an event of the open ticket ---- */

/* What the event keeps of a posting that came again. */
static const enum field kept_fields[] = {F_TITLE,         F_PROBLEM, F_IMPACT,    F_EQUIPMENT,
                                         F_CONFIGURATION, F_CHANNEL, F_ATTRIBUTES};

static void answer_merged(struct correlating *c, const struct change_result *result)
{
    char tracking[TRACKING_TEXT_BYTES];
    struct buf out;

    tracking_format(result->ticket, c->broker->settings.tracking_prefix, tracking);
    buf_init(&out, ANSWER_BYTES);
    wire_put_map(&out, 4);
    wire_put_key_text(&out, "tracking", tracking);
    wire_put_key_int(&out, "posted_at", c->posted_at);
    wire_put_key_bool(&out, "duplicate", result->duplicate);
    wire_put_key_bool(&out, "merged", true);
    call_answer(c->call, buf_span(&out));
    buf_clear(&out);
    free(c);
}

static void on_repeated(void *arg, const struct change_result *result)
{
    struct correlating *c = arg;
    const struct err *err = &result->err;
    /* It was closed meanwhile, or is not posted yet. */
    bool moved =
        (err->code == ERR_CONFLICT && strcmp(err->field, "state") == 0) || err->code == ERR_NOT_FOUND;

    if (err->code == ERR_NONE) {
        answer_merged(c, result);
    } else if (moved) {
        correlate_again(c);
    } else {
        call_refuse(c->call, err);
        free(c);
    }
}

/* An integration is a machine, unless it says who acts. */
static void correlate_repeat(struct correlating *c)
{
    static const struct change_plan plan = {.row = DO_REPEAT, .event = EVENT_REPEATED, .reply_pending = -1};
    const struct request *req = &c->call->req;
    struct change_input *input = change_input_of(c->call, &plan);

    if (!req->has_as) {
        input->role = ROLE_SYSTEM;
        (void)snprintf(input->actor, sizeof input->actor, "%s", c->broker->client_name);
    }
    change_input_say(input, change_event_body(req, kept_fields, sizeof kept_fields / sizeof kept_fields[0]));
    change_order(c->broker, input,
                 &(struct change_order){
                     .ticket = c->ticket, .key_digest = req->key_digest, .done = on_repeated, .arg = c});
    change_input_release(input);
}

/* ---- the correlation's row ---- */

static void correlate_on_rows(void *arg, PGresult *rows)
{
    enum { BEFORE, POSTED, TICKET, OURS, POSTED_AT };
    struct correlating *c = arg;

    c->was_before = !pg_is_null(rows, 0, POSTED); /* its ticket is NULL when it was for no one ticket */
    c->was_posted = pg_bool(rows, 0, POSTED);
    c->ours = pg_bool(rows, 0, OURS);
    c->posted_at = pg_int(rows, 0, POSTED_AT);
    /* The row may name a ticket that was committed while this waited for the row, and is not to be seen before it is asked again. */
    c->ticket = pg_is_null(rows, 0, POSTED_AT) ? 0 : pg_int(rows, 0, c->was_before ? BEFORE : TICKET);
}

static void correlate_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct correlating *c = (struct correlating *)unit;
    const struct request *req = &c->call->req;

    pg_put_bytes(params, (struct span){(const char *)req->key_digest, 16});
    pg_put_bytes(params, request_text(req, F_CUSTOMER));
    pg_put_bytes(params, request_text(req, F_CORRELATION));
    pg_put_int8(params, c->token);
    (void)pg_send(pg, W_CORRELATE, params, correlate_on_rows, c);
}

static void correlate_done(struct unit *unit, const struct err *err)
{
    struct correlating *c = (struct correlating *)unit;

    if (err != NULL) {
        call_refuse(c->call, err);
        free(c);
    } else if (c->was_before ? c->was_posted || c->ticket == 0 : c->ours && c->ticket == 0) {
        /* The key of an op that was for no one ticket is the posting's to refuse too. */
        c->post(c->broker, c->call, c->was_before ? 0 : c->token);
        free(c);
    } else if (c->ticket == 0) {
        correlate_again(c);
    } else {
        correlate_repeat(c);
    }
}

static const struct unit_type correlate_type = {.group = GROUP_SINGLE,
                                                .repeatable = true,
                                                .send = correlate_send,
                                                .done = correlate_done};

static void correlate_again(struct correlating *c)
{
    struct err err;

    if (c->tries++ < TRIES_MAX) {
        c->unit = (struct unit){.type = &correlate_type, .bytes = 512};
        writer_add(c->broker->writer, &c->unit);
        return;
    }
    (void)err_field(&err, ERR_BUSY, "correlation",
                    "correlation: another submit with it is just being posted: repeat in a moment");
    call_refuse(c->call, &err);
    free(c);
}

void correlate_submit(struct broker *broker, struct call *call,
                      void (*post)(struct broker *broker, struct call *call, int64_t token))
{
    struct correlating *c = mem_new(1, sizeof *c);

    c->broker = broker;
    c->call = call;
    c->post = post;
    randombytes_buf(&c->token, sizeof c->token);
    correlate_again(c);
}

/* ---- what it became ---- */

void correlate_send_posted(struct broker *broker, const struct call *call, int64_t token, int64_t ticket)
{
    struct pg_params *params = broker->writer_params;

    pg_params_reset(params);
    pg_put_bytes(params, request_text(&call->req, F_CUSTOMER));
    pg_put_bytes(params, request_text(&call->req, F_CORRELATION));
    pg_put_int8(params, token);
    pg_put_int8(params, ticket);
    (void)pg_send(broker->writer_pg, W_CORRELATED, params, NULL, NULL);
}
