/* Writing MessagePack; see wire.h. */
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
