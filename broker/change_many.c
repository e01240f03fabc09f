/* One op for a list of tickets; see change_many.h.
 *
 * A few changes are under way at a time, so that those of others go between them. The request's key is written first, so that another
 * request with it changes nothing; each ticket has a key derived from it, so that the same request again finds what is done. */
#include "change_many.h"
#include "broker.h"
#include "calls.h"
#include "fan.h"
#include "mem.h"
#include "pg.h"
#include "statements.h"
#include "tracking.h"
#include "wakes.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { WINDOW = 16, RESULT_BYTES = 1400 };

struct many {
    struct broker *broker;
    struct call *call;
    struct change_input *input;
    struct change_result *results; /* in the order of the request's tickets */
    struct many_item {
        struct many *many;
        size_t i;
    } * items;
    size_t count, begun, ended;
    bool duplicates; /* all so far */
    bool has_children, going;
};

static void many_free(struct many *many)
{
    change_input_release(many->input);
    free(many->results);
    free(many->items);
    free(many);
}

/* ---- the answer ---- */

static void put_error(struct buf *out, const struct err *err)
{
    wire_put_text(out, "error");
    wire_put_map(out, 4);
    wire_put_key_text(out, "code", err_code_name(err->code));
    wire_put_key_text(out, "message", err->msg);
    wire_put_key_text(out, "field", err->field[0] == '\0' ? NULL : err->field);
    wire_put_key_bool(out, "retry", err_is_retry(err->code));
}

static void put_result(const struct many *many, const struct change_result *result, struct buf *out)
{
    char tracking[TRACKING_TEXT_BYTES];

    tracking_format(result->ticket, many->broker->settings.tracking_prefix, tracking);
    wire_put_map(out, result->err.code == ERR_NONE ? 3 : 2);
    wire_put_key_text(out, "tracking", tracking);
    if (result->err.code != ERR_NONE) {
        put_error(out, &result->err);
        return;
    }
    wire_put_key_int(out, "version", result->version);
    wire_put_key_bool(out, "duplicate", result->duplicate);
}

static void many_answer(struct many *many)
{
    struct buf out;

    buf_init(&out, (many->count + 1) * RESULT_BYTES);
    wire_put_map(&out, 2);
    wire_put_text(&out, "results");
    wire_put_list(&out, many->count);
    for (size_t i = 0; i < many->count; i++)
        put_result(many, &many->results[i], &out);
    wire_put_key_bool(&out, "duplicate", many->duplicates);
    call_answer(many->call, buf_span(&out));
    buf_clear(&out);
    if (many->has_children)
        fan_kick(many->broker);
    many_free(many);
}

/* ---- some at a time ---- */

static void many_go(struct many *many);

static void on_changed(void *arg, const struct change_result *result)
{
    struct many_item *item = arg;
    struct many *many = item->many;

    many->results[item->i] = *result;
    many->results[item->i].duplicates = NULL; /* its text lives for this call only */
    many->ended++;
    many->has_children = many->has_children || result->has_children;
    many->duplicates = many->duplicates && result->err.code == ERR_NONE && result->duplicate;
    if (!many->going)
        many_go(many);
}

static void many_key(const struct many *many, int64_t ticket, unsigned char ret[16])
{
    unsigned char id[8];

    for (int i = 0; i < 8; i++)
        id[i] = (unsigned char)((uint64_t)ticket >> (8 * i));
    (void)crypto_generichash(ret, 16, many->call->req.key_digest, 16, id, sizeof id);
}

static void many_begin(struct many *many, size_t i)
{
    int64_t ticket = many->call->req.tickets[i];
    struct change_result rests = {.ticket = ticket};
    unsigned char key[16];

    many->begun++;
    if (wakes_rests(many->broker, ticket)) {
        (void)err_set(&rests.err, ERR_BUSY, "the ticket rests until it is decided: repeat in a moment");
        on_changed(&many->items[i], &rests);
        return;
    }
    many_key(many, ticket, key);
    change_order(many->broker, many->input,
                 &(struct change_order){
                     .ticket = ticket, .key_digest = key, .done = on_changed, .arg = &many->items[i]});
}

/* A change may end at once, before change_order returns. */
static void many_go(struct many *many)
{
    many->going = true;
    while (many->begun < many->count && many->begun - many->ended < WINDOW)
        many_begin(many, many->begun);
    many->going = false;
    if (many->ended == many->count)
        many_answer(many);
}

/* ---- the key ---- */

struct key_unit {
    struct unit unit;
    struct many *many;
    bool is_other; /* used before for something else */
};

static void key_on_rows(void *arg, PGresult *rows)
{
    struct key_unit *key = arg;
    struct span content = pg_span(rows, 0, 0);

    key->is_other = pg_bool(rows, 0, 1) || content.len != 16 ||
                    memcmp(content.p, key->many->call->req.content_digest, 16) != 0;
}

static void key_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct key_unit *key = (struct key_unit *)unit;
    const struct request *req = &key->many->call->req;

    pg_put_bytes(params, (struct span){(const char *)req->key_digest, 16});
    pg_put_bytes(params, (struct span){(const char *)req->content_digest, 16});
    (void)pg_send(pg, W_KEY_HOLD, params, key_on_rows, key);
}

static void key_done(struct unit *unit, const struct err *err)
{
    struct key_unit *key = (struct key_unit *)unit;
    struct many *many = key->many;
    struct err other;

    if (err == NULL && !key->is_other) {
        many_go(many);
    } else {
        (void)err_field(&other, ERR_CONFLICT, "key",
                        "key: it was used before with another op or other content");
        call_refuse(many->call, err != NULL ? err : &other);
        many_free(many);
    }
    free(key);
}

static const struct unit_type key_type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = key_send,
                                          .done = key_done};

void change_many(struct broker *broker, struct call *call, struct change_input *input)
{
    struct many *many = mem_new(1, sizeof *many);
    struct key_unit *key;

    input->uses++;
    *many = (struct many){
        .broker = broker, .call = call, .input = input, .count = call->req.ticket_count, .duplicates = true};
    many->results = mem_new(many->count, sizeof *many->results);
    many->items = mem_new(many->count, sizeof *many->items);
    for (size_t i = 0; i < many->count; i++)
        many->items[i] = (struct many_item){many, i};
    if (!call->req.has_key) {
        many_go(many);
        return;
    }
    key = mem_new(1, sizeof *key);
    key->unit.type = &key_type;
    key->unit.bytes = 128;
    key->many = many;
    writer_add(broker->writer, &key->unit);
}
