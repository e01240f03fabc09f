/* Words of a mail: what may be kept, which are the writer's own. */
#include "mail.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* The length of the UTF-8 sequence at p, 0 when it is none. */
static size_t sequence(const char *p, size_t left)
{
    for (size_t len = 1; len <= 4 && len <= left; len++)
        if (utf8_check((struct span){p, len}, NULL))
            return len;
    return 0;
}

static bool is_control(unsigned char byte)
{
    return (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
}

void mail_text_clean(struct span from, size_t max, struct buf *ret)
{
    size_t start = ret->len;

    for (size_t i = 0; i < from.len;) {
        size_t len = sequence(from.p + i, from.len - i);
        struct span piece = len == 0 ? span_of("\xEF\xBF\xBD") : (struct span){from.p + i, len};
        i += len == 0 ? 1 : len;
        if (piece.len == 1 && is_control((unsigned char)piece.p[0]))
            continue;
        if (ret->len - start + piece.len > max)
            return;
        buf_add_span(ret, piece);
    }
}

/* ---- the writer's own words ---- */

static struct span line_at(struct span text, size_t at)
{
    const char *end = memchr(text.p + at, '\n', text.len - at);
    return (struct span){text.p + at, end == NULL ? text.len - at : (size_t)(end - text.p) - at};
}

static struct span trim(struct span text)
{
    while (text.len != 0 && isspace((unsigned char)text.p[0]))
        text = (struct span){text.p + 1, text.len - 1};
    while (text.len != 0 && isspace((unsigned char)text.p[text.len - 1]))
        text.len--;
    return text;
}

static bool starts_with(struct span line, const char *text)
{
    size_t len = strlen(text);
    return line.len >= len && strncasecmp(line.p, text, len) == 0;
}

/* What Outlook puts above a mail that it does not quote line by line. */
static bool is_outlook_head(struct span line)
{
    static const char *const heads[] = {"-----original message-----", "----- original message -----",
                                        "-----ursprüngliche nachricht-----",
                                        "________________________________"};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (starts_with(line, heads[i]))
            return true;
    return false;
}

static bool is_quoted_or_empty(struct span line)
{
    return line.len == 0 || line.p[0] == '>';
}

/* Whether all lines from at on are quoted: words between quotes are the writer's own, then nothing is cut. */
static bool is_only_quoted(struct span text, size_t at)
{
    while (at < text.len) {
        struct span line = line_at(text, at);
        if (!is_quoted_or_empty(trim(line)))
            return false;
        at += line.len + 1;
    }
    return true;
}

struct span mail_text_own(struct span text)
{
    size_t end = text.len;

    for (size_t at = 0; at < text.len;) {
        struct span line = line_at(text, at), words = trim(line);
        size_t next = at + line.len + 1;
        bool is_signature = line.len >= 2 && words.len == 2 && memcmp(line.p, "--", 2) == 0;
        /* "Zoe wrote:" in any language: a line that ends so, and nothing but quoted lines below it. */
        bool is_head = words.len != 0 && words.p[words.len - 1] == ':' && next < text.len;
        if (is_signature || is_outlook_head(words) || (is_head && is_only_quoted(text, next)) ||
            (words.len != 0 && words.p[0] == '>' && is_only_quoted(text, at))) {
            end = at;
            break;
        }
        at = next;
    }
    struct span own = trim((struct span){text.p, end});
    return own.len != 0 ? own : trim(text);
}

struct span mail_text_first_line(struct span text)
{
    struct span all = trim(text);
    struct span line = all.len == 0 ? all : trim(line_at(all, 0));

    while (line.len != 0 && (line.p[line.len - 1] == '.' || line.p[line.len - 1] == '!'))
        line.len--;
    return line;
}
