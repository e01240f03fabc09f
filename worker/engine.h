/* One version of the process, ready to decide with: its calendars laid out, its packages' promises as clock terms.
 *
 * Made once per version; nothing of YAML, zones or calendars is looked up by name while deciding but the package.
 * The only part of deciding that reads files: the zone directory, while it is made. */
#ifndef DOCKET_ENGINE_H
#define DOCKET_ENGINE_H

#include "calendar.h"
#include "clocks.h"
#include "faults.h"
#include "process.h"
#include "zone.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

/* Takes the process (on failure too). zone_dir: e.g. /usr/share/zoneinfo.
 * err: faults gets what is wrong with zones, holiday files and calendars that are never open */
bool engine_new(struct process *process, const char *zone_dir, struct engine **ret, struct faults *faults)
    __attribute__((warn_unused_result));
void engine_free(struct engine *engine); /* accepts NULL */

/* Adds to the warnings of its process what depends on the time: a calendar that closes and has no holiday ahead. */
void engine_warn(struct engine *engine, int64_t now_us);

/* Those of its process, for who finds more. */
struct faults *engine_warnings(struct engine *engine);

/* Lays the calendars out again with the zone data that lies there now. What was asked of it before (calendars, zones) is gone.
 * err: false, with faults: the engine is as it was */
bool engine_renew(struct engine *engine, const char *zone_dir, struct faults *faults)
    __attribute__((warn_unused_result));

/* Changes when a file of the zones that the calendars use is replaced. */
uint64_t engine_zone_mark(const struct engine *engine, const char *zone_dir);

/* The process that it was made of; lives as long as the engine. */
const struct process *engine_process(const struct engine *engine);
const char *engine_zones(const struct engine *engine); /* version of the zone data */

/* "HASH ZONES", the hash's first twelve letters: kept with the clocks that were computed by it. */
const char *engine_by(const struct engine *engine);

/* The laid out calendar; NULL when there is none of that name. PROCESS_ALWAYS is always there. */
const struct calendar *engine_calendar(const struct engine *engine, struct span name);
const struct zone *engine_calendar_zone(const struct engine *engine,
                                        struct span name); /* NULL: UTC or unknown */

/* What a package promises at a priority (1..4); calendar: a rule's choice, or SPAN_NONE for the package's. */
void engine_terms(const struct engine *engine, const struct process_package *package, int priority,
                  struct span calendar, struct clock_terms *ret);

#endif
