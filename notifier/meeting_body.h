/* What one of those invited is told of a meeting that was moved: who is no longer invited hears that it is over for them, who is invited only now
 * that there is one. Pure. */
#ifndef DOCKET_MEETING_BODY_H
#define DOCKET_MEETING_BODY_H

#include "buf.h"
#include "wire.h"

#include <stdbool.h>

/* Those whom a move left out; NULL: it is no move, or it left out nobody.
 * in: body  root of the outbox row's map */
const struct wire_val *meeting_body_dropped(const struct wire_val *body);

/* Appends the body as the address is to read it: who was left out by a move, {meeting: {what: "dropped", attendees: [the address], …}, …} with
 * the time and place they knew; who is invited only now, {meeting: {what: "made", …}, …}. False, and nothing is written, for all others.
 * in: body  of the outbox row (MessagePack) */
bool meeting_body_put_for(struct span body, const char *address, struct buf *out);

#endif
