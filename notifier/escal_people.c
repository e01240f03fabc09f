/* The people of the current process; see escal_people.h. */
#include "escal_people.h"

#include "calendar_build.h"
#include "clock.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* Without a process: no people, and the policy that is built in. */
static const struct process_people nobody = {.persons = NULL};

static void overrides_clear(struct escal_people *people)
{
    for (size_t i = 0; i < people->override_count; i++) {
        free((void *)(uintptr_t)people->overrides[i].schedule);
        free((void *)(uintptr_t)people->overrides[i].replaces);
        free((void *)(uintptr_t)people->overrides[i].staff);
    }
    free(people->overrides);
    people->overrides = NULL;
    people->override_count = 0;
}

/* What was compiled out of the process, and it. */
static void compiled_clear(struct escal_people *people)
{
    for (size_t i = 0; people->calendars != NULL && i < people->process->calendar_count; i++) {
        calendar_free(people->calendars[i]);
        zone_free(people->zones[i]);
    }
    free(people->calendars);
    free(people->zones);
    oncall_free(people->oncall);
    process_free(people->process);
    people->calendars = NULL;
    people->zones = NULL;
    people->oncall = NULL;
    people->process = NULL;
}

void escal_people_clear(struct escal_people *people)
{
    overrides_clear(people);
    compiled_clear(people);
}

void escal_people_free(struct escal_people *people)
{
    if (people == NULL)
        return;
    escal_people_clear(people);
    free(people);
}

static bool compile(struct escal_people *people, struct faults *faults)
{
    const struct process *process = people->process;
    struct ics_budget budget = {0};
    bool ok = oncall_new(process, ONCALL_ZONEINFO, &people->oncall, faults);

    oncall_take_warnings(people->oncall, &people->process->warnings);
    people->calendars = mem_new(process->calendar_count + 1, sizeof(struct calendar *));
    people->zones = mem_new(process->calendar_count + 1, sizeof(struct zone *));
    for (size_t i = 0; i < process->calendar_count; i++)
        ok = calendar_build(process, &process->calendars[i], ONCALL_ZONEINFO, &budget, &people->zones[i],
                            &people->calendars[i], faults) &&
             ok;
    return ok;
}

bool escal_people_load_files(struct escal_people *people, const struct process_files *files,
                             struct faults *faults)
{
    struct escal_people next = {.process = NULL};

    if (!process_load_files(files, &next.process, faults))
        return false;
    if (!compile(&next, faults)) {
        faults_sort(faults);
        compiled_clear(&next);
        return false;
    }
    next.overrides = people->overrides;
    next.override_count = people->override_count;
    compiled_clear(people);
    *people = next;
    return true;
}

static bool load(struct escal_people *people, struct span files, struct err *err)
{
    struct process_files list = {NULL, 0};
    struct faults faults = {0};
    struct wire_doc *doc = NULL;
    bool ok = wire_parse(files.p, files.len, WIRE_DEPTH_MAX, &doc, err) &&
              process_files_decode(wire_root(doc), &list, err);

    if (ok && !escal_people_load_files(people, &list, &faults))
        ok = faults_to_err(&faults, ERR_INVALID, err);
    process_files_clear(&list);
    faults_clear(&faults);
    wire_doc_free(doc);
    return ok;
}

bool escal_people_replace(struct escal_people *people, struct span files, struct escal_people **ret_before,
                          struct err *err)
{
    struct escal_people next = {.process = NULL};

    if (!load(&next, files, err))
        return false;
    *ret_before = mem_dup(people, sizeof *people);
    next.overrides = people->overrides;
    next.override_count = people->override_count;
    (*ret_before)->overrides = NULL;
    (*ret_before)->override_count = 0;
    *people = next;
    return true;
}

void escal_people_set_overrides(struct escal_people *people, const PGresult *rows)
{
    enum { SCHEDULE, REPLACES, STAFF, FROM_AT, UNTIL_AT };

    overrides_clear(people);
    people->override_count = (size_t)PQntuples(rows);
    people->overrides = mem_new(people->override_count, sizeof *people->overrides);
    for (size_t i = 0; i < people->override_count; i++)
        people->overrides[i] = (struct oncall_override){.schedule = pg_text(rows, (int)i, SCHEDULE),
                                                        .replaces = pg_text(rows, (int)i, REPLACES),
                                                        .staff = pg_text(rows, (int)i, STAFF),
                                                        .from_at = pg_int(rows, (int)i, FROM_AT),
                                                        .until_at = pg_int(rows, (int)i, UNTIL_AT)};
}

const struct process_people *escal_people_plan(const struct escal_people *people)
{
    return people->process != NULL ? &people->process->people : &nobody;
}

const struct process_person *escal_people_person(const struct escal_people *people, const char *name)
{
    return process_person_find(escal_people_plan(people), name);
}

/* NULL: around the clock. */
static const struct calendar *calendar_find(const struct escal_people *people, const char *name)
{
    for (size_t i = 0; people->process != NULL && name != NULL && i < people->process->calendar_count; i++)
        if (strcmp(people->process->calendars[i].name, name) == 0)
            return people->calendars[i];
    return NULL;
}

int64_t escal_people_due(void *arg, int64_t from_at, struct process_delay delay)
{
    const struct escal_delay *of = arg;
    const struct calendar *calendar = delay.working ? calendar_find(of->people, of->policy->calendar) : NULL;
    int64_t at = from_at + delay.seconds * US_PER_S;
    struct err ignored;

    /* Beyond the calendar's table real time counts: late is better than never. */
    if (calendar != NULL)
        (void)!calendar_due(calendar, from_at, delay.seconds * US_PER_S, &at, &ignored);
    return at;
}

/* The first instant from at on at which a calendar is open; at itself when there is no such calendar. */
static int64_t opens_at(void *arg, const char *name, int64_t at)
{
    const struct calendar *calendar = calendar_find(arg, name);
    struct err ignored;

    if (calendar != NULL)
        (void)!calendar_due(calendar, at, 0, &at, &ignored);
    return at;
}

struct escal_scene escal_people_scene(const struct escal_people *people, int64_t at)
{
    return (struct escal_scene){.people = escal_people_plan(people),
                                .oncall = people->oncall,
                                .overrides = {people->overrides, people->override_count},
                                .at = at,
                                .opens_at = opens_at,
                                .opens_arg = (void *)(uintptr_t)people};
}
