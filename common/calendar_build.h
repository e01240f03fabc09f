/* From a calendar of the process to one that can be asked. Knows the form of process.h and where zones lie. */
#ifndef DOCKET_CALENDAR_BUILD_H
#define DOCKET_CALENDAR_BUILD_H

#include "calendar.h"
#include "faults.h"
#include "ics.h"
#include "process.h"
#include "zone.h"

#include <stdbool.h>

/* in:  budget  of the holiday files of all calendars of the process
 * out: ret_zone, ret_calendar  the caller frees both
 * err: false, and what is wrong is in faults */
bool calendar_build(const struct process *process, const struct process_calendar *from, const char *zone_dir,
                    struct ics_budget *budget, struct zone **ret_zone, struct calendar **ret_calendar,
                    struct faults *faults) __attribute__((warn_unused_result));

#endif
