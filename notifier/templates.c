/* Which text a message has; see templates.h. */
#include "templates.h"
#include "embed.h"
#include "mem.h"
#include "mustache.h"
#include "wire.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 128 };

struct templates {
    struct wire_doc *files; /* NULL: built in only */
    bool join_questions;
};

struct templates *templates_new(void)
{
    struct templates *templates = mem_new(1, sizeof *templates);

    templates->join_questions = true;
    return templates;
}

void templates_free(struct templates *templates)
{
    if (templates == NULL)
        return;
    wire_doc_free(templates->files);
    free(templates);
}

/* ---- which messages may be told in another ---- */

/* Of "templates/LOCALE/KIND.SUFFIX". */
struct own_template {
    char locale[LOCALE_BYTES], suffix[16];
    struct span kind, bytes;
    bool is_shipped; /* a copy of what is built in */
};

static bool own_template_read(const struct wire_val *files, size_t i, struct own_template *ret)
{
    static const char folder[] = "templates/";
    char path[200];
    struct span name = wire_key_at(files, i);

    if (name.len >= sizeof path || !wire_get_bin(wire_val_at(files, i), &ret->bytes))
        return false;
    (void)snprintf(path, sizeof path, "%.*s", (int)name.len, name.p);
    const char *locale = path + sizeof folder - 1, *slash = strchr(path + strcspn(path, "/") + 1, '/');
    const char *dot = slash == NULL ? NULL : strchr(slash, '.');
    if (strncmp(path, folder, sizeof folder - 1) != 0 || dot == NULL ||
        (size_t)(slash - locale) >= sizeof ret->locale || strlen(dot + 1) >= sizeof ret->suffix)
        return false;
    (void)snprintf(ret->locale, sizeof ret->locale, "%.*s", (int)(slash - locale), locale);
    (void)snprintf(ret->suffix, sizeof ret->suffix, "%s", dot + 1);
    ret->kind = (struct span){name.p + (slash + 1 - path), (size_t)(dot - slash - 1)};
    const struct embed_file *shipped = embed_find(shipped_process, shipped_process_count, path);
    ret->is_shipped = shipped != NULL && shipped->len == ret->bytes.len &&
                      memcmp(shipped->data, ret->bytes.p, ret->bytes.len) == 0;
    return true;
}

struct naming {
    const struct templates *templates;
    const struct own_template *in;
    bool found;
};

static bool naming_on_name(void *arg, const char *path)
{
    struct naming *naming = arg;
    naming->found = naming->found || strcmp(path, "asked") == 0;
    return true;
}

static struct span naming_on_partial(void *arg, struct span name)
{
    const struct naming *naming = arg;
    return templates_find(naming->templates, naming->in->locale, name, naming->in->suffix);
}

/* In itself or in a partial. */
static bool template_names_asked(const struct templates *templates, const struct own_template *in)
{
    struct naming naming = {templates, in, false};

    (void)mustache_check(in->bytes, naming_on_name, naming_on_partial, NULL, &naming);
    return naming.found;
}

/* Whether the process words the priority itself, other than the shipped text. */
static bool has_own_triaged(const struct templates *templates, const char *locale)
{
    const struct wire_val *files = wire_root(templates->files);
    struct own_template one;

    for (size_t i = 0; i < wire_count(files); i++)
        if (own_template_read(files, i, &one) && strcmp(one.locale, locale) == 0 &&
            span_is(one.kind, "triaged") && !one.is_shipped)
            return true;
    return false;
}

static bool questions_can_join(const struct templates *templates)
{
    const struct wire_val *files = wire_root(templates->files);
    struct own_template one;

    for (size_t i = 0; i < wire_count(files); i++) {
        if (!own_template_read(files, i, &one))
            continue;
        if ((span_is(one.kind, "triaged") || span_is(one.kind, "received_triaged")) &&
            !template_names_asked(templates, &one))
            return false;
        if (span_is(one.kind, "asked") && !one.is_shipped && !has_own_triaged(templates, one.locale))
            return false;
    }
    return true;
}

/* ---- a process ---- */

bool templates_load(struct templates *templates, struct span files, struct err *err)
{
    struct wire_doc *doc = NULL;

    if (!wire_parse(files.p, files.len, 4, &doc, err))
        return false;
    wire_doc_free(templates->files);
    templates->files = doc;
    templates->join_questions = questions_can_join(templates);
    return true;
}

bool templates_join_questions(const struct templates *templates)
{
    return templates->join_questions;
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
