/* Faults of a file; see faults.h. */
#include "faults.h"

#include "buf.h"
#include "mem.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FAULT_BYTES_MAX = 600,
    SAID_BYTES_MAX = 150 /* of what was found, where that is long */,
    NEAR_BYTES_MAX = 40
};

/* Whether a letter begins at this byte of UTF-8. */
static bool is_letter_begin(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* Something long was written, and it is quoted: what is allowed stands behind it, so the middle is left out.
 * in:  from  where the message begins behind its place */
static void text_shorten(char *text, size_t from)
{
    static const char mark[] = "…";
    size_t len = strlen(text), head = from + SAID_BYTES_MAX;
    size_t tail = FAULT_BYTES_MAX - head - sizeof mark;

    if (len < FAULT_BYTES_MAX)
        return;
    while (!is_letter_begin(text[head]))
        head--;
    while (!is_letter_begin(text[len - tail]))
        tail--;
    memcpy(text + head, mark, sizeof mark - 1);
    memmove(text + head + sizeof mark - 1, text + len - tail, tail + 1);
}

/* What people wrote is quoted in here: nothing of it may move a terminal's cursor or begin a new line. */
static void text_tame(char *text)
{
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p == 0xc2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0)
            *p = *(p + 1) = '?'; /* U+0080 to U+009F: as ESC and a letter */
        else if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    }
}

/* The place, as far as it is known, and ": "; how many bytes. */
static size_t place_format(struct fault_place place, char *ret, size_t size)
{
    int n = 0;

    if (place.line != 0 && place.column != 0)
        n = snprintf(ret, size, "%.200s:%u:%u: ", place.file, place.line, place.column);
    else if (place.line != 0)
        n = snprintf(ret, size, "%.200s:%u: ", place.file, place.line);
    else
        n = snprintf(ret, size, "%.200s: ", place.file);
    return n < 0 ? 0 : (size_t)n;
}

bool fault_place_same(struct fault_place a, struct fault_place b)
{
    return a.line == b.line && a.column == b.column &&
           (a.file == b.file || (a.file != NULL && b.file != NULL && strcmp(a.file, b.file) == 0));
}

bool faults_add(struct faults *faults, struct fault_place place, const char *fmt, ...)
{
    char place_text[FAULT_BYTES_MAX];
    va_list args, again;

    if (faults->count >= FAULTS_MAX) {
        faults->dropped++;
        return false;
    }
    size_t from = place_format(place, place_text, sizeof place_text);
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    size_t size = from + (len < 0 ? 0 : (size_t)len) + 1;
    char *text = mem_new(size, 1);
    memcpy(text, place_text, from);
    (void)vsnprintf(text + from, size - from, fmt, args);
    va_end(args);
    text_shorten(text, from);
    text_tame(text);
    utf8_mend(text);
    faults->items = mem_grow(faults->items, faults->count + 1, sizeof *faults->items);
    faults->items[faults->count++] = (struct fault){.line = place.line,
                                                    .column = place.column,
                                                    .file = mem_strdup(place.file),
                                                    .text = text};
    return false;
}

void faults_take(struct faults *faults, struct faults *from)
{
    faults->dropped += from->dropped;
    faults->items = mem_grow(faults->items, faults->count + from->count + 1, sizeof *faults->items);
    for (size_t i = 0; i < from->count; i++)
        if (faults->count < FAULTS_MAX) {
            faults->items[faults->count++] = from->items[i];
        } else {
            free(from->items[i].file);
            free(from->items[i].text);
            faults->dropped++;
        }
    free(from->items);
    *from = (struct faults){NULL, 0, 0};
}

static int fault_compare(const void *a, const void *b)
{
    const struct fault *x = a, *y = b;
    int by_file = strcmp(x->file, y->file);
    if (by_file != 0)
        return by_file;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return strcmp(x->text, y->text);
}

void faults_sort(struct faults *faults)
{
    if (faults->count > 1)
        qsort(faults->items, faults->count, sizeof *faults->items, fault_compare);
    size_t kept = 0;
    for (size_t i = 0; i < faults->count; i++) { /* what several users of one thing found is told once */
        if (kept > 0 && strcmp(faults->items[kept - 1].text, faults->items[i].text) == 0) {
            free(faults->items[i].file);
            free(faults->items[i].text);
        } else {
            faults->items[kept++] = faults->items[i];
        }
    }
    faults->count = kept;
}

void faults_print(FILE *to, const char *prefix, const struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        (void)fprintf(to, "%s%s\n", prefix, faults->items[i].text);
    if (faults->dropped > 0)
        (void)fprintf(to, "%s… and %zu more\n", prefix, faults->dropped);
}

void faults_report(FILE *to, const char *program, const struct faults *faults, const struct err *err)
{
    (void)fprintf(to, "%s: ", program);
    if (faults->count == 0)
        (void)fprintf(to, "%s\n", err->msg);
    faults_print(to, "", faults);
}

void faults_format(const struct faults *faults, struct buf *out)
{
    for (size_t i = 0; i < faults->count; i++)
        (void)buf_printf(out, "%s%s", i > 0 ? "\n" : "", faults->items[i].text);
    if (faults->dropped > 0)
        (void)buf_printf(out, "\n… and %zu more", faults->dropped);
}

bool faults_to_err(const struct faults *faults, enum err_code code, struct err *err)
{
    enum { TAIL_BYTES = 40 }; /* room for the line that counts the rest */
    char text[sizeof err->msg];
    size_t len = 0, told = 0;

    text[0] = '\0';
    for (; told < faults->count; told++) {
        const char *line = faults->items[told].text;
        size_t room = sizeof text - TAIL_BYTES - len;
        if (told > 0 && strlen(line) + 1 >= room)
            break;
        len += (size_t)snprintf(text + len, room, "%s%s", told > 0 ? "\n" : "", line);
    }
    size_t rest = faults->count - told + faults->dropped;
    if (rest > 0)
        (void)snprintf(text + len, sizeof text - len, "\n… and %zu more", rest);
    return err_set(err, code, "%s", text);
}

void faults_clear(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        free(faults->items[i].file);
        free(faults->items[i].text);
    }
    free(faults->items);
    *faults = (struct faults){NULL, 0, 0};
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits between two words: insert, delete, replace, swap of neighbours. Both at most NEAR_BYTES_MAX long. */
static size_t near_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][NEAR_BYTES_MAX + 1];

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            now[j] = least_of(least_of(now[j - 1], last[j]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least_of(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *faults_near(const char *text, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t len = strlen(text);
    size_t best_edits = len / 3 + 1;

    if (len < 2 || len > NEAR_BYTES_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL || strlen(names[i]) > NEAR_BYTES_MAX)
            continue;
        size_t edits = near_distance(text, len, names[i], strlen(names[i]));
        if (edits <= best_edits && (best == NULL || edits < best_edits)) {
            best = names[i];
            best_edits = edits;
        }
    }
    return best;
}

/* "a, b, c", as many as fit whole, then how many more there are. in: count  of names, NULL ones are skipped */
static void names_put(const char *const *names, size_t count, char *ret, size_t size)
{
    enum { TAIL_BYTES = 24 };
    size_t len = 0, rest = 0;

    *ret = '\0';
    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL)
            continue;
        if (rest > 0 || len + strlen(names[i]) + 2 + TAIL_BYTES > size) {
            rest++;
            continue;
        }
        len += (size_t)snprintf(ret + len, size - len, "%s%s", len == 0 ? "" : ", ", names[i]);
    }
    if (rest > 0 && len < size)
        (void)snprintf(ret + len, size - len, "%s%zu more", len == 0 ? "" : " or ", rest);
}

void faults_hint_near(const char *near, const char *const *names, size_t count, char *ret, size_t size)
{
    size_t known = 0, len = 0;

    for (size_t i = 0; i < count; i++)
        known += names[i] != NULL;
    if (near != NULL)
        len = (size_t)snprintf(ret, size, " (did you mean %s?)", near);
    if (len < size)
        len += (size_t)snprintf(ret + len, size - len, known == 1 ? "; allowed is " : "; allowed are ");
    if (len >= size)
        return;
    names_put(names, count, ret + len, size - len);
    if (ret[len] == '\0')
        (void)snprintf(ret + len, size - len, "none");
}

void faults_hint(const char *text, const char *const *names, size_t count, char *ret, size_t size)
{
    faults_hint_near(faults_near(text, names, count), names, count, ret, size);
}
