/* The versions of the process that a worker holds, each compiled once, shared by the brokers that use it.
 * Knows how to make an engine of files; nothing of sockets. */
#ifndef DOCKET_VERSIONS_H
#define DOCKET_VERSIONS_H

#include "engine.h"
#include "faults.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>

struct versions;

/* zone_dir must outlive it. */
struct versions *versions_new(const char *zone_dir);
void versions_free(struct versions *versions); /* accepts NULL */

/* The engine of a version, made from its files when it is new here; each success is one use.
 * in:  process  map {hash, files}
 * err: faults   all that is wrong, also a hash that is not the one of the files */
bool versions_use(struct versions *versions, const struct wire_val *process, struct engine **ret,
                  struct faults *faults) __attribute__((warn_unused_result));

/* Ends one use; the engine goes with its last one. Accepts NULL. */
void versions_drop(struct versions *versions, struct engine *engine);

/* Looks whether the zone data was replaced, and renews what uses it; to be called every few seconds. A change is taken when it was the
 * same twice: while a package is being unpacked it is not. One that cannot be used is told once and left alone.
 * out: faults  why versions stayed as they were
 * Returns how many were renewed. */
size_t versions_renew(struct versions *versions, struct faults *faults);

/* Makes an engine of a map {name: bytes} that belongs to nobody else. The caller frees it. */
bool versions_compile(const char *zone_dir, const struct wire_val *files, struct engine **ret,
                      struct faults *faults) __attribute__((warn_unused_result));

#endif
