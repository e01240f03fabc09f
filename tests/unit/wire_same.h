/* For tests: whether two values are the same, integers by number, maps in any order. */
#ifndef DOCKET_TEST_WIRE_SAME_H
#define DOCKET_TEST_WIRE_SAME_H

#include "wire.h"

static bool wire_same(const struct wire_val *a, const struct wire_val *b)
{
    struct buf forms[2];

    for (int i = 0; i < 2; i++) {
        buf_init(&forms[i], SIZE_MAX / 2);
        wire_put_canonical(&forms[i], i == 0 ? a : b);
    }
    bool same = !forms[0].failed && span_equal(buf_span(&forms[0]), buf_span(&forms[1]));
    buf_clear(&forms[0]);
    buf_clear(&forms[1]);
    return same;
}

#endif
