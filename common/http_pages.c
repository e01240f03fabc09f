/* Pages for people; see http_pages.h. A request that is not answered at once is suspended, and resumed by its answer. */
#include "http_internal.h"
#include "mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct http_request {
    struct http *http;
    struct MHD_Connection *connection;
    struct http_request *next, *previous;
    char path[HTTP_PATH_BYTES_MAX];
    bool is_post;
    bool is_asked;     /* the owner has it */
    bool is_suspended; /* and did not answer at once */
    bool is_answered;
    struct buf body;
    struct http_answer answer;
};

bool http_request_is_post(const struct http_request *request)
{
    return request->is_post;
}

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

struct span http_request_body(const struct http_request *request)
{
    return buf_span(&request->body);
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* ---- forms ---- */

static int hex_of(char letter)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = letter == '\0' ? NULL : strchr(digits, tolower((unsigned char)letter));
    return at == NULL ? -1 : (int)(at - digits);
}

/* "a+b%C3%B6" to "a bö"; a % that is none of an escape stays. */
static void decode(struct span from, struct buf *ret)
{
    for (size_t i = 0; i < from.len; i++) {
        int high = from.p[i] == '%' && i + 2 < from.len ? hex_of(from.p[i + 1]) : -1;
        int low = high >= 0 ? hex_of(from.p[i + 2]) : -1;
        char byte = from.p[i] == '+' ? ' ' : from.p[i];
        if (low >= 0) {
            byte = (char)(high * 16 + low);
            i += 2;
        }
        buf_add(ret, &byte, 1);
    }
}

void http_request_field(const struct http_request *request, const char *name, struct buf *ret)
{
    struct span left = buf_span(&request->body);
    size_t name_len = strlen(name);

    buf_reset(ret);
    while (left.len != 0) {
        const char *amp = memchr(left.p, '&', left.len);
        struct span pair = {left.p, amp == NULL ? left.len : (size_t)(amp - left.p)};
        if (pair.len > name_len && pair.p[name_len] == '=' && memcmp(pair.p, name, name_len) == 0) {
            decode((struct span){pair.p + name_len + 1, pair.len - name_len - 1}, ret);
            return;
        }
        size_t used = pair.len + (amp != NULL);
        left = (struct span){left.p + used, left.len - used};
    }
}

/* ---- requests ---- */

static struct http_request *request_new(struct http *http, struct MHD_Connection *connection, const char *url,
                                        bool is_post)
{
    struct http_request *request = mem_new(1, sizeof *request);

    request->http = http;
    request->connection = connection;
    request->is_post = is_post;
    (void)snprintf(request->path, sizeof request->path, "%s", url);
    buf_init(&request->body, HTTP_FORM_BYTES_MAX);
    request->next = http->requests;
    if (request->next != NULL)
        request->next->previous = request;
    http->requests = request;
    return request;
}

static void pages_on_completed(void *arg, struct MHD_Connection *connection, void **state,
                               enum MHD_RequestTerminationCode why)
{
    struct http *http = arg;
    struct http_request *request = *state;
    (void)why;

    http_slow_mark(connection, false);
    if (request == NULL)
        return;
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        http->requests = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    buf_clear(&request->body);
    buf_clear(&request->answer.body);
    free(request);
    *state = NULL;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
    static const struct http_header allow = {"Allow", "GET, HEAD, POST"};
    struct http_answer answer = {.status = status,
                                 .type = "text/plain; charset=utf-8",
                                 .headers = &allow,
                                 .header_count = status == MHD_HTTP_METHOD_NOT_ALLOWED};

    buf_init(&answer.body, 256);
    buf_add_text(&answer.body, text);
    return http_send(connection, &answer);
}

/* The whole request is there: the owner answers it now or later. */
static enum MHD_Result request_ask(struct http_request *request)
{
    struct http *http = request->http;

    if (request->body.failed)
        return refuse(request->connection, MHD_HTTP_CONTENT_TOO_LARGE, "what was sent is too long\n");
    if (!request->is_asked) {
        request->is_asked = true;
        http->page_fn(http->page_arg, request);
    }
    if (request->is_answered)
        return http_send(request->connection, &request->answer);
    request->is_suspended = true;
    http_slow_mark(request->connection, true);
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

static enum MHD_Result pages_on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                        const char *method, const char *version, const char *upload,
                                        size_t *upload_len, void **state)
{
    struct http_request *request = *state;
    bool is_post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    (void)version;

    if (request == NULL) {
        if (!http_is_one_request(connection))
            return refuse(connection, MHD_HTTP_BAD_REQUEST, HTTP_NOT_ONE_REQUEST);
        if (!is_post && strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
            return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET, HEAD and POST are allowed\n");
        if (strlen(url) >= HTTP_PATH_BYTES_MAX)
            return refuse(connection, MHD_HTTP_URI_TOO_LONG, "the address is too long\n");
        *state = request_new(arg, connection, url, is_post);
        return MHD_YES;
    }
    if (*upload_len != 0) {
        if (is_post)
            buf_add(&request->body, upload,
                    *upload_len); /* over the limit it is marked, read to its end, refused */
        *upload_len = 0;
        return MHD_YES;
    }
    return request_ask(request);
}

void http_request_answer(struct http_request *request, struct http_answer *answer)
{
    request->answer = *answer;
    buf_init(&answer->body, answer->body.max);
    request->is_answered = true;
    if (!request->is_suspended)
        return; /* request_ask sends it */
    http_slow_mark(request->connection, false);
    MHD_resume_connection(request->connection);
    http_turn(request->http);
}

void http_pages_end(struct http *http)
{
    for (struct http_request *request = http->requests; request != NULL; request = request->next)
        if (request->is_suspended && !request->is_answered)
            MHD_resume_connection(request->connection);
}

bool http_new_pages(zloop_t *loop, const char *bind, http_page_fn *page_fn, void *arg, struct http **ret_http,
                    struct err *err)
{
    struct http *http = mem_new(1, sizeof *http);

    http->loop = loop;
    http->timer = -1;
    http->page_fn = page_fn;
    http->page_arg = arg;
    if (!http_start(http, bind, pages_on_request, pages_on_completed, err)) {
        http_free(http);
        return false;
    }
    *ret_http = http;
    return true;
}
