/* What ops that list things share; see listing.h. */
#include "listing.h"

#include "clients.h"

enum { DIGITS_MAX = 18, WORD_SHOWN_MAX = 40 };

static struct span word_at(struct span text, size_t from)
{
    size_t len = 0;
    while (from + len < text.len && text.p[from + len] != ',')
        len++;
    return (struct span){text.p + from, len};
}

bool listing_states(struct span text, bool (*parse)(struct span name, int *ret), unsigned all,
                    unsigned fallback, const char *names, unsigned *ret, struct err *err)
{
    unsigned states = 0;

    for (size_t i = 0; i < text.len;) {
        struct span word = word_at(text, i);
        int state = 0;
        if (span_is(word, "all"))
            states = all;
        else if (parse(word, &state))
            states |= 1u << state;
        else
            return err_field(err, ERR_INVALID, "state", "state: \"%.*s\" is none of %s, all",
                             (int)(word.len > WORD_SHOWN_MAX ? WORD_SHOWN_MAX : word.len), word.p, names);
        i += word.len + 1;
    }
    *ret = states == 0 ? fallback : states;
    return true;
}

bool listing_cursor(struct span text, const char *op, int64_t *ret, struct err *err)
{
    *ret = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || text.len > DIGITS_MAX)
            return err_field(err, ERR_INVALID, "cursor", "cursor: not one of %s", op);
        *ret = *ret * 10 + (text.p[i] - '0');
    }
    return true;
}

void listing_done(void *arg, struct span body, const struct err *err)
{
    struct call *call = arg;
    if (err != NULL)
        call_refuse(call, err);
    else
        call_answer(call, body);
}
