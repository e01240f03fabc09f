/* POSTs JSON to somebody else's server, signed after Standard Webhooks: TLS checked, no redirects, no proxies, only addresses that
 * the guard allows, connect 5 s, all 20 s, replies read up to 8 KiB. What several channels share; knows no message. */
#ifndef DOCKET_HTTP_POST_H
#define DOCKET_HTTP_POST_H

#include "channel.h"
#include "net_guard.h"

#include <stdbool.h>

#include <curl/curl.h>

enum { HTTP_POST_BODY_BYTES_MAX = 20000, HTTP_POST_REPLY_BYTES_MAX = 8192 };

struct http_poster;

/* Reads the secrets and the allow list of the settings. out: ret  NULL when there is no file of secrets.
 * err: ERR_INVALID, ERR_IO */
bool http_poster_new(const struct channel_host *host, struct http_poster **ret, struct err *err)
    __attribute__((warn_unused_result));
void http_poster_free(struct http_poster *poster); /* accepts NULL; what is under way ends without a call */

/* What every call to somebody else's server has: time limits, TLS, no redirects, no proxy, only addresses the guard allows. guarded: of the caller,
 * alive until the end; says whether an address was refused. */
struct http_guarded {
    const struct net_guard *guard;
    bool is_blocked; /* an address was refused, */
    bool is_opened;  /* another was not: then the name is not refused as a whole */
};
void http_easy_prepare(CURL *easy, const char *url, const char *ca_file, struct http_guarded *guarded);

/* Whether it can be signed for that URL. */
bool http_poster_may(const struct http_poster *poster, const char *url, struct err *err)
    __attribute__((warn_unused_result));

/* Begins one. out: as a channel's start, but to url. */
void http_post(struct http_poster *poster, const char *url, const struct outgoing *out,
               channel_end_fn *end_fn, void *arg);

#endif
