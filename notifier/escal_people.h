/* The people of the current process, compiled: policies, schedules, calendars; and what was changed of the plan. */
#ifndef DOCKET_ESCAL_PEOPLE_H
#define DOCKET_ESCAL_PEOPLE_H

#include "calendar.h"
#include "escal.h"
#include "escal_targets.h"
#include "pg.h"
#include "process.h"

/* process NULL: none was read yet, and everybody is the desk's address. */
struct escal_people {
    struct process *process;
    struct oncall *oncall;
    struct calendar **calendars; /* as process->calendars */
    struct zone **zones;
    struct oncall_override *overrides;
    size_t override_count;
};

void escal_people_clear(struct escal_people *people);
void escal_people_free(struct escal_people *people); /* one on the heap; accepts NULL */

/* Those of a process version (processes.files); overrides stay. What was compiled before is given to the caller, for somebody may point into
 * it still. ret_before: to be freed with escal_people_free; written only on success.
 * err: the files are no process, or its schedules cannot be used; the ones before stay */
bool escal_people_replace(struct escal_people *people, struct span files, struct escal_people **ret_before,
                          struct err *err) __attribute__((warn_unused_result));
bool escal_people_load_files(struct escal_people *people, const struct process_files *files,
                             struct faults *faults) __attribute__((warn_unused_result));

/* Takes over the rows of escal_overrides.sql. */
void escal_people_set_overrides(struct escal_people *people, const PGresult *rows);

/* The scene of now without a ticket: assignee, queue and acker are the caller's. */
struct escal_scene escal_people_scene(const struct escal_people *people, int64_t at);

/* Who has that name in staff.yaml; NULL: nobody, or no process was read yet. It lives as long as the process does. */
const struct process_person *escal_people_person(const struct escal_people *people, const char *name);

const struct process_people *escal_people_plan(const struct escal_people *people);

/* due(people, from, delay) of escal.h for one policy; arg is a struct escal_delay. */
struct escal_delay {
    const struct escal_people *people;
    const struct process_escalation *policy;
};
int64_t escal_people_due(void *arg, int64_t from_at, struct process_delay delay);

#endif
