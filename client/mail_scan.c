/* The shape of a mail, looked at before any library sees it: GMime's parser is not made for what an enemy sends (a From of
 * many colons overflows the stack, parameters of Content-Type cost the square of their number). */
#include "mail.h"

#include <string.h>

/* One line with its end; moves *left on. */
static struct span take_line(struct span *left)
{
    const char *end = memchr(left->p, '\n', left->len);
    struct span line = {left->p, end == NULL ? left->len : (size_t)(end - left->p) + 1};

    *left = (struct span){left->p + line.len, left->len - line.len};
    return line;
}

static bool is_empty(struct span line)
{
    return line.len == 0 || line.p[0] == '\n' || (line.len == 2 && line.p[0] == '\r' && line.p[1] == '\n');
}

/* "Name:" in front, the name of printable letters without blanks; or mbox's "From " as the very first line. */
static bool is_header(struct span line, bool is_first)
{
    size_t i = 0;

    if (is_first && line.len > 5 && memcmp(line.p, "From ", 5) == 0)
        return true;
    while (i < line.len && line.p[i] > ' ' && line.p[i] <= '~' && line.p[i] != ':')
        i++;
    while (i != 0 && i < line.len && (line.p[i] == ' ' || line.p[i] == '\t'))
        i++;
    return i != 0 && i < line.len && line.p[i] == ':';
}

/* The head: headers and their folded lines. *left is the body afterwards. */
static bool scan_head(struct span *left, struct err *err)
{
    size_t head = 0, header = 0;
    bool is_first = true;

    while (left->len != 0) {
        struct span line = take_line(left);
        if (is_empty(line))
            break;
        bool is_folded = line.p[0] == ' ' || line.p[0] == '\t';
        if (is_folded ? is_first : !is_header(line, is_first))
            return err_set(err, ERR_MALFORMED, "this is no mail: its head has a line that is no header");
        header = is_folded ? header + line.len : line.len;
        head += line.len;
        is_first = false;
        if (header > MAIL_HEADER_BYTES_MAX)
            return err_set(err, ERR_TOO_LARGE, "a header is longer than %d bytes", MAIL_HEADER_BYTES_MAX);
        if (head > MAIL_HEAD_BYTES_MAX)
            return err_set(err, ERR_TOO_LARGE, "the headers are longer than %d bytes together",
                           MAIL_HEAD_BYTES_MAX);
    }
    return head != 0 || err_set(err, ERR_MALFORMED, "this is no mail: it has no headers");
}

bool mail_scan(struct span message, struct err *err)
{
    struct span left = message;
    int boundaries = 0;
    size_t header = 0;

    if (message.len == 0)
        return err_set(err, ERR_MALFORMED, "this is no mail: it is empty");
    if (memchr(message.p, '\0', message.len) != NULL)
        return err_set(err, ERR_MALFORMED, "this is no mail: it holds a NUL byte");
    if (!scan_head(&left, err))
        return false;
    while (left.len != 0) {
        struct span line = take_line(&left);
        if (line.len > 2 && line.p[0] == '-' && line.p[1] == '-' && ++boundaries > MAIL_BOUNDARIES_MAX)
            return err_set(err, ERR_TOO_LARGE, "it has more than %d lines that look like boundaries",
                           MAIL_BOUNDARIES_MAX);
        /* Parts have headers too, and a body may look like them: a folded one stays short in honest mail. */
        header = line.p[0] == ' ' || line.p[0] == '\t' ? header + line.len
                 : is_header(line, false)              ? line.len
                                                       : 0;
        if (boundaries != 0 && header > 8 * MAIL_HEADER_BYTES_MAX)
            return err_set(err, ERR_TOO_LARGE, "a header of a part is longer than %d bytes",
                           8 * MAIL_HEADER_BYTES_MAX);
    }
    return true;
}
