/* notification.bounced; see bounces.h. */
#include "bounces.h"
#include "broker.h"
#include "calls.h"
#include "mem.h"
#include "op_unit.h"
#include "pg.h"
#include "statements.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>

struct bounce {
    struct op_unit op;
    bool is_there; /* such a message by mail */
};

bool bounces_check(const struct request *req, struct err *err)
{
    struct span status = request_text(req, F_DSN_STATUS);

    for (size_t i = 0; i < status.len; i++)
        if (strchr("0123456789.", status.p[i]) == NULL)
            status.len = 0;
    if (status.len < 5 || status.p[0] != '5' || status.p[1] != '.')
        return err_field(err, ERR_INVALID, "status", "status: want one that says failure for good, as 5.1.1");
    return true;
}

static void bounce_on_rows(void *arg, PGresult *rows)
{
    enum { KEY_TAKEN, OLD_STATE, KEY_CONTENT, KEY_REQUEST };
    struct bounce *bounce = arg;

    bounce->is_there = !pg_is_null(rows, 0, OLD_STATE);
    op_unit_read_key(&bounce->op, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
}

static void bounce_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct bounce *bounce = (struct bounce *)unit;
    const struct request *req = &bounce->op.call->req;

    op_unit_put_key(&bounce->op, params);
    pg_put_int8(params, request_int(req, F_NOTIFICATION, 0));
    pg_put_bytes(params, request_text(req, F_DSN_STATUS));
    pg_put_bytes(params, request_text(req, F_TEXT));
    (void)pg_send(pg, W_NOTICE_BOUNCED, params, bounce_on_rows, bounce);
}

static void bounce_end(struct bounce *bounce)
{
    struct err none;
    struct buf out;

    if (!bounce->is_there) {
        (void)err_field(&none, ERR_NOT_FOUND, "notification", "no mail has the number %lld",
                        (long long)request_int(&bounce->op.call->req, F_NOTIFICATION, 0));
        call_refuse(bounce->op.call, &none);
        return;
    }
    bounce->op.broker->outbox_written = true; /* a notifier looks at once */
    buf_init(&out, 64);
    wire_put_map(&out, 1);
    wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&bounce->op.key));
    call_answer(bounce->op.call, buf_span(&out));
    buf_clear(&out);
}

static void bounce_done(struct unit *unit, const struct err *err)
{
    struct bounce *bounce = (struct bounce *)unit;

    if (err != NULL)
        call_refuse(bounce->op.call, err);
    else if (!op_unit_conflicts(&bounce->op))
        bounce_end(bounce);
    free(bounce);
}

void bounces_take(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = bounce_send,
                                          .done = bounce_done};
    struct bounce *bounce = mem_new(1, sizeof *bounce);

    op_unit_start(&bounce->op, &type, broker, call);
}
