/* The tree of what passed wire_check; see wire_internal.h. One piece of memory for all of a document's values: msgpack-c's own unpacking
 * takes one more for each list and map, and goes through the bytes again as if nothing were known of them. */
#include "wire_internal.h"

#include <string.h>

struct growth {
    const unsigned char *p;
    msgpack_object *free; /* the next that nobody has */
};

static uint64_t take_uint(struct growth *g, size_t width)
{
    uint64_t value = 0;

    for (size_t i = 0; i < width; i++)
        value = value << 8 | *g->p++;
    return value;
}

static void set_uint(msgpack_object *o, uint64_t value)
{
    o->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
    o->via.u64 = value;
}

static void set_int(msgpack_object *o, int64_t value)
{
    if (value >= 0) {
        set_uint(o, (uint64_t)value);
        return;
    }
    o->type = MSGPACK_OBJECT_NEGATIVE_INTEGER;
    o->via.i64 = value;
}

/* A number of width bytes in two's complement. */
static int64_t take_int(struct growth *g, size_t width)
{
    uint64_t value = take_uint(g, width), sign = UINT64_C(1) << (width * 8 - 1);
    return (int64_t)((value ^ sign) - sign);
}

static void take_float(struct growth *g, msgpack_object *o, size_t width)
{
    uint64_t bits = take_uint(g, width);

    if (width == 8) {
        o->type = MSGPACK_OBJECT_FLOAT64;
        memcpy(&o->via.f64, &bits, sizeof o->via.f64);
        return;
    }
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    o->type = MSGPACK_OBJECT_FLOAT32;
    o->via.f64 = (double)value;
}

static void take_bytes(struct growth *g, msgpack_object *o, msgpack_object_type type, uint64_t len)
{
    o->type = type;
    o->via.str.ptr = (const char *)g->p; /* a bin has the same members */
    o->via.str.size = (uint32_t)len;
    g->p += len;
}

static void grow(struct growth *g, msgpack_object *o);

/* A map's entries are pairs of values, one after another. */
static void grow_many(struct growth *g, msgpack_object *o, msgpack_object_type type, uint64_t count)
{
    msgpack_object *items = g->free;
    uint64_t values = type == MSGPACK_OBJECT_MAP ? 2 * count : count;

    g->free += values;
    o->type = type;
    if (type == MSGPACK_OBJECT_MAP) {
        o->via.map.size = (uint32_t)count;
        o->via.map.ptr = (msgpack_object_kv *)items;
    } else {
        o->via.array.size = (uint32_t)count;
        o->via.array.ptr = items;
    }
    for (uint64_t i = 0; i < values; i++)
        grow(g, &items[i]);
}

/* Those whose first byte tells only what follows. */
static void grow_long(struct growth *g, msgpack_object *o, unsigned b)
{
    switch (b) {
    case 0xc0:
        o->type = MSGPACK_OBJECT_NIL;
        return;
    case 0xc2:
    case 0xc3:
        o->type = MSGPACK_OBJECT_BOOLEAN;
        o->via.boolean = b == 0xc3;
        return;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        take_bytes(g, o, MSGPACK_OBJECT_BIN, take_uint(g, (size_t)1 << (b - 0xc4)));
        return;
    case 0xca:
    case 0xcb:
        take_float(g, o, b == 0xca ? 4 : 8);
        return;
    case 0xd9:
    case 0xda:
    case 0xdb:
        take_bytes(g, o, MSGPACK_OBJECT_STR, take_uint(g, (size_t)1 << (b - 0xd9)));
        return;
    case 0xdc:
    case 0xdd:
        grow_many(g, o, MSGPACK_OBJECT_ARRAY, take_uint(g, (size_t)2 << (b - 0xdc)));
        return;
    case 0xde:
    case 0xdf:
        grow_many(g, o, MSGPACK_OBJECT_MAP, take_uint(g, (size_t)2 << (b - 0xde)));
        return;
    default:
        break;
    }
    if (b < 0xd0)
        set_uint(o, take_uint(g, (size_t)1 << (b - 0xcc)));
    else
        set_int(o, take_int(g, (size_t)1 << (b - 0xd0)));
}

/* Recursion is bounded by the depth that was checked. */
static void grow(struct growth *g, msgpack_object *o)
{
    unsigned b = *g->p++;

    if (b < 0x80)
        set_uint(o, b);
    else if (b < 0x90)
        grow_many(g, o, MSGPACK_OBJECT_MAP, b & 0x0f);
    else if (b < 0xa0)
        grow_many(g, o, MSGPACK_OBJECT_ARRAY, b & 0x0f);
    else if (b < 0xc0)
        take_bytes(g, o, MSGPACK_OBJECT_STR, b & 0x1f);
    else if (b >= 0xe0)
        set_int(o, (int64_t)b - 0x100);
    else
        grow_long(g, o, b);
}

void wire_tree_grow(const char *bytes, struct wire_val *root, struct wire_val *room)
{
    struct growth g = {(const unsigned char *)bytes, &room->o};
    grow(&g, &root->o);
}
