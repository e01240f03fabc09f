/* Values made of others; see wire.h, "putting together". What is put waits in a row until its list or map is closed, and goes then with the
 * others of it into one place that does not move any more. */
#include "wire_internal.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 256, DOUBLED_KEYS_MAX = 64 };

/* What does not fit into a piece goes into a further one. */
struct piece {
    struct piece *next;
    size_t room, used;
    msgpack_object vals[];
};

struct wire_made {
    struct piece *pieces; /* of closed lists and maps; the newest first */
    struct wire_val *row;
    size_t count, room;
};

static void piece_add(struct wire_made *made, size_t room)
{
    struct piece *piece = mem_new(1, sizeof *piece + room * sizeof piece->vals[0]);

    piece->room = room;
    piece->next = made->pieces;
    made->pieces = piece;
}

/* Gives back how much room there was. */
static size_t pieces_free(struct wire_made *made)
{
    size_t room = 0;

    while (made->pieces != NULL) {
        struct piece *next = made->pieces->next;
        room += made->pieces->room;
        free(made->pieces);
        made->pieces = next;
    }
    return room;
}

struct wire_made *wire_made_new(void)
{
    struct wire_made *made = mem_new(1, sizeof *made);

    piece_add(made, ROOM_FIRST);
    return made;
}

void wire_made_free(struct wire_made *made)
{
    if (made == NULL)
        return;
    (void)pieces_free(made);
    free(made->row);
    free(made);
}

/* Several pieces become one, so that in the end one is enough. */
void wire_made_reset(struct wire_made *made)
{
    if (made->pieces->next != NULL)
        piece_add(made, pieces_free(made));
    made->pieces->used = 0;
    made->count = 0;
}

const struct wire_val *wire_made_root(const struct wire_made *made)
{
    assert(made->count == 1);
    return made->row;
}

const struct wire_val *wire_made_last(const struct wire_made *made)
{
    assert(made->count != 0);
    return &made->row[made->count - 1];
}

/* ---- scalars ---- */

static msgpack_object *row_add(struct wire_made *made, msgpack_object_type type)
{
    if (made->count == made->room) {
        made->room = made->room == 0 ? ROOM_FIRST : 2 * made->room;
        made->row = mem_grow(made->row, made->room, sizeof *made->row);
    }
    msgpack_object *o = &made->row[made->count++].o;
    o->type = type;
    return o;
}

void wire_made_nil(struct wire_made *made)
{
    (void)row_add(made, MSGPACK_OBJECT_NIL);
}

void wire_made_bool(struct wire_made *made, bool value)
{
    row_add(made, MSGPACK_OBJECT_BOOLEAN)->via.boolean = value;
}

void wire_made_int(struct wire_made *made, int64_t value)
{
    row_add(made, value < 0 ? MSGPACK_OBJECT_NEGATIVE_INTEGER : MSGPACK_OBJECT_POSITIVE_INTEGER)->via.i64 =
        value;
}

void wire_made_float(struct wire_made *made, double value)
{
    row_add(made, MSGPACK_OBJECT_FLOAT64)->via.f64 = value;
}

void wire_made_str(struct wire_made *made, struct span text)
{
    msgpack_object *o = row_add(made, MSGPACK_OBJECT_STR);

    o->via.str.ptr = text.p;
    o->via.str.size = (uint32_t)text.len;
}

void wire_made_val(struct wire_made *made, const struct wire_val *val)
{
    msgpack_object *o = row_add(made, MSGPACK_OBJECT_NIL);

    if (val != NULL)
        *o = val->o;
}

/* ---- lists and maps ---- */

size_t wire_made_open(struct wire_made *made)
{
    return made->count;
}

/* Moves what was put since then out of the row. */
static msgpack_object *row_take(struct wire_made *made, size_t opened)
{
    size_t count = made->count - opened;
    struct piece *piece = made->pieces;

    if (count > piece->room - piece->used) {
        piece_add(made, count > piece->room ? 2 * count : piece->room);
        piece = made->pieces;
    }
    msgpack_object *vals = piece->vals + piece->used;
    piece->used += count;
    if (count != 0)
        memcpy(vals, made->row + opened, count * sizeof *vals);
    made->count = opened;
    return vals;
}

void wire_made_close_list(struct wire_made *made, size_t opened)
{
    size_t count = made->count - opened;
    msgpack_object *vals = row_take(made, opened);
    msgpack_object *o = row_add(made, MSGPACK_OBJECT_ARRAY);

    o->via.array.ptr = vals;
    o->via.array.size = (uint32_t)count;
}

void wire_made_close_map(struct wire_made *made, size_t opened)
{
    size_t count = made->count - opened;
    assert(count % 2 == 0);
    msgpack_object *vals = row_take(made, opened);
    msgpack_object *o = row_add(made, MSGPACK_OBJECT_MAP);

    o->via.map.ptr = (msgpack_object_kv *)vals;
    o->via.map.size = (uint32_t)(count / 2);
}

void wire_made_key_bool(struct wire_made *made, const char *key, bool value)
{
    wire_made_str(made, span_of(key));
    wire_made_bool(made, value);
}

void wire_made_key_int(struct wire_made *made, const char *key, int64_t value)
{
    wire_made_str(made, span_of(key));
    wire_made_int(made, value);
}

void wire_made_key_str(struct wire_made *made, const char *key, struct span text)
{
    wire_made_str(made, span_of(key));
    wire_made_str(made, text);
}

void wire_made_key_val(struct wire_made *made, const char *key, const struct wire_val *val)
{
    wire_made_str(made, span_of(key));
    wire_made_val(made, val);
}

bool wire_has_doubled_key(const struct wire_val *map)
{
    size_t count = wire_count(map);

    for (size_t i = 1; i < count && count <= DOUBLED_KEYS_MAX; i++)
        for (size_t k = 0; k < i; k++) {
            const msgpack_object_str *a = &map->o.via.map.ptr[i].key.via.str,
                                     *b = &map->o.via.map.ptr[k].key.via.str;
            if (a->size == b->size && (a->size == 0 || memcmp(a->ptr, b->ptr, a->size) == 0))
                return true;
        }
    return false;
}
