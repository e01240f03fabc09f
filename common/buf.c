/* A growing buffer with a limit; see buf.h. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 256 };

struct span span_cut(struct span text, size_t most)
{
    if (text.len <= most)
        return text;
    while (most > 0 && ((unsigned char)text.p[most] & 0xc0) == 0x80)
        most--;
    return (struct span){text.p, most};
}

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->p != NULL)
        buf->p[0] = '\0';
}

void buf_clear(struct buf *buf)
{
    free(buf->p);
    buf_init(buf, buf->max);
}

/* Apart from buf_reserve, which then is small enough to stand wherever something is added. */
static bool buf_reserve_more(struct buf *buf, size_t len)
{
    if (buf->failed || len > buf->max - buf->len) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->len + len + 1;
    size_t cap = buf->cap == 0 ? BUF_FIRST_BYTES : buf->cap;
    while (cap < need)
        cap *= 2;
    char *p = realloc(buf->p, cap);
    if (p == NULL) {
        buf->failed = true;
        return false;
    }
    buf->p = p;
    buf->cap = cap;
    return true;
}

/* Room for len more bytes and the closing NUL. */
static inline bool buf_reserve(struct buf *buf, size_t len)
{
    /* cap is 0 or larger than len, max not smaller. */
    if (len < buf->cap - buf->len && len <= buf->max - buf->len && !buf->failed)
        return true;
    return buf_reserve_more(buf, len);
}

char *buf_extend(struct buf *buf, size_t len)
{
    if (!buf_reserve(buf, len))
        return NULL;
    char *p = buf->p + buf->len;
    buf->len += len;
    p[len] = '\0';
    return p;
}

bool buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (!buf_reserve(buf, len))
        return false;
    if (len != 0)
        memcpy(buf->p + buf->len, bytes, len);
    buf->len += len;
    buf->p[buf->len] = '\0';
    return true;
}

bool buf_add_text(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text));
}

bool buf_add_span(struct buf *buf, struct span span)
{
    return buf_add(buf, span.p, span.len);
}

bool buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    bool ok = n >= 0 && buf_reserve(buf, (size_t)n);
    if (ok) {
        (void)vsnprintf(buf->p + buf->len, (size_t)n + 1, fmt, again);
        buf->len += (size_t)n;
    }
    va_end(again);
    return ok;
}

char *buf_take(struct buf *buf, size_t *ret_len)
{
    if (!buf_reserve(buf, 0)) {
        buf_clear(buf);
        *ret_len = 0;
        return NULL;
    }
    char *p = buf->p;
    p[buf->len] = '\0';
    *ret_len = buf->len;
    buf_init(buf, buf->max);
    return p;
}

struct span buf_take_span(struct buf *buf)
{
    struct span ret;
    ret.p = buf_take(buf, &ret.len);
    return ret;
}

const char *buf_text(const struct buf *buf)
{
    return buf->p == NULL ? "" : buf->p;
}

struct span buf_span(const struct buf *buf)
{
    return (struct span){buf_text(buf), buf->len};
}
