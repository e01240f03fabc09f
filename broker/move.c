/* Open tickets to another package; see move.h.
 *
 * Page by page and a few at a time. Nothing is kept of it: who gets no answer repeats with the same key, and what moved already is not found
 * any more. */
#include "move.h"
#include "broker.h"
#include "change_internal.h"
#include "change_ops.h"
#include "mem.h"
#include "ops.h"
#include "read_end.h"
#include "statements.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { WINDOW = 16, PAGE = 500 };

struct move {
    struct broker *broker;
    struct call *call;
    struct change_input *input;
    bool duplicate, reading, going, is_last_page;
    struct err err; /* the first that could be repeated */
    int64_t page[PAGE], last;
    size_t page_count, next, in_flight, moved;
};

static void move_go(struct move *move);

static struct span record_text(const struct move *move, const char *key)
{
    return wire_find_str(move->call->req.vals[F_CUSTOMER_RECORD], key);
}

static void move_end(struct move *move)
{
    struct buf out;

    if (move->err.code != ERR_NONE) {
        call_refuse(move->call, &move->err);
    } else {
        buf_init(&out, 512);
        wire_put_map(&out, 3);
        wire_put_key_str(&out, "customer", record_text(move, "id"));
        wire_put_key_int(&out, "moved", (int64_t)move->moved);
        wire_put_key_bool(&out, "duplicate", move->duplicate);
        call_answer(move->call, buf_span(&out));
        buf_clear(&out);
    }
    change_input_release(move->input);
    free(move);
}

/* One that was closed meanwhile stays as it is. */
static void on_moved(void *arg, const struct change_result *result)
{
    struct move *move = arg;

    move->in_flight--;
    move->moved += result->err.code == ERR_NONE;
    if (err_is_retry(result->err.code) && move->err.code == ERR_NONE)
        move->err = result->err;
    if (!move->going)
        move_go(move);
}

static void move_one(struct move *move, int64_t ticket)
{
    unsigned char key[16];

    randombytes_buf(key, sizeof key);
    move->in_flight++;
    change_order(move->broker, move->input,
                 &(struct change_order){.ticket = ticket, .key_digest = key, .done = on_moved, .arg = move});
}

static void page_on_rows(void *arg, PGresult *rows)
{
    struct move *move = arg;

    move->page_count = (size_t)PQntuples(rows);
    move->next = 0;
    move->is_last_page = move->page_count < PAGE;
    for (int i = 0; i < PQntuples(rows); i++)
        move->page[i] = move->last = pg_int(rows, i, 0);
}

static void page_on_end(void *arg, const struct pg_end *end)
{
    struct move *move = arg;

    move->reading = false;
    (void)read_end_is_ok(end, "customer_open", &move->err);
    move_go(move);
}

static void move_read(struct move *move)
{
    struct pg_params *params = move->broker->params;

    move->reading = true;
    pg_params_reset(params);
    pg_put_bytes(params, record_text(move, "id"));
    pg_put_bytes(params, record_text(move, "package"));
    pg_put_int8(params, move->last);
    pg_put_int4(params, PAGE);
    (void)pg_send(move->broker->reader_pg, READER_CUSTOMER_OPEN, params, page_on_rows, move);
    pg_sync(move->broker->reader_pg, page_on_end, move);
}

static void move_go(struct move *move)
{
    move->going = true;
    while (move->err.code == ERR_NONE && move->next < move->page_count && move->in_flight < WINDOW)
        move_one(move, move->page[move->next++]);
    move->going = false;
    if (move->in_flight != 0 || move->reading)
        return;
    if (move->err.code != ERR_NONE || move->is_last_page)
        move_end(move);
    else
        move_read(move);
}

static struct span move_body(struct span package)
{
    struct buf out;
    size_t len;

    buf_init(&out, 256);
    wire_put_map(&out, 1);
    wire_put_key_str(&out, "package", package);
    char *bytes = buf_take(&out, &len);
    return (struct span){bytes, len};
}

void move_open_tickets(struct broker *broker, struct call *call, bool duplicate)
{
    static const struct change_plan plan = {.row = DO_UPDATE, .event = EVENT_UPDATED, .reply_pending = -1};
    struct move *move = mem_new(1, sizeof *move);

    move->broker = broker;
    move->call = call;
    move->duplicate = duplicate;
    move->input = change_input_of(call, &plan);
    move->input->package = record_text(move, "package");
    change_input_say(move->input, move_body(move->input->package));
    move_read(move);
}
