/* Deciding: a worker's decision from the wire to the commit. */
#ifndef DOCKET_DECIDING_H
#define DOCKET_DECIDING_H

#include "wire.h"
#include "writer.h"

struct broker;
struct wake;

/* A decision came for a wake that is with a worker. Takes doc. One that breaks the rules counts as a failure of the ticket. */
void deciding_take(struct broker *broker, struct wake *wake, struct wire_doc *doc,
                   const struct wire_val *body, const char *worker);

/* Sends the statements of a batch's decisions (deciding_send.c). arg: the broker. */
void deciding_send(void *arg, struct unit **units, size_t count, bool repeat);

#endif
