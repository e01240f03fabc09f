/* A line of JSON; see json_line.h. */
#include "json_line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTRIES_MAX = 64, /* of a map: wire_parse looks for doubled keys in no larger one */
    ITEMS_MAX = UINT16_MAX,
    DIGITS_MAX = 18, /* of an integer that fits */
    NUMBER_BYTES_MAX = 40,
    SURROGATE_HIGH = 0xd800,
    SURROGATE_LOW = 0xdc00,
    SURROGATE_END = 0xe000
};

/* What is left of the text. */
struct reader {
    const char *p, *end;
    struct buf *out;
};

static void skip_blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

/* The letter c, and the blanks before it. */
static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

/* ---- text ---- */

static bool is_plain(char c)
{
    return (unsigned char)c >= ' ' && c != '"' && c != '\\';
}

/* All eight at once: false also where one is zero after the quote or the backslash is taken away, and where one is less than a blank. */
static bool are_eight_plain(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t word;

    memcpy(&word, p, sizeof word);
    uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
    return ((((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * ' ') & ~word)) & tops) ==
           0;
}

/* The bytes up to the next quote or escape. */
static struct span take_plain(struct reader *r)
{
    const char *from = r->p;

    while (r->end - r->p >= 8 && are_eight_plain(r->p))
        r->p += 8;
    while (r->p < r->end && is_plain(*r->p))
        r->p++;
    return (struct span){from, (size_t)(r->p - from)};
}

/* Four digits of base 16. */
static bool take_unit(struct reader *r, unsigned *ret)
{
    static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
    unsigned unit = 0;

    if (r->end - r->p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        const char *digit = memchr(digits, *r->p++, sizeof digits - 1);
        if (digit == NULL)
            return false;
        unit = unit << 4 | (unsigned)(digit - digits) / 2;
    }
    *ret = unit;
    return true;
}

static void put_point(struct buf *out, unsigned point)
{
    unsigned char bytes[4];
    size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = len; i > 1; i--, point >>= 6)
        bytes[i - 1] = (unsigned char)(0x80 | (point & 0x3f));
    bytes[0] = (unsigned char)(lead[len] | point);
    (void)buf_add(out, bytes, len);
}

/* Behind "\u". Halves of a pair that stand alone, and NUL, are jansson's to refuse. */
static bool take_point(struct reader *r)
{
    unsigned point, low;

    if (!take_unit(r, &point) || point == 0)
        return false;
    if (point >= SURROGATE_HIGH && point < SURROGATE_END) {
        if (point >= SURROGATE_LOW || r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
            return false;
        r->p += 2;
        if (!take_unit(r, &low) || low < SURROGATE_LOW || low >= SURROGATE_END)
            return false;
        point = 0x10000 + ((point - SURROGATE_HIGH) << 10 | (low - SURROGATE_LOW));
    }
    put_point(r->out, point);
    return true;
}

/* Behind a backslash. */
static bool take_escape(struct reader *r)
{
    static const char names[] = "\"\\/bfnrt", letters[] = "\"\\/\b\f\n\r\t";

    if (r->p == r->end)
        return false;
    char c = *r->p++;
    if (c == 'u')
        return take_point(r);
    const char *name = memchr(names, c, sizeof names - 1);
    return name != NULL && buf_add(r->out, &letters[name - names], 1);
}

/* Behind the opening quote. */
static bool take_text(struct reader *r)
{
    struct span plain = take_plain(r);

    if (r->p < r->end && *r->p == '"') {
        r->p++;
        wire_put_str(r->out, plain);
        return true;
    }
    size_t begin = wire_str_open(r->out);
    (void)buf_add_span(r->out, plain);
    while (r->p < r->end && *r->p == '\\') {
        r->p++;
        if (!take_escape(r))
            return false;
        (void)buf_add_span(r->out, take_plain(r));
    }
    wire_str_close(r->out, begin);
    return r->p < r->end && *r->p++ == '"';
}

/* ---- the other scalars ---- */

static size_t take_digits(struct reader *r)
{
    const char *from = r->p;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return (size_t)(r->p - from);
}

/* Behind the integer part: the number from there on is a real one. */
static bool take_real(struct reader *r, const char *from)
{
    char digits[NUMBER_BYTES_MAX];

    if (*r->p == '.') {
        r->p++;
        if (take_digits(r) == 0)
            return false;
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        r->p += r->p < r->end && (*r->p == '+' || *r->p == '-');
        if (take_digits(r) == 0)
            return false;
    }
    size_t len = (size_t)(r->p - from);
    if (len >= sizeof digits)
        return false;
    memcpy(digits, from, len);
    digits[len] = '\0';
    double value = strtod(digits, NULL);
    wire_put_float(r->out, value);
    return isfinite(value);
}

static bool take_number(struct reader *r)
{
    const char *from = r->p;
    bool negative = *from == '-';
    int64_t value = 0;

    r->p += negative;
    const char *first = r->p;
    size_t count = take_digits(r);
    if (count == 0 || count > DIGITS_MAX || (count > 1 && *first == '0'))
        return false;
    if (r->p < r->end && (*r->p == '.' || *r->p == 'e' || *r->p == 'E'))
        return take_real(r, from);
    for (const char *digit = first; digit < r->p; digit++)
        value = value * 10 + (*digit - '0');
    wire_put_int(r->out, negative ? -value : value);
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
        return false;
    r->p += len;
    return true;
}

/* ---- values ---- */

static bool take_value(struct reader *r, unsigned depth);

static bool take_entry(struct reader *r, unsigned depth)
{
    return take(r, '"') && take_text(r) && take(r, ':') && take_value(r, depth);
}

/* Behind the opening bracket. */
static bool take_map(struct reader *r, unsigned depth)
{
    struct wire_map map = wire_map_open(r->out);

    if (!take(r, '}')) {
        do {
            if (map.count == ENTRIES_MAX || !take_entry(r, depth))
                return false;
            map.count++;
        } while (take(r, ','));
        if (!take(r, '}'))
            return false;
    }
    wire_map_close(r->out, &map);
    return true;
}

static bool take_list(struct reader *r, unsigned depth)
{
    struct wire_map list = wire_list_open(r->out);

    if (!take(r, ']')) {
        do {
            if (list.count == ITEMS_MAX || !take_value(r, depth))
                return false;
            list.count++;
        } while (take(r, ','));
        if (!take(r, ']'))
            return false;
    }
    wire_list_close(r->out, &list);
    return true;
}

/* Recursion is bounded by depth. */
static bool take_value(struct reader *r, unsigned depth)
{
    skip_blanks(r);
    if (depth == 0 || r->p == r->end)
        return false;
    switch (*r->p) {
    case '{':
        r->p++;
        return take_map(r, depth - 1);
    case '[':
        r->p++;
        return take_list(r, depth - 1);
    case '"':
        r->p++;
        return take_text(r);
    case 't':
        wire_put_bool(r->out, true);
        return take_word(r, "true");
    case 'f':
        wire_put_bool(r->out, false);
        return take_word(r, "false");
    case 'n':
        wire_put_nil(r->out);
        return take_word(r, "null");
    default:
        return take_number(r);
    }
}

/* ---- public ---- */

bool json_line_read(struct buf *out, const char *text, size_t len)
{
    struct reader r = {text, text + len, out};

    if (!take_value(&r, WIRE_DEPTH_MAX))
        return false;
    skip_blanks(&r);
    return r.p == r.end && !out->failed;
}

bool json_line_parse(struct buf *bytes, const char *text, size_t len, unsigned depth_max,
                     struct wire_doc **ret_doc, struct err *err)
{
    buf_reset(bytes);
    if (json_line_read(bytes, text, len) && wire_parse(bytes->p, bytes->len, depth_max, ret_doc, NULL))
        return true;
    buf_reset(bytes);
    return wire_from_json(bytes, text, len, err) && wire_parse(bytes->p, bytes->len, depth_max, ret_doc, err);
}
