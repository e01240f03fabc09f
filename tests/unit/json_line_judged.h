/* What the quick reading of a line of JSON may do: nothing, or what jansson does. For the unit test and the fuzzer. */
#ifndef DOCKET_JSON_LINE_JUDGED_H
#define DOCKET_JSON_LINE_JUDGED_H

#include "json_line.h"

#include <stdbool.h>

enum json_judgment { JSON_LEFT, JSON_READ, JSON_DIFFERS };

/* Of the document's own form: entries in their order, shortest integers, each bit of a float. */
static inline struct span json_judged_form(struct buf *bytes, const struct wire_doc *doc)
{
    buf_reset(bytes);
    wire_put_val(bytes, wire_root(doc));
    return buf_span(bytes);
}

/* JSON_LEFT: it is left to jansson; JSON_READ: it was read, and jansson reads the same. */
static inline enum json_judgment json_line_judge(const char *text, size_t len)
{
    struct buf quick, slow;
    struct wire_doc *quick_doc = NULL, *slow_doc = NULL;
    struct err err;
    enum json_judgment ret = JSON_LEFT;

    buf_init(&quick, 16 * len + 64);
    buf_init(&slow, 16 * len + 64);
    if (json_line_read(&quick, text, len) &&
        wire_parse(quick.p, quick.len, WIRE_DEPTH_MAX, &quick_doc, &err)) {
        ret = JSON_DIFFERS;
        if (wire_from_json(&slow, text, len, &err) &&
            wire_parse(slow.p, slow.len, WIRE_DEPTH_MAX, &slow_doc, &err) &&
            span_equal(json_judged_form(&quick, quick_doc), json_judged_form(&slow, slow_doc)))
            ret = JSON_READ;
    }
    wire_doc_free(quick_doc);
    wire_doc_free(slow_doc);
    buf_clear(&quick);
    buf_clear(&slow);
    return ret;
}

#endif
