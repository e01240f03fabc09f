/* For tests: a calendar from a few lines of calendars.yaml, in the zones that lie in tests/zones. */
#ifndef DOCKET_TEST_CALENDAR_OF_H
#define DOCKET_TEST_CALENDAR_OF_H

#include "calendar_build.h"
#include "instant.h"

#include <stdio.h>

#define TEST_ZONES "tests/zones"

struct test_calendar {
    struct zone *zone;
    struct calendar *calendar;
};

/* Writes the first fault into why (512 bytes, may be NULL) when it is refused. ics: holidays/x.ics, or NULL. */
static bool calendar_of(const char *yaml, const char *ics, struct test_calendar *ret, char *why)
{
    static const char *const base[][2] = {
        {"process.yaml", "zone: UTC\n"},
        {"packages.yaml", "standard: {}\n"},
        {"rules/1.yaml", "- {rule: z, default: true, then: {priority: 3}}\n"},
    };
    struct process_files files = {NULL, 0};
    struct process *process = NULL;
    struct faults faults = {NULL, 0, 0};
    struct err err = {0};
    bool ok = true;

    for (size_t i = 0; i < sizeof base / sizeof base[0]; i++)
        ok = ok && process_files_add(&files, span_of(base[i][0]), span_of(base[i][1]), &err);
    ok = ok && process_files_add(&files, span_of("calendars.yaml"), span_of(yaml), &err);
    if (ics != NULL)
        ok = ok && process_files_add(&files, span_of("holidays/x.ics"), span_of(ics), &err);
    ok = ok && process_load_files(&files, &process, &faults) &&
         calendar_build(process, &process->calendars[0], TEST_ZONES, NULL, &ret->zone, &ret->calendar,
                        &faults);
    if (!ok && why != NULL)
        (void)snprintf(why, 512, "%.500s", faults.count != 0 ? faults.items[0].text : err.msg);
    process_files_clear(&files);
    process_free(process);
    faults_clear(&faults);
    return ok;
}

static void calendar_end(struct test_calendar *calendar)
{
    calendar_free(calendar->calendar);
    zone_free(calendar->zone);
}

#endif
