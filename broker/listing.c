/* What ops that list things share; see listing.h. */
#include "listing.h"

#include "calls.h"

enum { DIGITS_MAX = 18, WORD_SHOWN_MAX = 40 };

static struct span word_at(struct span text, size_t from)
{
    size_t len = 0;
    while (from + len < text.len && text.p[from + len] != ',')
        len++;
    return (struct span){text.p + from, len};
}

/* The states that a word names, a bit each; 0: none. */
static unsigned states_of(struct span word, const struct listing_sets *sets)
{
    int state;

    for (int i = 0; i < LISTING_SETS_MAX && sets->sets[i].name != NULL; i++)
        if (span_is(word, sets->sets[i].name))
            return sets->sets[i].states;
    return words_find(sets->words, word, &state) ? 1u << state : 0;
}

static bool state_refuse(struct span word, const struct listing_sets *sets, struct err *err)
{
    struct buf names;

    buf_init(&names, 512);
    for (size_t i = 0; i < sets->words->count; i++)
        (void)buf_printf(&names, "%s%s", i == 0 ? "" : ", ", sets->words->names[i]);
    for (int i = 0; i < LISTING_SETS_MAX && sets->sets[i].name != NULL; i++)
        (void)buf_printf(&names, ", %s", sets->sets[i].name);
    (void)err_field(err, ERR_INVALID, "state", "state: \"%.*s\" is none of %s",
                    (int)(word.len > WORD_SHOWN_MAX ? WORD_SHOWN_MAX : word.len), word.p, buf_text(&names));
    buf_clear(&names);
    return false;
}

bool listing_states(struct span text, const struct listing_sets *sets, unsigned *ret, struct err *err)
{
    unsigned all = 0;

    for (size_t i = 0; i < text.len;) {
        struct span word = word_at(text, i);
        unsigned states = states_of(word, sets);
        if (states == 0)
            return state_refuse(word, sets, err);
        all |= states;
        i += word.len + 1;
    }
    *ret = all == 0 ? sets->fallback : all;
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
