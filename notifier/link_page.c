/* The pages of links in words; see link_page.h. */
#include "link_page.h"
#include "mustache.h"
#include "wire.h"

#include <ctype.h>

enum { PAGE_BYTES_MAX = 512 << 10, CONTEXT_BYTES_MAX = 256 << 10, WHY_BYTES = 256 };

static const char *const page_names[LINK_PAGES] = {
    [LINK_PAGE_APPROVE] = "page_approve",
    [LINK_PAGE_AGREE] = "page_agree",
    [LINK_PAGE_ACKNOWLEDGE] = "page_acknowledge",
    [LINK_PAGE_NOTHING] = "page_nothing",
};

static const struct {
    const char *name;
    unsigned status;
} faults[] = {
    [LINK_FAULT_NONE] = {NULL, 200},         [LINK_FAULT_WRONG] = {"wrong", 404},
    [LINK_FAULT_EXPIRED] = {"expired", 410}, [LINK_FAULT_AWAY] = {"away", 503},
    [LINK_FAULT_REFUSED] = {"refused", 409},
};

/* The token stands in the address: no referrer, no cache, no index. */
static const struct http_header headers[] = {
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
     "base-uri 'none'"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Frame-Options", "DENY"},
    {"X-Robots-Tag", "noindex, nofollow"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

static const char style[] =
    ":root{color-scheme:light dark}"
    "*{box-sizing:border-box}"
    "body{margin:0;font:1.05rem/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1b1f24}"
    "main{max-width:38rem;margin:0 auto;padding:1.2rem 1rem 3rem}"
    "h1{font-size:1.35rem;line-height:1.3;margin:.2rem 0 1rem;overflow-wrap:anywhere;unicode-bidi:isolate}"
    ".number{font-variant-numeric:tabular-nums;color:#59636e;margin:0}"
    ".said{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext;background:#fff;border-left:."
    "25rem solid "
    "#8c959f;"
    "border-radius:.25rem;padding:.8rem 1rem;margin:.5rem 0 1.2rem}"
    ".done{border-left-color:#1a7f37}.bad{border-left-color:#b35900}"
    "label{display:block;margin:1rem 0 .3rem}"
    "textarea{width:100%;min-height:6rem;font:inherit;padding:.6rem;border:1px solid "
    "#8c959f;border-radius:.4rem}"
    "button{display:block;width:100%;min-height:3rem;margin:.8rem 0;padding:.6rem "
    "1rem;font:inherit;font-weight:600;"
    "border:1px solid #1f6f3a;border-radius:.5rem;background:#1a7f37;color:#fff;cursor:pointer}"
    "button.other{background:#fff;color:#1b1f24;border-color:#8c959f}"
    "button:focus-visible,textarea:focus-visible{outline:.2rem solid #0969da;outline-offset:.1rem}"
    "small{color:#59636e}"
    "@media (prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}.said{background:#161b22}"
    "button.other{background:#21262d;color:#e6edf3}.number,small{color:#9198a1}}\n";

/* ---- the context ---- */

static void put_optional(struct buf *out, const char *key, struct span text, struct wire_map *map)
{
    wire_put_text(out, key);
    if (text.p == NULL || text.len == 0)
        wire_put_nil(out);
    else
        wire_put_str(out, text);
    map->count++;
}

/* {name: true}, so that a template asks for it by its name; nil when there is none. */
static void put_flag(struct buf *out, const char *key, const char *name, struct wire_map *map)
{
    wire_put_text(out, key);
    if (name == NULL) {
        wire_put_nil(out);
    } else {
        wire_put_map(out, 1);
        wire_put_key_bool(out, name, true);
    }
    map->count++;
}

static void put_context(struct buf *out, const struct link_view *view)
{
    struct wire_map map = wire_map_open(out);

    put_optional(out, "tracking", span_of(view->tracking), &map);
    put_optional(out, "title", view->title, &map);
    put_optional(out, "customer", view->customer, &map);
    put_optional(out, "text", view->text, &map);
    put_optional(out, "proposal", view->proposal, &map);
    wire_put_text(out, "priority"), map.count++;
    if (view->priority == 0)
        wire_put_nil(out);
    else
        wire_put_int(out, view->priority);
    wire_put_key_bool(out, "can_act", view->can_act), map.count++;
    wire_put_key_bool(out, "can_take", view->can_take), map.count++;
    put_flag(out, "result", view->result, &map);
    put_optional(out, "at", span_of(view->result_at), &map);
    put_optional(out, "by", view->result_by, &map);
    put_optional(out, "assignee", view->assignee, &map);
    put_flag(out, "fault", faults[view->fault].name, &map);
    wire_map_close(out, &map);
}

/* ---- pages ---- */

struct lookup {
    const struct templates *templates;
    const char *locale;
};

static struct span find_partial(void *arg, struct span name)
{
    const struct lookup *lookup = arg;
    return templates_find(lookup->templates, lookup->locale, name, "html");
}

static bool render(const struct templates *templates, const struct link_view *view, struct buf *out,
                   struct err *err)
{
    struct lookup lookup = {templates, view->locale};
    struct wire_doc *context = NULL;
    struct buf bytes;

    buf_init(&bytes, CONTEXT_BYTES_MAX);
    put_context(&bytes, view);
    bool ok = wire_parse(buf_text(&bytes), bytes.len, WIRE_DEPTH_MAX, &context, err);
    struct span page = templates_find(templates, view->locale, span_of(page_names[view->page]), "html");
    if (ok && page.p == NULL)
        ok = err_set(err, ERR_NOT_FOUND, "there is no template %s.html", page_names[view->page]);
    ok = ok && mustache_render(page, wire_root(context), MUSTACHE_HTML, find_partial, &lookup, out, err);
    wire_doc_free(context);
    buf_clear(&bytes);
    return ok;
}

void link_page_answer(const struct templates *templates, const struct link_view *view,
                      struct http_answer *ret, char *why)
{
    struct err err;

    *ret = (struct http_answer){.status = faults[view->fault].status,
                                .type = "text/html; charset=utf-8",
                                .headers = headers,
                                .header_count = sizeof headers / sizeof headers[0]};
    buf_init(&ret->body, PAGE_BYTES_MAX);
    why[0] = '\0';
    if (render(templates, view, &ret->body, &err))
        return;
    (void)snprintf(why, WHY_BYTES, "%s: %.200s", page_names[view->page], err.msg);
    buf_reset(&ret->body);
    ret->status = 500;
    buf_add_text(
        &ret->body,
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Support</title><p>This page "
        "cannot be shown. Please answer by mail or telephone.</p></html>\n");
}

void link_page_style(struct http_answer *ret)
{
    static const struct http_header of_style[] = {{"X-Robots-Tag", "noindex"}};

    *ret = (struct http_answer){.status = 200,
                                .type = "text/css; charset=utf-8",
                                .headers = of_style,
                                .header_count = 1};
    buf_init(&ret->body, sizeof style);
    buf_add_text(&ret->body, style);
}

void link_page_again(const char *token, struct http_answer *ret)
{
    *ret = (struct http_answer){.status = 303,
                                .type = "text/plain; charset=utf-8",
                                .headers = headers,
                                .header_count = sizeof headers / sizeof headers[0]};
    buf_init(&ret->body, 64);
    (void)snprintf(ret->location, sizeof ret->location, "%s", token);
}

/* The first language of "de-AT,de;q=0.9"; "" when it is none. */
static void first_language(const char *accept, char *ret)
{
    size_t len = 0;

    while (len < LOCALE_BYTES - 1 && (isalnum((unsigned char)accept[len]) || accept[len] == '-'))
        len++;
    (void)snprintf(ret, LOCALE_BYTES, "%.*s", (int)len, accept);
}

void link_page_locale(const char *accept, char *ret)
{
    ret[0] = '\0';
    if (accept != NULL)
        first_language(accept, ret);
    if (ret[0] == '\0')
        (void)snprintf(ret, LOCALE_BYTES, "en");
}
