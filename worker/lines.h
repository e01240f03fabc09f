/* A file of lines worked off one after another, by one process or by several; what is printed comes in the order of the lines all the same.
 *
 * Several: each reads the whole file, works off every so manieth block of lines, and hands what it printed and added up to the one that
 * prints. Knows nothing of what a line holds. */
#ifndef DOCKET_LINES_H
#define DOCKET_LINES_H

#include "err.h"

#include <stdbool.h>
#include <stdio.h>

enum { LINES_JOBS_MAX = 64, LINES_TOLD_MAX = 20 };

struct lines {
    const char *path; /* "-": standard input */
    /* One line, that is not blank. What it prints goes to out. False: err says what is wrong with it, and ret_column, which is 0 before,
     * where, if that is known. */
    bool (*line)(void *arg, FILE *out, const char *text, size_t len, size_t number, unsigned *ret_column,
                 struct err *err);
    /* What a process added up, to the one that prints; and there. False: it could not be written or read. */
    bool (*sum_write)(void *arg, FILE *to);
    bool (*sum_add)(void *arg, FILE *from);
    void *arg;
};

/* How many processes for a file: wanted, or with 0 one a processor, if it is not small; 1 for what can be read only once. */
unsigned lines_jobs(const char *path, unsigned wanted);

/* Standard error tells the first LINES_TOLD_MAX wrong ones as path:number: (or path:number:column:) what is wrong.
 * out: ret_done  how many lines went well
 * Returns whether all did. err: ERR_IO  the file cannot be read, or a process ended */
bool lines_run(const struct lines *lines, unsigned jobs, size_t *ret_done, struct err *err)
    __attribute__((warn_unused_result));

#endif
