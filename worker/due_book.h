/* The calendars that `docket-worker due` is asked about: those of a process, or of one file in the form of calendars.yaml.
 * Reads files; for the command line only. */
#ifndef DOCKET_DUE_BOOK_H
#define DOCKET_DUE_BOOK_H

#include "buf.h"
#include "calendar.h"
#include "faults.h"
#include "process.h"
#include "zone.h"

#include <stdbool.h>
#include <stddef.h>

struct due_calendar {
    const char *name;
    struct zone *zone;
    struct calendar *calendar;
};

struct due_book {
    struct process *process;
    struct due_calendar *items; /* the first is PROCESS_ALWAYS */
    size_t count;
};

/* in:  process    a folder, or NULL: then
 *      calendars  a file in the form of calendars.yaml; its holiday_files are looked for beside it
 * out: ret        to be closed also after an error
 * err: false, and faults tells all that is wrong */
bool due_book_open(const char *process, const char *calendars, const char *zone_dir, struct due_book *ret,
                   struct faults *faults) __attribute__((warn_unused_result));

void due_book_close(struct due_book *book);

/* NULL: no calendar of that name. */
const struct calendar *due_book_find(const struct due_book *book, struct span name);

#endif
