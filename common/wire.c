/* MessagePack; see wire.h. */
#include "wire.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

struct wire_val {
    msgpack_object o;
};

struct wire_doc {
    msgpack_zone zone;
    struct wire_val root;
    size_t len;
    char bytes[];
};

enum { DOUBLED_KEYS_CHECKED_MAX = 64, MAP16 = 0xde, LIST16 = 0xdc };

/* ---- UTF-8 ---- */

/* Length of the sequence at p, 0 when it is not valid (RFC 3629: no overlong forms, no surrogates, at most
 * U+10FFFF). */
static size_t utf8_step(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* Eight letters of ASCII, none of them NUL: most text is that, and goes eight bytes a step. */
static bool utf8_is_plain(const unsigned char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

bool utf8_check(struct span text, size_t *ret_points)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t points = 0;

    for (size_t i = 0; i < text.len; points++) {
        while (text.len - i >= 8 && utf8_is_plain(p + i)) {
            i += 8;
            points += 8;
        }
        if (i == text.len)
            break;
        size_t n = p[i] == 0 ? 0 : utf8_step(p + i, text.len - i);
        if (n == 0)
            return false;
        i += n;
    }
    if (ret_points != NULL)
        *ret_points = points;
    return true;
}

/* ---- the check before unpacking ---- */

struct walk {
    const unsigned char *start;
    const unsigned char *p;
    const unsigned char *end;
    struct err *err;
};

/* The head of one value, as read: what it is and how much belongs to it. */
struct head {
    enum wire_type type;
    uint64_t count; /* bytes of a str or bin, entries of a list or map, 0 for the rest */
};

static bool walk_fail(const struct walk *w, const char *why)
{
    return err_set(w->err, ERR_MALFORMED, "not MessagePack of this protocol: %s at byte %zu", why,
                   (size_t)(w->p - w->start));
}

static bool walk_skip(struct walk *w, uint64_t n)
{
    if (n > (uint64_t)(w->end - w->p))
        return walk_fail(w, "it ends too early");
    w->p += n;
    return true;
}

static bool walk_length(struct walk *w, size_t width, uint64_t *ret)
{
    uint64_t value = 0;
    if ((size_t)(w->end - w->p) < width)
        return walk_fail(w, "it ends too early");
    for (size_t i = 0; i < width; i++)
        value = value << 8 | *w->p++;
    *ret = value;
    return true;
}

/* Reads the first byte and the length; for scalars of fixed size also steps over their bytes. */
static bool walk_head(struct walk *w, struct head *ret)
{
    static const unsigned char scalar_bytes[] = {[0x0a] = 4, [0x0b] = 8, [0x0c] = 1, [0x0d] = 2, [0x0e] = 4,
                                                 [0x0f] = 8, [0x10] = 1, [0x11] = 2, [0x12] = 4, [0x13] = 8};
    if (w->p == w->end)
        return walk_fail(w, "it ends too early");
    unsigned b = *w->p++;
    *ret = (struct head){WIRE_INT, 0};
    if (b < 0x80 || b >= 0xe0)
        return true;
    if (b < 0x90) {
        *ret = (struct head){WIRE_MAP, b & 0x0f};
        return true;
    }
    if (b < 0xa0) {
        *ret = (struct head){WIRE_LIST, b & 0x0f};
        return true;
    }
    if (b < 0xc0) {
        *ret = (struct head){WIRE_STR, b & 0x1f};
        return true;
    }
    switch (b) {
    case 0xc0:
        ret->type = WIRE_NIL;
        return true;
    case 0xc2:
    case 0xc3:
        ret->type = WIRE_BOOL;
        return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        ret->type = WIRE_BIN;
        return walk_length(w, (size_t)1 << (b - 0xc4), &ret->count);
    case 0xd9:
    case 0xda:
    case 0xdb:
        ret->type = WIRE_STR;
        return walk_length(w, (size_t)1 << (b - 0xd9), &ret->count);
    case 0xdc:
    case 0xdd:
        ret->type = WIRE_LIST;
        return walk_length(w, (size_t)2 << (b - 0xdc), &ret->count);
    case 0xde:
    case 0xdf:
        ret->type = WIRE_MAP;
        return walk_length(w, (size_t)2 << (b - 0xde), &ret->count);
    default:
        break;
    }
    if (b >= 0xca && b <= 0xd3) {
        ret->type = b <= 0xcb ? WIRE_FLOAT : WIRE_INT;
        return walk_skip(w, scalar_bytes[b - 0xc0]);
    }
    w->p--;
    return walk_fail(w, b == 0xc1 ? "the byte 0xc1" : "an extension type");
}

static bool walk_text(struct walk *w, uint64_t len, struct span *ret)
{
    struct span text = {(const char *)w->p, (size_t)len};
    if (len > (uint64_t)(w->end - w->p))
        return walk_fail(w, "it ends too early");
    if (!utf8_check(text, NULL))
        return walk_fail(w, "text that is not UTF-8 without NUL");
    w->p += len;
    *ret = text;
    return true;
}

static bool walk_value(struct walk *w, unsigned depth);

static bool walk_map(struct walk *w, uint64_t count, unsigned depth)
{
    struct span seen[DOUBLED_KEYS_CHECKED_MAX];

    for (uint64_t i = 0; i < count; i++) {
        struct head head;
        struct span key;
        if (!walk_head(w, &head))
            return false;
        if (head.type != WIRE_STR)
            return walk_fail(w, "a map key that is not text");
        if (!walk_text(w, head.count, &key))
            return false;
        for (uint64_t k = 0; count <= DOUBLED_KEYS_CHECKED_MAX && k < i; k++)
            if (span_equal(seen[k], key))
                return walk_fail(w, "a map key that stands twice");
        if (i < DOUBLED_KEYS_CHECKED_MAX)
            seen[i] = key;
        if (!walk_value(w, depth))
            return false;
    }
    return true;
}

/* Recursion is bounded by depth, at most WIRE_DEPTH_MAX. */
static bool walk_value(struct walk *w, unsigned depth)
{
    struct head head;
    struct span text;

    if (depth == 0)
        return walk_fail(w, "nested too deeply");
    if (!walk_head(w, &head))
        return false;
    switch (head.type) {
    case WIRE_STR:
        return walk_text(w, head.count, &text);
    case WIRE_BIN:
        return walk_skip(w, head.count);
    case WIRE_LIST:
        if (head.count > (uint64_t)(w->end - w->p))
            return walk_fail(w, "it ends too early");
        for (uint64_t i = 0; i < head.count; i++)
            if (!walk_value(w, depth - 1))
                return false;
        return true;
    case WIRE_MAP:
        if (head.count > (uint64_t)(w->end - w->p) / 2)
            return walk_fail(w, "it ends too early");
        return walk_map(w, head.count, depth - 1);
    default:
        return true;
    }
}

bool wire_check(const void *bytes, size_t len, unsigned depth_max, struct err *err)
{
    struct walk w = {bytes, bytes, (const unsigned char *)bytes + len, err};

    assert(depth_max <= WIRE_DEPTH_MAX);
    if (!walk_value(&w, depth_max))
        return false;
    if (w.p != w.end)
        return walk_fail(&w, "more bytes after the message");
    return true;
}

/* ---- reading ---- */

bool wire_parse(const void *bytes, size_t len, unsigned depth_max, struct wire_doc **ret_doc, struct err *err)
{
    if (!wire_check(bytes, len, depth_max, err))
        return false;
    struct wire_doc *doc = malloc(sizeof *doc + len);
    if (doc == NULL)
        return err_set(err, ERR_INTERNAL, "out of memory");
    memcpy(doc->bytes, bytes, len);
    doc->len = len;
    size_t at = 0;
    /* A zone chunk of the message's size: most messages then take one allocation. */
    if (!msgpack_zone_init(&doc->zone, len * 2 + 512)) {
        free(doc);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    if (msgpack_unpack(doc->bytes, len, &at, &doc->zone, &doc->root.o) != MSGPACK_UNPACK_SUCCESS ||
        at != len) {
        wire_doc_free(doc);
        return err_set(err, ERR_MALFORMED, "not MessagePack of this protocol");
    }
    *ret_doc = doc;
    return true;
}

void wire_doc_free(struct wire_doc *doc)
{
    if (doc == NULL)
        return;
    msgpack_zone_destroy(&doc->zone);
    free(doc);
}

const struct wire_val *wire_root(const struct wire_doc *doc)
{
    return &doc->root;
}

struct span wire_doc_bytes(const struct wire_doc *doc)
{
    return (struct span){doc->bytes, doc->len};
}

enum wire_type wire_type(const struct wire_val *val)
{
    static const unsigned char types[16] = {
        [MSGPACK_OBJECT_BOOLEAN] = WIRE_BOOL,
        [MSGPACK_OBJECT_POSITIVE_INTEGER] = WIRE_INT,
        [MSGPACK_OBJECT_NEGATIVE_INTEGER] = WIRE_INT,
        [MSGPACK_OBJECT_FLOAT32] = WIRE_FLOAT,
        [MSGPACK_OBJECT_FLOAT64] = WIRE_FLOAT,
        [MSGPACK_OBJECT_STR] = WIRE_STR,
        [MSGPACK_OBJECT_BIN] = WIRE_BIN,
        [MSGPACK_OBJECT_ARRAY] = WIRE_LIST,
        [MSGPACK_OBJECT_MAP] = WIRE_MAP,
    };
    return val == NULL ? WIRE_NIL : (enum wire_type)types[val->o.type & 15];
}

const char *wire_type_name(enum wire_type type)
{
    static const char *const names[] = {"nothing", "true or false", "an integer", "a number",
                                        "text",    "bytes",         "a list",     "a map"};
    return names[type];
}

bool wire_get_bool(const struct wire_val *val, bool *ret)
{
    if (wire_type(val) != WIRE_BOOL)
        return false;
    *ret = val->o.via.boolean;
    return true;
}

bool wire_get_int(const struct wire_val *val, int64_t *ret)
{
    if (wire_type(val) != WIRE_INT)
        return false;
    if (val->o.type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        if (val->o.via.u64 > INT64_MAX)
            return false;
        *ret = (int64_t)val->o.via.u64;
        return true;
    }
    *ret = val->o.via.i64;
    return true;
}

bool wire_get_float(const struct wire_val *val, double *ret)
{
    int64_t i;
    if (wire_get_int(val, &i)) {
        *ret = (double)i;
        return true;
    }
    if (wire_type(val) != WIRE_FLOAT)
        return false;
    *ret = val->o.via.f64;
    return true;
}

bool wire_get_str(const struct wire_val *val, struct span *ret)
{
    if (wire_type(val) != WIRE_STR)
        return false;
    *ret = (struct span){val->o.via.str.ptr, val->o.via.str.size};
    return true;
}

bool wire_get_bin(const struct wire_val *val, struct span *ret)
{
    if (wire_get_str(val, ret))
        return true;
    if (wire_type(val) != WIRE_BIN)
        return false;
    *ret = (struct span){val->o.via.bin.ptr, val->o.via.bin.size};
    return true;
}

size_t wire_count(const struct wire_val *val)
{
    switch (wire_type(val)) {
    case WIRE_LIST:
        return val->o.via.array.size;
    case WIRE_MAP:
        return val->o.via.map.size;
    default:
        return 0;
    }
}

/* msgpack_object is the only member of struct wire_val, so their arrays have the same layout. */
static const struct wire_val *wire_cast(const msgpack_object *o)
{
    return (const struct wire_val *)o;
}

const struct wire_val *wire_at(const struct wire_val *list, size_t i)
{
    if (wire_type(list) != WIRE_LIST || i >= list->o.via.array.size)
        return NULL;
    return wire_cast(&list->o.via.array.ptr[i]);
}

struct span wire_key_at(const struct wire_val *map, size_t i)
{
    struct span key = SPAN_NONE;
    if (wire_type(map) == WIRE_MAP && i < map->o.via.map.size)
        (void)wire_get_str(wire_cast(&map->o.via.map.ptr[i].key), &key);
    return key;
}

const struct wire_val *wire_val_at(const struct wire_val *map, size_t i)
{
    if (wire_type(map) != WIRE_MAP || i >= map->o.via.map.size)
        return NULL;
    return wire_cast(&map->o.via.map.ptr[i].val);
}

const struct wire_val *wire_find(const struct wire_val *map, const char *key)
{
    size_t len = strlen(key);

    if (wire_type(map) != WIRE_MAP)
        return NULL;
    const msgpack_object_map *entries = &map->o.via.map;
    for (size_t i = 0; i < entries->size; i++) {
        const msgpack_object_str *name = &entries->ptr[i].key.via.str; /* the check let only text be a key */
        if (name->size == len && memcmp(name->ptr, key, len) == 0)
            return wire_cast(&entries->ptr[i].val);
    }
    return NULL;
}

int64_t wire_find_int(const struct wire_val *map, const char *key, int64_t fallback)
{
    (void)wire_get_int(wire_find(map, key), &fallback);
    return fallback;
}

bool wire_find_bool(const struct wire_val *map, const char *key, bool fallback)
{
    (void)wire_get_bool(wire_find(map, key), &fallback);
    return fallback;
}

struct span wire_find_str(const struct wire_val *map, const char *key)
{
    struct span text = SPAN_NONE;
    (void)wire_get_str(wire_find(map, key), &text);
    return text;
}

static bool wire_equal_maps(const struct wire_val *a, const struct wire_val *b)
{
    for (size_t i = 0; i < wire_count(a); i++) {
        struct span key = wire_key_at(a, i);
        bool found = false;
        for (size_t k = 0; k < wire_count(b) && !found; k++)
            found = span_equal(wire_key_at(b, k), key) && wire_equal(wire_val_at(a, i), wire_val_at(b, k));
        if (!found)
            return false;
    }
    return true;
}

bool wire_equal(const struct wire_val *a, const struct wire_val *b)
{
    enum wire_type type = wire_type(a);
    if (type != wire_type(b) || wire_count(a) != wire_count(b))
        return false;
    if (type == WIRE_MAP)
        return wire_equal_maps(a, b);
    if (type != WIRE_LIST)
        return type == WIRE_NIL || msgpack_object_equal(a->o, b->o);
    for (size_t i = 0; i < wire_count(a); i++)
        if (!wire_equal(wire_at(a, i), wire_at(b, i)))
            return false;
    return true;
}

/* ---- writing ---- */

static int wire_sink(void *data, const char *bytes, size_t len)
{
    return buf_add(data, bytes, len) ? 0 : -1;
}

static msgpack_packer wire_packer(struct buf *out)
{
    msgpack_packer pk;
    msgpack_packer_init(&pk, out, wire_sink);
    return pk;
}

void wire_put_nil(struct buf *out)
{
    msgpack_packer pk = wire_packer(out);
    (void)msgpack_pack_nil(&pk);
}

void wire_put_bool(struct buf *out, bool value)
{
    msgpack_packer pk = wire_packer(out);
    (void)(value ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk));
}

void wire_put_int(struct buf *out, int64_t value)
{
    msgpack_packer pk = wire_packer(out);
    (void)msgpack_pack_int64(&pk, value);
}

void wire_put_float(struct buf *out, double value)
{
    msgpack_packer pk = wire_packer(out);
    (void)msgpack_pack_double(&pk, value);
}

void wire_put_str(struct buf *out, struct span text)
{
    msgpack_packer pk = wire_packer(out);
    (void)msgpack_pack_str(&pk, text.len);
    (void)buf_add_span(out, text);
}

void wire_put_text(struct buf *out, const char *text)
{
    if (text == NULL)
        wire_put_nil(out);
    else
        wire_put_str(out, span_of(text));
}

void wire_put_bin(struct buf *out, struct span bytes)
{
    msgpack_packer pk = wire_packer(out);
    (void)msgpack_pack_bin(&pk, bytes.len);
    (void)buf_add_span(out, bytes);
}

void wire_put_list(struct buf *out, size_t count)
{
    msgpack_packer pk = wire_packer(out);
    (void)msgpack_pack_array(&pk, count);
}

void wire_put_map(struct buf *out, size_t count)
{
    msgpack_packer pk = wire_packer(out);
    (void)msgpack_pack_map(&pk, count);
}

void wire_put_val(struct buf *out, const struct wire_val *val)
{
    if (val == NULL) {
        wire_put_nil(out);
        return;
    }
    msgpack_packer pk = wire_packer(out);
    (void)msgpack_pack_object(&pk, val->o);
}

void wire_put_raw(struct buf *out, struct span encoded)
{
    (void)buf_add_span(out, encoded);
}

static int wire_compare_keys(const void *a, const void *b)
{
    const msgpack_object_kv *left = *(const msgpack_object_kv *const *)a;
    const msgpack_object_kv *right = *(const msgpack_object_kv *const *)b;
    const msgpack_object_str *x = &left->key.via.str, *y = &right->key.via.str;
    uint32_t common = x->size < y->size ? x->size : y->size;
    int order = common == 0 ? 0 : memcmp(x->ptr, y->ptr, common); /* an empty key may have no pointer */
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

static void wire_put_canonical_map(struct buf *out, const struct wire_val *map)
{
    size_t count = wire_count(map);
    const msgpack_object_kv **sorted = malloc((count + 1) * sizeof *sorted);

    if (sorted == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = &map->o.via.map.ptr[i];
    qsort(sorted, count, sizeof *sorted, wire_compare_keys);
    wire_put_map(out, count);
    for (size_t i = 0; i < count; i++) {
        wire_put_val(out, wire_cast(&sorted[i]->key));
        wire_put_canonical(out, wire_cast(&sorted[i]->val));
    }
    free(sorted);
}

void wire_put_canonical(struct buf *out, const struct wire_val *val)
{
    int64_t i;

    switch (wire_type(val)) {
    case WIRE_MAP:
        wire_put_canonical_map(out, val);
        return;
    case WIRE_LIST:
        wire_put_list(out, wire_count(val));
        for (size_t k = 0; k < wire_count(val); k++)
            wire_put_canonical(out, wire_at(val, k));
        return;
    case WIRE_FLOAT:
        wire_put_float(out, val->o.via.f64);
        return;
    case WIRE_INT:
        if (wire_get_int(val, &i)) {
            wire_put_int(out, i);
            return;
        }
        wire_put_val(out, val);
        return;
    default:
        wire_put_val(out, val);
    }
}

void wire_put_key_text(struct buf *out, const char *key, const char *text)
{
    wire_put_text(out, key);
    wire_put_text(out, text);
}

void wire_put_key_str(struct buf *out, const char *key, struct span text)
{
    wire_put_text(out, key);
    wire_put_str(out, text);
}

void wire_put_key_int(struct buf *out, const char *key, int64_t value)
{
    wire_put_text(out, key);
    wire_put_int(out, value);
}

void wire_put_key_bool(struct buf *out, const char *key, bool value)
{
    wire_put_text(out, key);
    wire_put_bool(out, value);
}

void wire_put_key_val(struct buf *out, const char *key, const struct wire_val *val)
{
    wire_put_text(out, key);
    wire_put_val(out, val);
}

/* Three bytes for the head with a 16-bit count, filled in on closing. */
static struct wire_map wire_open(struct buf *out, unsigned char type)
{
    struct wire_map map = {out->len, 0};
    unsigned char head[3] = {type, 0, 0};
    (void)buf_add(out, head, sizeof head);
    return map;
}

static void wire_close(struct buf *out, const struct wire_map *map)
{
    assert(map->count <= UINT16_MAX);
    if (out->failed)
        return;
    out->p[map->at + 1] = (char)(map->count >> 8);
    out->p[map->at + 2] = (char)(map->count & 0xff);
}

struct wire_map wire_map_open(struct buf *out)
{
    return wire_open(out, MAP16);
}

void wire_map_close(struct buf *out, const struct wire_map *map)
{
    wire_close(out, map);
}

struct wire_map wire_list_open(struct buf *out)
{
    return wire_open(out, LIST16);
}

void wire_list_close(struct buf *out, const struct wire_map *list)
{
    wire_close(out, list);
}
