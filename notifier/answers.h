/* What people answer in chat: "ack", "ack NUMBER CODE", each with "take" behind it. Alerts are acknowledged by the broker, as the
 * person who was told at that address; in a room, where anybody may stand, only with the code that the page named. */
#ifndef DOCKET_ANSWERS_H
#define DOCKET_ANSWERS_H

#include "channel.h"
#include "token.h"

struct notifier;

enum { ANSWER_CODE_BYTES = 7 };

/* Six letters that prove having seen the page of this alert and generation. ret: ANSWER_CODE_BYTES; "" without a key. */
void answer_code(const struct token_key *key, int64_t alert, int32_t generation, char *ret);

/* A channel_said_fn; arg: the notifier. Who says more than answer_limit.h takes is not answered. */
void answers_on_said(void *notifier, const struct channel_said *said);

#endif
