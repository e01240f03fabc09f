/* Posting; see posting.h. */
#include "posting.h"
#include "calls.h"
#include "pg.h"
#include "process_room.h"
#include "broker.h"
#include "change_ops.h"
#include "clock.h"
#include "correlate.h"
#include "customers.h"
#include "key_known.h"
#include "load_work.h"
#include "mem.h"
#include "put_back.h"
#include "queue.h"
#include "statements.h"
#include "ticket_row.h"
#include "tracking.h"
#include "wakes.h"

#include <stdlib.h>
#include <string.h>

enum { CONTENT_BYTES_MAX = 2 << 20, SCRATCH_KEPT_MAX = 256 << 10, ROW_OVERHEAD = 256 };

/* One submit under way. Others with the same key wait behind it: a batch must not hold a key twice. */
struct posting {
    struct unit unit;
    struct broker *broker;
    struct call *call;
    int64_t id;
    int64_t correlation;        /* token under which its correlation's row is kept for it; 0: none */
    struct span extra, receipt; /* encoded, owned; NULL: none */
    struct posting *followers;  /* same key, in order of arrival */
    struct posting *next;
    struct posting *older, *newer; /* all that were given an id, in order */
    UT_hash_handle hh;             /* by key digest */

    /* what the row said: believed after the commit only */
    int64_t stored_id, posted_at;
    unsigned char stored_content[16];
    bool answered, inserted, key_taken, has_package;
    struct span package; /* owned */
    struct span record;  /* owned; the customer's, when it is another than the one known */
    int64_t rev;
};

struct postings {
    struct buf scratch; /* what is encoded, before it is copied at its right size */
    struct posting *by_key;
    struct posting *oldest, *newest;
};

struct postings *postings_new(void)
{
    struct postings *postings = mem_new(1, sizeof *postings);

    buf_init(&postings->scratch, CONTENT_BYTES_MAX);
    return postings;
}

void postings_free(struct postings *postings)
{
    if (postings == NULL)
        return;
    buf_clear(&postings->scratch);
    free(postings);
}

int64_t posting_oldest(const struct broker *broker)
{
    return broker->postings->oldest == NULL ? 0 : broker->postings->oldest->id;
}

/* ---- encoding ---- */

static struct span span_copy(struct span from)
{
    if (from.p == NULL)
        return SPAN_NONE;
    return (struct span){mem_dup(from.p, from.len), from.len};
}

static void span_free(struct span span)
{
    free((void *)(uintptr_t)span.p);
}

/* Empties the scratch. */
static struct buf *scratch_begin(struct postings *postings)
{
    if (postings->scratch.cap > SCRATCH_KEPT_MAX)
        buf_clear(&postings->scratch);
    buf_reset(&postings->scratch);
    return &postings->scratch;
}

/* What was encoded there, the caller's; SPAN_NONE when it grew beyond all limits. */
static struct span scratch_end(const struct buf *scratch)
{
    return scratch->failed ? SPAN_NONE : span_copy(buf_span(scratch));
}

/* What a posting may have besides its columns, as one map. */
static struct span posting_extra(struct postings *postings, const struct request *req)
{
    static const enum field kept[] = {F_EQUIPMENT, F_CONFIGURATION, F_CONTACT,    F_CHANNEL,
                                      F_IMPACT,    F_ATTRIBUTES,    F_CORRELATION};
    size_t count = 0;

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        count += request_has(req, kept[i]);
    if (count == 0)
        return SPAN_NONE;
    struct buf *out = scratch_begin(postings);
    wire_put_map(out, count);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (request_has(req, kept[i]))
            wire_put_key_val(out, request_field_name(kept[i]), req->vals[kept[i]]);
    return scratch_end(out);
}

/* The receipt names which of the facts that help were missing. */
static struct span posting_receipt(struct postings *postings, const struct request *req)
{
    bool equipment = request_has(req, F_EQUIPMENT) && wire_count(req->vals[F_EQUIPMENT]) != 0;
    bool configuration = request_has(req, F_CONFIGURATION) && wire_count(req->vals[F_CONFIGURATION]) != 0;

    if (equipment && configuration)
        return SPAN_NONE;
    struct buf *out = scratch_begin(postings);
    wire_put_map(out, 1);
    wire_put_text(out, "missing");
    wire_put_list(out, (size_t)!equipment + (size_t)!configuration);
    if (!equipment)
        wire_put_text(out, "equipment");
    if (!configuration)
        wire_put_text(out, "configuration");
    return scratch_end(out);
}

/* ---- the list of ids given ---- */

static void posting_link(struct postings *all, struct posting *posting)
{
    posting->older = all->newest;
    if (all->newest == NULL)
        all->oldest = posting;
    else
        all->newest->newer = posting;
    all->newest = posting;
}

static void posting_unlink(struct postings *all, struct posting *posting)
{
    if (posting->older == NULL)
        all->oldest = posting->newer;
    else
        posting->older->newer = posting->newer;
    if (posting->newer == NULL)
        all->newest = posting->older;
    else
        posting->newer->older = posting->older;
}

/* ---- answers ---- */

static void posting_answer(struct posting *posting, int64_t id, int64_t posted_at, bool duplicate)
{
    struct buf *out = scratch_begin(posting->broker->postings);
    char tracking[TRACKING_TEXT_BYTES];

    tracking_format(id, posting->broker->settings.tracking_prefix, tracking);
    wire_put_map(out, 3);
    wire_put_key_text(out, "tracking", tracking);
    wire_put_key_int(out, "posted_at", posted_at);
    wire_put_key_bool(out, "duplicate", duplicate);
    call_answer(posting->call, buf_span(out));
    posting->call = NULL;
}

static void posting_refuse(struct posting *posting, const struct err *err)
{
    call_refuse(posting->call, err);
    posting->call = NULL;
}

static void posting_conflict(struct posting *posting)
{
    struct err err;
    (void)err_field(&err, ERR_CONFLICT, "key", "key: it was used before with other content");
    posting_refuse(posting, &err);
}

static void posting_free(struct posting *posting)
{
    span_free(posting->extra);
    span_free(posting->receipt);
    span_free(posting->package);
    span_free(posting->record);
    free(posting);
}

/* ---- the wake ---- */

/* What a worker gets of a ticket that was just posted, without asking the database. */
static struct span posting_content(const struct posting *posting)
{
    const struct request *req = &posting->call->req;
    struct ticket_row row = {.id = posting->id,
                             .posted_at = posting->posted_at,
                             .version = 1,
                             .customer = request_text(req, F_CUSTOMER),
                             .package = posting->package,
                             .title = request_text(req, F_TITLE),
                             .problem = request_text(req, F_PROBLEM),
                             .extra = posting->extra};
    struct span record =
        posting->rev == 0 ? SPAN_NONE : customers_record(posting->broker->customers, row.customer);
    struct buf *out = scratch_begin(posting->broker->postings);

    load_work_put_fresh(out, &row, record, posting->broker->settings.tracking_prefix);
    return scratch_end(out);
}

static int package_weight(const struct broker *broker, struct span package)
{
    return broker->process.parsed == NULL ? 1 : (int)process_package_weight(broker->process.parsed, package);
}

/* The committed ticket goes straight into the queue: no query, and no row but the posting. */
static void posting_wake(struct posting *posting)
{
    struct broker *broker = posting->broker;
    struct span customer = request_text(&posting->call->req, F_CUSTOMER);

    if (posting->record.p != NULL)
        customers_learn(broker->customers, customer, posting->rev, posting->record);
    struct wake *wake = wakes_new(broker, posting->id, !posting->unit.repeat, customer);
    wake->wake_at = posting->posted_at;
    wake->rank = queue_rank(broker->queue, posting->posted_at, wake->customer,
                            package_weight(broker, posting->package));
    wake->reasons = REASON_POSTED;
    if (wakes_count(broker) > (size_t)broker->settings.queue_max) {
        put_back_give(broker, wake); /* no room in memory: it waits in the table */
        return;
    }
    if (broker->content_bytes <
        (size_t)broker->settings.content_bytes) /* else it is read when its turn comes */
        wakes_set_content(broker, wake, posting_content(posting));
    wakes_place(broker, wake, WAKE_QUEUED);
}

/* A repeated batch: the row was made now, under the new epoch, but its id lies in the old epoch's range. It gets a desk row. */
static void posting_wake_repeated(struct posting *posting)
{
    struct broker *broker = posting->broker;
    struct wake *wake = wakes_find(broker, posting->id);

    if (wake != NULL)
        return;
    wake = wakes_new(broker, posting->id, false, request_text(&posting->call->req, F_CUSTOMER));
    wake->wake_at = wake->rank = posting->posted_at;
    wake->reasons = REASON_POSTED;
    put_back_keep(broker, wake);
}

/* ---- the end ---- */

static void posting_followers_again(struct broker *broker, struct posting *list);
static const struct unit_type posting_type;

/* Those with the same key: the first one's commit proves it for them too. */
static void posting_end_followers(struct posting *first, bool stored, int64_t id, int64_t posted_at,
                                  const unsigned char *content)
{
    struct posting *list = first->followers;

    first->followers = NULL;
    if (!stored) {
        posting_followers_again(first->broker, list);
        return;
    }
    while (list != NULL) {
        struct posting *posting = list;
        list = posting->next;
        if (memcmp(content, posting->call->req.content_digest, 16) == 0)
            posting_answer(posting, id, posted_at, true);
        else
            posting_conflict(posting);
        posting_free(posting);
    }
}

static void posting_end_committed(struct posting *posting)
{
    const struct request *req = &posting->call->req;
    struct err err;
    bool same = memcmp(posting->stored_content, req->content_digest, 16) == 0;

    if (posting->key_taken || (posting->stored_id != 0 && !same)) {
        posting_conflict(posting);
    } else if (posting->stored_id == 0 || (posting->inserted && !posting->has_package)) {
        (void)err_field(&err, ERR_INVALID, "customer",
                        "customer: \"%.*s\" is not on file, and this desk refuses unknown customers",
                        (int)request_text(req, F_CUSTOMER).len, request_text(req, F_CUSTOMER).p);
        posting_refuse(posting, &err);
    } else {
        bool own = posting->stored_id == posting->id;
        if (posting->inserted && posting->unit.repeat)
            posting_wake_repeated(posting);
        else if (posting->inserted)
            posting_wake(posting);
        posting->broker->outbox_written = true;
        if (posting->inserted && posting->call->related != 0)
            change_link_posted(posting->broker, posting->call, posting->stored_id, posting->call->related);
        if (request_bool(req, F_TAKE, false)) {
            change_take_posted(posting->broker, posting->call, posting->stored_id, posting->posted_at, !own);
            posting->call = NULL;
        } else {
            posting_answer(posting, posting->stored_id, posting->posted_at, !own);
        }
    }
}

static void posting_done(struct unit *unit, const struct err *err)
{
    struct posting *posting = (struct posting *)unit;
    struct postings *all = posting->broker->postings;
    unsigned char content[16];
    int64_t id = posting->stored_id, posted_at = posting->posted_at;
    bool stored =
        err == NULL && !posting->key_taken && id != 0 && !(posting->inserted && !posting->has_package);

    HASH_DEL(all->by_key, posting);
    posting_unlink(all, posting);
    memcpy(content, posting->stored_content, sizeof content);
    if (err == NULL)
        posting_end_committed(posting);
    else
        posting_refuse(posting, err);
    posting_end_followers(posting, stored, id, posted_at, content);
    posting_free(posting);
}

static const struct unit_type posting_type = {.group = GROUP_POST, .repeatable = true, .done = posting_done};

/* ---- the beginning ---- */

static void posting_start(struct posting *posting)
{
    struct broker *broker = posting->broker;
    struct postings *all = broker->postings;
    const unsigned char *key = posting->call->req.key_digest;
    struct posting *first;
    struct err err;

    HASH_FIND(hh, all->by_key, key, 16, first);
    if (first != NULL) {
        struct posting **end = &first->followers;
        while (*end != NULL)
            end = &(*end)->next;
        posting->next = NULL;
        *end = posting;
        return;
    }
    if (!ids_next(&broker->ids, broker_now(broker), broker->ids_until, &posting->id, &err)) {
        posting_refuse(posting, &err);
        posting_free(posting);
        return;
    }
    HASH_ADD_KEYPTR(hh, all->by_key, key, 16, posting);
    posting_link(all, posting);
    writer_add(broker->writer, &posting->unit);
}

static void posting_followers_again(struct broker *broker, struct posting *list)
{
    struct err err;

    while (list != NULL) {
        struct posting *posting = list;
        list = posting->next;
        if (broker_may_write(broker, &err)) {
            posting_start(posting);
            continue;
        }
        posting_refuse(posting, &err);
        posting_free(posting);
    }
}

static void posting_begin(struct broker *broker, struct call *call, int64_t correlation)
{
    struct posting *posting = mem_new(1, sizeof *posting);

    posting->unit.type = &posting_type;
    posting->unit.bytes = wire_doc_bytes(call->req.doc).len + ROW_OVERHEAD;
    posting->broker = broker;
    posting->call = call;
    posting->extra = posting_extra(broker->postings, &call->req);
    posting->receipt = posting_receipt(broker->postings, &call->req);
    posting->correlation = correlation;
    posting_start(posting);
}

/* Whether the instant a posting names for itself is near enough. */
static bool posting_may_be_of(struct broker *broker, const struct request *req, struct err *err)
{
    int64_t at = request_int(req, F_POSTED_AT, 0), now = broker_now(broker);

    if (!request_has(req, F_POSTED_AT))
        return true;
    if (broker->settings.posted_at_us == 0)
        return err_field(err, ERR_FORBIDDEN, "posted_at",
                         "posted_at: this broker takes the time of posting from its database only (setting "
                         "posted_at_max)");
    if (at > now)
        return err_field(err, ERR_INVALID, "posted_at",
                         "posted_at: lies in the future, by the database's clock");
    if (at < now - broker->settings.posted_at_us)
        return err_field(err, ERR_INVALID, "posted_at", "posted_at: may lie in the past by %lld s at most",
                         (long long)(broker->settings.posted_at_us / US_PER_S));
    return true;
}

static void posting_go(struct broker *broker, struct call *call)
{
    if (request_has(&call->req, F_CORRELATION))
        correlate_submit(broker, call, posting_begin);
    else
        posting_begin(broker, call, 0);
}

/* An instant that was near enough when it was posted first. */
static void posting_on_known(void *arg, struct call *call, const struct err *err)
{
    if (err != NULL)
        call_refuse(call, err);
    else
        posting_go(arg, call);
}

void posting_submit(struct broker *broker, struct call *call)
{
    struct err err;

    if (posting_may_be_of(broker, &call->req, &err))
        posting_go(broker, call);
    else
        key_known_or(broker, call, &err, posting_on_known, broker);
}

/* ---- the statement ---- */

static void posting_on_rows(void *arg, PGresult *rows)
{
    struct posting **postings = arg;
    enum { ORD, STORED_ID, POSTED_AT, INSERTED, CONTENT, PACKAGE, REV, RECORD, KEY_TAKEN };

    for (int i = 0; i < PQntuples(rows); i++) {
        struct posting *posting = postings[pg_int(rows, i, ORD) - 1];
        struct span content = pg_span(rows, i, CONTENT);
        span_free(posting->package);
        span_free(posting->record);
        posting->stored_id = pg_int(rows, i, STORED_ID);
        posting->posted_at = pg_int(rows, i, POSTED_AT);
        posting->inserted = pg_bool(rows, i, INSERTED);
        posting->key_taken = pg_bool(rows, i, KEY_TAKEN);
        posting->has_package = !pg_is_null(rows, i, PACKAGE);
        posting->package = span_copy(pg_span(rows, i, PACKAGE));
        posting->record = span_copy(pg_span(rows, i, RECORD));
        posting->rev = pg_int(rows, i, REV);
        memset(posting->stored_content, 0, sizeof posting->stored_content);
        if (content.len == sizeof posting->stored_content)
            memcpy(posting->stored_content, content.p, content.len);
    }
}

/* One array a column of the statement. */
static void posting_put_columns(struct pg_params *params, struct posting **postings, size_t count)
{
    pg_array_open(params, PG_INT8);
    for (size_t i = 0; i < count; i++)
        pg_array_int(params, postings[i]->id);
    pg_array_close(params);
    pg_array_open(params, PG_BYTEA);
    for (size_t i = 0; i < count; i++)
        pg_array_bytes(params, (struct span){(const char *)postings[i]->call->req.key_digest, 16});
    pg_array_close(params);
    pg_array_open(params, PG_BYTEA);
    for (size_t i = 0; i < count; i++)
        pg_array_bytes(params, (struct span){(const char *)postings[i]->call->req.content_digest, 16});
    pg_array_close(params);
    static const struct {
        enum field field;
        enum pg_type type;
    } columns[] = {{F_CUSTOMER, PG_TEXT}, {F_TITLE, PG_TEXT}, {F_PROBLEM, PG_BYTEA}};
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
        pg_array_open(params, columns[c].type);
        for (size_t i = 0; i < count; i++)
            pg_array_bytes(params, request_text(&postings[i]->call->req, columns[c].field));
        pg_array_close(params);
    }
    pg_array_open(params, PG_BYTEA);
    for (size_t i = 0; i < count; i++)
        pg_array_bytes(params, postings[i]->extra);
    pg_array_close(params);
    pg_array_open(params, PG_BYTEA);
    for (size_t i = 0; i < count; i++)
        pg_array_bytes(params, postings[i]->receipt);
    pg_array_close(params);
}

void posting_send(void *arg, struct unit **units, size_t count, bool repeat)
{
    struct broker *broker = arg;
    struct posting **postings = (struct posting **)units; /* the unit is a posting's first member */
    struct pg_params *params = broker->writer_params;

    pg_params_reset(params);
    posting_put_columns(params, postings, count);
    pg_array_open(params, PG_INT8);
    for (size_t i = 0; i < count; i++)
        pg_array_int(params,
                     customers_rev(broker->customers, request_text(&postings[i]->call->req, F_CUSTOMER)));
    pg_array_close(params);
    pg_put_text(params, process_room_package_of_unknown(broker));
    pg_array_open(params, PG_INT8);
    for (size_t i = 0; i < count; i++)
        if (request_has(&postings[i]->call->req, F_POSTED_AT))
            pg_array_int(params, request_int(&postings[i]->call->req, F_POSTED_AT, 0));
        else
            pg_array_null(params);
    pg_array_close(params);
    (void)pg_send(broker->writer_pg, repeat ? W_POSTING_REPEAT : W_POSTING, params, posting_on_rows,
                  postings);
    for (size_t i = 0; i < count; i++)
        if (postings[i]->correlation != 0)
            correlate_send_posted(broker, postings[i]->call, postings[i]->correlation, postings[i]->id);
}
