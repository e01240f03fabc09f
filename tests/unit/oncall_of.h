/* A process with people and schedules out of a few lines, for tests. Included by one .c a program. */
#ifndef DOCKET_ONCALL_OF_H
#define DOCKET_ONCALL_OF_H

#include "people_of.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOUR_PEOPLE \
    "people: {ada: {email: ada@x}, ben: {email: ben@x}, cy: {email: cy@x}, dan: {email: dan@x}}\n"

/* names and texts in turn, NULL ends. Ends the program on a fault: a test's own process is right or the test is void. */
static inline struct process *process_of(const char *const *extra)
{
    struct process_files files;
    struct faults faults = {0};
    struct process *process = NULL;

    people_files(extra, &files);
    if (!process_load_files(&files, &process, &faults)) {
        for (size_t i = 0; i < faults.count; i++)
            (void)fprintf(stderr, "test process: %s\n", faults.items[i].text);
        abort();
    }
    process_files_clear(&files);
    return process;
}

#endif
