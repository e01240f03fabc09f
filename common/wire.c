/* Reading MessagePack; see wire.h. */
#include "wire_internal.h"

#include <stdlib.h>
#include <string.h>

/* One piece of memory: the values of all lists and maps, then the bytes. */
struct wire_doc {
    struct wire_val root;
    const char *bytes;
    size_t len;
    struct wire_val values[];
};

bool wire_parse(const void *bytes, size_t len, unsigned depth_max, struct wire_doc **ret_doc, struct err *err)
{
    size_t count;

    if (!wire_check(bytes, len, depth_max, &count, err))
        return false;
    struct wire_doc *doc = malloc(sizeof *doc + count * sizeof *doc->values + len); /* count <= len */
    if (doc == NULL)
        return err_set(err, ERR_INTERNAL, "out of memory");
    char *copy = (char *)&doc->values[count];
    memcpy(copy, bytes, len);
    doc->bytes = copy;
    doc->len = len;
    wire_tree_grow(copy, &doc->root, doc->values);
    *ret_doc = doc;
    return true;
}

void wire_doc_free(struct wire_doc *doc)
{
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

bool wire_get_uint(const struct wire_val *val, uint64_t *ret)
{
    int64_t number;

    if (wire_type(val) != WIRE_INT || (wire_get_int(val, &number) && number < 0))
        return false;
    *ret = val->o.via.u64;
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

/* Keys are short: a loop over them is quicker than to ask for the length and compare. Text has no NUL, so it ends where key does. */
static inline bool key_is(const msgpack_object_str *name, const char *key)
{
    uint32_t i = 0;

    while (i < name->size && name->ptr[i] == key[i])
        i++;
    return i == name->size && key[i] == '\0';
}

const struct wire_val *wire_find(const struct wire_val *map, const char *key)
{
    if (wire_type(map) != WIRE_MAP)
        return NULL;
    const msgpack_object_map *entries = &map->o.via.map;
    for (size_t i = 0; i < entries->size; i++) {
        if (key_is(&entries->ptr[i].key.via.str, key)) /* the check let only text be a key */
            return wire_cast(&entries->ptr[i].val);
    }
    return NULL;
}

struct span wire_find_raw(const struct wire_doc *doc, const struct wire_val *map, const char *key)
{
    const struct wire_val *val = wire_find(map, key);

    if (val == NULL)
        return SPAN_NONE;
    /* Text points into the document, and a value follows its key. */
    const msgpack_object_kv *entry =
        (const msgpack_object_kv *)((const char *)val - offsetof(msgpack_object_kv, val));
    const msgpack_object_str *name = &entry->key.via.str;
    return name->ptr == NULL ? SPAN_NONE : wire_value_at(name->ptr + name->size, doc->bytes + doc->len);
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
