/* Text of a mail: what of its bytes may be kept, and its lines. Which words are the writer's own knows mail_own.c. */
#include "mail.h"

#include "utf8.h"

#include <ctype.h>
#include <string.h>

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
        /* Alone it ends a line; before another end of one it is nothing. */
        if (piece.p[0] == '\r' && i < from.len && from.p[i] != '\r' && from.p[i] != '\n')
            piece = span_of("\n");
        /* Of two bytes: what is left of Windows' signs in a mail that says it is Latin-1. */
        bool is_wide = piece.len == 2 && memcmp(piece.p, "\xc2", 1) == 0 && (unsigned char)piece.p[1] < 0xa0;
        if (is_wide || (piece.len == 1 && is_control((unsigned char)piece.p[0])))
            continue;
        if (ret->len - start + piece.len > max)
            return;
        buf_add_span(ret, piece);
    }
}

/* ---- lines ---- */

struct span mail_text_line(struct span text, size_t at)
{
    const char *end = memchr(text.p + at, '\n', text.len - at);
    return (struct span){text.p + at, end == NULL ? text.len - at : (size_t)(end - text.p) - at};
}

/* Of them only what isspace knows is ASCII: no-break and narrow blanks, a byte order mark, what takes no room. Outlook ends lines with the
 * first, and editors begin a text with the third. */
static const char *const blanks[] = {"\xc2\xa0",     "\xe2\x80\xaf", "\xef\xbb\xbf",
                                     "\xe2\x80\x8b", "\xe2\x80\x8e", "\xe2\x80\x8f"};

/* The bytes of the blank that text begins (at its end: ends) with, 0 when it is none. */
static size_t blank_bytes(struct span text, bool at_end)
{
    if (text.len != 0 && isspace((unsigned char)text.p[at_end ? text.len - 1 : 0]))
        return 1;
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
        size_t len = strlen(blanks[i]);
        if (text.len >= len && memcmp(text.p + (at_end ? text.len - len : 0), blanks[i], len) == 0)
            return len;
    }
    return 0;
}

struct span mail_text_trim(struct span text)
{
    for (size_t len = blank_bytes(text, false); len != 0; len = blank_bytes(text, false))
        text = (struct span){text.p + len, text.len - len};
    for (size_t len = blank_bytes(text, true); len != 0; len = blank_bytes(text, true))
        text.len -= len;
    return text;
}
