/* The people of the current process; see escal_people.h. */
#include "escal_people.h"

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

void escal_people_clear(struct escal_people *people)
{
    overrides_clear(people);
    oncall_free(people->oncall);
    process_free(people->process);
    *people = (struct escal_people){NULL, NULL, NULL, 0};
}

bool escal_people_load_files(struct escal_people *people, const struct process_files *files,
                             struct faults *faults)
{
    struct process *process = NULL;
    struct oncall *oncall = NULL;

    if (!process_load_files(files, &process, faults))
        return false;
    if (!oncall_new(process, ONCALL_ZONEINFO, &oncall, faults)) {
        process_free(process);
        return false;
    }
    oncall_free(people->oncall);
    process_free(people->process);
    people->process = process;
    people->oncall = oncall;
    return true;
}

bool escal_people_load(struct escal_people *people, struct span files, struct err *err)
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

static char *text_or_null(const PGresult *rows, int row, int column)
{
    struct span text = pg_span(rows, row, column);
    return text.p == NULL ? NULL : mem_strndup(text.p, text.len);
}

void escal_people_set_overrides(struct escal_people *people, const PGresult *rows)
{
    enum { SCHEDULE, REPLACES, STAFF, FROM_AT, UNTIL_AT };

    overrides_clear(people);
    people->override_count = (size_t)PQntuples(rows);
    people->overrides = mem_new(people->override_count, sizeof *people->overrides);
    for (size_t i = 0; i < people->override_count; i++)
        people->overrides[i] = (struct oncall_override){.schedule = text_or_null(rows, (int)i, SCHEDULE),
                                                        .replaces = text_or_null(rows, (int)i, REPLACES),
                                                        .staff = text_or_null(rows, (int)i, STAFF),
                                                        .from_at = pg_int(rows, (int)i, FROM_AT),
                                                        .until_at = pg_int(rows, (int)i, UNTIL_AT)};
}

const struct process_people *escal_people_plan(const struct escal_people *people)
{
    return people->process != NULL ? &people->process->people : &nobody;
}

struct escal_scene escal_people_scene(const struct escal_people *people, int64_t at)
{
    return (struct escal_scene){.people = escal_people_plan(people),
                                .oncall = people->oncall,
                                .overrides = {people->overrides, people->override_count},
                                .at = at};
}

int64_t escal_people_due(void *arg, int64_t from_at, struct process_delay delay)
{
    (void)arg;
    return from_at + delay.seconds * US_PER_S;
}
