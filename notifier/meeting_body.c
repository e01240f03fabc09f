/* A moved meeting for those it left out or invited; see meeting_body.h. */
#include "meeting_body.h"

#include <string.h>
#include <strings.h>

const struct wire_val *meeting_body_dropped(const struct wire_val *body)
{
    const struct wire_val *meeting = wire_find(body, "meeting");
    const struct wire_val *dropped = wire_find(meeting, "dropped");

    return span_is(wire_find_str(meeting, "what"), "moved") && wire_count(dropped) != 0 ? dropped : NULL;
}

static bool list_has(const struct wire_val *list, const char *address)
{
    struct span text;

    for (size_t i = 0; i < wire_count(list); i++)
        if (wire_get_str(wire_at(list, i), &text) && text.len == strlen(address) &&
            strncasecmp(text.p, address, text.len) == 0)
            return true;
    return false;
}

/* What stands in a meeting's map for who was left out: that it is over for them, of themselves alone, and as they knew it. False: as it is. */
static bool put_for_dropped(const struct wire_val *meeting, struct span key, const char *address,
                            struct buf *out)
{
    static const char *const known[] = {"medium", "starts_at", "ends_at", "duration_s", "where"};
    const struct wire_val *was = wire_find(meeting, "was");

    if (span_is(key, "what")) {
        wire_put_text(out, "dropped");
        return true;
    }
    if (span_is(key, "attendees")) {
        wire_put_list(out, 1);
        wire_put_text(out, address);
        return true;
    }
    for (size_t i = 0; wire_type(was) == WIRE_MAP && i < sizeof known / sizeof known[0]; i++)
        if (span_is(key, known[i])) {
            wire_put_val(out, wire_find(was, known[i]));
            return true;
        }
    return false;
}

/* Who is invited only now knows of no move. */
static bool put_for_invited(struct span key, struct buf *out)
{
    if (!span_is(key, "what"))
        return false;
    wire_put_text(out, "made");
    return true;
}

static void put_meeting(const struct wire_val *meeting, const char *address, bool is_dropped, struct buf *out)
{
    wire_put_map(out, wire_count(meeting));
    for (size_t i = 0; i < wire_count(meeting); i++) {
        struct span key = wire_key_at(meeting, i);
        wire_put_str(out, key);
        if (is_dropped ? !put_for_dropped(meeting, key, address, out) : !put_for_invited(key, out))
            wire_put_val(out, wire_val_at(meeting, i));
    }
}

bool meeting_body_put_for(struct span body, const char *address, struct buf *out)
{
    struct wire_doc *doc = NULL;
    struct err ignored;

    if (body.p == NULL || !wire_parse(body.p, body.len, WIRE_DEPTH_MAX, &doc, &ignored))
        return false;
    const struct wire_val *root = wire_root(doc), *meeting = wire_find(root, "meeting");
    bool is_dropped = list_has(meeting_body_dropped(root), address);
    bool is_invited =
        span_is(wire_find_str(meeting, "what"), "moved") && list_has(wire_find(meeting, "invited"), address);
    if (is_dropped || is_invited) {
        wire_put_map(out, wire_count(root));
        for (size_t i = 0; i < wire_count(root); i++) {
            wire_put_str(out, wire_key_at(root, i));
            if (span_is(wire_key_at(root, i), "meeting"))
                put_meeting(meeting, address, is_dropped, out);
            else
                wire_put_val(out, wire_val_at(root, i));
        }
    }
    wire_doc_free(doc);
    return is_dropped || is_invited;
}
