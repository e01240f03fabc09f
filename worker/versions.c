/* The versions of the process that a worker holds; see versions.h. */
#include "versions.h"

#include "mem.h"

#include <stdlib.h>

struct version {
    struct engine *engine;
    unsigned uses;
    uint64_t zones, seen; /* marks of the zone data: used, and seen last */
    struct version *next;
};

struct versions {
    const char *zone_dir;
    struct version *first;
};

struct versions *versions_new(const char *zone_dir)
{
    struct versions *versions = mem_new(1, sizeof *versions);
    versions->zone_dir = zone_dir;
    return versions;
}

void versions_free(struct versions *versions)
{
    if (versions == NULL)
        return;
    while (versions->first != NULL) {
        struct version *version = versions->first;
        versions->first = version->next;
        engine_free(version->engine);
        free(version);
    }
    free(versions);
}

bool versions_compile(const char *zone_dir, const struct wire_val *files, struct engine **ret,
                      struct faults *faults)
{
    struct process_files list = {NULL, 0};
    struct process *process = NULL;
    struct err err = {0};

    if (!process_files_decode(files, &list, &err))
        return faults_add(faults, (struct fault_place){"files", 0, 0}, "%s", err.msg);
    bool ok = process_load_files(&list, &process, faults) && engine_new(process, zone_dir, ret, faults);
    process_files_clear(&list);
    return ok;
}

bool versions_use(struct versions *versions, const struct wire_val *process, struct engine **ret,
                  struct faults *faults)
{
    struct span hash = wire_find_str(process, "hash");
    struct engine *engine = NULL;

    for (struct version *v = versions->first; v != NULL; v = v->next)
        if (span_is(hash, engine_process(v->engine)->hash)) {
            v->uses++;
            *ret = v->engine;
            return true;
        }
    if (!versions_compile(versions->zone_dir, wire_find(process, "files"), &engine, faults))
        return false;
    if (!span_is(hash, engine_process(engine)->hash)) {
        engine_free(engine);
        return faults_add(faults, (struct fault_place){"files", 0, 0},
                          "the hash is not the one of these files");
    }
    struct version *version = mem_new(1, sizeof *version);
    uint64_t mark = engine_zone_mark(engine, versions->zone_dir);
    *version = (struct version){engine, 1, mark, mark, versions->first};
    versions->first = version;
    *ret = engine;
    return true;
}

size_t versions_renew(struct versions *versions, struct faults *faults)
{
    size_t renewed = 0;

    for (struct version *v = versions->first; v != NULL; v = v->next) {
        uint64_t mark = engine_zone_mark(v->engine, versions->zone_dir);
        bool is_steady = mark == v->seen;
        v->seen = mark;
        if (mark == v->zones || !is_steady)
            continue;
        v->zones = mark;
        renewed += engine_renew(v->engine, versions->zone_dir, faults);
    }
    return renewed;
}

void versions_drop(struct versions *versions, struct engine *engine)
{
    for (struct version **at = &versions->first; *at != NULL; at = &(*at)->next) {
        struct version *version = *at;
        if (version->engine != engine)
            continue;
        if (--version->uses == 0) {
            *at = version->next;
            engine_free(engine);
            free(version);
        }
        return;
    }
}
