/* What a version of the process is checked for before it may be current, beyond what it needs to decide: one check, asked by
 * `docket-worker check` and, through the broker, by process.apply. */
#ifndef DOCKET_CHECK_H
#define DOCKET_CHECK_H

#include "engine.h"
#include "faults.h"

#include <stdint.h>

/* Whether its schedules can be followed and its cases have the form of cases; which of them fail is cases_run's to say. All that
 * depends on the time is added to the warnings of its process.
 * in:  zone_dir, now_us
 * out: faults  what is wrong, sorted; false then */
bool check_version(struct engine *engine, const char *zone_dir, int64_t now_us, struct faults *faults)
    __attribute__((warn_unused_result));

#endif
