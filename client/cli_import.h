/* Keys of imported lines. */
#ifndef DOCKET_CLI_IMPORT_H
#define DOCKET_CLI_IMPORT_H

#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IMPORT_KEY_BYTES = 7 + 32 + 1 /* "import-", hexadecimal, NUL */ };

/* How often each content was seen in this file. */
struct import_seen {
    struct import_count *counts; /* open addressing; a power of two */
    size_t size, used;
};

/* The key of a line without one: a digest of its content and of how many equal lines stood before it in the
 * file, so that a repeated import posts nothing twice, also after lines were added at the end, and two equal
 * lines stay two tickets. The order of a map's entries and blanks do not matter. out: ret  IMPORT_KEY_BYTES
 * bytes */
void import_key(struct import_seen *seen, const struct wire_val *body, char *ret);
void import_seen_clear(struct import_seen *seen);

#endif
