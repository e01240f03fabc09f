/* What a gateway of telephones says about a call: POST /g/TOKEN, {"result": …, "key": …} (docs/channels.md, "Telephone"). A key
 * acknowledges as the one who was called; a call that nobody took starts the next channel. */
#ifndef DOCKET_GATEWAY_BACK_H
#define DOCKET_GATEWAY_BACK_H

#include "http_pages.h"

struct notifier;

/* Whether the path is one of these. */
bool gateway_back_is(const char *path);

/* Answers the request, now or later. */
void gateway_back_take(struct notifier *notifier, struct http_request *request);

#endif
