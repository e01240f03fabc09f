/* From facts to words; see render.h. */
#include "render.h"
#include "context.h"
#include "mustache.h"
#include "reader.h"
#include "tell_body.h"
#include "wire.h"

#include <ctype.h>
#include <string.h>

enum { CONTEXT_BYTES_MAX = 4 << 20 };

void message_init(struct message *message)
{
    *message = (struct message){.is_builtin = false};
    buf_init(&message->subject, 4096);
    buf_init(&message->text, MUSTACHE_OUTPUT_BYTES_MAX);
    buf_init(&message->html, 8 * MUSTACHE_OUTPUT_BYTES_MAX);
}

void message_clear(struct message *message)
{
    buf_clear(&message->subject);
    buf_clear(&message->text);
    buf_clear(&message->html);
}

/* ---- templates ---- */

struct lookup {
    const struct templates *templates;
    char locale[LOCALE_BYTES];
    const char *suffix;
};

static struct span lookup_partial(void *arg, struct span name)
{
    const struct lookup *lookup = arg;
    return templates_find(lookup->templates, lookup->locale, name, lookup->suffix);
}

/* The first line, "Subject: …", goes to the subject, one line without control characters; the rest is the
 * text. */
static bool message_split(struct message *message, const struct buf *all)
{
    static const char head[] = "Subject: ";
    const char *text = buf_text(all);

    if (strncmp(text, head, sizeof head - 1) != 0)
        return false;
    const char *from = text + sizeof head - 1, *end = strchr(from, '\n');
    if (end == NULL || end == from)
        return false;
    for (; from < end; from++)
        buf_add(&message->subject, (unsigned char)*from < 0x20 || *from == 0x7f ? " " : from, 1);
    while (*end == '\n')
        end++;
    buf_add_text(&message->text, end);
    return !message->subject.failed;
}

/* One character of text as HTML; line ends and the blanks of columns stay, also where style sheets are not read (Outlook). */
static void put_escaped(struct buf *out, char c, char before)
{
    const char *entity = c == '&'                                        ? "&amp;"
                         : c == '<'                                      ? "&lt;"
                         : c == '>'                                      ? "&gt;"
                         : c == '"'                                      ? "&quot;"
                         : c == '\n'                                     ? "<br>\n"
                         : c == ' ' && (before == ' ' || before == '\n') ? "&nbsp;"
                                                                         : NULL;
    if (entity != NULL)
        buf_add_text(out, entity);
    else
        buf_add(out, &c, 1);
}

/* The links that we signed: of the message, of the members of a summary. */
struct own_links {
    const char *link;         /* or NULL */
    struct wire_doc *members; /* or NULL */
};

static struct own_links own_links_of(const struct facts *facts, const struct context_words *words)
{
    struct own_links links = {facts->link, NULL};
    struct err ignored;
    struct span bytes = words->member_links;

    if (bytes.p != NULL && !wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &links.members, &ignored))
        links.members = NULL;
    return links;
}

/* The next of them, *i counts; SPAN_NONE at the end. */
static struct span own_links_next(const struct own_links *links, size_t *i)
{
    const struct wire_val *members = links->members == NULL ? NULL : wire_root(links->members);
    struct span link;

    if ((*i)++ == 0 && links->link != NULL)
        return span_of(links->link);
    for (; *i <= wire_count(members); (*i)++)
        if (wire_get_str(wire_at(members, *i - 1), &link) && link.len != 0)
            return (*i)++, link;
    return SPAN_NONE;
}

/* How long the link is that begins there; 0: none of ours does. */
static size_t own_link_at(const struct own_links *links, const char *p)
{
    size_t i = 0;

    for (struct span link; (link = own_links_next(links, &i)).p != NULL;)
        if (strncmp(p, link.p, link.len) == 0)
            return link.len;
    return 0;
}

/* Our own links can be pressed; addresses that somebody wrote stay text. */
static void put_html(struct buf *out, const char *text, const struct own_links *links)
{
    for (const char *p = text; *p != '\0'; p++) {
        size_t link_len = *p == 'h' ? own_link_at(links, p) : 0; /* of http */
        if (link_len == 0) {
            put_escaped(out, *p, p == text ? '\n' : p[-1]);
            continue;
        }
        buf_add_text(out, "<a href=\"");
        for (size_t i = 0; i < 2 * link_len; i++) { /* once as the address, once as the words */
            if (i == link_len)
                buf_add_text(out, "\">");
            put_escaped(out, p[i % link_len], 'x');
        }
        buf_add_text(out, "</a>");
        p += link_len - 1;
    }
}

/* Without an HTML template the text itself, so that both always say the same. */
static void message_text_to_html(const char *locale, const struct own_links *links, struct message *message)
{
    buf_reset(&message->html);
    buf_add_text(&message->html, "<!DOCTYPE html>\n<html lang=\"");
    for (const char *p = locale; *p != '\0'; p++)
        put_escaped(&message->html, *p, 'x');
    buf_add_text(
        &message->html,
        "\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"></head>\n"
        "<body style=\"font-family: sans-serif; overflow-wrap: anywhere\"><div dir=\"auto\">");
    put_html(&message->html, buf_text(&message->text), links);
    buf_add_text(&message->html, "</div></body></html>\n");
}

static enum mustache_escape escape_of(const char *suffix)
{
    return strcmp(suffix, "html") == 0   ? MUSTACHE_HTML
           : strcmp(suffix, "json") == 0 ? MUSTACHE_JSON
                                         : MUSTACHE_TEXT;
}

/* The channel's own template, else that of mail, else the one for kinds without any. */
static struct span find_text(struct lookup *lookup, const char *kind)
{
    struct span text = templates_find(lookup->templates, lookup->locale, span_of(kind), lookup->suffix);
    if (text.p != NULL)
        return text;
    lookup->suffix = "txt";
    text = templates_find(lookup->templates, lookup->locale, span_of(kind), "txt");
    return text.p != NULL ? text
                          : templates_find(lookup->templates, lookup->locale, span_of("generic"), "txt");
}

/* Cuts after so many code points, and says so by an ellipsis. */
static void text_cut(struct buf *text, size_t chars_max)
{
    size_t chars = 0, at = 0;

    for (; at < text->len; at++)
        if (((unsigned char)text->p[at] & 0xc0) != 0x80 && ++chars == chars_max)
            break;
    if (at == text->len || at + 1 == text->len)
        return;
    text->len = at;
    (void)buf_add_text(text, "\xe2\x80\xa6");
}

/* Digits one by one, so that a voice does not say a tracking number as thousands. */
static void text_speak(struct buf *text)
{
    struct buf spoken;

    buf_init(&spoken, 2 * text->max);
    for (size_t i = 0; i < text->len; i++) {
        if (i != 0 && isdigit((unsigned char)text->p[i]) && isdigit((unsigned char)text->p[i - 1]))
            buf_add_text(&spoken, " ");
        buf_add(&spoken, &text->p[i], 1);
    }
    buf_reset(text);
    buf_add_span(text, buf_span(&spoken));
    buf_clear(&spoken);
}

static bool render_by_template(const struct templates *templates, const char *locale,
                               const struct own_links *links, const struct wire_val *context,
                               const char *kind, const char *suffix, struct message *ret, struct err *err)
{
    struct lookup lookup = {.templates = templates, .suffix = suffix};
    struct buf all;

    (void)snprintf(lookup.locale, sizeof lookup.locale, "%s", locale);
    struct span text = find_text(&lookup, kind);
    buf_init(&all, MUSTACHE_OUTPUT_BYTES_MAX);
    bool ok = mustache_render(text, context, escape_of(lookup.suffix), lookup_partial, &lookup, &all, err);
    if (ok && !message_split(ret, &all))
        ok = err_set(err, ERR_INVALID, "the first line is not \"Subject: …\"");
    buf_clear(&all);
    if (!ok)
        return false;
    lookup.suffix = "html";
    struct span html = templates_find(templates, lookup.locale, span_of(kind), "html");
    if (html.p != NULL)
        return mustache_render(html, context, MUSTACHE_HTML, lookup_partial, &lookup, &ret->html, err);
    message_text_to_html(locale, links, ret);
    return true;
}

/* What somebody wrote for the reader, and what he is asked. */
static void put_plain_body(const struct facts *f, const char *locale, struct span body, struct buf *out)
{
    static const char *const keys[] = {"reason", "vendor", "proposal"};
    struct wire_doc *doc = NULL;
    struct err ignored;
    struct span text;

    if (body.p == NULL || !wire_parse(body.p, body.len, WIRE_DEPTH_MAX, &doc, &ignored))
        return;
    if ((text = tell_body_text(wire_root(doc), locale, f->desk_locale)).len != 0)
        buf_printf(out, "\n%.*s\n", (int)text.len, text.p);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if ((text = wire_find_str(wire_root(doc), keys[i])).len != 0)
            buf_printf(out, "\n%.*s\n", (int)text.len, text.p);
    const struct wire_val *questions = wire_find(wire_root(doc), "questions");
    for (size_t i = 0; i < wire_count(questions); i++)
        if ((text = context_question(wire_at(questions, i))).len != 0)
            buf_printf(out, "- %.*s\n", (int)text.len, text.p);
    wire_doc_free(doc);
}

/* Needs no template: never a lost notice. */
static void render_builtin(const struct facts *f, const char *locale, const struct context_words *words,
                           const struct own_links *links, struct message *ret)
{
    size_t i = 0;

    buf_reset(&ret->subject);
    buf_reset(&ret->text);
    buf_printf(&ret->subject, "%s%s%s%s", f->tracking[0] == '\0' ? "" : "[", f->tracking,
               f->tracking[0] == '\0' ? "" : "] ", f->kind);
    if (f->tracking[0] != '\0')
        buf_printf(&ret->text, "Ticket %s\n%.*s\n\n", f->tracking, (int)f->title.len,
                   f->title.p == NULL ? "" : f->title.p);
    if (words->alert.p != NULL)
        buf_printf(&ret->text, "%.*s\n", (int)words->alert.len, words->alert.p);
    buf_printf(&ret->text, "This is about: %s.\n", f->kind);
    put_plain_body(f, locale, words->body, &ret->text);
    put_plain_body(f, locale, words->asked, &ret->text);
    for (struct span link; (link = own_links_next(links, &i)).p != NULL;)
        buf_printf(&ret->text, "\n%.*s\n", (int)link.len, link.p);
    message_text_to_html("en", links, ret);
    ret->is_builtin = true;
}

static void render_words(const struct templates *templates, const struct facts *facts,
                         const struct context_words *words, const char *suffix, size_t text_chars_max,
                         struct message *ret)
{
    struct wire_doc *context = NULL;
    const char *kind = words->triaged.p != NULL ? "received_triaged" : facts->kind;
    char locale[LOCALE_BYTES];
    struct own_links links = own_links_of(facts, words);
    struct err err = {.code = ERR_NONE};
    struct buf bytes;

    buf_init(&bytes, CONTEXT_BYTES_MAX);
    if (facts->locale != NULL)
        (void)snprintf(locale, sizeof locale, "%s", facts->locale);
    else if (!reader_record_locale(facts->record, locale))
        (void)snprintf(locale, sizeof locale, "en");
    context_put(&bytes, templates, locale, facts, words);
    bool ok = wire_parse(buf_text(&bytes), bytes.len, WIRE_DEPTH_MAX, &context, &err) &&
              render_by_template(templates, locale, &links, wire_root(context), kind, suffix, ret, &err);
    if (!ok) {
        (void)snprintf(ret->why, sizeof ret->why, "%s: %.200s", kind, err.msg);
        render_builtin(facts, locale, words, &links, ret);
    }
    if (strcmp(suffix, "speech") == 0)
        text_speak(&ret->text);
    if (text_chars_max != 0)
        text_cut(&ret->text, text_chars_max);
    wire_doc_free(links.members);
    wire_doc_free(context);
    buf_clear(&bytes);
}

void render_to_customer(const struct templates *templates, const struct facts *facts,
                        const struct customer_words *words, const char *suffix, size_t text_chars_max,
                        struct message *ret)
{
    const struct context_words all = {.body = words->body,
                                      .earlier = words->earlier,
                                      .triaged = words->triaged,
                                      .asked = words->asked,
                                      .members = words->members,
                                      .member_bodies = words->member_bodies,
                                      .member_links = words->member_links};
    render_words(templates, facts, &all, suffix, text_chars_max, ret);
}

void render_to_staff(const struct templates *templates, const struct facts *facts,
                     const struct staff_words *words, const char *suffix, size_t text_chars_max,
                     struct message *ret)
{
    const struct context_words all = {.body = words->body,
                                      .members = words->members,
                                      .member_bodies = words->member_bodies,
                                      .member_links = words->member_links,
                                      .alert = words->alert,
                                      .alert_cause = words->alert_cause,
                                      .alert_priority = words->alert_priority,
                                      .code = words->code,
                                      .inhibited = words->inhibited,
                                      .is_for_staff = true,
                                      .problem = words->problem,
                                      .extra = words->extra};
    render_words(templates, facts, &all, suffix, text_chars_max, ret);
}
