/* MessagePack, the one module that knows it: check, read, write.
 *
 * Bytes from outside are first walked without allocating (lengths against what is there, depth, UTF-8 without
 * NUL, string keys), and only then unpacked: five bytes of a hostile header can ask msgpack-c for gigabytes.
 * Knows nothing of the protocol's fields. */
#ifndef DOCKET_WIRE_H
#define DOCKET_WIRE_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_type { WIRE_NIL, WIRE_BOOL, WIRE_INT, WIRE_FLOAT, WIRE_STR, WIRE_BIN, WIRE_LIST, WIRE_MAP };

/* Not more than msgpack-c follows (MSGPACK_EMBED_STACK_SIZE containers): what passes the check must be read. */
enum { WIRE_DEPTH_MAX = 32 };

/* A read value: lives as long as its document. */
struct wire_val;

/* A document: owns the tree. The strings point into the bytes that were parsed, which the document keeps a
 * copy of. */
struct wire_doc;

/* ---- reading ---- */

/* Checks that the bytes are exactly one value, whole, nested at most depth_max deep (a scalar is depth 1),
 * with valid UTF-8 without NUL in every str, and str keys, none twice, in every map of up to 64 entries;
 * then makes a tree of them. The caller frees it with wire_doc_free.
 * err: ERR_MALFORMED  says at which byte and why */
bool wire_parse(const void *bytes, size_t len, unsigned depth_max, struct wire_doc **ret_doc, struct err *err)
    __attribute__((warn_unused_result));

void wire_doc_free(struct wire_doc *doc); /* accepts NULL */
const struct wire_val *wire_root(const struct wire_doc *doc);

/* The bytes that were parsed. */
struct span wire_doc_bytes(const struct wire_doc *doc);

/* A value that is not there (NULL) reads as WIRE_NIL in all of these. */
enum wire_type wire_type(const struct wire_val *val);
const char *wire_type_name(enum wire_type type); /* "text", "integer", …: for messages to people */

/* Each is true and writes its result only when the value is of that type. Integers beyond int64 are not
 * integers. */
bool wire_get_bool(const struct wire_val *val, bool *ret);
bool wire_get_int(const struct wire_val *val, int64_t *ret);
bool wire_get_uint(const struct wire_val *val,
                   uint64_t *ret); /* what is not below 0: as people send it, too large ones too */
bool wire_get_float(const struct wire_val *val, double *ret); /* takes an integer too */
bool wire_get_str(const struct wire_val *val, struct span *ret);
bool wire_get_bin(const struct wire_val *val, struct span *ret); /* takes a str too */

/* Entries of a list or map; 0 for all else. */
size_t wire_count(const struct wire_val *val);
const struct wire_val *wire_at(const struct wire_val *list, size_t i); /* NULL outside */
struct span wire_key_at(const struct wire_val *map, size_t i);
const struct wire_val *wire_val_at(const struct wire_val *map, size_t i);

/* The value of a key; NULL when the map has none, or when it is no map. */
const struct wire_val *wire_find(const struct wire_val *map, const char *key);

/* The same value's bytes, as they stand in the document that the map was read from. SPAN_NONE when the map has no such key. */
struct span wire_find_raw(const struct wire_doc *doc, const struct wire_val *map, const char *key);

/* Short forms for what our own programs wrote: the value of key, or the fallback. */
int64_t wire_find_int(const struct wire_val *map, const char *key, int64_t fallback);
bool wire_find_bool(const struct wire_val *map, const char *key, bool fallback);
struct span wire_find_str(const struct wire_val *map, const char *key); /* SPAN_NONE when it is not there */

/* ---- writing: into a buf, whose limit and failure count ---- */

void wire_put_nil(struct buf *out);
void wire_put_bool(struct buf *out, bool value);
void wire_put_int(struct buf *out, int64_t value);
void wire_put_float(struct buf *out, double value);
void wire_put_str(struct buf *out, struct span text);
void wire_put_text(struct buf *out, const char *text); /* NULL writes nil */
void wire_put_bin(struct buf *out, struct span bytes);
void wire_put_list(struct buf *out, size_t count); /* count values must follow */
void wire_put_map(struct buf *out, size_t count);  /* count keys with values must follow */
void wire_put_val(struct buf *out, const struct wire_val *val);
size_t wire_size(const struct wire_val *val);            /* the bytes that wire_put_val writes */
void wire_put_raw(struct buf *out, struct span encoded); /* one value that is encoded already */

/* Writes the value in its one canonical form: map keys sorted by bytes, shortest integers. For digests. */
void wire_put_canonical(struct buf *out, const struct wire_val *val);

/* A key and its value; for maps of fixed count. */
void wire_put_key_text(struct buf *out, const char *key, const char *text);
void wire_put_key_str(struct buf *out, const char *key, struct span text);
void wire_put_key_str_or_nil(struct buf *out, const char *key, struct span text); /* p NULL: nil */
void wire_put_key_int(struct buf *out, const char *key, int64_t value);
void wire_put_key_bool(struct buf *out, const char *key, bool value);
void wire_put_key_val(struct buf *out, const char *key, const struct wire_val *val);

/* A map whose count is not known before it is written: open, put keys and values, count them, close.
 *
 *     struct wire_map map = wire_map_open(out);
 *     wire_put_key_int(out, "version", 3), map.count++;
 *     wire_map_close(out, &map);
 *
 * At most 65,535 entries. wire_list_* is the same for lists. */
struct wire_map {
    size_t at;
    size_t count;
};
struct wire_map wire_map_open(struct buf *out);
void wire_map_close(struct buf *out, const struct wire_map *map);
struct wire_map wire_list_open(struct buf *out);
void wire_list_close(struct buf *out, const struct wire_map *list);

/* ---- putting together: values made of others, without bytes between ----
 *
 *     size_t map = wire_made_open(made);
 *     wire_made_key_int(made, "version", 3);
 *     wire_made_key_val(made, "body", body);
 *     wire_made_close_map(made, map);
 *
 * Put one after another as with wire_put. Text, keys and values are taken up as they are, not copied: they must live as long. */
struct wire_made;

struct wire_made *wire_made_new(void);
void wire_made_free(struct wire_made *made);  /* accepts NULL */
void wire_made_reset(struct wire_made *made); /* all that was made is gone; the memory stays */

/* The one value that was made; until the next is put, or all is reset. */
const struct wire_val *wire_made_root(const struct wire_made *made);

/* What was put last. */
const struct wire_val *wire_made_last(const struct wire_made *made);

void wire_made_nil(struct wire_made *made);
void wire_made_bool(struct wire_made *made, bool value);
void wire_made_int(struct wire_made *made, int64_t value);
void wire_made_float(struct wire_made *made, double value);
void wire_made_str(struct wire_made *made, struct span text);
void wire_made_val(struct wire_made *made, const struct wire_val *val); /* NULL: nil */

/* What was put since open becomes one list, or one map of keys and their values. */
size_t wire_made_open(struct wire_made *made);
void wire_made_close_list(struct wire_made *made, size_t opened);
void wire_made_close_map(struct wire_made *made, size_t opened);

/* A key and its value. */
void wire_made_key_bool(struct wire_made *made, const char *key, bool value);
void wire_made_key_int(struct wire_made *made, const char *key, int64_t value);
void wire_made_key_str(struct wire_made *made, const char *key, struct span text);
void wire_made_key_val(struct wire_made *made, const char *key, const struct wire_val *val);

/* Whether a key stands twice in a map of at most 64 entries: wire_parse refuses such a one. */
bool wire_has_doubled_key(const struct wire_val *map);

/* The value as one line of JSON (bin as base64, floats that JSON has not as null). Strings are escaped for a
 * terminal too: control characters never pass. */
void wire_to_json(struct buf *out, const struct wire_val *val);

/* JSON text to MessagePack. err: ERR_INVALID with line and column: "2:7: not JSON: …". */
bool wire_from_json(struct buf *out, const char *json, size_t len, struct err *err)
    __attribute__((warn_unused_result));

/* Takes the place out of such a message.
 * out: ret_msg  what is behind it. 0 and 0, and the whole message, where there is no place */
void wire_json_place(const char *msg, const char **ret_msg, unsigned *ret_line, unsigned *ret_column);

/* Where in a file it is that a text is no JSON: "FILE:LINE:COLUMN: not JSON: …"; of another error "FILE:LINE: …". Returns false.
 * in:  first_line  of the file, where the text begins */
bool wire_json_in_file(struct err *err, const char *file, unsigned first_line);

#endif
