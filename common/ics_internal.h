/* What the files of the iCalendar reader share. Not for others. */
#ifndef DOCKET_ICS_INTERNAL_H
#define DOCKET_ICS_INTERNAL_H

#include "ics.h"

/* A content line, unfolded, NUL after its last byte. */
struct ics_line {
    char *text;
    size_t len;
    unsigned number; /* of its first part */
};

struct ics_lines {
    char *bytes; /* owns the texts */
    struct ics_line *items;
    size_t count;
};

/* Unfolds and checks what no line may have. err: faults. */
bool ics_lines_split(const char *file, struct span bytes, struct ics_lines *ret, struct faults *faults);
void ics_lines_clear(struct ics_lines *lines);

/* A date or a time, on the wall clock of its event's start. */
struct ics_time {
    int64_t wall_s; /* of a date: midnight */
    bool is_date;
};

/* Where the wall clock of an event hangs. */
enum ics_frame { ICS_FLOATING, ICS_UTC, ICS_ZONE };

struct ics_moment {
    struct ics_time time;
    enum ics_frame frame;
    const struct zone *zone; /* ICS_ZONE */
};

struct ics_moments {
    struct ics_moment *items;
    size_t count;
};

struct ics_event {
    unsigned line, rule_line;
    char *uid;     /* NULL: none */
    char *rule;    /* RRULE's value, checked; NULL: none */
    char *summary; /* NULL: none */
    bool has_start, has_end, has_duration, has_recurrence_id, is_cancelled, is_daily;
    struct ics_moment start, end, recurrence_id;
    int64_t duration_s;
    int64_t
        exact_s; /* of it: hours, minutes, seconds, which no clock that is set changes; days are the wall clock's (RFC 5545) */
    struct ics_moments exdates, rdates;
};

struct ics_reader {
    const char *file;
    const struct zone *home;
    const char *zone_dir;
    struct faults *faults;
    struct ics_event *events;
    size_t event_count, event_room;
    struct zone **zones; /* of TZIDs, by their names */
    char **zone_names;
    size_t zone_count;
    size_t rule_count, daily_count;
    struct ics_budget *budget;
};

/* False, with a fault the first time, when all files together cost too much. */
bool ics_work(const struct ics_reader *reader, unsigned line, int64_t work);

bool ics_fault(const struct ics_reader *reader, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The events of all lines. */
bool ics_events_read(struct ics_reader *reader, const struct ics_lines *lines);
void ics_events_clear(struct ics_reader *reader);

/* "20261224", "20261224T120000", "20261224T120000Z": digits as they must be, and a date that there is. */
bool ics_moment_parse(struct span text, struct ics_moment *ret);

/* Seconds of the wall clock in another frame: of `to`, an event's start. Dates stay as they are. */
int64_t ics_wall_in(const struct ics_reader *reader, const struct ics_moment *from,
                    const struct ics_moment *to);

/* The wall clock of a frame so many seconds after it shows wall_s. */
int64_t ics_wall_after(const struct ics_reader *reader, const struct ics_moment *from, int64_t exact_s);

/* Spans of all events, overrides and exceptions applied. */
bool ics_expand(const struct ics_reader *reader, struct ics_spans *ret);

#endif
