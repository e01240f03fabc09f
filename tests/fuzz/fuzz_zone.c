/* The reader of TZif files: whatever the bytes, a zone that answers or an error. */
#include "zone.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone *zone = NULL;
    struct err err;

    if (!zone_parse(data, size, &zone, &err))
        return 0;
    for (size_t i = 0; i < zone_spans(zone); i++) {
        int64_t start = zone_span_start(zone, i);
        assert(zone_span_at(zone, start) == i && start < zone_span_start(zone, i + 1));
        (void)zone_offset(zone, start);
    }
    zone_free(zone);
    return 0;
}
