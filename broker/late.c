/* Words that come too late; see late.h.
 *
 * The comment's request becomes one of ticket.submit, with a key derived from its own: who repeats the comment gets the same new ticket. */
#include "late.h"
#include "broker.h"
#include "calls.h"
#include "mem.h"
#include "pg.h"
#include "read_end.h"
#include "statements.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { REQUEST_BYTES_MAX = 1 << 20, KEY_TEXT_BYTES = 33, TITLE_BYTES = 80 };

struct late {
    struct call *call;
    struct buf bytes; /* the new request */
};

static void late_free(struct late *late)
{
    buf_clear(&late->bytes);
    free(late);
}

static void put_key(struct buf *out, const unsigned char digest[16])
{
    unsigned char key[16];
    char text[KEY_TEXT_BYTES];

    (void)crypto_generichash(key, sizeof key, digest, 16, (const unsigned char *)"docket late 0001", 16);
    (void)sodium_bin2hex(text, sizeof text, key, sizeof key);
    wire_put_key_text(out, "key", text);
}

/* "Re: …", cut between letters: it must not grow beyond a title. It becomes one line: titles were stored before that was asked of them. */
static void put_title(struct buf *out, struct span title)
{
    char text[TITLE_BYTES + 8] = "Re: ";
    size_t len = strlen(text);

    title = span_cut(title, TITLE_BYTES);
    for (size_t i = 0, letter; i < title.len; i += letter) {
        for (letter = 1; i + letter < title.len && ((unsigned char)title.p[i + letter] & 0xc0) == 0x80;)
            letter++;
        bool shown = text_is_line((struct span){title.p + i, letter});
        memcpy(text + len, shown ? title.p + i : " ", shown ? letter : 1);
        len += shown ? letter : 1;
    }
    wire_put_key_str(out, "title", (struct span){text, len});
}

static void put_body(struct buf *out, const struct request *req, const PGresult *rows)
{
    enum { CUSTOMER, TITLE, EXTRA };
    struct span extra = pg_span(rows, 0, EXTRA);
    struct wire_doc *doc = NULL;
    struct err unused;

    if (extra.p != NULL && !wire_parse(extra.p, extra.len, WIRE_DEPTH_MAX, &doc, &unused))
        doc = NULL;
    const struct wire_val *contact = doc == NULL ? NULL : wire_find(wire_root(doc), "contact");
    struct wire_map body = wire_map_open(out);
    put_key(out, req->key_digest), body.count++;
    wire_put_key_val(out, "as", req->vals[F_AS]), body.count++;
    wire_put_key_str(out, "customer", pg_span(rows, 0, CUSTOMER)), body.count++;
    put_title(out, pg_span(rows, 0, TITLE)), body.count++;
    wire_put_key_str(out, "problem", request_text(req, F_TEXT)), body.count++;
    if (contact != NULL)
        wire_put_key_val(out, "contact", contact), body.count++;
    wire_map_close(out, &body);
    wire_doc_free(doc);
}

static void late_on_rows(void *arg, PGresult *rows)
{
    struct late *late = arg;
    const struct request *req = &late->call->req;

    if (PQntuples(rows) == 0)
        return;
    wire_put_map(&late->bytes, 4);
    wire_put_key_int(&late->bytes, "dkt", 1);
    wire_put_text(&late->bytes, "id");
    wire_put_raw(&late->bytes, req->id);
    wire_put_key_text(&late->bytes, "op", "ticket.submit");
    wire_put_text(&late->bytes, "body");
    put_body(&late->bytes, req, rows);
}

static void late_on_end(void *arg, const struct pg_end *end)
{
    struct late *late = arg;
    struct call *call = late->call;
    struct err err;

    if (!read_end_is_ok(end, "late", &err)) {
        call_refuse(call, &err);
    } else {
        call->related = call->req.ticket;
        call_again(call, buf_span(&late->bytes));
    }
    late_free(late);
}

void late_post(struct broker *broker, struct call *call)
{
    struct late *late = mem_new(1, sizeof *late);

    late->call = call;
    buf_init(&late->bytes, REQUEST_BYTES_MAX);
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, call->req.ticket);
    (void)pg_send(broker->reader_pg, READER_LATE, broker->params, late_on_rows, late);
    pg_sync(broker->reader_pg, late_on_end, late);
}
