/* What the files of the rules share. Not for others. */
#ifndef DOCKET_RULES_INTERNAL_H
#define DOCKET_RULES_INTERNAL_H

#include "rules.h"

/* The value of a field in a work. */
enum rules_shape {
    SHAPE_NONE,
    SHAPE_TEXT,
    SHAPE_NUMBER,
    SHAPE_BOOL,
    SHAPE_VALUE /* list or map of the wire */,
    SHAPE_BITS
};

struct rules_value {
    enum rules_shape shape;
    struct span text;
    double number;              /* NUMBER; BOOL as 0, 1 */
    const struct wire_val *val; /* VALUE */
    unsigned bits;              /* BITS: enum process_channel */
};

struct rules {
    const struct process *process;
    struct pcre2_real_match_context_8 *context;
    struct pcre2_real_match_data_8 *data;
    struct buf text;  /* title and problem */
    struct buf reply; /* the new words of a reply */
    struct buf why;
    const struct rules_input *input;
};

struct rules_value rules_field(struct rules *rules, const char *field);
struct rules_value rules_value_of(const struct wire_val *val);

/* A reply without what it quotes. */
void rules_strip_quotes(struct span text, struct buf *out);

/* Whether a condition holds; what decided it is appended to rules->why. */
bool rules_cond(struct rules *rules, const struct rule_cond *cond);

#endif
