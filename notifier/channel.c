/* The table of channels; see channel.h. */
#include "channel.h"

#define ROW(id, name, suffix, bytes) [CHANNEL_##id] = &channel_##name,
const struct channel *const channel_table[CHANNELS] = {CHANNEL_LIST(ROW)};
#undef ROW

int channel_find(struct span name)
{
    for (int i = 0; i < CHANNELS; i++)
        if (span_is(name, channel_rows[i].name))
            return i;
    return -1;
}
