/* Pages for people: an HTTP server for the outside on the program's loop. GET, HEAD and POST of any path; a body of at most
 * HTTP_FORM_BYTES_MAX; an answer may come later, when something else was asked. Who serves it judges paths and fields. */
#ifndef DOCKET_HTTP_PAGES_H
#define DOCKET_HTTP_PAGES_H

#include "http.h"

enum { HTTP_FORM_BYTES_MAX = 32 << 10, HTTP_PATH_BYTES_MAX = 512 };

/* One that waits for its answer. Lives until http_request_answer. */
struct http_request;

/* Must lead to exactly one http_request_answer, now or later. */
typedef void http_page_fn(void *arg, struct http_request *request);

/* err: as http_new */
bool http_new_pages(zloop_t *loop, const char *bind, http_page_fn *page_fn, void *arg, struct http **ret_http,
                    struct err *err) __attribute__((warn_unused_result));

bool http_request_is_post(const struct http_request *request);
const char *http_request_path(const struct http_request *request); /* decoded, without the query */
struct span http_request_body(const struct http_request *request);

/* The value of a field of an application/x-www-form-urlencoded body, decoded. "" when there is none.
 * out: ret  emptied before; failed when it has no room */
void http_request_field(const struct http_request *request, const char *name, struct buf *ret);

/* A header of the request; NULL when there is none. */
const char *http_request_header(const struct http_request *request, const char *name);

/* Answers; takes answer->body. The request is gone afterwards. */
void http_request_answer(struct http_request *request, struct http_answer *answer);

#endif
