/* A line of JSON as a document. What programs write is read straight to MessagePack; where that reading does not understand each byte,
 * jansson reads the line anew, and it alone says what is wrong. So the two never differ but in time: about a tenth of jansson's.
 *
 * Knows nothing of what a line holds. */
#ifndef DOCKET_JSON_LINE_H
#define DOCKET_JSON_LINE_H

#include "wire.h"

/* One JSON text, nested at most depth_max (<= WIRE_DEPTH_MAX) deep. bytes is the caller's room for what lies between, emptied before; the
 * caller frees the document with wire_doc_free.
 * err: as wire_from_json and wire_parse have it */
bool json_line_parse(struct buf *bytes, const char *text, size_t len, unsigned depth_max,
                     struct wire_doc **ret_doc, struct err *err) __attribute__((warn_unused_result));

/* The quick reading alone, for the tests: appends the text's value, as wire_parse has still to check it (UTF-8, doubled keys, depth).
 * False: jansson is to be asked; what was appended means nothing. */
bool json_line_read(struct buf *out, const char *text, size_t len) __attribute__((warn_unused_result));

#endif
