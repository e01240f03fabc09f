/* The order of the feed, its pure part; see feed.h. */
#include "feed.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Three numbers in hexadecimal of fixed width: the one form of each cursor, so that equal cursors are equal
 * texts. */
enum { CURSOR_LETTERS = 1 + 16 + 8 + 16, CURSOR_FORM = 'c' };

void feed_cursor_format(struct feed_generation generation, int64_t seq, char *ret)
{
    (void)snprintf(ret, FEED_CURSOR_BYTES, "%c%016" PRIx64 "%08" PRIx32 "%016" PRIx64, CURSOR_FORM,
                   (uint64_t)generation.system, (uint32_t)generation.timeline, (uint64_t)seq);
}

static bool cursor_hex(const char *text, size_t len, uint64_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++) {
        const char *digit = memchr(digits, text[i], sizeof digits - 1);
        if (digit == NULL)
            return false;
        value = value << 4 | (uint64_t)(digit - digits);
    }
    *ret = value;
    return true;
}

bool feed_history_is_known(const struct feed_history *history)
{
    return history->count != 0 &&
           history->branches[history->count - 1].timeline == history->generation.timeline;
}

bool feed_cursor_lost(struct err *err)
{
    return err_field(
        err, ERR_CONFLICT, "cursor",
        "the cursor belongs to another database or to a history of it that was lost: begin again "
        "with an empty cursor, and with from_at for what is new");
}

/* Whether what was read up to this number on that timeline is what stands here. */
static bool history_holds(const struct feed_history *history, uint32_t timeline, int64_t seq)
{
    uint32_t now = (uint32_t)history->generation.timeline;
    bool is_ours =
        timeline == now || history->count == 0 || timeline < (uint32_t)history->branches[0].timeline;

    for (size_t i = 0; i < history->count; i++) {
        uint32_t began = (uint32_t)history->branches[i].timeline;
        if (began == timeline)
            is_ours = true;
        if (began > timeline && seq > history->branches[i].seq)
            return false;
    }
    return is_ours && timeline <= now;
}

bool feed_cursor_parse(struct span text, const struct feed_history *history, int64_t *ret_seq,
                       struct err *err)
{
    uint64_t system, timeline, seq;

    if (text.len == 0) {
        *ret_seq = 0;
        return true;
    }
    if (text.len != CURSOR_LETTERS || text.p[0] != CURSOR_FORM || !cursor_hex(text.p + 1, 16, &system) ||
        !cursor_hex(text.p + 17, 8, &timeline) || !cursor_hex(text.p + 25, 16, &seq) || seq > INT64_MAX)
        return err_field(err, ERR_INVALID, "cursor",
                         "not a cursor of this desk: want one from an earlier answer, or empty text");
    if (system != (uint64_t)history->generation.system ||
        !history_holds(history, (uint32_t)timeline, (int64_t)seq))
        return feed_cursor_lost(err);
    *ret_seq = (int64_t)seq;
    return true;
}

void feed_settle_init(struct feed_settle *settle)
{
    *settle = (struct feed_settle){.want = FEED_WANT_SEQ};
}

void feed_settle_seq(struct feed_settle *settle, int64_t last_value)
{
    assert(settle->want == FEED_WANT_SEQ);
    settle->has_looked = true;
    if (last_value <= settle->settled)
        return;
    settle->seq = last_value;
    settle->want = FEED_WANT_FENCE;
}

void feed_settle_fence(struct feed_settle *settle, int64_t xid)
{
    assert(settle->want == FEED_WANT_FENCE);
    settle->fence = xid;
    settle->asked = 0;
    settle->want = FEED_WANT_XMIN;
}

bool feed_settle_xmin(struct feed_settle *settle, int64_t xmin)
{
    assert(settle->want == FEED_WANT_XMIN);
    settle->asked++;
    if (xmin <= settle->fence)
        return false;
    settle->settled = settle->seq;
    settle->want = FEED_WANT_SEQ;
    return true;
}
