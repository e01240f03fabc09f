/* The loader of the process, and a worker that decides with what it let through. The bytes are the rules, or, after a first byte below
 * the number of files here, one of these; all else is as shipped. A ticket is posted, then its customer writes. */
#include "decide.h"
#include "embed.h"
#include "engine.h"
#include "faults.h"
#include "process.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_BYTES_MAX = 16 << 20 };

static const char *const names[] = {"calendars.yaml", "packages.yaml",   "process.yaml",  "staff.yaml",
                                    "oncall.yaml",    "escalation.yaml", "holidays/x.ics"};
enum { NAMES = sizeof names / sizeof names[0] };

static const char *const works[] = {
    "{\"now\": 1774625400000000, \"customer\": {\"id\": \"c\", \"name\": \"n\", \"package\": \"gold\"}, "
    "\"reasons\": [\"posted\"], "
    "\"events\": [], \"ticket\": {\"tracking\": \"DKT-0000-0000-0001-E\", \"state\": \"new\", \"version\": "
    "1, \"posted_at\": "
    "1774625400000000, \"title\": \"All calls fail aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"problem\": \"x y z\", "
    "\"channel\": \"phone\", "
    "\"impact\": \"down\", \"equipment\": {\"sbc\": {\"model\": \"X1\"}}, \"attributes\": {\"mos\": 2.5}, "
    "\"tags\": [\"a\"]}}",
    "{\"now\": 1774629000000000, \"customer\": null, \"reasons\": [\"event\"], \"events\": [{\"kind\": "
    "\"triaged\", \"at\": "
    "1774625400000001, \"version\": 2, \"as\": null, \"public\": false, \"body\": {}}, {\"kind\": "
    "\"commented\", \"at\": 1774629000000000, "
    "\"version\": 3, \"as\": {\"name\": \"k\", \"role\": \"customer\"}, \"public\": true, \"body\": "
    "{\"text\": \"Now it is down!\"}}], "
    "\"ticket\": {\"tracking\": \"DKT-0000-0000-0001-E\", \"state\": \"triaged\", \"priority\": 3, "
    "\"version\": 3, \"decided\": 2, "
    "\"posted_at\": 1774625400000000, \"title\": \"t\", \"problem\": \"p\", \"channel\": \"ticket\", "
    "\"clocks\": []}}",
};

static void decide_with(struct engine *engine)
{
    struct decider *decider = decider_new();
    struct err err;

    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        struct buf bytes, out;
        struct wire_doc *doc = NULL;
        buf_init(&bytes, OUT_BYTES_MAX);
        buf_init(&out, OUT_BYTES_MAX);
        if (!wire_from_json(&bytes, works[i], strlen(works[i]), &err) ||
            !wire_parse(bytes.p, bytes.len, 32, &doc, &err) ||
            !decide(decider, engine, wire_root(doc), &out, &err))
            abort();
        wire_doc_free(doc);
        buf_clear(&bytes);
        buf_clear(&out);
    }
    decider_free(decider);
}

/* Puts the bytes where they belong, and the rest as shipped. */
static bool files_make(struct process_files *files, const uint8_t *data, size_t size)
{
    const char *own = size > 0 && data[0] < NAMES ? names[data[0]] : NULL;
    size_t skip = own != NULL ? 1 : 0;
    struct err err;

    for (size_t i = 0; i < shipped_process_count; i++) {
        const struct embed_file *file = &shipped_process[i];
        if (strncmp(file->name, "templates/", 10) == 0 || strncmp(file->name, "tests/", 6) == 0)
            continue; /* fuzzed elsewhere, and slow */
        bool replaced = own != NULL ? strcmp(file->name, own) == 0 : strncmp(file->name, "rules/", 6) == 0;
        if (!replaced && !process_files_add(files, span_of(file->name),
                                            (struct span){(const char *)file->data, file->len}, &err))
            abort();
    }
    return process_files_add(files, span_of(own != NULL ? own : "rules/10.yaml"),
                             (struct span){(const char *)data + skip, size - skip}, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct process_files files = {0};
    struct process *process = NULL;
    struct engine *engine = NULL;
    struct faults faults = {NULL};

    if (files_make(&files, data, size) && process_load_files(&files, &process, &faults) &&
        engine_new(process, "tests/zones", &engine, &faults)) {
        assert(faults.count == 0);
        decide_with(engine);
        engine_free(engine);
    }
    faults_clear(&faults);
    process_files_clear(&files);
    return 0;
}
