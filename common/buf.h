/* A growing buffer with a limit. A write that would pass the limit, or for which there is no memory, is not
 * made and marks the buffer failed: write freely, look once at the end. */
#ifndef DOCKET_BUF_H
#define DOCKET_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Bytes that somebody else owns. Text in a span has no closing NUL. */
struct span {
    const char *p;
    size_t len;
};

struct buf {
    char *p; /* NULL while empty; a NUL always follows the last byte otherwise */
    size_t len;
    size_t cap;
    size_t max; /* bytes; writes beyond it fail */
    bool failed;
};

#define SPAN_NONE ((struct span){NULL, 0})

/* Here, so that the length of a literal is known when it is compiled: they are asked for each field of each message. */
static inline struct span span_of(const char *text)
{
    return (struct span){text, text == NULL ? 0 : strlen(text)};
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* The first letter is looked at first: most of what is compared with one name after another differs there. */
static inline bool span_is(struct span span, const char *text)
{
    if (span.len == 0)
        return text == NULL || *text == '\0';
    return text != NULL && *span.p == *text && span_equal(span, span_of(text));
}

/* The first most bytes of valid UTF-8 text, fewer when the last letter would be cut. */
struct span span_cut(struct span text, size_t most);

/* Makes an empty buffer that holds at most max bytes. */
void buf_init(struct buf *buf, size_t max);

/* Empties it and keeps the memory; forgets a failure. */
void buf_reset(struct buf *buf);

/* Gives the memory back; the buffer is as after buf_init. */
void buf_clear(struct buf *buf);

/* Makes the buffer len bytes longer; the caller writes them at once, where the answer points. NULL (and buf->failed) as buf_add. */
char *buf_extend(struct buf *buf, size_t len);

/* Append. False (and buf->failed) when the limit is passed or memory is out. */
bool buf_add(struct buf *buf, const void *bytes, size_t len);
bool buf_add_text(struct buf *buf, const char *text);
bool buf_add_span(struct buf *buf, struct span span);
bool buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Hands the bytes over, with a closing NUL: the caller frees them. The buffer is empty afterwards.
 * NULL, and a length of 0, only for a buffer that failed. */
char *buf_take(struct buf *buf, size_t *ret_len);

/* The same, as a span whose bytes the caller owns; SPAN_NONE only for a buffer that failed. */
struct span buf_take_span(struct buf *buf);

/* The text so far, "" when empty; valid until the next change. */
const char *buf_text(const struct buf *buf);

struct span buf_span(const struct buf *buf);

#endif
