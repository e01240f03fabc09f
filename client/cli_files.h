/* A process as files: in a directory, or as the broker gave it. */
#ifndef DOCKET_CLI_FILES_H
#define DOCKET_CLI_FILES_H

#include "buf.h"
#include "err.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>

enum { CLI_FILES_MAX = 2000, CLI_FILES_BYTES_MAX = 3 * 1024 * 1024 };

struct cli_file {
    char *name; /* below the directory, "rules/10-outage.yaml" */
    char *bytes;
    size_t len;
};

/* Sorted by name. Zeroed is empty. */
struct cli_files {
    struct cli_file *items;
    size_t count, bytes;
};

/* Reads a directory with all below it; what begins with a dot or ends with ~ is left out.
 * err: ERR_IO, ERR_TOO_LARGE, ERR_INVALID (a name that no process may have) */
bool cli_files_read(const char *dir, struct cli_files *ret, struct err *err)
    __attribute__((warn_unused_result));

/* From the map {name: bytes} of an answer. err: ERR_INVALID: a name that would leave the directory. */
bool cli_files_from_map(const struct wire_val *map, struct cli_files *ret, struct err *err)
    __attribute__((warn_unused_result));

/* Writes them below dir, which is made; it must be new or empty. err: ERR_IO, ERR_CONFLICT. */
bool cli_files_write(const struct cli_files *files, const char *dir, struct err *err)
    __attribute__((warn_unused_result));

/* One of: relative, no "..", no empty part, no backslash or control character. */
bool cli_files_name_is_safe(const char *name);

void cli_files_clear(struct cli_files *files);

#endif
