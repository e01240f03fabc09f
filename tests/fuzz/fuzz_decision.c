/* A decision from a worker, for a ticket that has a priority and a running clock. */
#include "decision.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decision decision;
    struct decision_base base = {.state = STATE_TRIAGED, .priority = 3};
    struct wire_doc *doc = NULL;
    struct err err;

    if (!wire_parse(data, size, 16, &doc, &err))
        return 0;
    if (decision_parse(doc, wire_root(doc), &base, &decision, &err))
        decision_clear(&decision);
    wire_doc_free(doc);
    return 0;
}
