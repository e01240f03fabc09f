/* What bytes from outside must be before anything is allocated for them; see wire.h. */
#include "wire_internal.h"

#include "utf8.h"

#include <assert.h>

enum { DOUBLED_KEYS_CHECKED_MAX = 64 };

struct walk {
    const unsigned char *start;
    const unsigned char *p;
    const unsigned char *end;
    size_t values; /* in lists and maps, so far */
    struct err *err;
};

/* The head of one value, as read: what it is and how much belongs to it. */
struct head {
    enum wire_type type;
    uint64_t count; /* bytes of a str or bin, entries of a list or map, 0 for the rest */
};

static bool walk_fail(const struct walk *w, const char *why)
{
    return err_set(w->err, ERR_MALFORMED, "not MessagePack of this protocol: %s at byte %zu", why,
                   (size_t)(w->p - w->start));
}

static bool walk_skip(struct walk *w, uint64_t n)
{
    if (n > (uint64_t)(w->end - w->p))
        return walk_fail(w, "it ends too early");
    w->p += n;
    return true;
}

static bool walk_length(struct walk *w, size_t width, uint64_t *ret)
{
    uint64_t value = 0;
    if ((size_t)(w->end - w->p) < width)
        return walk_fail(w, "it ends too early");
    for (size_t i = 0; i < width; i++)
        value = value << 8 | *w->p++;
    *ret = value;
    return true;
}

/* Reads the first byte and the length; for scalars of fixed size also steps over their bytes. */
static bool walk_head(struct walk *w, struct head *ret)
{
    static const unsigned char scalar_bytes[] = {[0x0a] = 4, [0x0b] = 8, [0x0c] = 1, [0x0d] = 2, [0x0e] = 4,
                                                 [0x0f] = 8, [0x10] = 1, [0x11] = 2, [0x12] = 4, [0x13] = 8};
    if (w->p == w->end)
        return walk_fail(w, "it ends too early");
    unsigned b = *w->p++;
    *ret = (struct head){WIRE_INT, 0};
    if (b < 0x80 || b >= 0xe0)
        return true;
    if (b < 0x90) {
        *ret = (struct head){WIRE_MAP, b & 0x0f};
        return true;
    }
    if (b < 0xa0) {
        *ret = (struct head){WIRE_LIST, b & 0x0f};
        return true;
    }
    if (b < 0xc0) {
        *ret = (struct head){WIRE_STR, b & 0x1f};
        return true;
    }
    switch (b) {
    case 0xc0:
        ret->type = WIRE_NIL;
        return true;
    case 0xc2:
    case 0xc3:
        ret->type = WIRE_BOOL;
        return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        ret->type = WIRE_BIN;
        return walk_length(w, (size_t)1 << (b - 0xc4), &ret->count);
    case 0xd9:
    case 0xda:
    case 0xdb:
        ret->type = WIRE_STR;
        return walk_length(w, (size_t)1 << (b - 0xd9), &ret->count);
    case 0xdc:
    case 0xdd:
        ret->type = WIRE_LIST;
        return walk_length(w, (size_t)2 << (b - 0xdc), &ret->count);
    case 0xde:
    case 0xdf:
        ret->type = WIRE_MAP;
        return walk_length(w, (size_t)2 << (b - 0xde), &ret->count);
    default:
        break;
    }
    if (b >= 0xca && b <= 0xd3) {
        ret->type = b <= 0xcb ? WIRE_FLOAT : WIRE_INT;
        return walk_skip(w, scalar_bytes[b - 0xc0]);
    }
    w->p--;
    return walk_fail(w, b == 0xc1 ? "the byte 0xc1" : "an extension type");
}

static bool walk_text(struct walk *w, uint64_t len, struct span *ret)
{
    struct span text = {(const char *)w->p, (size_t)len};
    if (len > (uint64_t)(w->end - w->p))
        return walk_fail(w, "it ends too early");
    if (!utf8_check(text, NULL))
        return walk_fail(w, "text that is not UTF-8 without NUL");
    w->p += len;
    *ret = text;
    return true;
}

static bool walk_value(struct walk *w, unsigned depth);

static bool walk_map(struct walk *w, uint64_t count, unsigned depth)
{
    struct span seen[DOUBLED_KEYS_CHECKED_MAX];

    for (uint64_t i = 0; i < count; i++) {
        struct head head;
        struct span key;
        if (!walk_head(w, &head))
            return false;
        if (head.type != WIRE_STR)
            return walk_fail(w, "a map key that is not text");
        if (!walk_text(w, head.count, &key))
            return false;
        for (uint64_t k = 0; count <= DOUBLED_KEYS_CHECKED_MAX && k < i; k++)
            if (span_equal(seen[k], key))
                return walk_fail(w, "a map key that stands twice");
        if (i < DOUBLED_KEYS_CHECKED_MAX)
            seen[i] = key;
        if (!walk_value(w, depth))
            return false;
    }
    return true;
}

/* Recursion is bounded by depth, at most WIRE_DEPTH_MAX. */
static bool walk_value(struct walk *w, unsigned depth)
{
    struct head head;
    struct span text;

    if (depth == 0)
        return walk_fail(w, "nested too deeply");
    if (!walk_head(w, &head))
        return false;
    switch (head.type) {
    case WIRE_STR:
        return walk_text(w, head.count, &text);
    case WIRE_BIN:
        return walk_skip(w, head.count);
    case WIRE_LIST:
        if (head.count > (uint64_t)(w->end - w->p))
            return walk_fail(w, "it ends too early");
        w->values += head.count;
        for (uint64_t i = 0; i < head.count; i++)
            if (!walk_value(w, depth - 1))
                return false;
        return true;
    case WIRE_MAP:
        if (head.count > (uint64_t)(w->end - w->p) / 2)
            return walk_fail(w, "it ends too early");
        w->values += 2 * head.count;
        return walk_map(w, head.count, depth - 1);
    default:
        return true;
    }
}

bool wire_check(const void *bytes, size_t len, unsigned depth_max, size_t *ret_values, struct err *err)
{
    struct walk w = {bytes, bytes, (const unsigned char *)bytes + len, 0, err};

    assert(depth_max <= WIRE_DEPTH_MAX);
    if (!walk_value(&w, depth_max))
        return false;
    if (w.p != w.end)
        return walk_fail(&w, "more bytes after the message");
    *ret_values = w.values;
    return true;
}

struct span wire_value_at(const char *p, const char *end)
{
    struct err ignored;
    struct walk w = {(const unsigned char *)p, (const unsigned char *)p, (const unsigned char *)end, 0,
                     &ignored};
    struct head head;

    for (uint64_t left = 1; left != 0; left--) {
        if (!walk_head(&w, &head))
            return SPAN_NONE;
        if (head.type == WIRE_MAP)
            left += 2 * head.count;
        else if (head.type == WIRE_LIST)
            left += head.count;
        else if (!walk_skip(&w, head.count))
            return SPAN_NONE;
    }
    return (struct span){p, (size_t)((const char *)w.p - p)};
}
