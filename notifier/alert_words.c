/* What an alert says; see alert_words.h. */
#include "alert_words.h"

#include <stdio.h>
#include <string.h>

enum { CAUSE_PARTS = 3 };

/* The count-th part between colons. */
static struct span part_of(struct span cause, size_t count)
{
    const char *p = cause.p, *end = cause.p + cause.len;

    for (; p != NULL; count--) {
        const char *stop = memchr(p, ':', (size_t)(end - p));
        if (count == 0)
            return (struct span){p, (size_t)((stop == NULL ? end : stop) - p)};
        p = stop == NULL ? NULL : stop + 1;
    }
    return SPAN_NONE;
}

static struct span word_of(const struct templates *templates, const char *locale, struct span cause)
{
    struct span name = part_of(cause, 0), clock = part_of(cause, CAUSE_PARTS - 1);

    if (name.len == 0)
        return SPAN_NONE;
    return span_is(name, "missed") && clock.p != NULL
               ? templates_word_as(templates, locale, "alert_missed", clock)
               : templates_word_as(templates, locale, "alert", name);
}

void alert_words_put(const struct templates *templates, const char *locale, struct span cause,
                     struct span text, struct buf *out)
{
    struct span word = word_of(templates, locale, cause);
    const char *title = NULL;

    for (size_t i = 0; word.p != NULL && title == NULL && i + 1 < text.len; i++)
        if (text.p[i] == ':' && text.p[i + 1] == ' ')
            title = text.p + i;
    if (title == NULL) { /* of no ticket, or nothing to say it better by */
        if (text.p != NULL)
            buf_add_span(out, text);
        return;
    }
    buf_add_span(out, word);
    buf_add(out, title, (size_t)(text.p + text.len - title));
}

bool alert_words_say_priority(struct span cause, int priority)
{
    char name[16];

    (void)snprintf(name, sizeof name, "p%d", priority);
    return span_is(part_of(cause, 0), name);
}
