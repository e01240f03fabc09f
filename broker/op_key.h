/* The key of an op: what goes to the statement that stores it, and what the row that comes back says of it. Shared by all ops that
 * change something; postings have their own way (posting.c). */
#ifndef DOCKET_OP_KEY_H
#define DOCKET_OP_KEY_H

#include "err.h"
#include "pg.h"

#include <stdbool.h>
#include <stdint.h>

/* What the row said: to be believed after the commit only. */
struct op_key {
    int64_t request; /* random: tells our own repeat after an unknown commit from a duplicate */
    bool taken;      /* a posting has this key */
    bool is_there;   /* an op was done with it before, or by this request's first try */
    bool same;       /* with the same content */
    bool ours;       /* by this request */
};

void op_key_begin(struct op_key *key);

/* The first three parameters: digest of the key, digest of the content, the request's number. */
void op_key_put(const struct op_key *key, const unsigned char key_digest[16],
                const unsigned char content_digest[16], struct pg_params *params);

/* Columns of the row. */
void op_key_read(struct op_key *key, const PGresult *rows, int taken, int content, int request,
                 const unsigned char content_digest[16]);

/* False: the key stands for something else. err: ERR_CONFLICT */
bool op_key_check(const struct op_key *key, struct err *err) __attribute__((warn_unused_result));

/* The op was done before, by somebody else's request or an earlier one. */
bool op_key_is_duplicate(const struct op_key *key);

#endif
