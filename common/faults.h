/* Faults found in a file that people wrote, collected so that all are told at once.
 *
 * Each is "file:line:column: what is wrong, what is allowed". Knows nothing of the files' form. */
#ifndef DOCKET_FAULTS_H
#define DOCKET_FAULTS_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
    FAULTS_MAX = 200, /* further ones are counted, not kept */
    FAULTS_HINT_BYTES = 280
};

/* A place in a file; line and column count from 1; column 0: the whole line, line 0: the whole file. */
struct fault_place {
    const char *file;
    unsigned line, column;
};

bool fault_place_same(struct fault_place a, struct fault_place b);

struct fault {
    unsigned line, column;
    char *file;
    char *text; /* the whole line, "file:line:column: …" */
};

struct faults {
    struct fault *items;
    size_t count;
    size_t dropped; /* how many more there were */
};

/* Appends one; returns false, so that a check ends with `return faults_add(…)`. A {NULL} initialised struct
 * is empty. */
bool faults_add(struct faults *faults, struct fault_place place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Moves those of from behind those of faults. */
void faults_take(struct faults *faults, struct faults *from);

/* Orders them by file, line, column. */
void faults_sort(struct faults *faults);

/* Prints each on a line of its own behind prefix, and how many more there were. */
void faults_print(FILE *to, const char *prefix, const struct faults *faults);

/* What a program says of a file that it refuses: "PROGRAM: " and all lines; of an error that is no list, its message. */
void faults_report(FILE *to, const char *program, const struct faults *faults, const struct err *err);

/* Appends all lines, joined by newlines, and how many more there were. */
void faults_format(const struct faults *faults, struct buf *out);

/* The same as the message of err, as many lines as fit, and how many more there are; for where a list has no other way. Returns
 * false, for `return faults_to_err(…)`. */
bool faults_to_err(const struct faults *faults, enum err_code code, struct err *err);

void faults_clear(struct faults *faults);

/* The name most like text, NULL when none is near (at most a third of the letters differ; a swap counts
 * once). in:  names  count pointers, NULL ones are skipped */
const char *faults_near(const char *text, const char *const *names, size_t count);

/* The end of a message about a name that is none of names: " (did you mean NAME?); allowed are A, B, C", without the question where none
 * is near, with as many names as fit whole and how many more there are; FAULTS_HINT_BYTES are enough for most.
 * in:  names  count pointers, NULL ones are skipped     out: ret */
void faults_hint(const char *text, const char *const *names, size_t count, char *ret, size_t size);

/* The same where the near name is known; NULL: none is. */
void faults_hint_near(const char *near, const char *const *names, size_t count, char *ret, size_t size);

#endif
