/* What XMPP offers beyond a channel: an answer to somebody who said something. */
#ifndef DOCKET_CHANNEL_XMPP_H
#define DOCKET_CHANNEL_XMPP_H

#include "channel.h"

/* Says text to a person or room, once, and does not watch over it. room: the channel's; NULL is allowed. */
void channel_xmpp_say(void *room, const char *to, const char *text);

#endif
