/* For tests: an engine from a few lines of process.yaml, calendars.yaml and packages.yaml. */
#ifndef DOCKET_TEST_ENGINE_OF_H
#define DOCKET_TEST_ENGINE_OF_H

#include "engine.h"

#include <stdio.h>
#include <string.h>

#define TEST_ZONES "tests/zones"

struct test_files {
    const char *process, *calendars, *packages, *rules;
};

/* NULL, with the first fault printed, when it is refused. rules may be NULL: everything is priority 3. */
static struct engine *engine_of(struct test_files from)
{
    const char *const list[][2] = {
        {"process.yaml", from.process},
        {"calendars.yaml", from.calendars},
        {"packages.yaml", from.packages},
        {"rules/1.yaml",
         from.rules != NULL ? from.rules : "- {rule: z, default: true, then: {priority: 3}}\n"},
    };
    struct process_files files = {NULL, 0};
    struct process *process = NULL;
    struct engine *engine = NULL;
    struct faults faults = {NULL, 0, 0};
    struct err err = {0};
    bool ok = true;

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        ok = ok && process_files_add(&files, span_of(list[i][0]), span_of(list[i][1]), &err);
    ok = ok && process_load_files(&files, &process, &faults) &&
         engine_new(process, TEST_ZONES, &engine, &faults);
    if (!ok)
        (void)fprintf(stderr, "engine_of: %s\n", faults.count != 0 ? faults.items[0].text : err.msg);
    process_files_clear(&files);
    faults_clear(&faults);
    return engine;
}

#endif
