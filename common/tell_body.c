/* What a rule tells, in one language or several; see tell_body.h. */
#include "tell_body.h"

#include <string.h>

void tell_body_put(struct buf *out, const struct rule_tell *tell)
{
    wire_put_map(out, tell->said_count == 0 ? 1 : 2);
    wire_put_key_text(out, "text", tell->text);
    if (tell->said_count == 0)
        return;
    wire_put_text(out, "texts");
    wire_put_map(out, tell->said_count);
    for (size_t i = 0; i < tell->said_count; i++)
        wire_put_key_text(out, tell->said[i].locale, tell->said[i].text);
}

static struct span find(const struct wire_val *texts, struct span locale)
{
    struct span text = SPAN_NONE;

    for (size_t i = 0; i < wire_count(texts); i++)
        if (span_equal(wire_key_at(texts, i), locale) && wire_get_str(wire_val_at(texts, i), &text))
            return text;
    return SPAN_NONE;
}

struct span tell_body_text(const struct wire_val *body, const char *locale, const char *desk_locale)
{
    const struct wire_val *texts = wire_find(body, "texts");
    const char *const wanted[] = {locale, desk_locale};

    for (size_t i = 0; i < 2 && wire_type(texts) == WIRE_MAP; i++) {
        struct span tag = span_of(wanted[i]), language = {tag.p, tag.len == 0 ? 0 : strcspn(tag.p, "-")};
        struct span text = tag.len == 0 ? SPAN_NONE : find(texts, tag);
        if (text.len == 0 && language.len != 0)
            text = find(texts, language);
        if (text.len != 0)
            return text;
    }
    return wire_find_str(body, "text");
}
