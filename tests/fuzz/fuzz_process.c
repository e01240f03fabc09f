/* The loader of the process: the bytes are its rules, all else is as shipped. */
#include "process.h"
#include "embed.h"
#include "faults.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct process_files files = {0};
    struct process *process = NULL;
    struct faults faults = {NULL};
    struct err err;

    for (size_t i = 0; i < shipped_process_count; i++) {
        const struct embed_file *file = &shipped_process[i];
        if (strncmp(file->name, "rules/", 6) != 0 &&
            !process_files_add(&files, span_of(file->name),
                               (struct span){(const char *)file->data, file->len}, &err))
            abort();
    }
    if (!process_files_add(&files, span_of("rules/10.yaml"), (struct span){(const char *)data, size}, &err))
        goto out;
    if (process_load_files(&files, &process, &faults))
        process_free(process);
    faults_clear(&faults);
out:
    process_files_clear(&files);
    return 0;
}
