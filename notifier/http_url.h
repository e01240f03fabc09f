/* URLs of somebody else's server: which we would call at all, and whose they are. Pure. */
#ifndef DOCKET_HTTP_URL_H
#define DOCKET_HTTP_URL_H

#include "err.h"

#include <stdbool.h>

/* https:// with a host, or http:// on the loopback; no user, no fragment, no control characters. err: ERR_INVALID. */
bool http_url_check(const char *url, struct err *err) __attribute__((warn_unused_result));

/* host[:port] of a URL in lower case; what is no URL of HTTP stays as it is. ret: CHANNEL_ADDRESS_BYTES */
void http_url_host(const char *url, char *ret);

#endif
