/* Time zones: what the wall clock of a zone shows at an instant, 1970 to 2100 and before.
 *
 * Reads TZif files (RFC 8536/9636) of version 2 or later: the 64-bit block, then the footer's rule expanded to 2101, in
 * one sorted array that is searched by halving. Exact where the libraries at hand are not, and without touching the
 * process's TZ. Refuses to know where the zone directory is (an argument), calendars, and leap seconds ("right/"). */
#ifndef DOCKET_ZONE_H
#define DOCKET_ZONE_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZONE_NAME_MAX = 64, ZONE_FILE_BYTES_MAX = 1 << 20, ZONE_VERSION_BYTES = 24, ZONE_LAST_YEAR = 2101 };

struct zone;

/* Whether a name may be looked up: letters, digits, '_', '+', '-', '/'; no "..", no empty part, no leading '/',
 * 1..ZONE_NAME_MAX bytes. err: ERR_INVALID. */
bool zone_name_check(const char *name, struct err *err) __attribute__((warn_unused_result));

/* Reads DIR/NAME. The caller frees with zone_free.
 * err: ERR_INVALID  not a name, no such zone, or a file that is not sound; ERR_IO  it cannot be read */
bool zone_open(const char *dir, const char *name, struct zone **ret, struct err *err)
    __attribute__((warn_unused_result));

/* The same from bytes. err: ERR_INVALID. */
bool zone_parse(const void *bytes, size_t len, struct zone **ret, struct err *err)
    __attribute__((warn_unused_result));

void zone_free(struct zone *zone); /* accepts NULL */

/* Seconds to add to UTC for the wall clock at an instant (Unix seconds). */
int32_t zone_offset(const struct zone *zone, int64_t at_s);

/* Spans of one offset, in order, without gaps: span 0 begins at INT64_MIN. */
size_t zone_spans(const struct zone *zone);
size_t zone_span_at(const struct zone *zone, int64_t at_s);
int64_t zone_span_start(const struct zone *zone, size_t i); /* INT64_MAX for i = zone_spans() */
int32_t zone_span_offset(const struct zone *zone, size_t i);

/* The version of the zone data in a directory, "2026f"; "" when it does not tell.
 * out: ret  ZONE_VERSION_BYTES bytes */
void zone_data_version(const char *dir, char *ret);

/* Tells a zone's file from the one that was there before: changes when it is replaced or written (inode, time, size). 0: none is
 * there. name: of a zone, or ZONE_VERSION_FILE. */
#define ZONE_VERSION_FILE "tzdata.zi"
uint64_t zone_file_mark(const char *dir, const char *name);

#endif
