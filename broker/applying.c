/* process.apply; see applying.h. */
#include "applying.h"
#include "broker.h"
#include "calls.h"
#include "desk.h"
#include "mem.h"
#include "op_unit.h"
#include "pg.h"
#include "process_room.h"
#include "statements.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILES_BYTES_MAX = 4 << 20 };

struct apply {
    struct op_unit op;
    struct span files;    /* encoded; owned */
    struct span warnings; /* encoded list; owned */
    char hash[PROCESS_HASH_BYTES];
};

static void warnings_set(struct apply *apply, struct span warnings)
{
    free((void *)(uintptr_t)apply->warnings.p);
    apply->warnings = (struct span){mem_dup(warnings.p, warnings.len), warnings.len};
}

static void apply_on_rows(void *arg, PGresult *rows)
{
    enum { CHANGED, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST, KEY_ANSWER };
    struct apply *apply = arg;

    op_unit_read_key(&apply->op, rows, KEY_TAKEN, KEY_CONTENT, KEY_REQUEST);
    struct span first = pg_span(rows, 0, KEY_ANSWER);
    if (first.len != 0) /* what is checked by now may be warned of otherwise */
        warnings_set(apply, first);
}

static void apply_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct apply *apply = (struct apply *)unit;
    const struct request *req = &apply->op.call->req;
    struct span comment = request_text(req, F_COMMENT);

    op_unit_put_key(&apply->op, params);
    pg_put_text(params, apply->hash);
    pg_put_bytes(params, apply->files);
    pg_put_text(params, req->actor);
    pg_put_text(params, desk_role_name(req->role));
    pg_put_bytes(params, comment.p == NULL ? span_of("") : comment);
    pg_put_bool(params, request_bool(req, F_RECOMPUTE, false));
    pg_put_bytes(params, apply->warnings);
    (void)pg_send(pg, W_PROCESS_APPLY, params, apply_on_rows, apply);
}

static void apply_answer(struct apply *apply)
{
    struct buf out;

    buf_init(&out, apply->warnings.len + 1024);
    wire_put_map(&out, 3);
    wire_put_key_text(&out, "hash", apply->hash);
    wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&apply->op.key));
    wire_put_text(&out, "warnings");
    wire_put_raw(&out, apply->warnings);
    call_answer(apply->op.call, buf_span(&out));
    buf_clear(&out);
}

static void apply_done(struct unit *unit, const struct err *err)
{
    struct apply *apply = (struct apply *)unit;

    if (err != NULL) {
        call_refuse(apply->op.call, err);
    } else if (!op_unit_conflicts(&apply->op)) {
        apply->op.broker->process_checked_us = 0; /* look at once, for the workers */
        apply_answer(apply);
    }
    free((void *)(uintptr_t)apply->files.p);
    free((void *)(uintptr_t)apply->warnings.p);
    free(apply);
}

/* Every worker that was asked took it, or there was none. */
static void apply_write(struct broker *broker, struct call *call, const struct process_files *files,
                        const char *hash, struct span warnings)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = apply_send,
                                          .done = apply_done};
    struct buf out;

    buf_init(&out, FILES_BYTES_MAX);
    process_files_encode(files, &out);
    struct apply *apply = mem_new(1, sizeof *apply);
    apply->files.p = buf_take(&out, &apply->files.len);
    warnings_set(apply, warnings);
    (void)snprintf(apply->hash, sizeof apply->hash, "%s", hash);
    op_unit_start(&apply->op, &type, broker, call);
}

void applying_apply(struct broker *broker, struct call *call)
{
    process_room_check(broker, call, apply_write);
}
