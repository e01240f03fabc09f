/* One op of the protocol at the broker: its form, how it is handled. The table of all of them is ops.h's. */
#ifndef DOCKET_OP_H
#define DOCKET_OP_H

#include "err.h"
#include "op_form.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

struct op {
    const struct op_form *form; /* name, fields, who may */
    bool changes;               /* writes: takes a key, is refused at once while the database is away */
    bool large;                 /* its message may be as large as a process */
    bool always; /* answered at once, from memory: also by a broker that has no room for requests */
    bool waits;  /* reads from the database: once it is its connection's turn (fair.h) */
    /* Takes the call: ends it with call_answer or call_refuse, now or when the commit came back. */
    void (*handle)(struct broker *broker, struct call *call);
    /* What is checked beyond the form of the request, of each field and as a whole; NULL: nothing. */
    bool (*check)(const struct request *req, struct err *err);
};

#endif
