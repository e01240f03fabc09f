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

void channel_reply_copy(const char *from, size_t len, char *ret)
{
    size_t out = 0;

    for (size_t i = 0; i < len && out < CHANNEL_REPLY_BYTES_MAX; i++) {
        unsigned char byte = (unsigned char)from[i];
        if (byte == '\r' || byte == '\n') {
            if (out != 0 && ret[out - 1] != ' ')
                ret[out++] = ' ';
        } else {
            ret[out++] = byte < 0x20 || byte > 0x7e ? '?' : (char)byte;
        }
    }
    while (out > 0 && ret[out - 1] == ' ')
        out--;
    ret[out] = '\0';
}
