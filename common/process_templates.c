/* The templates of a process: templates/LOCALE/KIND.SUFFIX and the words of each locale, checked as far as that is possible
 * without a message. What they look like is the notifier's. */
#include "channels.h"
#include "contact.h"
#include "mustache.h"
#include "process_internal.h"
#include "template_names.h"
#include "utf8.h"

#include <ctype.h>
#include <string.h>

enum { PARTS_BYTES = PROCESS_FILE_NAME_MAX + 1 };

/* Those of the channels, and the other part of a mail. */
static bool suffix_is_known(const char *suffix)
{
    bool known = strcmp(suffix, "html") == 0;
    for (int i = 0; i < CHANNELS; i++)
        known = known || strcmp(suffix, channel_rows[i].suffix) == 0;
    return known;
}

/* "templates/en/received.txt" in its parts. */
struct parts {
    char locale[PARTS_BYTES], kind[PARTS_BYTES], suffix[PARTS_BYTES];
};

struct lookup {
    struct load *load;
    const char *file;
    const struct process_files *files;
    const struct parts *parts;
    bool is_page; /* of a signed link; else a message */
};

static bool parts_read(const char *name, struct parts *ret)
{
    const char *locale = name + strlen("templates/");
    const char *slash = strchr(locale, '/');
    const char *dot = slash == NULL ? NULL : strchr(slash, '.');

    if (dot == NULL || slash == locale || dot == slash + 1 || dot[1] == '\0' ||
        strchr(slash + 1, '/') != NULL)
        return false;
    for (const char *p = locale; p < slash; p++)
        if (!isalnum((unsigned char)*p) && *p != '-')
            return false;
    (void)snprintf(ret->locale, PARTS_BYTES, "%.*s", (int)(slash - locale), locale);
    (void)snprintf(ret->kind, PARTS_BYTES, "%.*s", (int)(dot - slash - 1), slash + 1);
    (void)snprintf(ret->suffix, PARTS_BYTES, "%s", dot + 1);
    return true;
}

static bool on_known(void *arg, const char *path)
{
    const struct lookup *lookup = arg;
    return lookup->is_page ? template_page_name_is_known(path) : template_name_is_known(path);
}

static struct span find_in(const struct lookup *lookup, const char *locale, int locale_len, struct span name)
{
    char path[PROCESS_FILE_NAME_MAX * 2];

    (void)snprintf(path, sizeof path, "templates/%.*s/%.*s.%s", locale_len, locale,
                   (int)(name.len > 64 ? 64 : name.len), name.p, lookup->parts->suffix);
    const struct process_file *file = process_files_find(lookup->files, path);
    return file == NULL ? SPAN_NONE : (struct span){file->bytes, file->len};
}

/* As when rendering: the locale, its language, English. */
static struct span on_partial(void *arg, struct span name)
{
    const struct lookup *lookup = arg;
    const char *locale = lookup->parts->locale;
    struct span found = find_in(lookup, locale, (int)strlen(locale), name);

    if (found.p == NULL)
        found = find_in(lookup, locale, (int)strcspn(locale, "-"), name);
    return found.p != NULL ? found : find_in(lookup, "en", 2, name);
}

static void on_fault(void *arg, size_t line, size_t column, const char *what)
{
    const struct lookup *lookup = arg;

    (void)faults_add(lookup->load->faults,
                     (struct fault_place){lookup->file, (unsigned)line, (unsigned)column},
                     "%s; %s lists what there is", what,
                     lookup->is_page ? "docs/channels.md" : "docs/templates.md");
}

/* Whether a text names the partial. */
static bool text_uses(const char *text, const char *partial)
{
    size_t len = strlen(partial);

    for (const char *p = strstr(text, "{{>"); p != NULL; p = strstr(p + 1, "{{>")) {
        const char *name = p + strlen("{{>") + strspn(p + strlen("{{>"), " \t");
        if (strncmp(name, partial, len) == 0 && strchr("} \t", name[len]) != NULL)
            return true;
    }
    return false;
}

/* A name typed wrong would never be read. */
static void check_partial_is_used(struct load *load, const struct process_file *file,
                                  const struct parts *parts)
{
    const struct process_files *files = &load->process->files;

    for (size_t i = 0; i < files->count; i++)
        if (strncmp(files->items[i].name, "templates/", strlen("templates/")) == 0 &&
            text_uses(files->items[i].bytes, parts->kind))
            return;
    (void)faults_add(&load->process->warnings, (struct fault_place){.file = file->name},
                     "is no message and no template uses it; docs/templates.md lists the kinds");
}

static void check_template(struct load *load, const struct process_file *file, const struct parts *parts)
{
    struct lookup lookup = {load, file->name, &load->process->files, parts,
                            template_page_is_known(parts->kind)};
    bool is_message = strcmp(parts->suffix, "html") != 0;

    if (!utf8_check((struct span){file->bytes, file->len}, NULL))
        (void)faults_add(load->faults, (struct fault_place){.file = file->name}, "is not valid UTF-8");
    else if (lookup.is_page && strcmp(parts->suffix, "html") != 0)
        (void)faults_add(load->faults, (struct fault_place){.file = file->name},
                         "is a page of links, want %s.html", parts->kind);
    else if (!lookup.is_page && strncmp(parts->kind, "page_", 5) == 0 &&
             strcmp(parts->kind, "page_head") != 0 && strcmp(parts->kind, "page_foot") != 0)
        (void)
            faults_add(load->faults, (struct fault_place){.file = file->name},
                       "is no page there is, want page_approve, page_agree, page_acknowledge, page_nothing");
    else if (!lookup.is_page && !template_kind_is_known(parts->kind))
        check_partial_is_used(load, file,
                              parts); /* it is checked there: its names have their meaning where it is used */
    else {
        if (is_message && strncmp(file->bytes, "Subject: ", 9) != 0)
            (void)faults_add(load->faults, (struct fault_place){file->name, 1, 1},
                             "the first line is no \"Subject: …\"");
        (void)mustache_check((struct span){file->bytes, file->len}, on_known, on_partial, on_fault, &lookup);
    }
}

/* Lines "word: what the locale calls it"; empty ones and those that begin with # are skipped. */
static void check_words(struct load *load, const struct process_file *file)
{
    unsigned line = 1;

    for (const char *p = file->bytes; *p != '\0'; line++) {
        size_t len = strcspn(p, "\n");
        const char *colon = memchr(p, ':', len);
        if (len != 0 && *p != '#' && (colon == NULL || colon == p || (size_t)(colon - p) + 2 >= len))
            (void)faults_add(load->faults, (struct fault_place){file->name, line, 1},
                             "want a line \"word: what the locale calls it\"");
        p += len + (p[len] == '\n');
    }
}

/* The part of a locale's name that is its language. */
static struct span language_of(struct span locale)
{
    const char *dash = memchr(locale.p, '-', locale.len);
    return (struct span){locale.p, dash == NULL ? locale.len : (size_t)(dash - locale.p)};
}

static bool has_folder(const struct process_files *files, struct span locale)
{
    char folder[PARTS_BYTES * 2];
    int len = snprintf(folder, sizeof folder, "templates/%.*s/", (int)locale.len, locale.p);

    for (size_t i = 0; i < files->count; i++)
        if (strncmp(files->items[i].name, folder, (size_t)len) == 0)
            return true;
    return false;
}

bool process_speaks(const struct process *process, struct span locale)
{
    struct span language = language_of(locale);

    return locale.len >= PARTS_BYTES || span_is(language, "en") || has_folder(&process->files, locale) ||
           has_folder(&process->files, language);
}

/* A folder that no reader's language leads to: told of its first file. */
static void warn_of_locale(struct load *load, const struct process_file *file, const struct parts *parts)
{
    const char *fault = contact_fault("locale", span_of(parts->locale));
    size_t len = (size_t)(strchr(file->name + strlen("templates/"), '/') - file->name) + 1;
    const struct process_file *first = load->process->files.items;

    while (strncmp(first->name, file->name, len) != 0)
        first++;
    if (fault != NULL && first == file)
        (void)faults_add(&load->process->warnings, (struct fault_place){.file = file->name},
                         "nobody reads it: \"%s\" is %s", parts->locale, fault);
}

void load_templates(struct load *load)
{
    const struct process_files *files = &load->process->files;

    for (size_t i = 0; i < files->count; i++) {
        const struct process_file *file = &files->items[i];
        struct parts parts;
        if (strncmp(file->name, "templates/", strlen("templates/")) != 0)
            continue;
        if (!parts_read(file->name, &parts)) {
            (void)faults_add(
                load->faults, (struct fault_place){.file = file->name},
                "is no template, want templates/LOCALE/KIND.SUFFIX such as templates/de-AT/received.txt");
            continue;
        }
        warn_of_locale(load, file, &parts);
        if (strcmp(parts.kind, "words") == 0)
            check_words(load, file);
        else if (!suffix_is_known(parts.suffix))
            (void)faults_add(load->faults, (struct fault_place){.file = file->name},
                             "ends with .%s, want .txt, .html or the ending of a channel: docs/templates.md",
                             parts.suffix);
        else
            check_template(load, file, &parts);
    }
}
