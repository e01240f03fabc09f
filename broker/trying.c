/* A version of the process tried on tickets; see trying.h. */
#include "trying.h"
#include "broker.h"
#include "calls.h"
#include "clock.h"
#include "load_work.h"
#include "mem.h"
#include "pg.h"
#include "process.h"
#include "read_end.h"
#include "statements.h"
#include "tracking.h"
#include "workers.h"

#include <stdlib.h>

enum {
    PAGE_MAX = 100,
    ASK_BYTES_MAX = 4000000,
    ANSWER_BYTES_MAX = 6 << 20,
    LIST_BYTES_MAX = 256 << 10,
    ASK_TIMEOUT_MS = 30000
};

struct trying {
    struct broker *broker;
    struct call *call;
    const char *what; /* the question to the worker */
    bool past;        /* closed tickets too, and their whole history */
    char hash[PROCESS_HASH_BYTES];
    int64_t tickets[PAGE_MAX];
    size_t count, asked; /* found; of these asked about, as many as a message holds */
};

static void trying_end(struct trying *trying, const struct err *err)
{
    if (err != NULL)
        call_refuse(trying->call, err);
    free(trying);
}

/* ---- the worker's answer ---- */

static void trying_answer(struct trying *trying, const struct wire_val *rows)
{
    int64_t limit = request_int(&trying->call->req, F_LIMIT, PAGE_MAX);
    bool more =
        trying->asked < trying->count || (int64_t)trying->count >= (limit < PAGE_MAX ? limit : PAGE_MAX);
    char cursor[TRACKING_TEXT_BYTES];
    struct buf out;

    buf_init(&out, ANSWER_BYTES_MAX);
    wire_put_map(&out, 4);
    wire_put_key_text(&out, "hash", trying->hash);
    wire_put_key_int(&out, "looked", (int64_t)trying->asked);
    wire_put_text(&out, "rows");
    if (rows == NULL)
        wire_put_list(&out, 0);
    else
        wire_put_val(&out, rows);
    if (more && trying->asked != 0)
        tracking_format(trying->tickets[trying->asked - 1], trying->broker->settings.tracking_prefix, cursor);
    wire_put_key_text(&out, "cursor", more && trying->asked != 0 ? cursor : NULL);
    call_answer(trying->call, buf_span(&out));
    buf_clear(&out);
}

static void trying_on_answer(void *arg, const struct workers_answer *answer)
{
    struct trying *trying = arg;
    struct err err;

    if (answer->code == NULL) {
        trying_answer(trying, wire_find(answer->result, "rows"));
        trying_end(trying, NULL);
    } else {
        bool invalid = span_is(span_of(answer->code), "invalid");
        (void)err_field(&err, invalid ? ERR_INVALID : ERR_UNAVAILABLE, invalid ? "files" : "", "%s",
                        answer->message);
        trying_end(trying, &err);
    }
}

/* ---- the tickets ---- */

/* One ticket as the body of a work; what was posted long ago is judged until it was closed, what is open until now. */
static bool put_one(struct broker *broker, struct span content, struct buf *out)
{
    static const char *const fields[] = {"ticket", "customer", "events"};
    struct wire_doc *doc = NULL;
    struct err unused;

    if (content.p == NULL || !wire_parse(content.p, content.len, WIRE_DEPTH_MAX, &doc, &unused))
        return false;
    bool closed = span_is(wire_find_str(wire_find(wire_root(doc), "ticket"), "state"), "closed");
    wire_put_map(out, closed ? 5 : 6);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        wire_put_key_val(out, fields[i], wire_find(wire_root(doc), fields[i]));
    wire_put_text(out, "reasons");
    wire_put_list(out, 0);
    wire_put_key_int(out, "now", broker_now(broker));
    if (!closed)
        wire_put_key_int(out, "until_at", broker_now(broker));
    wire_doc_free(doc);
    return true;
}

static const struct load_work_item *item_find(const struct load_work_item *items, size_t count,
                                              int64_t ticket)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].ticket == ticket)
            return &items[i];
    return NULL;
}

/* In order of id, as many as the message holds; the rest is the next page's. */
static void put_works(struct trying *trying, const struct load_work_item *items, size_t count,
                      struct buf *out)
{
    struct wire_map list = wire_list_open(out);

    for (trying->asked = 0; trying->asked < trying->count; trying->asked++) {
        const struct load_work_item *item = item_find(items, count, trying->tickets[trying->asked]);
        if (item == NULL)
            continue;
        if (list.count != 0 && out->len + item->content.len > ASK_BYTES_MAX)
            break;
        list.count += put_one(trying->broker, item->content, out);
    }
    wire_list_close(out, &list);
}

static void trying_on_work(void *arg, const struct load_work_item *items, size_t count,
                           const struct err *failed)
{
    struct trying *trying = arg;
    struct err err = {0};
    struct buf body;

    if (failed != NULL) {
        trying_end(trying, failed);
        return;
    }
    buf_init(&body, 2 * ASK_BYTES_MAX);
    wire_put_map(&body, 3);
    wire_put_key_text(&body, "hash", trying->hash);
    wire_put_key_val(&body, "files", trying->call->req.vals[F_FILES]);
    wire_put_text(&body, "works");
    put_works(trying, items, count, &body);
    bool ok = workers_ask(trying->broker->workers, trying->what, buf_span(&body), false,
                          ASK_TIMEOUT_MS * US_PER_MS, trying_on_answer, trying, &err);
    buf_clear(&body);
    if (!ok)
        trying_end(trying, &err);
}

static void trying_on_rows(void *arg, PGresult *rows)
{
    struct trying *trying = arg;
    trying->count = (size_t)PQntuples(rows);
    for (size_t i = 0; i < trying->count && i < PAGE_MAX; i++)
        trying->tickets[i] = pg_int(rows, (int)i, 0);
}

static void trying_on_page(void *arg, const struct pg_end *end)
{
    struct trying *trying = arg;
    struct broker *broker = trying->broker;
    struct err err;

    if (!read_end_is_ok(end, "trying", &err)) {
        trying_end(trying, &err);
    } else if (trying->count == 0) {
        trying_answer(trying, NULL);
        trying_end(trying, NULL);
    } else if (trying->past) {
        load_work_send_whole(broker->reader_pg, broker->params, trying->tickets, trying->count,
                             broker->settings.tracking_prefix, trying_on_work, trying);
    } else {
        load_work_send(broker->reader_pg, broker->params, trying->tickets, trying->count,
                       broker->settings.tracking_prefix, trying_on_work, trying);
    }
}

/* ---- the request ---- */

/* The files are checked here as process.apply would: all that is wrong in them goes into ret_list. Else the id to begin after. */
static bool trying_read(struct trying *trying, int64_t *ret_after, struct buf *ret_list, struct err *err)
{
    const struct request *req = &trying->call->req;
    struct span cursor = request_text(req, F_CURSOR);
    int64_t from_at = request_int(req, F_POSTED_FROM_AT, 0), after = 0;
    struct process_files files = {NULL, 0};
    struct process *parsed = NULL;
    struct faults faults = {0};

    bool ok = process_files_decode(req->vals[F_FILES], &files, err);
    if (ok && !process_load_new(&files, &parsed, &faults)) {
        ok = faults_to_err(&faults, ERR_INVALID, err);
        (void)snprintf(err->field, sizeof err->field, "files");
        faults_format(&faults, ret_list);
    }
    process_files_hash(&files, trying->hash);
    faults_clear(&faults);
    process_free(parsed);
    process_files_clear(&files);
    if (ok && from_at / US_PER_S > TRACKING_EPOCH_S)
        after = tracking_id(from_at / US_PER_S - TRACKING_EPOCH_S, 0, 0) - 1;
    if (ok && cursor.len != 0 &&
        !tracking_parse(cursor, trying->broker->settings.tracking_prefix, &after, err))
        ok = err_field(err, ERR_INVALID, "cursor", "cursor: not one of this op");
    if (ok)
        *ret_after = after;
    return ok;
}

static void trying_start(struct broker *broker, struct call *call, const char *what, bool past)
{
    struct trying *trying = mem_new(1, sizeof *trying);
    struct err err = {0};
    int64_t after = 0, limit = request_int(&call->req, F_LIMIT, PAGE_MAX);
    struct buf list;

    *trying = (struct trying){.broker = broker, .call = call, .what = what, .past = past};
    buf_init(&list, LIST_BYTES_MAX);
    if (!trying_read(trying, &after, &list, &err)) {
        call_refuse_long(call, &err, list.len != 0 ? buf_span(&list) : span_of(err.msg));
        trying_end(trying, NULL);
        buf_clear(&list);
        return;
    }
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, after);
    pg_put_bool(broker->params, past);
    pg_put_int4(broker->params, (int32_t)(limit < PAGE_MAX ? limit : PAGE_MAX));
    (void)pg_send(broker->reader_pg, READER_TRYING_PAGE, broker->params, trying_on_rows, trying);
    pg_sync(broker->reader_pg, trying_on_page, trying);
}

void trying_whatif(struct broker *broker, struct call *call)
{
    trying_start(broker, call, "whatif", false);
}

void trying_simulate(struct broker *broker, struct call *call)
{
    trying_start(broker, call, "simulate", true);
}
