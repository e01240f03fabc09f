/* What the files of the wire share. Not for others. */
#ifndef DOCKET_WIRE_INTERNAL_H
#define DOCKET_WIRE_INTERNAL_H

#include "wire.h"

#include <assert.h>
#include <msgpack.h>

/* The object is the only member, so that arrays of both have the same layout. */
struct wire_val {
    msgpack_object o;
};

static_assert(sizeof(msgpack_object_kv) == 2 * sizeof(msgpack_object),
              "a pair is two values, nothing between");

static inline const struct wire_val *wire_cast(const msgpack_object *o)
{
    return (const struct wire_val *)o;
}

/* The bytes of the one value that stands at p; end is that of its document, which passed wire_check. */
struct span wire_value_at(const char *p, const char *end);

/* The checks of wire_parse; allocates nothing.
 * out: ret_values  how many values stand in the lists and maps, a map's keys counted */
bool wire_check(const void *bytes, size_t len, unsigned depth_max, size_t *ret_values, struct err *err)
    __attribute__((warn_unused_result));

/* Reads bytes that passed wire_check into root; room has place for all values in lists and maps. Text and bytes stay where they are. */
void wire_tree_grow(const char *bytes, struct wire_val *root, struct wire_val *room);

#endif
