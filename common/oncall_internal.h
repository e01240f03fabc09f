/* What the files of the on-call schedules share. Not for others. */
#ifndef DOCKET_ONCALL_INTERNAL_H
#define DOCKET_ONCALL_INTERNAL_H

#include "ics.h"
#include "oncall.h"
#include "zone.h"

/* A turn out of an imported file. */
struct oncall_turn {
    const char *name;
    int64_t from_s, until_s; /* Unix seconds */
};

struct oncall_layer {
    const struct process_layer *plan;
    const struct zone *zone;
    struct oncall_turn *turns; /* imported; sorted by from_s */
    size_t turn_count;
};

struct oncall_plan {
    const struct process_schedule *schedule;
    struct oncall_layer *layers;
};

struct oncall {
    const struct process *process;
    struct oncall_plan *plans;
    size_t count;
    struct zone **zones;
    const char **zone_names;
    size_t zone_count;
    struct faults warnings;
};

/* The first and the last instant (Unix seconds) that show a wall clock (seconds since 1970-01-01T00:00 there); of one that
 * is skipped both are the first instant after the gap. */
int64_t oncall_wall_first(const struct zone *zone, int64_t wall_s);
int64_t oncall_wall_last(const struct zone *zone, int64_t wall_s);

/* Adds who is on call by this layer at an instant. False: the layer is off then. */
bool oncall_layer_at(const struct oncall_layer *layer, int64_t at_s, struct oncall_set *ret);

/* The next instant after at_s at which the layer may change; INT64_MAX: never. */
int64_t oncall_layer_next(const struct oncall_layer *layer, int64_t at_s);

void oncall_set_add(struct oncall_set *set, const char *name);

/* The turns of an iCalendar file. */
bool oncall_import(struct oncall *oncall, struct oncall_layer *layer, const char *zone_dir,
                   struct ics_budget *budget, struct faults *faults);

#endif
