/* libcurl's multi interface on the program's loop: transfers of several channels at once, connections reused.
 * Knows nothing of mail, HTTP or deliveries; what a transfer does is set on its easy handle by the caller. */
#ifndef DOCKET_CURL_LOOP_H
#define DOCKET_CURL_LOOP_H

#include <czmq.h>

#include <curl/curl.h>

#include <stdbool.h>

struct curl_loop;

/* connections_max: open at once, kept for reuse. */
struct curl_loop *curl_loop_new(zloop_t *loop, int connections_max);
/* Transfers under way must have been taken back with curl_loop_drop before. Accepts NULL. */
void curl_loop_free(struct curl_loop *curl);

/* Called from the loop, once a transfer that was added, when it ended by itself; the handle is the caller's again (but keep). */
typedef void curl_end_fn(void *arg, CURLcode code);

/* What curl_loop_add keeps of a transfer: embedded in the owner, zeroed, alive until the end. */
struct curl_transfer {
    CURL *easy;
    curl_end_fn *end_fn;
    void *arg;
    bool keep; /* stays added after its end, until curl_loop_drop: for CURLOPT_CONNECT_ONLY */
};

/* Begins a transfer. Sets CURLOPT_PRIVATE, CURLOPT_NOSIGNAL and an empty CURLOPT_PROXY on its handle. */
void curl_loop_add(struct curl_loop *curl, struct curl_transfer *transfer);
void curl_loop_drop(struct curl_loop *curl, struct curl_transfer *transfer);

#endif
