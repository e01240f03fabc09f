/* A process in memory: what it owns, look-ups. How it is loaded: process_parts.c. */
#include "process_internal.h"

#include "mem.h"
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

/* Blocks and patterns that die with the process. */
struct process_memory {
    void **blocks;
    size_t block_count, block_cap;
    struct pattern **patterns;
    size_t pattern_count;
};

struct process *process_new(void)
{
    struct process *process = mem_new(1, sizeof *process);
    process->memory = mem_new(1, sizeof *process->memory);
    return process;
}

void *process_alloc(struct process *process, size_t count, size_t size)
{
    struct process_memory *memory = process->memory;
    if (memory->block_count == memory->block_cap) {
        memory->block_cap = memory->block_cap == 0 ? 64 : memory->block_cap * 2;
        memory->blocks = mem_grow(memory->blocks, memory->block_cap, sizeof *memory->blocks);
    }
    void *block = mem_new(count, size);
    memory->blocks[memory->block_count++] = block;
    return block;
}

char *process_text(struct process *process, const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = process_alloc(process, len, 1);
    memcpy(copy, text, len);
    return copy;
}

void process_keep_pattern(struct process *process, struct pattern *pattern)
{
    struct process_memory *memory = process->memory;
    memory->patterns = mem_grow(memory->patterns, memory->pattern_count + 1, sizeof *memory->patterns);
    memory->patterns[memory->pattern_count++] = pattern;
}

void process_free(struct process *process)
{
    if (process == NULL)
        return;
    struct process_memory *memory = process->memory;
    for (size_t i = 0; i < memory->block_count; i++)
        free(memory->blocks[i]);
    for (size_t i = 0; i < memory->pattern_count; i++)
        pattern_free(memory->patterns[i]);
    free(memory->blocks);
    free(memory->patterns);
    free(memory);
    free(process->rules);
    faults_clear(&process->warnings);
    faults_clear(&process->refusals);
    process_files_clear(&process->files);
    free(process);
}

/* ---- look-ups ---- */

static const struct process_package *package_exact(const struct process *process, struct span name)
{
    for (size_t i = 0; i < process->package_count; i++)
        if (span_is(name, process->packages[i].name))
            return &process->packages[i];
    return NULL;
}

const struct process_package *process_package_find(const struct process *process, struct span name)
{
    const struct process_package *found = package_exact(process, name);
    return found != NULL ? found : package_exact(process, span_of(process->policy.package));
}

bool process_package_known(const struct process *process, struct span name)
{
    return package_exact(process, name) != NULL;
}

int64_t process_package_weight(const struct process *process, struct span package)
{
    return process_package_find(process, package)->weight;
}

const struct process_calendar *process_calendar_find(const struct process *process, const char *name)
{
    for (size_t i = 0; i < process->calendar_count; i++)
        if (strcmp(name, process->calendars[i].name) == 0)
            return &process->calendars[i];
    return NULL;
}

const char *process_question_find(const struct process *process, const char *name)
{
    for (size_t i = 0; i < process->policy.question_count; i++)
        if (strcmp(name, process->policy.questions[i].name) == 0)
            return process->policy.questions[i].text;
    return NULL;
}
