/* Content lines of iCalendar: unfolding, and what no line may have. */
#include "ics_internal.h"

#include "mem.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

static bool line_fault(const char *file, unsigned line, struct faults *faults, const char *what)
{
    return faults_add(faults, (struct fault_place){file, line, line != 0 ? 1 : 0}, "%s", what);
}

static bool bytes_check(const char *file, struct span bytes, struct faults *faults)
{
    if (bytes.len > ICS_BYTES_MAX)
        return faults_add(faults, (struct fault_place){file, 0, 0}, "has %zu bytes, want at most %d",
                          bytes.len, ICS_BYTES_MAX);
    size_t good = utf8_until(bytes, NULL), line_begins = 0;
    unsigned line = 1;

    if (good == bytes.len)
        return true;
    for (size_t i = 0; i < good; i++)
        if (bytes.p[i] == '\n') {
            line++;
            line_begins = i + 1;
        }
    size_t column = 1;
    (void)utf8_until((struct span){bytes.p + line_begins, good - line_begins}, &column);
    return faults_add(faults, (struct fault_place){file, line, (unsigned)column + 1}, "%s",
                      bytes.p[good] == '\0' ? "holds a NUL" : "is not UTF-8");
}

static bool text_is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 && text[i] != '\t')
            return false;
    return true;
}

/* Takes one physical line; a blank in front continues the line before. Returns false when that is too long. */
static bool lines_take(struct ics_lines *lines, char **write, const char *text, size_t len, unsigned number)
{
    bool is_more = lines->count != 0 && len != 0 && (text[0] == ' ' || text[0] == '\t');

    if (is_more)
        text++, len--;
    else {
        if (lines->count != 0)
            (*write)++; /* past the NUL of the line before */
        lines->items[lines->count++] = (struct ics_line){*write, 0, number};
    }
    struct ics_line *line = &lines->items[lines->count - 1];
    if (line->len + len > ICS_LINE_BYTES_MAX)
        return false;
    memcpy(*write, text, len);
    *write += len;
    **write = '\0';
    line->len += len;
    return true;
}

bool ics_lines_split(const char *file, struct span bytes, struct ics_lines *ret, struct faults *faults)
{
    struct ics_lines lines = {NULL, NULL, 0};
    size_t newlines = 1;
    unsigned number = 1;
    bool ok = bytes_check(file, bytes, faults);

    if (!ok)
        return false;
    if (bytes.len >= 3 &&
        memcmp(bytes.p, "\xef\xbb\xbf", 3) == 0) /* some programs begin all they write with it */
        bytes = (struct span){bytes.p + 3, bytes.len - 3};
    for (size_t i = 0; i < bytes.len; i++)
        newlines += bytes.p[i] == '\n';
    lines.bytes = mem_new(bytes.len + newlines + 1, 1);
    lines.items = mem_new(newlines, sizeof *lines.items);
    char *write = lines.bytes;
    for (size_t at = 0; at < bytes.len && ok; number++) {
        const char *end = memchr(bytes.p + at, '\n', bytes.len - at);
        size_t len = end == NULL ? bytes.len - at : (size_t)(end - bytes.p) - at, kept = len;
        if (kept != 0 && bytes.p[at + kept - 1] == '\r')
            kept--;
        if (!text_is_plain(bytes.p + at, kept))
            ok = line_fault(file, number, faults, "holds a control character");
        else if (kept != 0 && !lines_take(&lines, &write, bytes.p + at, kept, number))
            ok = line_fault(file, number, faults, "the line is longer than 65536 bytes");
        at += len + 1;
    }
    if (!ok) {
        ics_lines_clear(&lines);
        return false;
    }
    *ret = lines;
    return true;
}

void ics_lines_clear(struct ics_lines *lines)
{
    free(lines->bytes);
    free(lines->items);
    *lines = (struct ics_lines){NULL, NULL, 0};
}
