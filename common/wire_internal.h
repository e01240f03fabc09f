/* What the files of the wire share. Not for others. */
#ifndef DOCKET_WIRE_INTERNAL_H
#define DOCKET_WIRE_INTERNAL_H

#include "wire.h"

#include <msgpack.h>

/* The object is the only member, so that arrays of both have the same layout. */
struct wire_val {
    msgpack_object o;
};

static inline const struct wire_val *wire_cast(const msgpack_object *o)
{
    return (const struct wire_val *)o;
}

/* The bytes of the one value that stands at p; end is that of its document, which passed wire_check. */
struct span wire_value_at(const char *p, const char *end);

#endif
