/* Text on a terminal: what may not pass, how wide it is, aligned tables. Knows no op. */
#include "cli.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* One code point of valid UTF-8 (all text of answers was checked); steps *i over it. */
static uint32_t text_next(struct span text, size_t *i)
{
    unsigned char c = (unsigned char)text.p[*i];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t point = n == 1 ? c : c & (0x7fu >> n);

    for (size_t k = 1; k < n && *i + k < text.len; k++)
        point = point << 6 | ((unsigned char)text.p[*i + k] & 0x3fu);
    *i = *i + n < text.len ? *i + n : text.len;
    return point;
}

/* Control characters and those that turn the direction of writing. */
static bool point_steers(uint32_t p)
{
    return p < 0x20 || (p >= 0x7f && p < 0xa0) || (p >= 0x200e && p <= 0x200f) ||
           (p >= 0x2028 && p <= 0x202e) || (p >= 0x2066 && p <= 0x2069) || p == 0xfeff;
}

static size_t point_width(uint32_t p)
{
    static const struct {
        uint32_t first, last;
    } wide[] = {{0x1100, 0x115f},   {0x2e80, 0xa4cf},  {0xac00, 0xd7a3}, {0xf900, 0xfaff},
                {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
                {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

    if ((p >= 0x300 && p <= 0x36f) || p == 0x200b || p == 0x200d || (p >= 0xfe00 && p <= 0xfe0f))
        return 0;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (p >= wide[i].first && p <= wide[i].last)
            return 2;
    return 1;
}

void cli_text_put(struct buf *out, struct span text, bool lines)
{
    for (size_t i = 0; i < text.len;) {
        size_t start = i;
        uint32_t p = text_next(text, &i);
        if (p == '\n' || p == '\t')
            (void)buf_add_text(out, lines && p == '\n' ? "\n" : " ");
        else if (point_steers(p))
            (void)buf_printf(out, "\\u%04x", (unsigned)p);
        else
            (void)buf_add(out, text.p + start, i - start);
    }
}

size_t cli_text_width(struct span text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.len;)
        width += point_width(text_next(text, &i));
    return width;
}

void cli_colour_put(struct buf *out, struct cli_style style, const char *sgr, const char *text)
{
    if (style.colour)
        (void)buf_printf(out, "\033[%sm%s\033[0m", sgr, text);
    else
        (void)buf_add_text(out, text);
}

static void cell_put_list(struct buf *out, const struct wire_val *list, struct cli_style style)
{
    for (size_t i = 0; i < wire_count(list); i++) {
        if (i != 0)
            (void)buf_add_text(out, ", ");
        cli_cell_put(out, wire_at(list, i), CLI_CELL_ANY, style);
    }
}

static bool key_is_time(struct span key)
{
    return (key.len > 3 && memcmp(key.p + key.len - 3, "_at", 3) == 0) || span_is(key, "at");
}

static bool key_is_span(struct span key)
{
    return key.len > 2 && memcmp(key.p + key.len - 2, "_s", 2) == 0;
}

static bool key_is_of_fields(struct span key)
{
    return span_is(key, "meeting") || span_is(key, "set") || span_is(key, "excused");
}

enum cli_cell cli_key_cell(struct span key)
{
    return key_is_time(key)           ? CLI_CELL_TIME
           : key_is_span(key)         ? CLI_CELL_SPAN
           : span_is(key, "priority") ? CLI_CELL_PRIORITY
           : key_is_of_fields(key)    ? CLI_CELL_FIELDS
                                      : CLI_CELL_ANY;
}

static void cell_put_map(struct buf *out, const struct wire_val *map, enum cli_cell kind,
                         struct cli_style style)
{
    for (size_t i = 0; i < wire_count(map); i++) {
        if (i != 0)
            (void)buf_add_text(out, ", ");
        cli_text_put(out, wire_key_at(map, i), false);
        (void)buf_add_text(out, "=");
        cli_cell_put(out, wire_val_at(map, i),
                     kind == CLI_CELL_FIELDS ? cli_key_cell(wire_key_at(map, i)) : CLI_CELL_ANY, style);
    }
}

static void cell_put_int(struct buf *out, int64_t number, enum cli_cell kind, struct cli_style style)
{
    char text[CLI_TIME_BYTES];

    if (kind == CLI_CELL_TIME)
        cli_time_format(number, style.utc, text);
    else if (kind == CLI_CELL_SPAN)
        cli_span_format(number, text, sizeof text);
    else
        (void)snprintf(text, sizeof text, "%s%lld", kind == CLI_CELL_PRIORITY ? "P" : "", (long long)number);
    (void)buf_add_text(out, text);
}

void cli_cell_put(struct buf *out, const struct wire_val *val, enum cli_cell kind, struct cli_style style)
{
    int64_t number;
    uint64_t large; /* than any int64_t */
    double real;
    bool flag;
    struct span text;

    if (wire_get_str(val, &text))
        cli_text_put(out, (struct span){text.p, kind == CLI_CELL_HASH && text.len > 12 ? 12 : text.len},
                     false);
    else if (wire_get_int(val, &number))
        cell_put_int(out, number, kind, style);
    else if (wire_get_uint(val, &large))
        (void)buf_printf(out, "%llu", (unsigned long long)large);
    else if (wire_get_bool(val, &flag))
        (void)buf_add_text(out, flag ? "yes" : "no");
    else if (wire_get_float(val, &real))
        (void)buf_printf(out, "%g", real);
    else if (wire_type(val) == WIRE_LIST)
        cell_put_list(out, val, style);
    else if (wire_type(val) == WIRE_MAP)
        cell_put_map(out, val, kind, style);
    else if (wire_get_bin(val, &text))
        (void)buf_printf(out, "%zu bytes", text.len);
}

/* Cuts a cell to at most max columns, the last being an ellipsis. */
static void cell_cut(struct buf *cell, size_t max)
{
    struct span text = buf_span(cell);
    size_t width = 0, i = 0, keep = 0;

    if (max == 0 || cli_text_width(text) <= max)
        return;
    while (i < text.len) {
        width += point_width(text_next(text, &i));
        if (width > max - 1)
            break;
        keep = i;
    }
    cell->len = keep;
    cell->p[keep] = '\0';
    (void)buf_add_text(cell, "…");
}

static void table_cell(struct buf *cell, const struct wire_val *row, const struct cli_column *column,
                       size_t width_max, struct cli_style style)
{
    buf_reset(cell);
    cli_cell_put(cell, wire_find(row, column->key), column->kind, style);
    cell_cut(cell, width_max);
}

/* Takes columns away from the widest of those that may be cut, until a line fits the terminal; none gets so narrow that nothing can be
 * read in it. */
static void table_fit(const struct cli_column *columns, size_t count, size_t *widths, size_t room)
{
    enum { GAP = 2, LEAST = 8 };
    size_t total = 0;

    for (size_t c = 0; c < count; c++)
        total += widths[c] == 0 ? 0 : widths[c] + GAP;
    while (total > room + GAP) {
        size_t *widest = NULL;
        for (size_t c = 0; c < count; c++)
            if (columns[c].width_max != 0 && widths[c] > LEAST && widths[c] > strlen(columns[c].title) &&
                (widest == NULL || widths[c] > *widest))
                widest = &widths[c];
        if (widest == NULL)
            return;
        (*widest)--;
        total--;
    }
}

static void table_pad(struct buf *out, size_t from, size_t to)
{
    for (; from < to; from++)
        (void)buf_add_text(out, " ");
}

static void table_row(struct buf *out, const struct wire_val *row, const struct cli_column *columns,
                      size_t count, const size_t *widths, struct cli_style style, struct buf *cell)
{
    size_t owed = 0; /* blanks before the next cell: none follow the last */

    for (size_t c = 0; c < count; c++) {
        if (widths[c] == 0)
            continue;
        table_pad(out, 0, owed);
        if (row == NULL) {
            cli_colour_put(out, style, "1", columns[c].title);
            owed = widths[c] - strlen(columns[c].title) + 2;
            continue;
        }
        table_cell(cell, row, &columns[c], columns[c].width_max != 0 ? widths[c] : 0, style);
        size_t width = cli_text_width(buf_span(cell));
        bool urgent = columns[c].kind == CLI_CELL_PRIORITY && strcmp(buf_text(cell), "P1") == 0;
        cli_colour_put(out, (struct cli_style){style.colour && urgent, style.utc, 0}, "1;31", buf_text(cell));
        owed = widths[c] - width + 2;
    }
    (void)buf_add_text(out, "\n");
}

void cli_table_put(struct buf *out, const struct wire_val *list, const struct cli_column *columns,
                   size_t count, struct cli_style style)
{
    size_t *widths = mem_new(count, sizeof *widths);
    struct buf cell;

    buf_init(&cell, 1 << 20);
    for (size_t c = 0; c < count; c++) {
        for (size_t i = 0; i < wire_count(list); i++) {
            table_cell(&cell, wire_at(list, i), &columns[c], columns[c].width_max, style);
            size_t width = cli_text_width(buf_span(&cell));
            widths[c] = width > widths[c] ? width : widths[c];
        }
        if (widths[c] != 0 && widths[c] < strlen(columns[c].title))
            widths[c] = strlen(columns[c].title);
    }
    if (style.columns != 0)
        table_fit(columns, count, widths, style.columns);
    table_row(out, NULL, columns, count, widths, style, &cell);
    for (size_t i = 0; i < wire_count(list); i++)
        table_row(out, wire_at(list, i), columns, count, widths, style, &cell);
    buf_clear(&cell);
    free(widths);
}
