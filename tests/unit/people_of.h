/* The files of a process with people, and when it is there, for tests of who is told. Included by one .c a program. */
#ifndef DOCKET_PEOPLE_OF_H
#define DOCKET_PEOPLE_OF_H

#include "clock.h"
#include "date.h"
#include "process.h"

#include <stdio.h>
#include <stdlib.h>

/* names and texts in turn, NULL ends; added to the least that a process has. The caller clears ret. */
static inline void people_files(const char *const *extra, struct process_files *ret)
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
    struct err err;

    *ret = (struct process_files){NULL, 0};
    for (int set = 0; set < 2; set++)
        for (const char *const *at = set == 0 ? base : extra; *at != NULL; at += 2)
            if (!process_files_add(ret, span_of(at[0]), span_of(at[1]), &err)) {
                (void)fprintf(stderr, "test process: %s\n", err.msg);
                abort();
            }
}

/* In March 2026, whose 27th is a Friday; µs. */
static inline int64_t march(int day, int hour)
{
    return (date_days(2026, 3, day) * DAY_S + hour * INT64_C(3600)) * US_PER_S;
}

#endif
