/* A line of JSON as a value. What programs write is read straight to values that point into the line; where that reading does not understand
 * each byte, jansson reads the line anew, and it alone says what is wrong. So the two never differ but in time: about a tenth of jansson's.
 *
 * Knows nothing of what a line holds. */
#ifndef DOCKET_JSON_LINE_H
#define DOCKET_JSON_LINE_H

#include "wire.h"

/* Room for one line after another. */
struct json_line;

struct json_line *json_line_new(void);
void json_line_free(struct json_line *line); /* accepts NULL */

/* One JSON text, nested at most depth_max (<= WIRE_DEPTH_MAX) deep.
 * out: ret  until the next one is read, and as long as text stays as it is: it points into it
 * err: as wire_from_json (but for the place, see json_line_column) and wire_parse have it */
bool json_line_parse(struct json_line *line, const char *text, size_t len, unsigned depth_max,
                     const struct wire_val **ret, struct err *err) __attribute__((warn_unused_result));

/* The column at which the last line that json_line_parse refused is no JSON; 0: it is JSON, and wrong for another reason. The message does
 * not tell it: who knows which line of a file it is tells both. */
unsigned json_line_column(const struct json_line *line);

/* The quick reading alone, for the tests. NULL: jansson is to be asked. */
const struct wire_val *json_line_read(struct json_line *line, const char *text, size_t len,
                                      unsigned depth_max);

#endif
