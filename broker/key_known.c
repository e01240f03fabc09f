/* The key wins; see key_known.h. */
#include "key_known.h"
#include "broker.h"
#include "calls.h"
#include "mem.h"
#include "pg.h"
#include "statements.h"
#include "writer.h"

#include <stdlib.h>

enum { UNIT_BYTES = 128, DIGEST_BYTES = 16 };

struct asking {
    struct unit unit;
    struct call *call;
    struct err refusal;
    key_known_fn *then;
    void *arg;
    bool known; /* what the row said: believed after the commit only */
};

static void known_on_rows(void *arg, PGresult *rows)
{
    struct asking *asking = arg;
    asking->known = pg_bool(rows, 0, 0);
}

static void known_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct asking *asking = (struct asking *)unit;

    pg_put_bytes(params, (struct span){(const char *)asking->call->req.key_digest, DIGEST_BYTES});
    (void)pg_send(pg, W_KEY_KNOWN, params, known_on_rows, asking);
}

static void known_done(struct unit *unit, const struct err *err)
{
    struct asking *asking = (struct asking *)unit;
    const struct err *why = err != NULL ? err : asking->known ? NULL : &asking->refusal;

    asking->then(asking->arg, asking->call, why);
    free(asking);
}

void key_known_or(struct broker *broker, struct call *call, const struct err *refusal, key_known_fn *then,
                  void *arg)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = known_send,
                                          .done = known_done};

    if (!call->req.has_key) {
        then(arg, call, refusal);
        return;
    }
    struct asking *asking = mem_new(1, sizeof *asking);
    asking->unit.type = &type;
    asking->unit.bytes = UNIT_BYTES;
    asking->call = call;
    asking->refusal = *refusal;
    asking->then = then;
    asking->arg = arg;
    writer_add(broker->writer, &asking->unit);
}
