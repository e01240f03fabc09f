/* Tracking numbers: what is read is written and read back as the same. */
#include "tracking.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TRACKING_TEXT_BYTES];
    int64_t id, again;
    struct err err;

    if (!tracking_parse((struct span){(const char *)data, size}, "DKT", &id, &err))
        return 0;
    tracking_format(id, "DKT", text);
    bool read = tracking_parse(span_of(text), "DKT", &again, &err);
    assert(read && again == id);
    return 0;
}
