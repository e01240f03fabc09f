/* ticket.find; see finding.h. */
#include "finding.h"
#include "broker.h"
#include "calls.h"
#include "mem.h"
#include "op_unit.h"
#include "pg.h"
#include "statements.h"
#include "tracking.h"

#include <stdlib.h>

struct find {
    struct op_unit op;

    /* what the row said: believed after the commit only */
    int64_t ticket, posted_at; /* 0: none */
    bool merged;
};

static void find_on_rows(void *arg, PGresult *rows)
{
    struct find *find = arg;
    find->ticket = PQntuples(rows) == 0 ? 0 : pg_int(rows, 0, 0);
    find->posted_at = PQntuples(rows) == 0 ? 0 : pg_int(rows, 0, 1);
    find->merged = PQntuples(rows) != 0 && pg_bool(rows, 0, 2);
}

static void find_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct find *find = (struct find *)unit;
    pg_put_bytes(params, (struct span){(const char *)find->op.call->req.key_digest, 16});
    (void)pg_send(pg, W_FIND, params, find_on_rows, find);
}

static void find_done(struct unit *unit, const struct err *err)
{
    struct find *find = (struct find *)unit;
    char tracking[TRACKING_TEXT_BYTES];
    struct buf out;
    struct err none;

    if (err != NULL) {
        call_refuse(find->op.call, err);
    } else if (find->ticket == 0) {
        (void)err_field(&none, ERR_NOT_FOUND, "key", "no ticket was posted with this key");
        call_refuse(find->op.call, &none);
    } else {
        buf_init(&out, 256);
        tracking_format(find->ticket, find->op.broker->settings.tracking_prefix, tracking);
        wire_put_map(&out, find->merged ? 3 : 2);
        wire_put_key_text(&out, "tracking", tracking);
        wire_put_key_int(&out, "posted_at", find->posted_at);
        if (find->merged)
            wire_put_key_bool(&out, "merged", true);
        call_answer(find->op.call, buf_span(&out));
        buf_clear(&out);
    }
    free(find);
}

void finding_find(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = find_send,
                                          .done = find_done};
    struct find *find = mem_new(1, sizeof *find);
    op_unit_start(&find->op, &type, broker, call);
}
