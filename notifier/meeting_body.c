/* A moved meeting for those it left out; see meeting_body.h. */
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

/* Copies the map with other values for two of its keys. */
static void put_meeting(const struct wire_val *meeting, const char *address, struct buf *out)
{
    wire_put_map(out, wire_count(meeting));
    for (size_t i = 0; i < wire_count(meeting); i++) {
        struct span key = wire_key_at(meeting, i);
        wire_put_str(out, key);
        if (span_is(key, "what")) {
            wire_put_text(out, "dropped");
        } else if (span_is(key, "attendees")) {
            wire_put_list(out, 1);
            wire_put_text(out, address);
        } else {
            wire_put_val(out, wire_val_at(meeting, i));
        }
    }
}

bool meeting_body_put_dropped(struct span body, const char *address, struct buf *out)
{
    struct wire_doc *doc = NULL;
    struct err ignored;

    if (body.p == NULL || !wire_parse(body.p, body.len, WIRE_DEPTH_MAX, &doc, &ignored))
        return false;
    const struct wire_val *root = wire_root(doc);
    bool is = list_has(meeting_body_dropped(root), address);
    if (is) {
        wire_put_map(out, wire_count(root));
        for (size_t i = 0; i < wire_count(root); i++) {
            wire_put_str(out, wire_key_at(root, i));
            if (span_is(wire_key_at(root, i), "meeting"))
                put_meeting(wire_val_at(root, i), address, out);
            else
                wire_put_val(out, wire_val_at(root, i));
        }
    }
    wire_doc_free(doc);
    return is;
}
