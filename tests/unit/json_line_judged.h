/* What the quick reading of a line of JSON may do: nothing, or what jansson does. For the unit test and the fuzzer. */
#ifndef DOCKET_JSON_LINE_JUDGED_H
#define DOCKET_JSON_LINE_JUDGED_H

#include "json_line.h"

#include <stdbool.h>

enum json_judgment { JSON_LEFT, JSON_READ, JSON_DIFFERS };

/* Of the value's own form: entries in their order, shortest integers, each bit of a float. */
static inline struct span json_judged_form(struct buf *bytes, const struct wire_val *val)
{
    buf_reset(bytes);
    wire_put_val(bytes, val);
    return buf_span(bytes);
}

/* JSON_LEFT: it is left to jansson; JSON_READ: it was read, and jansson reads the same, which passes as a message. */
static inline enum json_judgment json_line_judge(const char *text, size_t len)
{
    struct json_line *line = json_line_new();
    struct buf quick, slow;
    struct wire_doc *doc = NULL, *again = NULL;
    struct err err;
    enum json_judgment ret = JSON_LEFT;

    buf_init(&quick, 16 * len + 64);
    buf_init(&slow, 16 * len + 64);
    const struct wire_val *val = json_line_read(line, text, len, WIRE_DEPTH_MAX);
    if (val != NULL) {
        ret = JSON_DIFFERS;
        if (wire_from_json(&slow, text, len, &err) &&
            wire_parse(slow.p, slow.len, WIRE_DEPTH_MAX, &doc, &err) &&
            span_equal(json_judged_form(&quick, val), json_judged_form(&slow, wire_root(doc))) &&
            wire_size(val) == quick.len && wire_parse(quick.p, quick.len, WIRE_DEPTH_MAX, &again, &err))
            ret = JSON_READ;
    }
    wire_doc_free(again);
    wire_doc_free(doc);
    buf_clear(&quick);
    buf_clear(&slow);
    json_line_free(line);
    return ret;
}

#endif
