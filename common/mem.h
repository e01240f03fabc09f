/* Memory for the programs: what cannot be had ends the process.
 *
 * Every size that comes from outside is limited before it reaches these functions, so running out means that
 * the machine is out of memory. Docket is crash-only: all that was acknowledged is in PostgreSQL, a
 * supervisor starts the program again, others take over meanwhile. libdocket, which lives in programs of
 * others, does not use this file. */
#ifndef DOCKET_MEM_H
#define DOCKET_MEM_H

#include <stddef.h>

/* Zeroed memory, never NULL; the caller frees it with free(). */
void *mem_new(size_t count, size_t size);

/* Like realloc for count items of size, never NULL; what is new is not zeroed. */
void *mem_grow(void *old, size_t count, size_t size);

/* Copies; the caller frees. mem_strndup adds the closing NUL. */
void *mem_dup(const void *from, size_t len);
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t len);

#endif
