/* Files that are built into a program; see embed.h. */
#include "embed.h"

#include <string.h>

const struct embed_file *embed_find(const struct embed_file *files, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}
