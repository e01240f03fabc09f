/* HTML as plain text: libxml2 reads it, we walk its tree. Lines that it quotes of another mail begin with "> ", as in plain text. */
#include "mail.h"

#include <string.h>
#include <strings.h>

#include <libxml/HTMLparser.h>

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

/* Blanks and line ends of the source are one blank. */
static void put_text(struct buf *out, const char *text, bool is_quoted)
{
    for (; text != NULL && *text != '\0'; text++) {
        bool blank = strchr(" \t\r\n", *text) != NULL;
        if (!blank && is_quoted && (out->len == 0 || out->p[out->len - 1] == '\n'))
            buf_add_text(out, "> ");
        if (!blank)
            buf_add(out, text, 1);
        else if (out->len != 0 && strchr(" \n", out->p[out->len - 1]) == NULL)
            buf_add_text(out, " ");
    }
}

/* The node behind this one and all that is in it; *quotes is how many quotes that is in. */
static xmlNode *next_of(xmlNode *node, const xmlNode *root, struct buf *out, int *quotes)
{
    while (node != NULL && node != root) {
        if (is_quote(node))
            (*quotes)--;
        if (node->type == XML_ELEMENT_NODE && is_one_of(node->name, blocks, sizeof blocks / sizeof blocks[0]))
            end_line(out);
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
    int quotes = 0;

    while (node != NULL && !out->failed) {
        bool is_element = node->type == XML_ELEMENT_NODE;
        bool is_silent = is_element && is_one_of(node->name, silent, sizeof silent / sizeof silent[0]);
        if (is_element && is_one_of(node->name, blocks, sizeof blocks / sizeof blocks[0]))
            end_line(out);
        if (is_quote(node))
            quotes++;
        if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
            put_text(out, (const char *)node->content, quotes > 0);
        node = !is_silent && is_element && node->children != NULL ? node->children
                                                                  : next_of(node, root, out, &quotes);
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
