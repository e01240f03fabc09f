/* What the files of the conditions share. Not for others. */
#ifndef DOCKET_CONDITIONS_INTERNAL_H
#define DOCKET_CONDITIONS_INTERNAL_H

#include "conditions.h"

/* The value of a field in a work. */
enum value_shape {
    SHAPE_NONE,
    SHAPE_TEXT,
    SHAPE_NUMBER,
    SHAPE_BOOL,
    SHAPE_VALUE, /* list or map of the wire */
    SHAPE_BITS
};

struct value {
    enum value_shape shape;
    struct span text;
    double number;              /* NUMBER; BOOL as 0, 1 */
    const struct wire_val *val; /* VALUE */
    unsigned bits;              /* BITS: enum process_channel */
};

struct conditions {
    struct conditions_view view;
    const struct process_package *package;
    struct buf text, reply; /* title and problem; the new words of a reply: made when first asked for */
    bool has_text, has_reply;
    struct buf why;
    bool asked; /* for the words that say why */
    struct pattern_search *search;
    struct wire_made *made;
};

/* What a field is in this work; and one value as it stands in a map. Texts lie in the work, or in c. */
struct value condition_field(struct conditions *c, const char *field);
struct value condition_value(const struct wire_val *val);

#endif
