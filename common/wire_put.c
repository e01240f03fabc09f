/* Writing MessagePack; see wire.h. What every message is full of is written here; msgpack-c writes the rest, by a call for each part of
 * a value. */
#include "wire_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MAP16 = 0xde, LIST16 = 0xdc };

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

/* The lead byte and a number of width bytes behind it, and room for what follows. NULL: the buffer is full. */
static char *put_head(struct buf *out, unsigned lead, uint64_t number, size_t width, size_t follows)
{
    char *p = buf_extend(out, 1 + width + follows);

    if (p == NULL)
        return NULL;
    *p++ = (char)lead;
    for (size_t i = width; i > 0; i--)
        *p++ = (char)(number >> 8 * (i - 1));
    return p;
}

/* The shortest width of 1, 2, 4 and 8 bytes, as a power of two. */
static unsigned width_of(uint64_t number)
{
    return number <= UINT8_MAX ? 0 : number <= UINT16_MAX ? 1 : number <= UINT32_MAX ? 2 : 3;
}

void wire_put_nil(struct buf *out)
{
    (void)put_head(out, 0xc0, 0, 0, 0);
}

void wire_put_bool(struct buf *out, bool value)
{
    (void)put_head(out, value ? 0xc3 : 0xc2, 0, 0, 0);
}

void wire_put_int(struct buf *out, int64_t value)
{
    bool negative = value < 0;
    /* A negative number fits where its opposite less one does without the sign's bit. */
    unsigned width = width_of(negative ? (uint64_t)~value << 1 : (uint64_t)value);

    if (value >= -32 && value <= 127)
        (void)put_head(out, (unsigned)(value & 0xff), 0, 0, 0);
    else
        (void)put_head(out, (negative ? 0xd0 : 0xcc) + width, (uint64_t)value, (size_t)1 << width, 0);
}

void wire_put_float(struct buf *out, double value)
{
    msgpack_packer pk = wire_packer(out);
    (void)msgpack_pack_double(&pk, value);
}

void wire_put_str(struct buf *out, struct span text)
{
    unsigned width = width_of(text.len);
    char *p = text.len < 32 ? put_head(out, 0xa0 | (unsigned)text.len, 0, 0, text.len)
                            : put_head(out, 0xd9 + width, text.len, (size_t)1 << width, text.len);

    if (p != NULL && text.len != 0)
        memcpy(p, text.p, text.len);
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

static void put_count(struct buf *out, size_t count, unsigned few, unsigned many)
{
    if (count < 16)
        (void)put_head(out, few | (unsigned)count, 0, 0, 0);
    else
        (void)put_head(out, count <= UINT16_MAX ? many : many + 1, count, count <= UINT16_MAX ? 2 : 4, 0);
}

void wire_put_list(struct buf *out, size_t count)
{
    put_count(out, count, 0x90, LIST16);
}

void wire_put_map(struct buf *out, size_t count)
{
    put_count(out, count, 0x80, MAP16);
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

static size_t size_of_length(size_t len, size_t short_max, bool has_8)
{
    return len <= short_max ? 1 : has_8 && len <= UINT8_MAX ? 2 : len <= UINT16_MAX ? 3 : 5;
}

static size_t size_of_int(const msgpack_object *o)
{
    if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        uint64_t value = o->via.u64;
        return value < 0x80          ? 1
               : value <= UINT8_MAX  ? 2
               : value <= UINT16_MAX ? 3
               : value <= UINT32_MAX ? 5
                                     : 9;
    }
    int64_t value = o->via.i64;
    return value >= -32 ? 1 : value >= INT8_MIN ? 2 : value >= INT16_MIN ? 3 : value >= INT32_MIN ? 5 : 9;
}

static size_t size_of_many(const struct wire_val *val)
{
    size_t size = size_of_length(wire_count(val), 15, false);

    for (size_t i = 0; i < wire_count(val); i++)
        if (wire_type(val) == WIRE_MAP)
            size += wire_size(wire_cast(&val->o.via.map.ptr[i].key)) + wire_size(wire_val_at(val, i));
        else
            size += wire_size(wire_at(val, i));
    return size;
}

size_t wire_size(const struct wire_val *val)
{
    switch (val == NULL ? MSGPACK_OBJECT_NIL : val->o.type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return size_of_int(&val->o);
    case MSGPACK_OBJECT_FLOAT32:
        return 5;
    case MSGPACK_OBJECT_FLOAT64:
        return 9;
    case MSGPACK_OBJECT_STR:
        return size_of_length(val->o.via.str.size, 31, true) + val->o.via.str.size;
    case MSGPACK_OBJECT_BIN:
        return size_of_length(val->o.via.bin.size, 0, true) + (val->o.via.bin.size == 0) +
               val->o.via.bin.size;
    case MSGPACK_OBJECT_ARRAY:
    case MSGPACK_OBJECT_MAP:
        return size_of_many(val);
    default:
        return 1;
    }
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
void wire_put_key_str_or_nil(struct buf *out, const char *key, struct span text)
{
    wire_put_text(out, key);
    if (text.p == NULL)
        wire_put_nil(out);
    else
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
