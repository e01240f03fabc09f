/* Mustache templates: variables, sections, inverted sections, comments, partials. No lambdas, no change of
 * delimiters, no files, no network: partials come from the caller. The context is a MessagePack value
 * (wire.h), a frozen snapshot. Passes the specification's cases for what it has. Pure. */
#ifndef DOCKET_MUSTACHE_H
#define DOCKET_MUSTACHE_H

#include "buf.h"
#include "err.h"
#include "wire.h"

enum mustache_escape { MUSTACHE_TEXT, MUSTACHE_HTML, MUSTACHE_JSON };

enum {
    MUSTACHE_DEPTH_MAX = 32,
    MUSTACHE_TEMPLATE_BYTES_MAX = 64 << 10,
    MUSTACHE_OUTPUT_BYTES_MAX = 512 << 10, /* the longest texts people may write fit, several of them */
    MUSTACHE_STEPS_MAX = 200000 /* tags and texts written; then the template is given up: milliseconds */
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

/* Whether a context can have the dotted name, as a whole or as the beginning of a longer one. */
typedef bool mustache_known_fn(void *arg, const char *path);
enum { MUSTACHE_PATH_BYTES = 200 };

/* Something is wrong there; line and column (in letters) count from 1. what is valid in the call. */
typedef void mustache_fault_fn(void *arg, size_t line, size_t column, const char *what);

/* Checks a template without rendering it: its form, and that every variable and section is known where it stands (inside a
 * section the names below it, then those outside). Partials are followed where they are used; what is wrong in one is told at the tag
 * that uses it, "partial NAME, line N, column M: …". All faults are told, but what has not the form of a template is not looked at
 * further. Returns whether there was none. fault may be NULL. */
bool mustache_check(struct span text, mustache_known_fn *known, mustache_partial_fn *partial,
                    mustache_fault_fn *fault, void *arg);

#endif
