/* iCalendar files, the part that people keep holidays and absences in: events with dates or times, repeated ones, their
 * exceptions, cancelled ones. The result is a list of spans of the wall clock.
 *
 * libical parses properties and steps through recurrences; structure, dates, limits, overrides are ours, because it repairs bad
 * dates in silence, forgets a bad rule, does not apply RECURRENCE-ID, and hangs on hostile rules. A file with any fault is
 * refused whole, each fault with its line. Knows nothing of calendars and working time; VTIMEZONE is not read (a TZID is the
 * name of a zone of this machine, or what Windows calls one). */
#ifndef DOCKET_ICS_H
#define DOCKET_ICS_H

#include "buf.h"
#include "faults.h"
#include "zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ICS_BYTES_MAX = 1 << 20,
    ICS_LINE_BYTES_MAX = 64 * 1024,
    ICS_EVENTS_MAX = 5000,
    ICS_RULES_MAX = 200,      /* RRULEs of a file */
    ICS_DAILY_RULES_MAX = 20, /* FREQ=DAILY is the slowest to step through */
    ICS_DATES_MAX = 2000,     /* EXDATE and RDATE of an event */
    ICS_SPANS_MAX = 10000,    /* instances of all events, from 1970 to 2100 */
    ICS_SPAN_DAYS_MAX = 400
};

/* Seconds of the home zone's wall clock since 1970-01-01T00:00 there. All-day: multiples of DAY_S. */
struct ics_span {
    int64_t from_s, until_s; /* from_s < until_s */
    bool all_day;
    unsigned line; /* of its BEGIN:VEVENT */
    char *summary; /* "": none */
};

struct ics_spans {
    struct ics_span *items;
    size_t count;
    /* Lines (BEGIN:VEVENT) of the events that take no time and so are no span: a DTSTART with a time, and no end after it. */
    unsigned *idle;
    size_t idle_count;
};

/* What reading several files may cost together, about nanoseconds of this machine's: counted by bytes, rules and exceptions, so that the
 * same files are always taken or always refused. One that is at all of its own limits costs some seconds. */
#define ICS_WORK_MAX INT64_C(5000000000)

struct ics_budget {
    int64_t work; /* used so far; begins at 0 */
};

/* Reads a file. Floating times are the home zone's; times in UTC or with a TZID are turned into it.
 * in:  file      its name, for faults
 *      zone_dir  where TZIDs are looked up
 *      budget    of all files that are read together; NULL: the file alone
 * out: ret       sorted by from_s; cancelled events and what lies outside 1970 to 2100 left out; the caller clears it
 * err: false, and faults tells all that is wrong */
bool ics_read(const char *file, struct span bytes, const struct zone *home, const char *zone_dir,
              struct ics_budget *budget, struct ics_spans *ret, struct faults *faults)
    __attribute__((warn_unused_result));

void ics_spans_clear(struct ics_spans *spans);

#endif
