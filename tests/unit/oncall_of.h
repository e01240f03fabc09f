/* A process with people and schedules out of a few lines, for tests. Included by one .c a program. */
#ifndef DOCKET_ONCALL_OF_H
#define DOCKET_ONCALL_OF_H

#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOUR_PEOPLE \
    "people: {ada: {email: ada@x}, ben: {email: ben@x}, cy: {email: cy@x}, dan: {email: dan@x}}\n"

/* names and texts in turn, NULL ends. Ends the program on a fault: a test's own process is right or the test is void. */
static inline struct process *process_of(const char *const *extra)
{
    static const char *const base[] = {"process.yaml",
                                       "zone: UTC\n",
                                       "calendars.yaml",
                                       "office: {hours: {mon-fri: [09:00-17:00]}}\n",
                                       "packages.yaml",
                                       "standard: {}\n",
                                       "rules/1.yaml",
                                       "- {rule: z, default: true, then: {priority: 3}}\n",
                                       NULL};
    struct process_files files = {NULL, 0};
    struct faults faults = {0};
    struct process *process = NULL;
    struct err err;

    for (int set = 0; set < 2; set++)
        for (const char *const *at = set == 0 ? base : extra; *at != NULL; at += 2)
            if (!process_files_add(&files, span_of(at[0]), span_of(at[1]), &err)) {
                (void)fprintf(stderr, "test process: %s\n", err.msg);
                abort();
            }
    if (!process_load_files(&files, &process, &faults)) {
        for (size_t i = 0; i < faults.count; i++)
            (void)fprintf(stderr, "test process: %s\n", faults.items[i].text);
        abort();
    }
    process_files_clear(&files);
    return process;
}

#endif
