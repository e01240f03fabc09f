/* The other side's last words; see channel_reply.h. */
#include "channel_reply.h"

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
