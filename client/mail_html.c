/* HTML as plain text: libxml2 reads it, we walk its tree. Lines that it quotes of another mail begin with "> ", as in plain text; a link's
 * address stands behind its words, as mail programs write it. */
#include "mail.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <libxml/HTMLparser.h>

enum {
    CHARSET_WITHIN_BYTES = 8192, /* of the source: Outlook puts its styles before it */
    LINK_BYTES_MAX = 500
};

static const char *const blocks[] = {"p",  "div", "br", "tr", "li", "ul", "ol",         "table", "h1",
                                     "h2", "h3",  "h4", "h5", "h6", "hr", "blockquote", "pre",   "section"};
static const char *const silent[] = {"script", "style", "head", "title", "noscript", "template", "object"};

static bool is_one_of(const xmlChar *name, const char *const *names, size_t count)
{
    for (size_t i = 0; name != NULL && i < count; i++)
        if (strcasecmp((const char *)name, names[i]) == 0)
            return true;
    return false;
}

static bool attribute_has(xmlNode *node, const char *name, const char *word)
{
    xmlChar *value = xmlGetProp(node, (const xmlChar *)name);
    bool has = value != NULL && strstr((const char *)value, word) != NULL;

    xmlFree(value);
    return has;
}

/* Another mail, not words that somebody moved to the right. */
static bool is_quote(xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE && strcasecmp((const char *)node->name, "blockquote") == 0 &&
           (attribute_has(node, "type", "cite") || attribute_has(node, "class", "quote") ||
            attribute_has(node, "style", "border-left"));
}

static void end_line(struct buf *out)
{
    while (out->len != 0 && out->p[out->len - 1] == ' ')
        out->len--;
    if (out->len != 0 && out->p[out->len - 1] != '\n')
        buf_add_text(out, "\n");
}

/* In how many elements of a kind a node is. */
struct place {
    int quotes, kept; /* kept: what is written as it is (pre) */
    size_t link;      /* where the words of the last link begin */
};

static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcasecmp((const char *)node->name, name) == 0;
}

static bool is_block(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE && is_one_of(node->name, blocks, sizeof blocks / sizeof blocks[0]);
}

static bool is_at_line(const struct buf *out)
{
    return out->len == 0 || out->p[out->len - 1] == '\n';
}

/* Words of two cells do not run together. */
static void put_blank(struct buf *out)
{
    if (out->len != 0 && strchr(" \n", out->p[out->len - 1]) == NULL)
        buf_add_text(out, " ");
}

/* Blanks and line ends of the source are one blank, but where they are kept. */
static void put_text(struct buf *out, const char *text, const struct place *place)
{
    for (; text != NULL && *text != '\0'; text++) {
        bool is_blank = strchr(" \t\r\n", *text) != NULL;
        if (place->quotes > 0 && is_at_line(out) && (!is_blank || (place->kept > 0 && *text != '\r')))
            buf_add_text(out, "> ");
        if (!is_blank || place->kept > 0)
            buf_add(out, text, 1);
        else
            put_blank(out);
    }
}

static bool is_web(const char *address)
{
    return strncasecmp(address, "http://", 7) == 0 || strncasecmp(address, "https://", 8) == 0;
}

/* Whether the words say the address themselves, with or without the scheme and a slash at its end. */
static bool says_address(struct span words, const char *address)
{
    const char *host = strstr(address, "//") + 2;
    size_t len = strlen(host);

    if (len != 0 && host[len - 1] == '/')
        len--;
    for (; words.len >= len; words = (struct span){words.p + 1, words.len - 1})
        if (strncasecmp(words.p, host, len) == 0)
            return true;
    return false;
}

/* "see here <https://…>". A picture that is a link has no words, and is none. */
static void put_address(struct buf *out, xmlNode *link, struct place *place)
{
    xmlChar *address = xmlGetProp(link, (const xmlChar *)"href");
    size_t len = out->len - (place->link < out->len ? place->link : out->len);
    struct span words = {out->p + (out->len - len), len};

    if (address != NULL && is_web((const char *)address) && xmlStrlen(address) <= LINK_BYTES_MAX &&
        mail_text_trim(words).len != 0 &&
        (len > 2 * LINK_BYTES_MAX || !says_address(words, (const char *)address))) {
        put_blank(out);
        buf_printf(out, "<%s>", (const char *)address);
    }
    place->link = out->len;
    xmlFree(address);
}

/* What a picture shows, when somebody said it in words. */
static void put_picture(struct buf *out, xmlNode *picture, const struct place *place)
{
    xmlChar *words = xmlGetProp(picture, (const xmlChar *)"alt");

    if (words != NULL && words[0] != '\0')
        put_blank(out);
    put_text(out, (const char *)words, place);
    xmlFree(words);
}

static void enter(xmlNode *node, struct buf *out, struct place *place)
{
    if (is_block(node))
        end_line(out);
    if (is_quote(node))
        place->quotes++;
    if (is_element(node, "pre"))
        place->kept++;
    if (is_element(node, "a"))
        place->link = out->len;
    if (is_element(node, "img"))
        put_picture(out, node, place);
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
        put_text(out, (const char *)node->content, place);
}

static void leave(xmlNode *node, struct buf *out, struct place *place)
{
    if (is_quote(node))
        place->quotes--;
    if (is_element(node, "pre"))
        place->kept--;
    if (is_element(node, "a"))
        put_address(out, node, place);
    if (is_element(node, "td") || is_element(node, "th"))
        put_blank(out);
    if (is_block(node))
        end_line(out);
}

/* The node behind this one and all that is in it. */
static xmlNode *next_of(xmlNode *node, const xmlNode *root, struct buf *out, struct place *place)
{
    while (node != NULL && node != root) {
        leave(node, out, place);
        if (node->next != NULL)
            return node->next;
        node = node->parent;
    }
    return NULL;
}

/* In the order of the document, without recursion: depth is the sender's to choose. */
static void walk(xmlNode *root, struct buf *out)
{
    xmlNode *node = root;
    struct place place = {.quotes = 0};

    while (node != NULL && !out->failed) {
        bool is_silent =
            node->type == XML_ELEMENT_NODE && is_one_of(node->name, silent, sizeof silent / sizeof silent[0]);
        enter(node, out, &place);
        node = !is_silent && node->type == XML_ELEMENT_NODE && node->children != NULL
                   ? node->children
                   : next_of(node, root, out, &place);
    }
}

void mail_text_of_html(struct span html, struct buf *ret)
{
    htmlDocPtr doc =
        htmlReadMemory(html.p, (int)html.len, NULL, "utf-8",
                       HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_RECOVER);
    if (doc == NULL)
        return;
    walk(xmlDocGetRootElement(doc), ret);
    xmlFreeDoc(doc);
}

/* ---- its charset ---- */

static struct span skip_blanks(struct span text)
{
    while (text.len != 0 && isspace((unsigned char)text.p[0]))
        text = (struct span){text.p + 1, text.len - 1};
    return text;
}

/* What stands behind "charset=" in the text that a meta element begins; false when it says none. */
static bool charset_in(struct span meta, char *ret, size_t size)
{
    static const char word[] = "charset";
    const char *end = memchr(meta.p, '>', meta.len);

    meta.len = end == NULL ? 0 : (size_t)(end - meta.p);
    while (meta.len > sizeof word && strncasecmp(meta.p, word, sizeof word - 1) != 0)
        meta = (struct span){meta.p + 1, meta.len - 1};
    if (meta.len <= sizeof word)
        return false;
    meta = skip_blanks((struct span){meta.p + sizeof word - 1, meta.len - (sizeof word - 1)});
    if (meta.len == 0 || meta.p[0] != '=')
        return false;
    meta = skip_blanks((struct span){meta.p + 1, meta.len - 1});
    if (meta.len != 0 && (meta.p[0] == '"' || meta.p[0] == '\''))
        meta = (struct span){meta.p + 1, meta.len - 1};
    size_t len = 0;
    while (len < meta.len && (isalnum((unsigned char)meta.p[len]) || strchr("-_:.", meta.p[len]) != NULL))
        len++;
    if (len == 0 || len >= size)
        return false;
    (void)snprintf(ret, size, "%.*s", (int)len, meta.p);
    return true;
}

bool mail_html_charset(struct span source, char *ret, size_t size)
{
    static const char element[] = "<meta";

    source.len = source.len < CHARSET_WITHIN_BYTES ? source.len : CHARSET_WITHIN_BYTES;
    while (source.len > sizeof element) {
        if (strncasecmp(source.p, element, sizeof element - 1) == 0 && charset_in(source, ret, size))
            return true;
        source = (struct span){source.p + 1, source.len - 1};
    }
    return false;
}
