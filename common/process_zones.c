/* Zones that people are told times in, and take turns by: whether this machine has them. Those of calendars are checked as calendars are built. */
#include "process_internal.h"

static bool check(const char *zone_dir, const char *name, struct fault_place place, const char *what,
                  struct faults *faults)
{
    struct zone *zone = NULL;
    struct err err;

    if (name == NULL)
        return true;
    if (!zone_open(zone_dir, name, &zone, &err))
        return faults_add(faults, place, "%s: zone: %s", what, err.msg);
    zone_free(zone);
    return true;
}

bool process_zones_check(const struct process *process, const char *zone_dir, struct faults *faults)
{
    const struct process_people *people = &process->people;
    bool ok = true;

    for (size_t i = 0; i < people->person_count; i++) {
        const struct process_person *person = &people->persons[i];
        ok = check(zone_dir, person->zone, person->place, person->name, faults) && ok;
    }
    for (size_t i = 0; i < people->schedule_count; i++) {
        const struct process_schedule *schedule = &people->schedules[i];
        bool fine = check(zone_dir, schedule->zone, schedule->place, schedule->name, faults);
        for (size_t k = 0; fine && k < schedule->layer_count; k++) {
            const struct process_layer *layer = &schedule->layers[k];
            fine = check(zone_dir, layer->zone, layer->place, schedule->name, faults);
        }
        ok = fine && ok;
    }
    return ok;
}
