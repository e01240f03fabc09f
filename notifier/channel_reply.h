/* What the other side of a channel said last, as it is kept and shown: one printable line. */
#ifndef DOCKET_CHANNEL_REPLY_H
#define DOCKET_CHANNEL_REPLY_H

#include <stddef.h>

enum { CHANNEL_REPLY_BYTES_MAX = 1024 };

/* Printable ASCII of what the other side said, one line, at most CHANNEL_REPLY_BYTES_MAX. ret: that and one. */
void channel_reply_copy(const char *from, size_t len, char *ret);

#endif
