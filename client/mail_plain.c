/* Text as its writer saw it: lines that a mail program broke on the way are whole again (format=flowed, RFC 3676), and the armour of a
 * clear-signed text (RFC 4880) is taken off. Nobody here checks the signature: what it proves is nothing to the desk. */
#include "mail.h"

#include <string.h>

/* ---- flowed ---- */

/* Takes a quoted line's marks off; how many there were. */
static size_t take_quotes(struct span *line)
{
    size_t depth = 0;

    while (line->len != 0 && line->p[0] == '>')
        *line = (struct span){line->p + 1, line->len - 1}, depth++;
    return depth;
}

/* The blank that keeps a line from looking like another kind of line. One before > stays: it says still that nothing is quoted. */
static struct span unstuffed(struct span line, size_t depth)
{
    bool is_stuffed = line.len != 0 && line.p[0] == ' ' && (depth != 0 || line.len < 2 || line.p[1] != '>');
    return is_stuffed ? (struct span){line.p + 1, line.len - 1} : line;
}

static void put_quotes(struct buf *out, size_t depth, struct span line)
{
    for (size_t i = 0; i < depth; i++)
        buf_add_text(out, ">");
    if (depth != 0 && line.len != 0)
        buf_add_text(out, " ");
}

void mail_text_unflow(struct span text, bool without_blank, struct buf *ret)
{
    static const char signature[] = "-- ";
    bool is_open = false; /* the line before goes on */
    size_t open_depth = 0;

    for (size_t at = 0; at < text.len;) {
        struct span line = mail_text_line(text, at);
        at += line.len + 1;
        size_t depth = take_quotes(&line);
        line = unstuffed(line, depth);
        bool is_signature = span_is(line, signature);
        if (is_open && (depth != open_depth || is_signature)) {
            buf_add_text(ret, "\n");
            is_open = false;
        }
        if (!is_open)
            put_quotes(ret, depth, line);
        is_open = !is_signature && line.len != 0 && line.p[line.len - 1] == ' ';
        open_depth = depth;
        buf_add_span(ret, (struct span){line.p, line.len - (is_open && without_blank ? 1 : 0)});
        if (!is_open)
            buf_add_text(ret, "\n");
    }
}

/* ---- clear-signed ---- */

static const char begin_text[] = "-----BEGIN PGP SIGNED MESSAGE-----";
static const char begin_signature[] = "-----BEGIN PGP SIGNATURE-----";
static const char end_signature[] = "-----END PGP SIGNATURE-----";

static bool is_mark(struct span line, const char *mark)
{
    return span_is(mail_text_trim(line), mark);
}

/* Where the next line that is the mark begins, from at on; text.len when there is none. */
static size_t find_mark(struct span text, size_t at, const char *mark)
{
    while (at < text.len) {
        struct span line = mail_text_line(text, at);
        if (is_mark(line, mark))
            return at;
        at += line.len + 1;
    }
    return text.len;
}

static size_t behind_line(struct span text, size_t at)
{
    size_t next = at + mail_text_line(text, at).len + 1;
    return next < text.len ? next : text.len;
}

/* Behind the armour's headers ("Hash: SHA256") and the empty line that ends them. */
static size_t behind_headers(struct span text, size_t at)
{
    while (at < text.len) {
        bool is_end = mail_text_trim(mail_text_line(text, at)).len == 0;
        at = behind_line(text, at);
        if (is_end)
            break;
    }
    return at;
}

/* The signed lines; those that begin with a dash had "- " put in front. */
static void put_signed(struct buf *out, struct span text)
{
    for (size_t at = 0; at < text.len;) {
        struct span line = mail_text_line(text, at);
        at += line.len + 1;
        if (line.len >= 2 && memcmp(line.p, "- ", 2) == 0)
            line = (struct span){line.p + 2, line.len - 2};
        buf_add_span(out, line);
        buf_add_text(out, "\n");
    }
}

void mail_text_unsign(struct span text, struct buf *ret)
{
    size_t at = 0;

    for (;;) {
        size_t begin = find_mark(text, at, begin_text), body = behind_headers(text, behind_line(text, begin));
        size_t signature = find_mark(text, body, begin_signature);
        size_t end = find_mark(text, signature, end_signature);
        if (end == text.len) /* none, or one that is not whole: it stays as it is */
            break;
        buf_add_span(ret, (struct span){text.p + at, begin - at});
        put_signed(ret, (struct span){text.p + body, signature - body});
        at = behind_line(text, end);
    }
    buf_add_span(ret, (struct span){text.p + at, text.len - at});
}
