/* A reading whose answer is one map; see read_one.h. */
#include "read_one.h"
#include "mem.h"

#include <stdlib.h>

struct read_one *read_one_new(const char *what, const char *prefix, read_answer_fn *fn, void *arg)
{
    struct read_one *r = mem_new(1, sizeof *r);

    *r = (struct read_one){.what = what, .prefix = prefix, .fn = fn, .arg = arg};
    (void)err_set(&r->missing, ERR_NOT_FOUND, "there is none yet");
    buf_init(&r->out, READ_ONE_BYTES_MAX);
    return r;
}

void read_one_on_end(void *arg, const struct pg_end *end)
{
    struct read_one *r = arg;
    struct err err;
    const struct err *why = &err;

    if (read_end_is_ok(end, r->what, &err)) {
        why = r->found ? NULL : &r->missing;
        if (why == NULL && r->out.failed) {
            (void)err_set(&err, ERR_TOO_LARGE, "the answer is too large: ask for fewer");
            why = &err;
        }
    }
    r->fn(r->arg, why == NULL ? buf_span(&r->out) : SPAN_NONE, why);
    buf_clear(&r->out);
    free(r);
}
