/* Memory for the programs; see mem.h. */
#include "mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *mem_or_die(void *got, size_t count, size_t size)
{
    if (got == NULL && count != 0 && size != 0) {
        fprintf(stderr, "event=out_of_memory count=%zu size=%zu\n", count, size);
        abort();
    }
    return got;
}

void *mem_new(size_t count, size_t size)
{
    return mem_or_die(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size), count, size);
}

void *mem_grow(void *old, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return mem_or_die(NULL, count, size);
    size_t bytes = count * size;
    return mem_or_die(realloc(old, bytes == 0 ? 1 : bytes), count, size);
}

void *mem_dup(const void *from, size_t len)
{
    void *to = mem_or_die(malloc(len == 0 ? 1 : len), 1, 1); /* filled as a whole: nothing to clear */
    if (len != 0)
        memcpy(to, from, len);
    return to;
}

char *mem_strndup(const char *text, size_t len)
{
    char *to = mem_new(len + 1, 1);
    if (len != 0)
        memcpy(to, text, len);
    return to;
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}
