/* The table of channels; see channels.h. */
#include "channels.h"

#include <string.h>

#define ROW(id, name, suffix, bytes) [CHANNEL_##id] = {#name, suffix, bytes},
const struct channel_row channel_rows[CHANNELS] = {CHANNEL_LIST(ROW)};
#undef ROW

#define NAME(id, name, suffix, bytes) ", " #name
const char channel_names[] = CHANNEL_LIST(NAME);
#undef NAME

const char *channel_name_find(const char *name)
{
    for (int i = 0; i < CHANNELS; i++)
        if (strcmp(name, channel_rows[i].name) == 0)
            return channel_rows[i].name;
    return NULL;
}
