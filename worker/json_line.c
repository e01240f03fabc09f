/* A line of JSON; see json_line.h. */
#include "json_line.h"

#include "mem.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BYTES_MAX = 8 << 20,
    ENTRIES_MAX = 64, /* of a map: wire_parse looks for doubled keys in no larger one */
    ITEMS_MAX = UINT16_MAX,
    DIGITS_MAX = 18, /* of an integer that fits */
    NUMBER_BYTES_MAX = 40,
    SURROGATE_HIGH = 0xd800,
    SURROGATE_LOW = 0xdc00,
    SURROGATE_END = 0xe000
};

struct json_line {
    struct wire_made *made;
    char *plain; /* text without its escapes: never longer than the line */
    size_t room;
    struct buf bytes; /* what jansson read */
    struct wire_doc *doc;
    unsigned column; /* of what jansson refused */
};

/* What is left of the text, and where text without escapes goes. */
struct reader {
    const char *p, *end;
    char *free;
    struct wire_made *made;
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
static bool are_eight_plain(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';

    return ((((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * ' ') & ~word)) & tops) ==
           0;
}

/* The bytes up to the next quote or escape. False: they are not UTF-8. Most are ASCII, which needs no second look. */
static bool take_plain(struct reader *r, struct span *ret)
{
    const char *from = r->p;
    uint64_t word, seen = 0;

    while (r->end - r->p >= 8) {
        memcpy(&word, r->p, sizeof word);
        if (!are_eight_plain(word))
            break;
        seen |= word;
        r->p += 8;
    }
    while (r->p < r->end && is_plain(*r->p))
        seen |= (unsigned char)*r->p++;
    *ret = (struct span){from, (size_t)(r->p - from)};
    return (seen & UINT64_C(0x8080808080808080)) == 0 || utf8_check(*ret, NULL);
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

static void put_point(struct reader *r, unsigned point)
{
    size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = len; i > 1; i--, point >>= 6)
        r->free[i - 1] = (char)(0x80 | (point & 0x3f));
    r->free[0] = (char)(lead[len] | point);
    r->free += len;
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
    put_point(r, point);
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
    if (name != NULL)
        *r->free++ = letters[name - names];
    return name != NULL;
}

static void put_plain(struct reader *r, struct span plain)
{
    memcpy(r->free, plain.p, plain.len);
    r->free += plain.len;
}

/* Behind the opening quote. */
static bool take_text(struct reader *r)
{
    const char *begin = r->free;
    struct span plain;

    if (!take_plain(r, &plain))
        return false;
    if (r->p < r->end && *r->p == '"') {
        r->p++;
        wire_made_str(r->made, plain);
        return true;
    }
    put_plain(r, plain);
    while (r->p < r->end && *r->p == '\\') {
        r->p++;
        if (!take_escape(r) || !take_plain(r, &plain))
            return false;
        put_plain(r, plain);
    }
    wire_made_str(r->made, (struct span){begin, (size_t)(r->free - begin)});
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
    wire_made_float(r->made, value);
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
    wire_made_int(r->made, negative ? -value : value);
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
    size_t map = wire_made_open(r->made), count = 0;

    if (!take(r, '}')) {
        do {
            if (count++ == ENTRIES_MAX || !take_entry(r, depth))
                return false;
        } while (take(r, ','));
        if (!take(r, '}'))
            return false;
    }
    wire_made_close_map(r->made, map);
    return !wire_has_doubled_key(wire_made_last(r->made));
}

static bool take_list(struct reader *r, unsigned depth)
{
    size_t list = wire_made_open(r->made), count = 0;

    if (!take(r, ']')) {
        do {
            if (count++ == ITEMS_MAX || !take_value(r, depth))
                return false;
        } while (take(r, ','));
        if (!take(r, ']'))
            return false;
    }
    wire_made_close_list(r->made, list);
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
        wire_made_bool(r->made, true);
        return take_word(r, "true");
    case 'f':
        wire_made_bool(r->made, false);
        return take_word(r, "false");
    case 'n':
        wire_made_nil(r->made);
        return take_word(r, "null");
    default:
        return take_number(r);
    }
}

/* ---- public ---- */

struct json_line *json_line_new(void)
{
    struct json_line *line = mem_new(1, sizeof *line);

    line->made = wire_made_new();
    buf_init(&line->bytes, BYTES_MAX);
    return line;
}

void json_line_free(struct json_line *line)
{
    if (line == NULL)
        return;
    wire_made_free(line->made);
    free(line->plain);
    buf_clear(&line->bytes);
    wire_doc_free(line->doc);
    free(line);
}

const struct wire_val *json_line_read(struct json_line *line, const char *text, size_t len,
                                      unsigned depth_max)
{
    if (line->room < len) {
        line->plain = mem_grow(line->plain, len, 1);
        line->room = len;
    }
    wire_made_reset(line->made);
    struct reader r = {text, text + len, line->plain, line->made};
    if (!take_value(&r, depth_max))
        return NULL;
    skip_blanks(&r);
    return r.p == r.end ? wire_made_root(line->made) : NULL;
}

/* What jansson refuses; the place is kept apart. */
static bool json_refuse(struct json_line *line, struct err *err)
{
    const char *msg = NULL;
    unsigned number = 0;

    wire_json_place(err->msg, &msg, &number, &line->column);
    memmove(err->msg, msg, strlen(msg) + 1);
    return false;
}

unsigned json_line_column(const struct json_line *line)
{
    return line->column;
}

bool json_line_parse(struct json_line *line, const char *text, size_t len, unsigned depth_max,
                     const struct wire_val **ret, struct err *err)
{
    const struct wire_val *val = json_line_read(line, text, len, depth_max);

    line->column = 0;
    if (val == NULL) {
        buf_reset(&line->bytes);
        wire_doc_free(line->doc);
        line->doc = NULL;
        if (!wire_from_json(&line->bytes, text, len, err))
            return json_refuse(line, err);
        if (!wire_parse(line->bytes.p, line->bytes.len, depth_max, &line->doc, err))
            return false;
        val = wire_root(line->doc);
    }
    *ret = val;
    return true;
}
