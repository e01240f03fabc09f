/* Whether one value of a request is of its kind and inside its limits; see request_internal.h. */
#include "faults.h"
#include "request_internal.h"
#include "address.h"
#include "tracking.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

enum { MAP_DEPTH = 16 };

/* ---- words ---- */

bool names_have(const char *names, struct span name)
{
    while (*names != '\0') {
        size_t len = strcspn(names, "|");
        if (len == name.len && memcmp(names, name.p, len) == 0)
            return true;
        names += len + (names[len] == '|');
    }
    return false;
}

void names_allowed(const char *names, struct span word, char ret[ALLOWED_BYTES])
{
    enum { NAMES_MAX = 32, NAMES_BYTES_MAX = 400 };
    char split[NAMES_BYTES_MAX], text[64];
    const char *items[NAMES_MAX];
    size_t count = 0;

    (void)snprintf(split, sizeof split, "%s", names);
    (void)snprintf(text, sizeof text, "%.*s", (int)word.len, word.p == NULL ? "" : word.p);
    for (char *p = split; count < NAMES_MAX; p++) {
        items[count++] = p;
        p += strcspn(p, "|");
        if (*p == '\0')
            break;
        *p = '\0';
    }
    faults_hint(text, items, count, ret, ALLOWED_BYTES);
}

bool text_is_name(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                    c == '_' || c == '-';
        if (!fine)
            return false;
    }
    return true;
}

/* ---- kinds ---- */

bool check_wrong_type(const struct check *c, const struct wire_val *val, const char *want)
{
    return err_field(c->err, ERR_INVALID, c->path, "%s: want %s, got %s", c->path, want,
                     wire_type_name(wire_type(val)));
}

static bool check_bytes(const struct check *c, const struct wire_val *val, int64_t least, int64_t most)
{
    struct span text;
    if (!wire_get_str(val, &text))
        return check_wrong_type(c, val, "text");
    if ((int64_t)text.len > most)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: %zu bytes, at most %lld are allowed", c->path,
                         text.len, (long long)most);
    if ((int64_t)text.len < least && text.len == 0)
        return err_field(c->err, ERR_INVALID, c->path, "%s: must not be empty", c->path);
    if ((int64_t)text.len < least)
        return err_field(c->err, ERR_INVALID, c->path, "%s: %zu bytes, want %lld at least", c->path, text.len,
                         (long long)least);
    return true;
}

static bool check_text(const struct check *c, const struct wire_val *val)
{
    return check_bytes(c, val, c->row->least, c->row->most);
}

static bool check_is_not_blank(const struct check *c, struct span text)
{
    size_t blanks = 0;

    while (blanks < text.len && memchr(" \t\r\n", text.p[blanks], 4) != NULL)
        blanks++;
    return text.len == 0 || blanks < text.len || c->rules->form_is_free
               ? true
               : err_field(c->err, ERR_INVALID, c->path, "%s: must not be blank", c->path);
}

static bool check_long(const struct check *c, const struct wire_val *val)
{
    return check_bytes(c, val, c->row->least, c->rules->limits->text_bytes);
}

static bool check_words(const struct check *c, const struct wire_val *val)
{
    struct span text;

    if (!check_long(c, val))
        return false;
    (void)wire_get_str(val, &text);
    return check_is_not_blank(c, text);
}

bool check_points(const struct check *c, const struct wire_val *val)
{
    struct span text;
    size_t points = 0;
    if (!wire_get_str(val, &text))
        return check_wrong_type(c, val, "text");
    (void)utf8_check(text, &points);
    if ((int64_t)points > c->rules->limits->title_points)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: %zu characters, at most %lld are allowed",
                         c->path, points, (long long)c->rules->limits->title_points);
    if (points == 0)
        return err_field(c->err, ERR_INVALID, c->path, "%s: must not be empty", c->path);
    return check_is_word(c, text);
}

static bool check_name(const struct check *c, const struct wire_val *val)
{
    struct span text;
    if (!check_bytes(c, val, c->row->least, c->row->most))
        return false;
    (void)wire_get_str(val, &text);
    if (!text_is_name(text))
        return err_field(c->err, ERR_INVALID, c->path,
                         "%s: only letters, digits, '.', '_' and '-' are allowed", c->path);
    return true;
}

bool check_word_is(const struct check *c, const char *path, struct span word, const char *names)
{
    char text[41], allowed[ALLOWED_BYTES];

    if (names_have(names, word))
        return true;
    (void)snprintf(text, sizeof text, "%.*s", (int)word.len, word.p == NULL ? "" : word.p);
    names_allowed(names, word, allowed);
    return err_field(c->err, ERR_INVALID, path, "%s: \"%s\" is not known%s", path, text, allowed);
}

static bool check_enum(const struct check *c, const struct wire_val *val)
{
    struct span text;

    if (!wire_get_str(val, &text))
        return check_wrong_type(c, val, "text");
    return check_word_is(c, c->path, text, c->row->names);
}

static bool check_int(const struct check *c, const struct wire_val *val)
{
    int64_t number = 0;
    uint64_t large = 0; /* over what a number holds */
    char text[24] = "";

    if (wire_type(val) != WIRE_INT)
        return check_wrong_type(c, val, "an integer");
    bool holds = wire_get_int(val, &number);
    if (holds && number >= c->row->least && number <= c->row->most)
        return true;
    if (holds)
        (void)snprintf(text, sizeof text, "%lld", (long long)number);
    else if (wire_get_uint(val, &large))
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)large);
    return err_field(c->err, ERR_INVALID, c->path, "%s: %s is outside %lld–%lld", c->path, text,
                     (long long)c->row->least, (long long)c->row->most);
}

static bool check_bool(const struct check *c, const struct wire_val *val)
{
    bool flag;
    return wire_get_bool(val, &flag) ? true : check_wrong_type(c, val, "true or false");
}

static size_t depth_of(const struct wire_val *val)
{
    size_t most = 0;
    for (size_t i = 0; i < wire_count(val); i++) {
        const struct wire_val *in = wire_type(val) == WIRE_MAP ? wire_val_at(val, i) : wire_at(val, i);
        size_t depth = depth_of(in);
        most = depth > most ? depth : most;
    }
    return most + 1;
}

bool check_map(const struct check *c, const struct wire_val *val)
{
    if (wire_type(val) != WIRE_MAP)
        return check_wrong_type(c, val, "a map");
    if (depth_of(val) > MAP_DEPTH)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: nested deeper than %d", c->path, MAP_DEPTH);
    if ((int64_t)wire_size(val) > c->rules->limits->map_bytes)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: more than %lld bytes", c->path,
                         (long long)c->rules->limits->map_bytes);
    return true;
}

/* One entry of a list of text: of 1 to most bytes. */
static bool check_entry(const struct check *c, const struct wire_val *list, size_t i, size_t most,
                        struct span *ret)
{
    if (!wire_get_str(wire_at(list, i), ret) || ret->len == 0)
        return err_field(c->err, ERR_INVALID, c->path, "%s: entry %zu: want text of 1–%zu bytes", c->path,
                         i + 1, most);
    if (ret->len > most)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: entry %zu: %zu bytes, at most %zu are allowed",
                         c->path, i + 1, ret->len, most);
    return true;
}

bool check_texts(const struct check *c, const struct wire_val *val)
{
    enum { ENTRY_BYTES_MAX = 64 };
    struct span text;

    if (wire_type(val) != WIRE_LIST)
        return check_wrong_type(c, val, "a list of text");
    if ((int64_t)wire_count(val) > c->row->most)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: at most %lld entries", c->path,
                         (long long)c->row->most);
    for (size_t i = 0; i < wire_count(val); i++)
        if (!check_entry(c, val, i, ENTRY_BYTES_MAX, &text))
            return false;
    return true;
}

bool check_tracking(const struct check *c, const struct wire_val *val)
{
    struct span text;
    int64_t id;
    if (!wire_get_str(val, &text))
        return check_wrong_type(c, val, "a tracking number");
    if (tracking_parse(text, c->rules->prefix, &id, c->err))
        return true;
    (void)snprintf(c->err->field, sizeof c->err->field, "%s", c->path);
    return false;
}

/* U+0080 to U+009F, and the separators of lines and paragraphs. */
static bool is_wide_control(struct span rest)
{
    return (rest.len > 1 && memcmp(rest.p, "\xc2", 1) == 0 && (unsigned char)rest.p[1] < 0xa0) ||
           (rest.len > 2 &&
            (memcmp(rest.p, "\xe2\x80\xa8", 3) == 0 || memcmp(rest.p, "\xe2\x80\xa9", 3) == 0));
}

bool text_is_line(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f ||
            ((c == 0xc2 || c == 0xe2) && is_wide_control((struct span){text.p + i, text.len - i})))
            return false;
    }
    return true;
}

bool check_is_line(const struct check *c, const char *path, struct span text)
{
    return c->rules->form_is_free || text_is_line(text)
               ? true
               : err_field(c->err, ERR_INVALID, path, "%s: want one line, without control characters", path);
}

bool check_is_word(const struct check *c, struct span text)
{
    return check_is_not_blank(c, text) && check_is_line(c, c->path, text);
}

bool check_line(const struct check *c, const struct wire_val *val)
{
    struct span text;
    if (!check_bytes(c, val, c->row->least, c->row->most))
        return false;
    (void)wire_get_str(val, &text);
    return check_is_word(c, text);
}

static bool check_addresses(const struct check *c, const struct wire_val *val)
{
    struct span text;

    if (wire_type(val) != WIRE_LIST)
        return check_wrong_type(c, val, "a list of addresses");
    if ((int64_t)wire_count(val) < c->row->least || (int64_t)wire_count(val) > c->row->most)
        return err_field(c->err, wire_count(val) == 0 ? ERR_INVALID : ERR_TOO_LARGE, c->path,
                         "%s: want %lld–%lld addresses", c->path, (long long)c->row->least,
                         (long long)c->row->most);
    for (size_t i = 0; i < wire_count(val); i++)
        if (!check_entry(c, val, i, ADDRESS_BYTES_MAX, &text) || !check_is_line(c, c->path, text))
            return false;
    return true;
}

static bool check_trackings(const struct check *c, const struct wire_val *val)
{
    if (wire_type(val) != WIRE_LIST)
        return check_tracking(c, val);
    if ((int64_t)wire_count(val) > c->row->most)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: %zu tickets, at most %lld are allowed", c->path,
                         wire_count(val), (long long)c->row->most);
    if (wire_count(val) == 0)
        return err_field(c->err, ERR_INVALID, c->path, "%s: the list is empty", c->path);
    for (size_t i = 0; i < wire_count(val); i++)
        if (!check_tracking(c, wire_at(val, i)))
            return err_prefix(c->err, "entry %zu: ", i + 1);
    return true;
}

static bool check_files(const struct check *c, const struct wire_val *val)
{
    struct span bytes;
    if (wire_type(val) != WIRE_MAP)
        return check_wrong_type(c, val, "a map of names to bytes");
    if (wire_count(val) == 0 || (int64_t)wire_count(val) > c->row->most)
        return err_field(c->err, wire_count(val) == 0 ? ERR_INVALID : ERR_TOO_LARGE, c->path,
                         "files: want 1–%lld files", (long long)c->row->most);
    for (size_t i = 0; i < wire_count(val); i++)
        if (!wire_get_bin(wire_val_at(val, i), &bytes))
            return err_field(c->err, ERR_INVALID, c->path, "files: %.*s: want bytes",
                             (int)wire_key_at(val, i).len, wire_key_at(val, i).p);
    return true;
}

static bool check_hash(const struct check *c, const struct wire_val *val)
{
    struct span text;
    if (!check_bytes(c, val, c->row->least, c->row->most))
        return false;
    (void)wire_get_str(val, &text);
    for (size_t i = 0; i < text.len; i++)
        if (strchr("0123456789abcdef", text.p[i]) == NULL)
            return err_field(c->err, ERR_INVALID, c->path, "hash: want hexadecimal digits in lower case");
    return true;
}

static bool (*const checks[])(const struct check *, const struct wire_val *) = {
    [KIND_TEXT] = check_text,       [KIND_POINTS] = check_points,       [KIND_LONG] = check_long,
    [KIND_WORDS] = check_words,     [KIND_NAME] = check_name,           [KIND_ENUM] = check_enum,
    [KIND_INT] = check_int,         [KIND_BOOL] = check_bool,           [KIND_MAP] = check_map,
    [KIND_TEXTS] = check_texts,     [KIND_TRACKING] = check_tracking,   [KIND_TRACKINGS] = check_trackings,
    [KIND_LINE] = check_line,       [KIND_ADDRESSES] = check_addresses, [KIND_AS] = check_as,
    [KIND_CONTACT] = check_contact, [KIND_CUSTOMER] = check_customer,   [KIND_SET] = check_set,
    [KIND_FILES] = check_files,     [KIND_FILTER] = check_filter,       [KIND_HASH] = check_hash,
};

bool check_value(const struct check *c, const struct wire_val *val)
{
    return checks[c->row->kind](c, val);
}
