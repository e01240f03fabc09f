/* What the broker does for each op of the protocol (common/op_form.h), as one table. */
#ifndef DOCKET_OPS_H
#define DOCKET_OPS_H

#include "op_form.h"
#include "request.h"

struct broker;
struct call;

struct op {
    const struct op_form *form; /* name, fields, who may */
    bool changes;               /* writes: takes a key, is refused at once while the database is away */
    bool large;                 /* its message may be as large as a process */
    bool always; /* answered at once, from memory: also by a broker that has no room for requests */
    /* Takes the call: ends it with call_answer or call_refuse, now or when the commit came back. */
    void (*handle)(struct broker *broker, struct call *call);
    /* What is checked beyond the fields' own limits; NULL: nothing. */
    bool (*check)(const struct request *req, struct err *err);
};

/* The row of a name, or NULL. */
const struct op *ops_find(struct span name);

/* All rows, for who goes through the table. */
size_t ops_count(void);
const struct op *ops_at(size_t i);

/* Whether who asks may: the one place for it. A key of CURVE will fill in role and actor before. err: ERR_FORBIDDEN, ERR_INVALID. */
bool ops_may(const struct op *op, const struct request *req, struct err *err)
    __attribute__((warn_unused_result));

#endif
