/* An op with a key as a unit of the writer: what all of them hold and how they begin. Whoever embeds one puts it first, so that the unit
 * is its beginning. */
#ifndef DOCKET_OP_UNIT_H
#define DOCKET_OP_UNIT_H

#include "op_key.h"
#include "writer.h"

struct broker;
struct call;

struct op_unit {
    struct unit unit;
    struct broker *broker;
    struct call *call; /* answered once, by the type's done */
    struct op_key key;
};

/* Hands it to the broker's writer, which calls the type's functions with it. op is zeroed but for what its owner added behind it.
 * Takes the call. */
void op_unit_start(struct op_unit *op, const struct unit_type *type, struct broker *broker,
                   struct call *call);

/* The key's parameters, the first three; and its columns, to be believed after the commit only. */
void op_unit_put_key(const struct op_unit *op, struct pg_params *params);
void op_unit_read_key(struct op_unit *op, const PGresult *rows, int taken, int content, int request);

/* True when the key stands for something else: that was answered. A duplicate with the same content goes on. */
bool op_unit_conflicts(struct op_unit *op) __attribute__((warn_unused_result));

#endif
