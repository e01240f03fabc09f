/* Text as UTF-8; see utf8.h. */
#include "utf8.h"

#include <stdint.h>
#include <string.h>

/* Length of the sequence at p, 0 when it is not valid (RFC 3629: no overlong forms, no surrogates, at most
 * U+10FFFF). */
static size_t utf8_step(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* Eight letters of ASCII, none of them NUL: most text is that, and goes eight bytes a step. */
static bool utf8_is_plain(const unsigned char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

size_t utf8_until(struct span text, size_t *ret_points)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t points = 0, i = 0;

    for (; i < text.len; points++) {
        while (text.len - i >= 8 && utf8_is_plain(p + i)) {
            i += 8;
            points += 8;
        }
        if (i == text.len)
            break;
        size_t n = p[i] == 0 ? 0 : utf8_step(p + i, text.len - i);
        if (n == 0)
            break;
        i += n;
    }
    if (ret_points != NULL)
        *ret_points = points;
    return i;
}

bool utf8_check(struct span text, size_t *ret_points)
{
    return utf8_until(text, ret_points) == text.len;
}

void utf8_mend(char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_step((const unsigned char *)text + i, len - i);
        if (step == 0) {
            text[i] = '?';
            step = 1;
        }
    }
}
