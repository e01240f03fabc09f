/* A message as JSON, as machines get it: webhooks, the gateway of telephones. Pure. */
#ifndef DOCKET_LETTER_JSON_H
#define DOCKET_LETTER_JSON_H

#include "channel.h"

/* What a channel adds at the top: a key, and a value that is MessagePack already. */
struct letter_extra {
    const char *key;
    struct span value;
    const struct letter_extra *next;
};

/* Appends {"type": "ticket.received", "timestamp": …, "data": {id, kind, audience, tracking, customer, recipient, priority, alert,
 * subject, text, body}, …extra}. Over max bytes body is left out, then the text is cut (and "cut" says so).
 * err: ERR_TOO_LARGE */
bool letter_to_json(const struct letter *letter, const struct letter_extra *extra, size_t max,
                    struct buf *out, struct err *err) __attribute__((warn_unused_result));

#endif
