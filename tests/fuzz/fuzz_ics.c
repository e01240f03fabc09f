/* The reader of iCalendar files: whatever the bytes, spans in order or faults. */
#include "ics.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone *home = NULL;
    struct ics_spans spans = {.items = NULL};
    struct faults faults = {NULL, 0, 0};

    if (!zone_open("tests/zones", "Europe/Berlin", &home, NULL))
        return 0;
    if (ics_read("x.ics", (struct span){(const char *)data, size}, home, "tests/zones", NULL, &spans,
                 &faults)) {
        for (size_t i = 0; i < spans.count; i++)
            assert(spans.items[i].from_s < spans.items[i].until_s &&
                   (i == 0 || spans.items[i - 1].from_s <= spans.items[i].from_s));
        ics_spans_clear(&spans);
    } else {
        assert(faults.count != 0);
    }
    faults_clear(&faults);
    zone_free(home);
    return 0;
}
