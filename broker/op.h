/* One op of the protocol at the broker: its form, how it is handled. The table of all of them is ops.h's. */
#ifndef DOCKET_OP_H
#define DOCKET_OP_H

#include "err.h"
#include "op_form.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

/* What is only begun once it is its connection's turn (fair.h): each kind has turns of its own, so that what takes long holds up no other. */
enum turn {
    TURN_NONE,
    TURN_READING,  /* reads from the database */
    TURN_TRYING,   /* keeps a worker busy, which has tickets to decide */
    TURN_APPLYING, /* a process is read, and asked about at every worker */
    TURN_KINDS
};

struct op {
    const struct op_form *form; /* name, fields, who may */
    bool changes;               /* writes: takes a key, is refused at once while the database is away */
    bool large;                 /* its message may be as large as a process */
    bool always; /* answered at once, from memory: also by a broker that has no room for requests */
    enum turn turn;
    /* Takes the call: ends it with call_answer or call_refuse, now or when the commit came back. */
    void (*handle)(struct broker *broker, struct call *call);
    /* What is checked beyond the form of the request, of each field and as a whole; NULL: nothing. */
    bool (*check)(const struct request *req, struct err *err);
};

#endif
