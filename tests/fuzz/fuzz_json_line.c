/* The quick reading of a line of JSON: what it reads, jansson reads as the same value. */
#include "../unit/json_line_judged.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    assert(json_line_judge((const char *)data, size) != JSON_DIFFERS);
    return 0;
}
