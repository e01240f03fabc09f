/* Which text a message has; see templates.h. */
#include "templates.h"
#include "embed.h"
#include "mem.h"
#include "wire.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 128 };

struct templates {
    struct wire_doc *files; /* NULL: built in only */
};

struct templates *templates_new(void)
{
    return mem_new(1, sizeof(struct templates));
}

void templates_free(struct templates *templates)
{
    if (templates == NULL)
        return;
    wire_doc_free(templates->files);
    free(templates);
}

bool templates_load(struct templates *templates, struct span files, struct err *err)
{
    struct wire_doc *doc = NULL;

    if (!wire_parse(files.p, files.len, 4, &doc, err))
        return false;
    wire_doc_free(templates->files);
    templates->files = doc;
    return true;
}

static struct span templates_at(const struct templates *templates, const char *path)
{
    struct span bytes;

    if (templates->files != NULL && wire_get_bin(wire_find(wire_root(templates->files), path), &bytes))
        return bytes;
    const struct embed_file *file = embed_find(shipped_process, shipped_process_count, path);
    return file == NULL ? SPAN_NONE : (struct span){(const char *)file->data, file->len};
}

/* A locale from a customer's record is part of a path: letters, digits, dash. */
static bool locale_is_plain(const char *locale)
{
    size_t len = strlen(locale);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)locale[i]) && locale[i] != '-')
            return false;
    return len > 0 && len < LOCALE_BYTES;
}

struct span templates_find(const struct templates *templates, const char *locale, struct span name,
                           const char *suffix)
{
    char language[LOCALE_BYTES] = "", path[200];

    if (locale_is_plain(locale))
        (void)snprintf(language, sizeof language, "%.*s", (int)strcspn(locale, "-"), locale);
    const char *const tried[] = {language[0] == '\0' ? "en" : locale, language[0] == '\0' ? "en" : language,
                                 "en"};
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
            return SPAN_NONE;
    for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
        (void)snprintf(path, sizeof path, "templates/%s/%.*s.%s", tried[i],
                       (int)(name.len > 64 ? 64 : name.len), name.p, suffix);
        struct span found = templates_at(templates, path);
        if (found.p != NULL)
            return found;
    }
    return SPAN_NONE;
}

/* The text of "word: text" in a file of such lines. */
static struct span words_find(struct span words, struct span word)
{
    const char *p = words.p, *end = words.p + words.len;

    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop == NULL ? end : stop;
        if ((size_t)(stop - p) > word.len + 1 && memcmp(p, word.p, word.len) == 0 && p[word.len] == ':') {
            p += word.len + 1;
            while (p < stop && *p == ' ')
                p++;
            return (struct span){p, (size_t)(stop - p)};
        }
        p = stop + 1;
    }
    return SPAN_NONE;
}

struct span templates_word(const struct templates *templates, const char *locale, struct span word)
{
    struct span words = templates_find(templates, locale, span_of("words"), "txt");
    return words.p == NULL || word.len == 0 ? SPAN_NONE : words_find(words, word);
}

struct span templates_word_as(const struct templates *templates, const char *locale, const char *prefix,
                              struct span name)
{
    char word[WORD_BYTES];
    int len = snprintf(word, sizeof word, "%s_%.*s", prefix, (int)name.len, name.len == 0 ? "" : name.p);

    return len >= 0 && len < (int)sizeof word ? templates_word(templates, locale, span_of(word)) : SPAN_NONE;
}
