/* An op with a key as a unit of the writer; see op_unit.h. */
#include "op_unit.h"

#include "broker.h"
#include "calls.h"
#include "pg.h"

/* What a unit holds besides the request: the statement's small parameters. */
enum { BESIDES_BYTES = 256 };

void op_unit_start(struct op_unit *op, const struct unit_type *type, struct broker *broker, struct call *call)
{
    op->unit.type = type;
    op->unit.bytes = wire_doc_bytes(call->req.doc).len + BESIDES_BYTES;
    op->broker = broker;
    op->call = call;
    op_key_begin(&op->key);
    writer_add(broker->writer, &op->unit);
}

void op_unit_put_key(const struct op_unit *op, struct pg_params *params)
{
    op_key_put(&op->key, op->call->req.key_digest, op->call->req.content_digest, params);
}

void op_unit_read_key(struct op_unit *op, const PGresult *rows, int taken, int content, int request)
{
    op_key_read(&op->key, rows, taken, content, request, op->call->req.content_digest);
}

bool op_unit_conflicts(struct op_unit *op)
{
    struct err err;

    if (op_key_check(&op->key, &err))
        return false;
    call_refuse(op->call, &err);
    return true;
}
