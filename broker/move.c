/* Open tickets to another package; see move.h.
 *
 * Page by page and a few at a time. That it is to be done is a row of `moves`, written with the customer's record: a broker that finds one of
 * a broker that is gone, or of its own that it could not end, goes on with it. What moved already is not found any more. */
#include "move.h"
#include "broker.h"
#include "calls.h"
#include "change_ops.h"
#include "clock.h"
#include "customer_put.h"
#include "log.h"
#include "mem.h"
#include "pg.h"
#include "read_end.h"
#include "statements.h"

#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

enum { WINDOW = 16, PAGE = 500, LOOK_EVERY_MS = 1000 };

struct move {
    struct broker *broker;
    int64_t epoch;
    struct call *call; /* NULL: whoever asked is gone */
    char *customer, *package;
    struct change_input *input;
    bool duplicate, reading, going, is_last_page;
    struct err err; /* the first that could be repeated */
    int64_t page[PAGE], last;
    size_t page_count, next, in_flight, moved;
};

static void move_go(struct move *move);

static void move_answer(struct move *move)
{
    struct buf out;

    if (move->err.code != ERR_NONE) {
        call_refuse(move->call, &move->err);
        return;
    }
    buf_init(&out, 256 << 10);
    struct wire_map map = wire_map_open(&out);
    wire_put_key_text(&out, "customer", move->customer), map.count++;
    wire_put_key_int(&out, "moved", (int64_t)move->moved), map.count++;
    wire_put_key_bool(&out, "duplicate", move->duplicate), map.count++;
    map.count += customer_put_warnings(move->broker, &move->call->req, &out);
    wire_map_close(&out, &map);
    call_answer(move->call, buf_span(&out));
    buf_clear(&out);
}

static void move_free(struct move *move)
{
    move->broker->moves_under_way--;
    change_input_release(move->input);
    free(move->customer);
    free(move->package);
    free(move);
}

/* The row stays when something failed: it is begun again. */
static void move_end(struct move *move)
{
    struct broker *broker = move->broker;

    if (move->err.code == ERR_NONE && broker->epoch == move->epoch && pg_is_up(broker->control_pg)) {
        pg_params_reset(broker->params);
        pg_put_text(broker->params, move->customer);
        pg_put_text(broker->params, move->package);
        (void)pg_send(broker->control_pg, C_MOVE_DONE, broker->params, NULL, NULL);
        pg_sync(broker->control_pg, NULL, NULL);
    }
    if (move->call != NULL)
        move_answer(move);
    else
        log_event(LOG_INFO, "open_tickets_moved", "customer=%s package=%s moved=%zu failed=%s",
                  log_quote(move->customer), log_quote(move->package), move->moved,
                  move->err.code == ERR_NONE ? "no" : log_quote(move->err.msg));
    move_free(move);
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
    pg_put_text(params, move->customer);
    pg_put_text(params, move->package);
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

    buf_init(&out, 256);
    wire_put_map(&out, 1);
    wire_put_key_str(&out, "package", package);
    return buf_take_span(&out);
}

static const struct change_plan move_plan = {.row = DO_UPDATE, .event = EVENT_UPDATED, .reply_pending = -1};

static struct move *move_new(struct broker *broker, struct span customer, struct span package)
{
    struct move *move = mem_new(1, sizeof *move);

    move->broker = broker;
    move->epoch = broker->epoch;
    move->customer = mem_strndup(customer.p, customer.len);
    move->package = mem_strndup(package.p, package.len);
    broker->moves_under_way++;
    return move;
}

/* Takes input. */
static void move_begin(struct move *move, struct change_input *input)
{
    move->input = input;
    input->package = span_of(move->package);
    change_input_say(input, move_body(input->package));
    move_read(move);
}

void move_open_tickets(struct broker *broker, struct call *call, bool duplicate)
{
    const struct wire_val *record = call->req.vals[F_CUSTOMER_RECORD];
    struct move *move = move_new(broker, wire_find_str(record, "id"), wire_find_str(record, "package"));

    move->call = call;
    move->duplicate = duplicate;
    move_begin(move, change_input_of(call, &move_plan));
}

/* ---- what somebody left behind ---- */

static void claim_on_rows(void *arg, PGresult *rows)
{
    enum { CUSTOMER, PACKAGE, ROLE, ACTOR };
    struct broker *broker = arg;

    if (PQntuples(rows) == 0 || !pg_is_up(broker->reader_pg) || broker->epoch == 0)
        return;
    struct move *move = move_new(broker, pg_span(rows, 0, CUSTOMER), pg_span(rows, 0, PACKAGE));
    struct change_input *input = change_input_new();
    struct span actor = pg_span(rows, 0, ACTOR);

    input->plan = move_plan;
    input->op = "customer.put";
    input->role = (enum desk_role)pg_int(rows, 0, ROLE);
    (void)snprintf(input->actor, sizeof input->actor, "%.*s", (int)actor.len, actor.p == NULL ? "" : actor.p);
    move_begin(move, input);
}

void move_tick(struct broker *broker)
{
    if (broker->moves_under_way != 0 || broker->epoch == 0 || broker->stopping ||
        !pg_is_up(broker->control_pg) ||
        !look_begins(&broker->moves_look, clock_mono_us(), LOOK_EVERY_MS * US_PER_MS))
        return;
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, broker->epoch);
    (void)pg_send(broker->control_pg, C_MOVE_CLAIM, broker->params, claim_on_rows, broker);
    pg_sync(broker->control_pg, look_on_end, &broker->moves_look);
}
