/* A client's request, from bytes to checked fields; see request.h. */
#include "request.h"
#include "mem.h"
#include "op.h"
#include "tracking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum {
    ID_BYTES_MAX = 256,
};

/* ---- the envelope ---- */

static bool request_read_id(const struct wire_val *id, struct request *ret, struct err *err)
{
    if (wire_type(id) == WIRE_MAP || wire_type(id) == WIRE_LIST)
        return err_field(err, ERR_MALFORMED, "id", "id: want a scalar");
    struct buf out;
    buf_init(&out, ID_BYTES_MAX);
    wire_put_val(&out, id);
    if (out.failed) {
        buf_clear(&out);
        return err_field(err, ERR_TOO_LARGE, "id", "id: more than %d bytes", ID_BYTES_MAX);
    }
    ret->id = buf_take_span(&out);
    return true;
}

static bool is_envelope_key(struct span key)
{
    return span_is(key, "dkt") || span_is(key, "id") || span_is(key, "op") || span_is(key, "body");
}

bool request_parse(struct span bytes, const struct request_limits *limits, struct request *ret,
                   struct span *ret_op, const struct wire_val **ret_body, struct err *err)
{
    int64_t version;

    if ((int64_t)bytes.len > limits->process_bytes)
        return err_set(err, ERR_TOO_LARGE, "a message of %zu bytes: at most %lld are allowed", bytes.len,
                       (long long)limits->message_bytes);
    /* Deeper than any field may be: a field that is too deep is told by its name. */
    if (!wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &ret->doc, err))
        return false;
    const struct wire_val *root = wire_root(ret->doc);
    if (wire_type(root) != WIRE_MAP)
        return err_set(err, ERR_MALFORMED, "not a request: want one map {dkt, id, op, body}");
    if (!request_read_id(wire_find(root, "id"), ret, err))
        return false;
    for (size_t i = 0; i < wire_count(root); i++)
        if (!is_envelope_key(wire_key_at(root, i)))
            return err_set(err, ERR_MALFORMED, "not a request: the fields are dkt, id, op and body");
    if (!wire_get_int(wire_find(root, "dkt"), &version))
        return err_field(err, ERR_MALFORMED, "dkt",
                         "not a request: dkt, the version of the protocol, is missing");
    if (version != 1)
        return err_field(err, ERR_UNSUPPORTED, "dkt", "version %lld of the protocol is not spoken here; 1 is",
                         (long long)version);
    if (!wire_get_str(wire_find(root, "op"), ret_op))
        return err_field(err, ERR_MALFORMED, "op", "not a request: op is missing");
    *ret_body = wire_find(root, "body");
    if (wire_type(*ret_body) != WIRE_MAP && wire_type(*ret_body) != WIRE_NIL)
        return err_field(err, ERR_MALFORMED, "body", "body: want a map");
    return true;
}

/* ---- the body ---- */

static bool request_is_default(enum field field, const struct wire_val *val)
{
    struct span text;
    bool flag;

    if (wire_get_bool(val, &flag))
        return !flag;
    if (wire_type(val) == WIRE_MAP)
        return wire_count(val) == 0;
    return field == F_CHANNEL && wire_get_str(val, &text) && span_is(text, "ticket");
}

static void request_put_tickets(const struct request *req, struct buf *form)
{
    wire_put_list(form, req->ticket_count);
    for (size_t i = 0; i < req->ticket_count; i++)
        wire_put_int(form, req->tickets[i]);
}

/* The content of a request in one form: fields in the order of the op's row, absent and default left out, ids instead of the
 * many ways to write a tracking number. */
static void request_digest_content(struct request *req)
{
    struct buf form;
    buf_init(&form, SIZE_MAX / 2);
    wire_put_text(&form, req->op->form->name);
    for (size_t i = 0; i < req->op->form->field_count; i++) {
        enum field field = (enum field)req->op->form->fields[i].field;
        const struct wire_val *val = req->vals[field];
        if (val == NULL || field == F_KEY || request_is_default(field, val))
            continue;
        if (field == F_TRACKINGS && req->tickets == NULL)
            field = F_TRACKING; /* the same request as where no list is taken */
        wire_put_int(&form, (int64_t)field);
        if (field == F_TRACKING || field == F_TO)
            wire_put_int(&form, field == F_TO ? req->link_to : req->ticket);
        else if (field == F_TRACKINGS)
            request_put_tickets(req, &form);
        else
            wire_put_canonical(&form, val);
    }
    (void)crypto_generichash(req->content_digest, sizeof req->content_digest, (const unsigned char *)form.p,
                             form.len, NULL, 0);
    buf_clear(&form);
}

static void request_digest_key(struct request *req, const char *client)
{
    struct span key;
    crypto_generichash_state state;
    unsigned char len = (unsigned char)strlen(client);

    if (!wire_get_str(req->vals[F_KEY], &key)) {
        randombytes_buf(req->key_digest, sizeof req->key_digest);
        return;
    }
    req->has_key = true;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof req->key_digest);
    (void)crypto_generichash_update(&state, &len, 1);
    (void)crypto_generichash_update(&state, (const unsigned char *)client, len);
    (void)crypto_generichash_update(&state, (const unsigned char *)key.p, key.len);
    (void)crypto_generichash_final(&state, req->key_digest, sizeof req->key_digest);
}

int64_t request_tracking(const struct wire_val *val, const char *prefix)
{
    struct span text;
    int64_t id = 0;
    return wire_get_str(val, &text) && tracking_parse(text, prefix, &id, NULL) ? id : 0;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* One ticket, or a list: in order of id, each once. */
static bool request_read_tickets(struct request *req, const char *prefix, struct err *err)
{
    const struct wire_val *list = req->vals[F_TRACKINGS];
    size_t count = wire_count(list), kept = 0;

    if (wire_type(list) != WIRE_LIST) {
        req->ticket = request_tracking(list != NULL ? list : req->vals[F_TRACKING], prefix);
        return true;
    }
    if (req->vals[F_IF_VERSION] != NULL)
        return err_field(err, ERR_INVALID, "if_version", "if_version: belongs to one ticket, not to a list");
    req->tickets = mem_new(count, sizeof *req->tickets);
    for (size_t i = 0; i < count; i++)
        req->tickets[i] = request_tracking(wire_at(list, i), prefix);
    qsort(req->tickets, count, sizeof *req->tickets, compare_ids);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || req->tickets[i] != req->tickets[kept - 1])
            req->tickets[kept++] = req->tickets[i];
    req->ticket_count = kept;
    return true;
}

/* The fields of the op. One that changes something may be a repetition of what was done when less was asked: it is read on. */
static bool request_read_fields(struct request *req, const struct wire_val *body,
                                const struct request_rules *rules, struct err *err)
{
    static const struct request_limits limitless = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    const struct request_rules before = {&limitless, rules->prefix, .form_is_free = true};
    struct err unused;

    if (op_form_check(req->op->form, body, rules, req->vals, err))
        return true;
    if (!req->op->changes)
        return false;
    memset(req->vals, 0, sizeof req->vals);
    req->is_off_form = op_form_check(req->op->form, body, &before, req->vals, &unused);
    return req->is_off_form;
}

bool request_check(struct request *req, const struct op *op, const struct wire_val *body, const char *client,
                   const char *prefix, const struct request_limits *limits, struct err *err)
{
    const struct request_rules rules = {limits, prefix, .form_is_free = false};
    struct span text;
    int64_t size = (int64_t)wire_doc_bytes(req->doc).len;

    req->op = op;
    if (size > (op->large ? limits->process_bytes : limits->message_bytes))
        return err_set(err, ERR_TOO_LARGE, "a message of %lld bytes: at most %lld are allowed",
                       (long long)size,
                       (long long)(op->large ? limits->process_bytes : limits->message_bytes));
    if (!request_read_fields(req, body, &rules, err))
        return false;
    if (req->vals[F_AS] != NULL) {
        req->has_as = true;
        (void)desk_role_parse(wire_find_str(req->vals[F_AS], "role"), &req->role);
        text = wire_find_str(req->vals[F_AS], "name");
        (void)snprintf(req->actor, sizeof req->actor, "%.*s", (int)text.len, text.p);
    }
    if (!request_read_tickets(req, prefix, err))
        return false;
    req->link_to = request_tracking(req->vals[F_TO], prefix);
    if (op->changes) {
        request_digest_key(req, client);
        request_digest_content(req);
    }
    return !req->is_off_form;
}

void request_clear(struct request *req)
{
    free((void *)(uintptr_t)req->id.p);
    free(req->tickets);
    wire_doc_free(req->doc);
    memset(req, 0, sizeof *req);
}

int64_t request_int(const struct request *req, enum field field, int64_t fallback)
{
    (void)wire_get_int(req->vals[field], &fallback);
    return fallback;
}

bool request_bool(const struct request *req, enum field field, bool fallback)
{
    (void)wire_get_bool(req->vals[field], &fallback);
    return fallback;
}

struct span request_text(const struct request *req, enum field field)
{
    struct span text = SPAN_NONE;
    (void)wire_get_str(req->vals[field], &text);
    return text;
}

bool request_has(const struct request *req, enum field field)
{
    return req->vals[field] != NULL;
}
