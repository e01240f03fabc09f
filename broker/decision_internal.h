/* What the files of the decision's check share: typed reads that name their field. */
#ifndef DOCKET_DECISION_INTERNAL_H
#define DOCKET_DECISION_INTERNAL_H

#include "decision.h"

/* Where a read stands: "clocks[2]." and so on, for the field that an error names. */
struct decision_at {
    const struct wire_doc *doc;
    const char *list; /* "" at the top */
    size_t i;
    struct err *err;
};

/* One clock, as far as the broker looks into it. */
struct decision_clock {
    struct span clock;
    int64_t cycle;
    int64_t due_at, warn_at, met_at; /* INT64_MIN: nil */
    enum { CLOCK_RUNNING, CLOCK_PAUSED, CLOCK_MET, CLOCK_MISSED } state;
};

/* Sets at->err to ERR_INVALID of that field; want: what is allowed. Gives false, for the caller to return. */
bool decision_fail(const struct decision_at *at, const char *field, const char *want);

/* The reads are false, with err set, when the value is not as wanted. One that is not there (or nil) is
 * refused when need is true, and leaves *ret alone otherwise. */
bool decision_text(const struct decision_at *at, const struct wire_val *map, const char *field, bool need,
                   size_t max, struct span *ret);
bool decision_int(const struct decision_at *at, const struct wire_val *map, const char *field, bool need,
                  int64_t least, int64_t most, int64_t *ret);
bool decision_bool(const struct decision_at *at, const struct wire_val *map, const char *field, bool need,
                   bool *ret);

/* The index of the text in words, which it must be one of. */
bool decision_word(const struct decision_at *at, const struct wire_val *map, const char *field,
                   const char *const *words, size_t count, size_t *ret);

/* A map or list as it stands in the document. */
bool decision_keep(const struct decision_at *at, const struct wire_val *map, const char *field,
                   enum wire_type type, size_t max, struct span *ret);

/* A list of up to max entries: *ret_list is NULL when there is none. */
bool decision_list(const struct decision_at *at, const struct wire_val *map, const char *field, size_t max,
                   const struct wire_val **ret_list);

/* decision_clocks.c: reads body.clocks against the old ones, keeps them and brings next_at forward;
 * deadlines. */
bool decision_read_clocks(const struct wire_doc *doc, const struct wire_val *body,
                          const struct decision_base *base, struct decision *decision, struct err *err);
bool decision_read_deadlines(const struct wire_doc *doc, const struct wire_val *body,
                             struct decision *decision, struct err *err);

/* Instants from 1970 to the year 10000. */
#define DECISION_INSTANT_MAX INT64_C(253402300800000000)
#define DECISION_SPAN_S_MAX INT64_C(315360000000)

#endif
