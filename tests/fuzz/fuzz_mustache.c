/* Templates: whatever the text, rendered within the limits or an error with its line. */
#include "mustache.h"
#include "wire.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char context[] = "\x82\xa1"
                                  "a\x92\x81\xa1"
                                  "b\xa3<x>\xc0\xa1"
                                  "c\xc3";
    struct wire_doc *doc = NULL;
    struct buf out;
    struct err err = {0};
    bool read = wire_parse(context, sizeof context - 1, 16, &doc, &err);

    assert(read);
    buf_init(&out, MUSTACHE_OUTPUT_BYTES_MAX);
    if (!mustache_render((struct span){(const char *)data, size}, wire_root(doc), MUSTACHE_HTML, NULL, NULL,
                         &out, &err))
        assert(err.code == ERR_INVALID || err.code == ERR_TOO_LARGE);
    buf_clear(&out);
    wire_doc_free(doc);
    return 0;
}
