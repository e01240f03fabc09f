/* A mail's facts by GMime, as a MessagePack map:
 *   from, from_name, message_id, in_reply_to, subject, date, auto_submitted, precedence, list, suppress, ours, autoreply,
 *   return_path, received (the topmost), report_type  (text, "" when missing)
 *   references, recipients, auth  (lists of text; auth: the values of Authentication-Results from the top)
 *   text, is_html, is_cut         the words
 *   attachments                   a list of {name, type, bytes}
 *   calendar                      {method, text}, when it has such a part
 *   report                        {text, message_id, mark}, when it is a delivery status notification (mark: X-Docket-Delivery)
 * Runs in a child: what it meets was written by anybody. */
#include "mail.h"

#include <string.h>

#include <gmime/gmime.h>

struct parsing {
    struct buf text;
    bool is_html, is_cut, has_report;
    struct buf report;
    char report_id[MAIL_FIELD_BYTES_MAX + 1], report_mark[MAIL_FIELD_BYTES_MAX + 1];
    char method[32];
    struct buf calendar;
    struct buf attachments; /* encoded maps, one after the other */
    size_t attachment_count;
    int parts;
};

/* ---- headers ---- */

static void put_clean(struct buf *out, const char *key, const char *text, size_t max)
{
    struct buf clean;

    buf_init(&clean, max);
    mail_text_clean(span_of(text == NULL ? "" : text), max, &clean);
    for (size_t i = 0; i < clean.len; i++)
        if (clean.p[i] == '\n' || clean.p[i] == '\t')
            clean.p[i] = ' ';
        else if (i + 2 < clean.len &&
                 (memcmp(clean.p + i, "\xe2\x80\xa8", 3) == 0 || memcmp(clean.p + i, "\xe2\x80\xa9", 3) == 0))
            memset(clean.p + i, ' ', 3); /* separators of lines and paragraphs */
    wire_put_key_str(out, key, clean.len == 0 ? span_of("") : buf_span(&clean));
    buf_clear(&clean);
}

static const char *header(GMimeMessage *message, const char *name)
{
    return g_mime_object_get_header(GMIME_OBJECT(message), name);
}

/* The first mailbox of a list, inside groups too. */
static InternetAddressMailbox *first_mailbox(InternetAddressList *list, int depth)
{
    for (int i = 0; list != NULL && depth < 4 && i < internet_address_list_length(list); i++) {
        InternetAddress *address = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_MAILBOX(address))
            return INTERNET_ADDRESS_MAILBOX(address);
        InternetAddressMailbox *inner =
            first_mailbox(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)), depth + 1);
        if (inner != NULL)
            return inner;
    }
    return NULL;
}

/* In the letters of ASCII, as it came over the wire: GMime shows a domain in those of its language. */
static const char *mailbox_address(InternetAddressMailbox *mailbox)
{
    return internet_address_mailbox_get_idn_addr(mailbox);
}

/* A mail has one writer: two From headers or addresses are an attempt to look like somebody else, and count as none. */
static void put_from(struct buf *out, GMimeMessage *message, struct wire_map *map)
{
    InternetAddressList *list = g_mime_message_get_from(message);
    bool is_one = list != NULL && internet_address_list_length(list) == 1;
    InternetAddressMailbox *mailbox = is_one ? first_mailbox(list, 0) : NULL;

    put_clean(out, "from", mailbox == NULL ? "" : mailbox_address(mailbox), MAIL_FIELD_BYTES_MAX);
    put_clean(out, "from_name", mailbox == NULL ? "" : internet_address_get_name(INTERNET_ADDRESS(mailbox)),
              200);
    map->count += 2;
}

static void put_recipients(struct buf *out, GMimeMessage *message, struct wire_map *map)
{
    static const char *const plain[] = {"Delivered-To", "X-Original-To", "Envelope-To"};

    wire_put_text(out, "recipients");
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (header(message, plain[i]) != NULL)
            wire_put_text(out, g_utf8_validate(header(message, plain[i]), -1, NULL)
                                   ? header(message, plain[i])
                                   : ""),
                list.count++;
    InternetAddressList *all = g_mime_message_get_all_recipients(message);
    for (int i = 0; all != NULL && i < internet_address_list_length(all) && list.count < 200; i++) {
        InternetAddress *address = internet_address_list_get_address(all, i);
        const char *text =
            INTERNET_ADDRESS_IS_MAILBOX(address) ? mailbox_address(INTERNET_ADDRESS_MAILBOX(address)) : NULL;
        if (text != NULL && g_utf8_validate(text, -1, NULL))
            wire_put_text(out, text), list.count++;
    }
    if (all != NULL)
        g_object_unref(all);
    wire_list_close(out, &list);
    map->count++;
}

/* All values of a header, from the top. */
static void put_all(struct buf *out, const char *key, GMimeMessage *message, const char *name,
                    struct wire_map *map)
{
    GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));

    wire_put_text(out, key);
    struct wire_map list = wire_list_open(out);
    for (int i = 0; i < g_mime_header_list_get_count(headers) && list.count < 20; i++) {
        GMimeHeader *one = g_mime_header_list_get_header_at(headers, i);
        const char *value = g_mime_header_get_value(one);
        if (g_ascii_strcasecmp(g_mime_header_get_name(one), name) == 0 && value != NULL &&
            g_utf8_validate(value, -1, NULL))
            wire_put_text(out, value), list.count++;
    }
    wire_list_close(out, &list);
    map->count++;
}

static void put_references(struct buf *out, GMimeMessage *message, struct wire_map *map)
{
    const char *text = header(message, "References");
    GMimeReferences *refs = g_mime_references_parse(NULL, text == NULL ? "" : text);

    wire_put_text(out, "references");
    struct wire_map list = wire_list_open(out);
    for (int i = 0; i < g_mime_references_length(refs) && list.count < 200; i++) {
        const char *id = g_mime_references_get_message_id(refs, i);
        if (id != NULL && strlen(id) <= 500 && g_utf8_validate(id, -1, NULL))
            wire_put_text(out, id), list.count++;
    }
    wire_list_close(out, &list);
    g_mime_references_free(refs);
    map->count++;
}

/* Of programs that answer for people, each with its own. */
static const char *const auto_headers[] = {"X-Autoreply",  "X-Autorespond",    "X-Autoresponder",
                                           "X-Auto-Reply", "X-Autoreply-From", "X-Mail-Autoreply"};

static const char *first_header(GMimeMessage *message, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (header(message, names[i]) != NULL)
            return header(message, names[i]);
    return NULL;
}

static void put_head(struct buf *out, GMimeMessage *message, struct wire_map *map)
{
    static const struct {
        const char *key, *name;
    } rows[] = {{"in_reply_to", "In-Reply-To"},
                {"date", "Date"},
                {"auto_submitted", "Auto-Submitted"},
                {"precedence", "Precedence"},
                {"list", "List-Id"},
                {"suppress", "X-Auto-Response-Suppress"},
                {"ours", "X-Docket-Kind"},
                {"return_path", "Return-Path"},
                {"received", "Received"}};

    GMimeObject *body = g_mime_message_get_mime_part(message);

    put_from(out, message, map);
    put_clean(out, "report_type",
              body == NULL ? NULL : g_mime_object_get_content_type_parameter(body, "report-type"),
              MAIL_FIELD_BYTES_MAX),
        map->count++;
    put_clean(out, "message_id", g_mime_message_get_message_id(message), 500), map->count++;
    put_clean(out, "autoreply",
              first_header(message, auto_headers, sizeof auto_headers / sizeof auto_headers[0]),
              MAIL_FIELD_BYTES_MAX),
        map->count++;
    put_clean(out, "subject", g_mime_message_get_subject(message), MAIL_FIELD_BYTES_MAX), map->count++;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        put_clean(out, rows[i].key, header(message, rows[i].name), MAIL_FIELD_BYTES_MAX), map->count++;
    wire_put_key_bool(out, "has_return_path", header(message, "Return-Path") != NULL), map->count++;
    put_references(out, message, map);
    put_recipients(out, message, map);
    put_all(out, "auth", message, "Authentication-Results", map);
}

/* ---- parts ---- */

/* Decoded; of a mail inside the mail its own. */
static int64_t content_bytes(GMimeObject *part)
{
    GMimeDataWrapper *content = GMIME_IS_PART(part) ? g_mime_part_get_content(GMIME_PART(part)) : NULL;
    GMimeMessage *inner =
        GMIME_IS_MESSAGE_PART(part) ? g_mime_message_part_get_message(GMIME_MESSAGE_PART(part)) : NULL;
    GMimeStream *nowhere = g_mime_stream_null_new();
    gssize bytes = content != NULL ? g_mime_data_wrapper_write_to_stream(content, nowhere)
                   : inner != NULL ? g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, nowhere)
                                   : 0;

    g_object_unref(nowhere);
    return bytes < 0 ? 0 : bytes;
}

/* As its sender calls it; a mail inside the mail without a name is called by its subject. */
static const char *name_of(GMimeObject *part)
{
    if (GMIME_IS_PART(part))
        return g_mime_part_get_filename(GMIME_PART(part));
    const char *name = g_mime_object_get_content_disposition_parameter(part, "filename");
    GMimeMessage *inner =
        GMIME_IS_MESSAGE_PART(part) ? g_mime_message_part_get_message(GMIME_MESSAGE_PART(part)) : NULL;
    return name != NULL ? name : inner == NULL ? NULL : g_mime_message_get_subject(inner);
}

static void type_of(GMimeObject *part, char *ret, size_t size)
{
    GMimeContentType *type = g_mime_object_get_content_type(part);
    const char *major = type == NULL ? NULL : g_mime_content_type_get_media_type(type);
    const char *minor = type == NULL ? NULL : g_mime_content_type_get_media_subtype(type);
    (void)snprintf(ret, size, "%.60s/%.60s", major == NULL ? "application" : major,
                   minor == NULL ? "octet-stream" : minor);
}

static void add_attachment(struct parsing *p, GMimeObject *part)
{
    char type[128];

    if (p->attachment_count >= MAIL_PARTS_MAX)
        return;
    type_of(part, type, sizeof type);
    wire_put_map(&p->attachments, 3);
    put_clean(&p->attachments, "name", name_of(part), 200);
    put_clean(&p->attachments, "type", type, 130);
    wire_put_key_int(&p->attachments, "bytes", content_bytes(part));
    p->attachment_count++;
}

/* Decoded bytes of a part, at most max of them. */
static void add_content(GMimeObject *part, size_t max, struct buf *ret)
{
    GMimeStream *memory = g_mime_stream_mem_new();
    GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));

    if (content != NULL && g_mime_data_wrapper_write_to_stream(content, memory) > 0) {
        GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
        mail_text_clean((struct span){(const char *)bytes->data, bytes->len}, max, ret);
    }
    g_object_unref(memory);
}

/* The charset that HTML says of itself where its part says none. Not one that its own letters deny: UTF-8 that says to be another has been
 * changed on the way, and what is wider than a byte could not be read that far. */
static bool own_charset(const char *text, char *ret, size_t size)
{
    size_t len = strlen(text), ascii = 0;

    while (ascii < len && (unsigned char)text[ascii] < 0x80)
        ascii++;
    return (ascii == len || !g_utf8_validate(text, -1, NULL)) &&
           mail_html_charset((struct span){text, len}, ret, size) &&
           g_ascii_strncasecmp(ret, "utf-16", 6) != 0 && g_ascii_strncasecmp(ret, "utf-32", 6) != 0;
}

static char *text_as(GMimeTextPart *part, const char *charset)
{
    g_mime_text_part_set_charset(part, charset);
    return g_mime_text_part_get_text(part);
}

/* As UTF-8, where it is known how; the caller g_frees. What says that it is Latin-1, or says nothing and is no UTF-8, is Windows': the same
 * letters, and signs (the euro, quotation marks) where Latin-1 has controls. */
static char *text_of(GMimeTextPart *part, bool is_html)
{
    static const char windows[] = "windows-1252", latin[] = "iso-8859-1";
    const char *said = g_mime_text_part_get_charset(part);
    bool is_unsaid = said == NULL || g_ascii_strcasecmp(said, "us-ascii") == 0;
    char own[64];

    if (!is_unsaid && g_ascii_strcasecmp(said, latin) == 0)
        return text_as(part, windows);
    char *text = g_mime_text_part_get_text(part);
    if (text == NULL || !is_unsaid)
        return text;
    bool has_own = is_html && own_charset(text, own, sizeof own);
    if (!has_own && g_utf8_validate(text, -1, NULL))
        return text;
    g_free(text);
    return text_as(part, has_own && g_ascii_strcasecmp(own, latin) != 0 ? own : windows);
}

static bool parameter_is(GMimeObject *part, const char *name, const char *value)
{
    const char *said = g_mime_object_get_content_type_parameter(part, name);
    return said != NULL && g_ascii_strcasecmp(said, value) == 0;
}

/* The words of a text as its writer saw them. False when there was no room for all of them. */
static bool put_plain(GMimeObject *part, const char *text, bool is_html, struct buf *ret)
{
    struct buf clean, whole;
    size_t max = (is_html ? 2 : 1) * MAIL_TEXT_BYTES_MAX;

    buf_init(&clean, max + 64);
    buf_init(&whole, MAIL_TEXT_BYTES_MAX + 64);
    mail_text_clean(span_of(text), max, &clean);
    if (is_html)
        mail_text_of_html(buf_span(&clean), &whole);
    else if (parameter_is(part, "format", "flowed"))
        mail_text_unflow(buf_span(&clean), parameter_is(part, "delsp", "yes"), &whole);
    else
        buf_add_span(&whole, buf_span(&clean));
    mail_text_unsign(buf_span(&whole), ret);
    bool is_all = !whole.failed && !ret->failed;
    buf_clear(&clean);
    buf_clear(&whole);
    return is_all;
}

static void add_text(struct parsing *p, GMimeObject *part, bool is_html)
{
    char *text = GMIME_IS_TEXT_PART(part) ? text_of(GMIME_TEXT_PART(part), is_html) : NULL;
    struct buf plain;

    if (text == NULL)
        return;
    buf_init(&plain, MAIL_TEXT_BYTES_MAX + 64);
    bool is_all = put_plain(part, text, is_html, &plain);
    if (p->text.len != 0 && plain.len != 0)
        buf_add_text(&p->text, "\n\n");
    buf_add_span(&p->text, buf_span(&plain)); /* what would pass the limit is left out */
    p->is_cut = p->is_cut || !is_all || p->text.failed || strlen(text) > MAIL_TEXT_BYTES_MAX;
    p->text.failed = false;
    p->is_html = p->is_html || is_html;
    buf_clear(&plain);
    g_free(text);
}

static bool is_type(GMimeObject *part, const char *major, const char *minor)
{
    GMimeContentType *type = g_mime_object_get_content_type(part);
    return type != NULL && g_mime_content_type_is_type(type, major, minor);
}

static bool is_attached(GMimeObject *part)
{
    GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(part);
    return disposition != NULL && g_mime_content_disposition_is_attachment(disposition);
}

static void walk(struct parsing *p, GMimeObject *part, int depth);

static bool has_words(const struct parsing *p)
{
    return mail_text_trim(buf_span(&p->text)).len != 0;
}

static bool is_words(GMimeObject *part)
{
    return !is_attached(part) && (is_type(part, "text", "plain") || is_type(part, "text", "html"));
}

/* An alternative that is not read: what is in it beside words (Apple Mail puts all attachments into the rich one) is told of. */
static void tell_of(struct parsing *p, GMimeObject *part, int depth)
{
    if (part == NULL || depth > MAIL_DEPTH_MAX || p->parts++ > MAIL_PARTS_MAX)
        return;
    for (int i = 0; GMIME_IS_MULTIPART(part) && i < g_mime_multipart_get_count(GMIME_MULTIPART(part)); i++)
        tell_of(p, g_mime_multipart_get_part(GMIME_MULTIPART(part), i), depth + 1);
    if (!GMIME_IS_MULTIPART(part) && !is_words(part))
        add_attachment(p, part);
}

/* Of alternatives that say the same the plain one; else the last that we know. */
static void walk_alternatives(struct parsing *p, GMimeMultipart *all, int depth)
{
    GMimeObject *best = NULL, *calendar = NULL;
    int count = g_mime_multipart_get_count(all);

    for (int i = 0; i < count; i++) {
        GMimeObject *part = g_mime_multipart_get_part(all, i);
        if (is_type(part, "text", "calendar"))
            calendar = part;
        else if (best == NULL || is_type(part, "text", "plain") || !is_type(best, "text", "plain"))
            best = part;
    }
    const bool none = !has_words(p);
    if (best != NULL)
        walk(p, best, depth + 1);
    /* Some programs leave the plain one empty. */
    for (int i = count; i-- > 0;) {
        GMimeObject *other = g_mime_multipart_get_part(all, i);
        if (other == best || other == calendar)
            continue;
        if (none && !has_words(p))
            walk(p, other, depth + 1);
        else if (GMIME_IS_MULTIPART(other))
            tell_of(p, other, depth + 1);
    }
    if (calendar != NULL)
        walk(p, calendar, depth + 1);
}

static void add_calendar(struct parsing *p, GMimeObject *part)
{
    const char *method = g_mime_object_get_content_type_parameter(part, "method");

    if (p->calendar.len != 0)
        return;
    (void)snprintf(p->method, sizeof p->method, "%.31s", method == NULL ? "" : method);
    add_content(part, 64 << 10, &p->calendar);
}

/* A mail of which only the headers are there (text/rfc822-headers). NULL when they are none; the caller unrefs. */
static GMimeMessage *headers_parse(GMimeObject *part)
{
    GMimeDataWrapper *content = GMIME_IS_PART(part) ? g_mime_part_get_content(GMIME_PART(part)) : NULL;
    GMimeStream *memory = g_mime_stream_mem_new();

    if (content != NULL)
        (void)g_mime_data_wrapper_write_to_stream(content, memory);
    (void)g_mime_stream_reset(memory);
    GMimeParser *parser = g_mime_parser_new_with_stream(memory);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    g_object_unref(parser);
    g_object_unref(memory);
    return message;
}

/* The returned mail of a notification: whose it was. */
static void add_returned(struct parsing *p, GMimeObject *part)
{
    GMimeMessage *own = GMIME_IS_MESSAGE_PART(part) ? NULL : headers_parse(part);
    GMimeMessage *inner =
        GMIME_IS_MESSAGE_PART(part) ? g_mime_message_part_get_message(GMIME_MESSAGE_PART(part)) : own;
    const char *id = inner == NULL ? NULL : g_mime_message_get_message_id(inner);
    const char *mark = inner == NULL ? NULL : header(inner, "X-Docket-Delivery");

    (void)snprintf(p->report_id, sizeof p->report_id, "%s", id == NULL ? "" : id);
    (void)snprintf(p->report_mark, sizeof p->report_mark, "%s", mark == NULL ? "" : mark);
    if (own != NULL)
        g_object_unref(own);
}

static void walk_report(struct parsing *p, GMimeMultipart *all, int depth)
{
    for (int i = 0; i < g_mime_multipart_get_count(all); i++) {
        GMimeObject *part = g_mime_multipart_get_part(all, i);
        if (is_type(part, "message", "delivery-status") ||
            is_type(part, "message", "global-delivery-status")) {
            p->has_report = true;
            if (GMIME_IS_PART(part))
                add_content(part, 16 << 10, &p->report);
        } else if (is_type(part, "message", "rfc822") || is_type(part, "text", "rfc822-headers") ||
                   is_type(part, "message", "global") || is_type(part, "message", "global-headers")) {
            add_returned(p, part);
        } else {
            walk(p, part, depth + 1);
        }
    }
}

/* What is shown in line is read; all else is told of. */
static void walk_leaf(struct parsing *p, GMimeObject *part)
{
    bool inline_part = !is_attached(part);

    if (inline_part && is_type(part, "text", "plain"))
        add_text(p, part, false);
    else if (inline_part && is_type(part, "text", "html"))
        add_text(p, part, true);
    else if (inline_part && is_type(part, "text", "calendar"))
        add_calendar(p, part);
    else
        add_attachment(p, part);
}

static void walk(struct parsing *p, GMimeObject *part, int depth)
{
    if (part == NULL)
        return;
    if (depth > MAIL_DEPTH_MAX || p->parts++ > MAIL_PARTS_MAX) {
        p->is_cut = true;
        return;
    }
    if (GMIME_IS_MULTIPART(part) && is_type(part, "multipart", "report"))
        walk_report(p, GMIME_MULTIPART(part), depth);
    else if (GMIME_IS_MULTIPART(part) && is_type(part, "multipart", "alternative"))
        walk_alternatives(p, GMIME_MULTIPART(part), depth);
    else if (GMIME_IS_MULTIPART(part))
        for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(part)); i++)
            walk(p, g_mime_multipart_get_part(GMIME_MULTIPART(part), i), depth + 1);
    else
        walk_leaf(p, part);
}

/* ---- all of it ---- */

static void put_body(struct buf *out, const struct parsing *p, struct wire_map *map)
{
    wire_put_key_str(out, "text", p->text.len == 0 ? span_of("") : buf_span(&p->text)), map->count++;
    wire_put_key_bool(out, "is_html", p->is_html), map->count++;
    wire_put_key_bool(out, "is_cut", p->is_cut), map->count++;
    wire_put_text(out, "attachments"), map->count++;
    wire_put_list(out, p->attachment_count);
    buf_add_span(out, buf_span(&p->attachments));
    if (p->calendar.len != 0) {
        wire_put_text(out, "calendar"), map->count++;
        wire_put_map(out, 2);
        put_clean(out, "method", p->method, 32);
        wire_put_key_str(out, "text", buf_span(&p->calendar));
    }
    if (p->has_report) {
        wire_put_text(out, "report"), map->count++;
        wire_put_map(out, 3);
        wire_put_key_str(out, "text", p->report.len == 0 ? span_of("") : buf_span(&p->report));
        put_clean(out, "message_id", p->report_id, 500);
        put_clean(out, "mark", p->report_mark, 200);
    }
}

static void parsing_init(struct parsing *p)
{
    memset(p, 0, sizeof *p);
    buf_init(&p->text, MAIL_TEXT_BYTES_MAX);
    buf_init(&p->report, 16 << 10);
    buf_init(&p->calendar, 64 << 10);
    buf_init(&p->attachments, 256 << 10);
}

static void parsing_clear(struct parsing *p)
{
    buf_clear(&p->text);
    buf_clear(&p->report);
    buf_clear(&p->calendar);
    buf_clear(&p->attachments);
}

bool mail_parse(struct span message, struct buf *out, struct err *err)
{
    struct parsing p;

    g_mime_init();
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(message.p, message.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *mail = g_mime_parser_construct_message(parser, NULL);
    g_object_unref(parser);
    g_object_unref(stream);
    if (mail == NULL)
        return err_set(err, ERR_MALFORMED, "this is no mail: it cannot be parsed");
    parsing_init(&p);
    struct wire_map map = wire_map_open(out);
    put_head(out, mail, &map);
    walk(&p, g_mime_message_get_mime_part(mail), 0);
    put_body(out, &p, &map);
    wire_map_close(out, &map);
    parsing_clear(&p);
    g_object_unref(mail);
    return !out->failed || err_set(err, ERR_MALFORMED, "what is in it is too much to be kept");
}
