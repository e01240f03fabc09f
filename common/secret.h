/* Secrets from files: passwords, keys. A file that others may read is refused. */
#ifndef DOCKET_SECRET_H
#define DOCKET_SECRET_H

#include "err.h"

#include <stddef.h>

enum { SECRET_BYTES_MAX = 4096 };

/* Reads a whole file of mode 0600 (or stricter) into ret, with a closing NUL.
 * in:  what  the setting that names it, for messages
 *      size  of ret
 * out: ret   on failure nothing but zeros
 * err: ERR_IO, ERR_INVALID (empty, too long, may be read by others) */
bool secret_read(const char *what, const char *path, char *ret, size_t size, struct err *err)
    __attribute__((warn_unused_result));

#endif
