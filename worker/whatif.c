/* What another version would change; see whatif.h. */
#include "whatif.h"

#include "decide_internal.h"

void whatif_init(struct whatif *whatif)
{
    *whatif = (struct whatif){decider_new(), decider_new()};
}

void whatif_clear(struct whatif *whatif)
{
    decider_free(whatif->is);
    decider_free(whatif->would);
}

static const struct clock *clock_of(const struct decision *d, enum clock_kind kind, int64_t cycle)
{
    for (size_t i = 0; i < d->clocks.count; i++)
        if (d->clocks.items[i].kind == kind && d->clocks.items[i].cycle == cycle &&
            !d->clocks.items[i].unpromised)
            return &d->clocks.items[i];
    return NULL;
}

static bool is_over(const struct clock *clock)
{
    return clock->met_at != CLOCK_NO_INSTANT;
}

/* NULL: not promised. A clock that is over stays as it was judged. */
static bool moves(const struct clock *is, const struct clock *would)
{
    if (is == NULL || would == NULL)
        return is != would && !is_over(is != NULL ? is : would);
    return !is_over(is) &&
           (is->due_at != would->due_at || is->state != would->state || is->left_s != would->left_s);
}

static bool is_late(const struct clock *is, const struct clock *would)
{
    return would != NULL && would->state == CLOCK_MISSED && (is == NULL || is->state != CLOCK_MISSED);
}

static void put_side(const char *state_key, const char *due_key, const struct clock *clock, struct buf *out)
{
    wire_put_key_text(out, state_key, clock == NULL ? NULL : clock_state_name(clock->state));
    work_put_instant(out, due_key, clock == NULL ? CLOCK_NO_INSTANT : clock->due_at);
}

static void put_move(const struct clock *is, const struct clock *would, struct buf *out)
{
    const struct clock *any = is != NULL ? is : would;

    wire_put_map(out, 7);
    wire_put_key_text(out, "clock", clock_kind_name(any->kind));
    wire_put_key_int(out, "cycle", any->cycle);
    put_side("state", "due_at", is, out);
    put_side("would_state", "would_due_at", would, out);
    wire_put_key_bool(out, "late", is_late(is, would));
}

static size_t put_moves(const struct decision *is, const struct decision *would, struct buf *out,
                        bool *ret_late)
{
    struct wire_map list = wire_list_open(out);

    for (size_t i = 0; i < is->clocks.count; i++) {
        const struct clock *a = &is->clocks.items[i], *b = clock_of(would, a->kind, a->cycle);
        if (a->unpromised || !moves(a, b))
            continue;
        put_move(a, b, out), list.count++;
        *ret_late = *ret_late || is_late(a, b);
    }
    for (size_t i = 0; i < would->clocks.count; i++) {
        const struct clock *b = &would->clocks.items[i];
        if (b->unpromised || clock_of(is, b->kind, b->cycle) != NULL || !moves(NULL, b))
            continue;
        put_move(NULL, b, out), list.count++;
        *ret_late = *ret_late || is_late(NULL, b);
    }
    wire_list_close(out, &list);
    return list.count;
}

bool whatif_put(struct whatif *whatif, const struct engine *is, const struct engine *would,
                const struct wire_val *work, struct buf *out, bool *ret_moves, bool *ret_late,
                struct err *err)
{
    const struct decision *a = &whatif->is->decision, *b = &whatif->would->decision;
    size_t before = out->len;

    if (!decide_make(whatif->is, is, work, true, err) || !decide_make(whatif->would, would, work, true, err))
        return false;
    *ret_late = false;
    wire_put_map(out, 4);
    wire_put_key_str(out, "tracking", a->work->tracking);
    wire_put_key_int(out, "priority", a->priority);
    wire_put_key_int(out, "would_priority", b->priority);
    wire_put_text(out, "clocks");
    size_t count = put_moves(a, b, out, ret_late);
    *ret_moves = count != 0 || a->priority != b->priority;
    if (!*ret_moves)
        out->len = before;
    return true;
}
