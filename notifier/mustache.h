/* Mustache templates: variables, sections, inverted sections, comments, partials. No lambdas, no change of
 * delimiters, no files, no network: partials come from the caller. The context is a MessagePack value
 * (wire.h), a frozen snapshot. Passes the specification's cases for what it has. Pure. */
#ifndef DOCKET_MUSTACHE_H
#define DOCKET_MUSTACHE_H

#include "buf.h"
#include "err.h"
#include "wire.h"

enum mustache_escape { MUSTACHE_TEXT, MUSTACHE_HTML };

enum {
    MUSTACHE_DEPTH_MAX = 32,
    MUSTACHE_TEMPLATE_BYTES_MAX = 64 << 10,
    MUSTACHE_OUTPUT_BYTES_MAX = 64 << 10
};

/* The partial of that name; SPAN_NONE renders as nothing. */
typedef struct span mustache_partial_fn(void *arg, struct span name);

/* Appends the rendered template.
 * in:  partial  may be NULL: there are none
 * out: out      on failure what was written so far is of no use
 * err: ERR_INVALID    "line N: what is wrong"
 *      ERR_TOO_LARGE  the result passes out's limit, or partials nest deeper than MUSTACHE_DEPTH_MAX */
bool mustache_render(struct span text, const struct wire_val *context, enum mustache_escape escape,
                     mustache_partial_fn *partial, void *arg, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
