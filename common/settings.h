/* Settings of a program: a YAML file read by a table into a struct.
 *
 * Each setting is one row: name, kind, place, default, least, most, whether a reload may change it, and a
 * line for people. From the table come the check (`check-config`), the sample files (deploy/etc) and the page
 * in docs/operations.md. A file is a flat map; lists are YAML lists of scalars. A new struct is filled whole
 * or not at all: a bad file leaves the running settings alone. */
#ifndef DOCKET_SETTINGS_H
#define DOCKET_SETTINGS_H

#include "err.h"
#include "faults.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum setting_kind {
    SETTING_TEXT,     /* char * (owned) */
    SETTING_INT,      /* int64_t */
    SETTING_BOOL,     /* bool */
    SETTING_DURATION, /* int64_t µs; written "500ms", "30s", "15m", "6h", "2d" */
    SETTING_BYTES,    /* int64_t; written "512", "64KiB", "1MiB", "1GiB" */
    SETTING_LIST,     /* struct setting_list (owned); in a file also one scalar */
};

struct setting_list {
    char **items;
    size_t count;
};

struct setting {
    const char *name;
    enum setting_kind kind;
    size_t place;         /* offsetof in the program's struct */
    const char *fallback; /* written as in a file; lists separated by commas; NULL: empty text or list */
    int64_t least, most;  /* numbers, durations (µs), bytes; text: least and most length; both 0: no limit */
    bool reloadable;
    const char *help; /* one line */
};

/* What a sample file sets although it is not the default: how the programs of one host are meant to be set up. value as in a
 * file. A list of them ends with a row without name. */
struct setting_example {
    const char *name, *value;
};

/* Fills target from the defaults and then the file.
 * in:  path    a YAML file; NULL: defaults alone
 *      table   count rows
 * out: target  the program's struct, zeroed by the caller; written only on success, then cleared with settings_clear
 * err: ERR_INVALID  all faults found, a line each: "file:line:column: key: what is wrong, what is allowed"
 *      ERR_IO       the file cannot be read */
bool settings_load(const char *path, const struct setting *table, size_t count, void *target, struct err *err)
    __attribute__((warn_unused_result));

/* What a table cannot say: a program's own look at its filled struct. It may set what follows from the settings, and tells each fault by
 * settings_fault. A row that is wrong by itself has its default then ("" where there is none), and nothing more is told of it: all faults
 * of a file are told at once. */
struct setting_faults;
typedef void settings_check_fn(void *target, struct setting_faults *faults);

/* Told at the place of that setting in the file: "file:line:column: name: what is wrong, what is allowed". */
void settings_fault(struct setting_faults *faults, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same of one that lies in two settings: not told when the other is wrong by itself, for it is not known what that was to be. */
void settings_fault_beside(struct setting_faults *faults, const char *name, const char *other,
                           const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same of an error whose field is the setting's name; its words, which name it already, are told as they are. */
void settings_fault_err(struct setting_faults *faults, const struct err *fault);

/* As settings_load, with such a check. After a fault all that the table names is zero in target.
 * out: ret_faults  all that was found, of which err tells as many as fit; zeroed by the caller, who clears it; NULL: not wanted */
bool settings_load_checked(const char *path, const struct setting *table, size_t count,
                           settings_check_fn *check, void *target, struct faults *ret_faults, struct err *err)
    __attribute__((warn_unused_result));

/* Puts copies of count texts in the place of what the list had. */
void setting_list_set(struct setting_list *list, const char *const *items, size_t count);

/* What a reload may change: swaps the values of the reloadable rows, so that fresh holds the old ones. stays is told each other
 * row whose value differs: it needs a restart. */
void settings_take(const struct setting *table, size_t count, void *running, void *fresh,
                   void (*stays)(const char *name));

/* Frees texts and lists. */
void settings_clear(const struct setting *table, size_t count, void *target);

/* What a reload that changed nothing has to say: a line of the log for each fault. */
void settings_log_refused(const struct faults *faults, const struct err *err);

/* Prints a commented sample file: every setting with its help, default and limits, commented out unless it is one of the
 * examples (NULL: none). */
void settings_print_sample(FILE *to, const char *program, const struct setting *table, size_t count,
                           const struct setting_example *examples);

/* Prints the table as Markdown, for docs/operations.md. */
void settings_print_markdown(FILE *to, const struct setting *table, size_t count);

#endif
