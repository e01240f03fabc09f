/* The calendars of `docket-worker due`; see due_book.h. */
#include "due_book.h"

#include "calendar_build.h"
#include "mem.h"
#include "yaml_node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 20, PATH_BYTES_MAX = 4096 };

/* A calendar file stands in a process of its own: the smallest one that there may be. */
static const struct {
    const char *name, *text;
} minimal_files[] = {
    {"process.yaml", "package: standard\n"},
    {"packages.yaml",
     "standard:\n  calendar: 24x7\n  targets:\n    1: {response: 0m}\n    2: {response: 1h}\n"
     "    3: {response: 6h}\n    4: {response: 24h}\n"},
    {"rules/99-default.yaml", "- rule: default\n  default: true\n  then: {priority: 3}\n"},
};

static bool file_add(struct process_files *files, const char *path, const char *name, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    char *bytes = mem_new(FILE_BYTES_MAX + 1, 1);
    size_t len = fread(bytes, 1, FILE_BYTES_MAX + 1, file);
    bool ok = !ferror(file) || err_set(err, ERR_IO, "%s: cannot be read", path);
    (void)fclose(file);
    if (ok && len > FILE_BYTES_MAX)
        ok = err_set(err, ERR_TOO_LARGE, "%s: larger than %d bytes", path, FILE_BYTES_MAX);
    ok = ok && process_files_add(files, span_of(name), (struct span){bytes, len}, err);
    free(bytes);
    return ok;
}

/* A holiday file lies beside the calendars' file. One that is not there, or of a name that a process may not have, is told by
 * the loader, which knows the place. */
static void holiday_file_add(struct process_files *files, const char *calendars, const char *name)
{
    const char *slash = strrchr(calendars, '/');
    char path[PATH_BYTES_MAX];
    int folder = slash == NULL ? 0 : (int)(slash - calendars) + 1;
    int len = snprintf(path, sizeof path, "%.*s%s", folder, calendars, name);

    if (process_files_find(files, name) == NULL && len > 0 && (size_t)len < sizeof path &&
        !file_add(files, path, name, NULL))
        return;
}

static void holiday_files_add(struct process_files *files, const char *calendars)
{
    const struct process_file *file = process_files_find(files, "calendars.yaml");
    struct faults faults = {NULL, 0, 0}; /* those of the form are told by the loader */
    struct yaml_node *root = NULL;

    if (yaml_node_parse(file->name, file->bytes, file->len, &root, &faults) && root->kind == NODE_MAP)
        for (size_t i = 0; i < root->count; i++) {
            const struct yaml_node *list = yaml_node_find(root->items[i], "holiday_files");
            for (size_t k = 0; list != NULL && list->kind == NODE_LIST && k < list->count; k++)
                holiday_file_add(files, calendars, list->items[k]->text);
        }
    yaml_node_free(root);
    faults_clear(&faults);
}

static bool files_of_calendars(const char *calendars, struct process_files *files, struct err *err)
{
    for (size_t i = 0; i < sizeof minimal_files / sizeof minimal_files[0]; i++)
        if (!process_files_add(files, span_of(minimal_files[i].name), span_of(minimal_files[i].text), err))
            return false;
    if (!file_add(files, calendars, "calendars.yaml", err))
        return false;
    holiday_files_add(files, calendars);
    return true;
}

static bool process_open(const char *process, const char *calendars, struct process **ret,
                         struct faults *faults)
{
    struct process_files files = {NULL, 0};
    struct err err = {0};
    bool ok = process != NULL ? process_files_read(process, &files, &err)
                              : files_of_calendars(calendars, &files, &err);

    if (ok)
        ok = process_load_files(&files, ret, faults);
    else
        (void)faults_add(faults, (struct fault_place){process != NULL ? process : calendars, 0, 0}, "%s",
                         err.msg);
    process_files_clear(&files);
    return ok;
}

bool due_book_open(const char *process, const char *calendars, const char *zone_dir, struct due_book *ret,
                   struct faults *faults)
{
    struct ics_budget budget = {0};
    bool ok = process_open(process, calendars, &ret->process, faults);

    if (!ok)
        return false;
    ret->items = mem_new(ret->process->calendar_count + 1, sizeof *ret->items);
    ret->items[ret->count++] = (struct due_calendar){PROCESS_ALWAYS, NULL, calendar_new_always()};
    for (size_t i = 0; i < ret->process->calendar_count; i++) {
        const struct process_calendar *from = &ret->process->calendars[i];
        struct due_calendar *to = &ret->items[ret->count];
        if (!calendar_build(ret->process, from, zone_dir, &budget, &to->zone, &to->calendar, faults)) {
            ok = false;
            continue;
        }
        to->name = from->name;
        ret->count++;
    }
    return ok;
}

void due_book_close(struct due_book *book)
{
    for (size_t i = 0; i < book->count; i++) {
        calendar_free(book->items[i].calendar);
        zone_free(book->items[i].zone);
    }
    free(book->items);
    process_free(book->process);
}

const struct calendar *due_book_find(const struct due_book *book, struct span name)
{
    for (size_t i = 0; i < book->count; i++)
        if (span_is(name, book->items[i].name))
            return book->items[i].calendar;
    return NULL;
}
