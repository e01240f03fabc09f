/* What the parts of request_fields.h share: the table of fields (request_fields.c), the checks of one value (request_values.c) and of maps
 * with fields of their own (request_records.c). */
#ifndef DOCKET_REQUEST_INTERNAL_H
#define DOCKET_REQUEST_INTERNAL_H

#include "request_fields.h"

enum request_kind {
    KIND_TEXT,   /* least..most bytes */
    KIND_POINTS, /* one line of 1..limit code points */
    KIND_LONG,   /* text of 1..limit bytes (problem) */
    KIND_WORDS,  /* the same, but not blank: what people say of what they do */
    KIND_NAME,   /* [A-Za-z0-9._-], least..most bytes */
    KIND_ENUM,   /* one of the names */
    KIND_INT,    /* least..most */
    KIND_BOOL,
    KIND_MAP,       /* encoded size up to the limit */
    KIND_TEXTS,     /* list of 1..most texts of up to 64 bytes */
    KIND_LINE,      /* text without control characters: it ends up in mail headers */
    KIND_ADDRESSES, /* list of least..most addresses, each of one line */
    KIND_TRACKING,
    KIND_TRACKINGS, /* one, or a list of 1..most */
    KIND_AS,
    KIND_CONTACT,
    KIND_CUSTOMER,
    KIND_SET,
    KIND_FILES,
    KIND_FILTER,
    KIND_HASH,
};

struct request_row {
    const char *name;
    enum request_kind kind;
    int64_t least, most;
    const char *names; /* KIND_ENUM: "a|b|c"; KIND_CONTACT and the like: the keys allowed inside */
};

extern const struct request_row request_fields[F_FIELDS];

/* What a check needs to know besides the value. */
struct check {
    const char *path; /* as the error names it: "contact.email" */
    const struct request_row *row;
    const struct request_rules *rules;
    struct err *err;
};

/* A value by its row. err: ERR_INVALID, ERR_TOO_LARGE, with the field. */
bool check_value(const struct check *c, const struct wire_val *val) __attribute__((warn_unused_result));

/* ---- words ---- */

/* Whether name is one of "a|b|c". */
bool names_have(const char *names, struct span name);

/* faults_hint for a word that is none of "a|b|c". */
enum { ALLOWED_BYTES = 500 };
void names_allowed(const char *names, struct span word, char ret[ALLOWED_BYTES]);

/* ---- checks by kind ---- */

bool check_wrong_type(const struct check *c, const struct wire_val *val, const char *want);
/* Whether a word is one of "a|b|c". err: ERR_INVALID, naming path and what is allowed */
bool check_word_is(const struct check *c, const char *path, struct span word, const char *names)
    __attribute__((warn_unused_result));
/* Whether text is one line; check_is_word: and not of blanks alone; or its form is free. err: ERR_INVALID, naming the check's path */
bool check_is_word(const struct check *c, struct span text) __attribute__((warn_unused_result));
bool check_is_line(const struct check *c, const char *path, struct span text)
    __attribute__((warn_unused_result));
bool check_line(const struct check *c, const struct wire_val *val);
bool check_points(const struct check *c, const struct wire_val *val);
bool check_map(const struct check *c, const struct wire_val *val);
bool check_texts(const struct check *c, const struct wire_val *val);
bool check_tracking(const struct check *c, const struct wire_val *val);
bool check_as(const struct check *c, const struct wire_val *val);
bool check_contact(const struct check *c, const struct wire_val *val);
bool check_customer(const struct check *c, const struct wire_val *val);
bool check_set(const struct check *c, const struct wire_val *val);
bool check_filter(const struct check *c, const struct wire_val *val);

#endif
