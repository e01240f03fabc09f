/* Bodies of requests, built entry by entry. The one place of the library that knows a request's body is
 * MessagePack. */
#include "lib_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { ENTRIES_MAX = 65535 };

static void body_start(struct docket_body *body)
{
    body->depth = 0;
    body->is_list[0] = false;
    body->open[0] = wire_map_open(&body->buf);
    body->key[0] = '\0';
    body->has_key = false;
    body->failed = false;
}

struct docket_body *docket_body_new(void)
{
    struct docket_body *body = calloc(1, sizeof *body);

    if (body == NULL)
        return NULL;
    buf_init(&body->buf, DOCKET_BODY_BYTES_MAX);
    body_start(body);
    return body;
}

void docket_body_free(struct docket_body *body)
{
    if (body == NULL)
        return;
    buf_clear(&body->buf);
    free(body);
}

void docket_body_reset(struct docket_body *body)
{
    if (body == NULL)
        return;
    buf_reset(&body->buf);
    body_start(body);
}

/* Writes the entry's name (maps only) and counts it. False: nothing may follow. */
static bool body_entry(struct docket_body *body, const char *name)
{
    if (body == NULL || body->failed)
        return false;
    struct wire_map *open = &body->open[body->depth];
    if (open->count == ENTRIES_MAX || (name == NULL) != body->is_list[body->depth]) {
        body->failed = true;
        return false;
    }
    open->count++;
    if (name != NULL)
        wire_put_text(&body->buf, name);
    return true;
}

void docket_body_text(struct docket_body *body, const char *name, const char *text)
{
    if (text != NULL)
        docket_body_text_n(body, name, text, strlen(text));
    else if (body_entry(body, name))
        wire_put_nil(&body->buf);
}

void docket_body_text_n(struct docket_body *body, const char *name, const char *text, size_t len)
{
    if (!body_entry(body, name))
        return;
    wire_put_str(&body->buf, (struct span){text, len});
    if (body->depth == 0 && strcmp(name, "key") == 0) {
        body->has_key = true;
        (void)snprintf(body->key, sizeof body->key, "%.*s",
                       (int)(len > sizeof body->key ? sizeof body->key : len), text);
    }
}

void docket_body_bytes(struct docket_body *body, const char *name, const void *bytes, size_t len)
{
    if (body_entry(body, name))
        wire_put_bin(&body->buf, (struct span){bytes, len});
}

void docket_body_int(struct docket_body *body, const char *name, int64_t value)
{
    if (body_entry(body, name))
        wire_put_int(&body->buf, value);
}

void docket_body_number(struct docket_body *body, const char *name, double value)
{
    if (body_entry(body, name))
        wire_put_float(&body->buf, value);
}

void docket_body_bool(struct docket_body *body, const char *name, bool value)
{
    if (body_entry(body, name))
        wire_put_bool(&body->buf, value);
}

/* Adds a value that was read. */
static void lib_body_val(struct docket_body *body, const char *name, const struct wire_val *val)
{
    struct span text;

    if (name != NULL && wire_get_str(val, &text))
        docket_body_text_n(body, name, text.p, text.len);
    else if (body_entry(body, name))
        wire_put_val(&body->buf, val);
}

/* JSON to a checked document. */
static bool body_read_json(const char *json, struct wire_doc **ret, struct docket_error *error)
{
    struct err err = {0};
    struct buf buf;
    bool ok;

    buf_init(&buf, DOCKET_BODY_BYTES_MAX);
    ok = wire_from_json(&buf, json, strlen(json), &err) &&
         wire_parse(buf.p, buf.len, LIB_BODY_DEPTH_MAX + 1, ret, &err);
    buf_clear(&buf);
    if (!ok && err.code == ERR_MALFORMED)
        err.code = ERR_INVALID;
    return ok ? true : lib_error_from(error, &err);
}

bool docket_body_json(struct docket_body *body, const char *name, const char *json,
                      struct docket_error *error)
{
    struct wire_doc *doc = NULL;

    if (!body_read_json(json, &doc, error))
        return false;
    lib_body_val(body, name, wire_root(doc));
    wire_doc_free(doc);
    return true;
}

bool docket_body_merge_json(struct docket_body *body, const char *json, struct docket_error *error)
{
    struct wire_doc *doc = NULL;
    char name[256];

    if (!body_read_json(json, &doc, error))
        return false;
    const struct wire_val *map = wire_root(doc);
    if (wire_type(map) != WIRE_MAP) {
        enum wire_type type = wire_type(map);
        wire_doc_free(doc);
        return lib_error_set(error, DOCKET_INVALID, "the body is %s, want a JSON object",
                             wire_type_name(type));
    }
    for (size_t i = 0; i < wire_count(map); i++) {
        struct span key = wire_key_at(map, i);
        if (key.len >= sizeof name) {
            wire_doc_free(doc);
            return lib_error_set(error, DOCKET_INVALID, "a name of %zu bytes is too long for any field",
                                 key.len);
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)key.len, key.p);
        lib_body_val(body, name, wire_val_at(map, i));
    }
    wire_doc_free(doc);
    return true;
}

static void body_open(struct docket_body *body, const char *name, bool is_list)
{
    if (!body_entry(body, name))
        return;
    if (body->depth == LIB_BODY_DEPTH_MAX) {
        body->failed = true;
        return;
    }
    body->depth++;
    body->is_list[body->depth] = is_list;
    body->open[body->depth] = is_list ? wire_list_open(&body->buf) : wire_map_open(&body->buf);
}

void docket_body_open_map(struct docket_body *body, const char *name)
{
    body_open(body, name, false);
}

void docket_body_open_list(struct docket_body *body, const char *name)
{
    body_open(body, name, true);
}

void docket_body_close(struct docket_body *body)
{
    if (body == NULL || body->failed)
        return;
    if (body->depth == 0) {
        body->failed = true;
        return;
    }
    if (body->is_list[body->depth])
        wire_list_close(&body->buf, &body->open[body->depth]);
    else
        wire_map_close(&body->buf, &body->open[body->depth]);
    body->depth--;
}

bool lib_body_finish(struct docket_body *body, struct span *ret, struct docket_error *error)
{
    if (body == NULL)
        return lib_error_set(error, DOCKET_INTERNAL, "out of memory");
    if (body->failed || body->depth != 0)
        return lib_error_set(error, DOCKET_INVALID,
                             "the body was not built well: a map or list left open, nested over %d, over %d "
                             "entries, or a name "
                             "missing or too much",
                             LIB_BODY_DEPTH_MAX, ENTRIES_MAX);
    if (body->buf.failed)
        return lib_error_set(error, DOCKET_TOO_LARGE, "the body has over %d bytes, or memory is out",
                             DOCKET_BODY_BYTES_MAX);
    wire_map_close(&body->buf, &body->open[0]);
    *ret = buf_span(&body->buf);
    return true;
}

bool docket_key_random(char *ret, size_t size)
{
    unsigned char bytes[16];

    if (size < 2 * sizeof bytes + 1 || sodium_init() < 0)
        return false;
    randombytes_buf(bytes, sizeof bytes);
    (void)sodium_bin2hex(ret, size, bytes, sizeof bytes);
    return true;
}

bool docket_op_reads(const char *op)
{
    static const char *const reading[] = {"find",  "show", "list", "get",    "explain",  "since",    "ping",
                                          "stats", "who",  "why",  "whatif", "simulate", "forecast", "mutes"};
    const char *dot = strrchr(op, '.');
    const char *last = dot == NULL ? op : dot + 1;

    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++)
        if (strcmp(reading[i], last) == 0)
            return true;
    return strcmp(op, "oncall.next") == 0; /* ticket.next takes one */
}
