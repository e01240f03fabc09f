/* One e-mail as bytes; see mail_build.h. */
#include "mail_build.h"
#include "address.h"
#include "clock.h"
#include "utf8.h"

#include <string.h>

#include <gmime/gmime.h>

void mail_open(void)
{
    g_mime_init();
}

static bool header_check(const char *field, const char *text, struct err *err)
{
    if (text == NULL)
        return true;
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return err_field(err, ERR_INVALID, field, "%s: control characters are not allowed in a header",
                             field);
    return utf8_check(span_of(text), NULL) ||
           err_field(err, ERR_INVALID, field, "%s: not valid UTF-8", field);
}

static bool mail_check(const struct mail *mail, struct err *err)
{
    const struct {
        const char *field, *text;
    } rows[] = {{"from", mail->from},
                {"to_name", mail->to_name},
                {"to", mail->to},
                {"subject", mail->subject},
                {"message_id", mail->message_id},
                {"root_id", mail->root_id},
                {"previous_id", mail->previous_id},
                {"reply_to", mail->reply_to},
                {"tracking", mail->tracking},
                {"kind", mail->kind},
                {"mark", mail->mark}};
    char bare[ADDRESS_BYTES_MAX + 1];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!header_check(rows[i].field, rows[i].text, err))
            return false;
    const char *const ids[] = {mail->message_id, mail->root_id, mail->previous_id};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (ids[i] != NULL && strpbrk(ids[i], "<> \"") != NULL)
            return err_field(err, ERR_INVALID, "message_id", "message_id: not allowed: \"%s\"", ids[i]);
    return address_bare(mail->from, bare, err) && address_check(mail->to, err) &&
           (mail->reply_to == NULL || address_check(mail->reply_to, err));
}

/* What looks like an encoded word (RFC 2047) is broken up: a reader would decode line ends out of it. The caller frees. */
static char *words_broken(const char *text)
{
    GString *out = g_string_new(NULL);

    for (const char *p = text; *p != '\0'; p++) {
        (void)g_string_append_c(out, *p);
        if (p[0] == '=' && p[1] == '?')
            (void)g_string_append_c(out, ' ');
    }
    return g_string_free(out, FALSE);
}

/* At most MAIL_SUBJECT_CHARS_MAX code points; the caller frees. */
static char *subject_cut(const char *subject)
{
    size_t chars = 0, len = 0;
    for (; subject[len] != '\0'; len++)
        if (((unsigned char)subject[len] & 0xc0) != 0x80 && ++chars > MAIL_SUBJECT_CHARS_MAX)
            break;
    return g_strndup(subject, len);
}

/* The bytes as they are, UTF-8 always: GMime's own way would choose the smallest charset, and calendars read no other than this. */
static GMimeObject *part_new(const char *subtype, const char *text)
{
    GMimeTextPart *part = g_mime_text_part_new_with_subtype(subtype);
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text, strlen(text));
    GMimeDataWrapper *content = g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
    g_mime_part_set_content(GMIME_PART(part), content);
    g_object_unref(content);
    g_object_unref(stream);
    g_mime_text_part_set_charset(part, "utf-8");
    g_mime_part_set_content_encoding(GMIME_PART(part), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    return GMIME_OBJECT(part);
}

static void header_set(GMimeMessage *message, const char *name, const char *value)
{
    g_mime_object_set_header(GMIME_OBJECT(message), name, value, "utf-8");
}

/* The thread's first message is named always, so that a lost one in between breaks nothing. */
static void mail_set_thread(GMimeMessage *message, const struct mail *mail)
{
    const char *previous = mail->previous_id != NULL ? mail->previous_id : mail->root_id;

    if (mail->root_id == NULL)
        return;
    char *last = g_strdup_printf("<%s>", previous);
    char *all = strcmp(previous, mail->root_id) == 0 ? g_strdup(last)
                                                     : g_strdup_printf("<%s> %s", mail->root_id, last);
    header_set(message, "In-Reply-To", last);
    header_set(message, "References", all);
    g_free(all);
    g_free(last);
}

static void mail_set_headers(GMimeMessage *message, const struct mail *mail)
{
    InternetAddressList *from = internet_address_list_parse(NULL, mail->from);
    GDateTime *date = g_date_time_new_from_unix_utc(mail->date_at / US_PER_S);
    char *cut = subject_cut(mail->subject), *subject = words_broken(cut), *name = words_broken(mail->to_name);

    internet_address_list_append(g_mime_message_get_from(message), from);
    g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_TO, name[0] == '\0' ? NULL : name, mail->to);
    g_mime_message_set_subject(message, subject, "utf-8");
    g_mime_message_set_date(message, date);
    g_mime_message_set_message_id(message, mail->message_id);
    mail_set_thread(message, mail);
    if (mail->reply_to != NULL)
        header_set(message, "Reply-To", mail->reply_to);
    header_set(message, "Auto-Submitted", mail->is_receipt ? "auto-replied" : "auto-generated");
    header_set(message, "X-Auto-Response-Suppress", "All");
    header_set(message, "X-Docket-Kind", mail->kind);
    if (mail->tracking != NULL)
        header_set(message, "X-Docket-Ticket", mail->tracking);
    if (mail->mark != NULL)
        header_set(message, "X-Docket-Delivery", mail->mark);
    g_free(cut);
    g_free(subject);
    g_free(name);
    g_date_time_unref(date);
    g_object_unref(from);
}

/* The third way to read the message: calendars look for it there (RFC 6047). */
static void mail_add_calendar(GMimeMultipart *parts, const struct mail *mail)
{
    GMimeObject *part = part_new("calendar", mail->calendar);

    g_mime_object_set_content_type_parameter(part, "method", mail->calendar_cancels ? "CANCEL" : "REQUEST");
    g_mime_multipart_add(parts, part);
    g_object_unref(part);
}

bool mail_build(const struct mail *mail, struct buf *out, struct err *err)
{
    if (!mail_check(mail, err))
        return false;
    GMimeMessage *message = g_mime_message_new(FALSE);
    GMimeMultipart *parts = g_mime_multipart_new_with_subtype("alternative");
    GMimeObject *text = part_new("plain", mail->text), *html = part_new("html", mail->html);
    g_mime_multipart_add(parts, text);
    g_mime_multipart_add(parts, html);
    if (mail->calendar != NULL)
        mail_add_calendar(parts, mail);
    g_mime_message_set_mime_part(message, GMIME_OBJECT(parts));
    mail_set_headers(message, mail);

    GMimeFormatOptions *format = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
    GByteArray *bytes = g_byte_array_new();
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    /* A line end that a part leaves bare becomes CRLF here. */
    GMimeStream *filtered = g_mime_stream_filter_new(stream);
    GMimeFilter *crlf = g_mime_filter_unix2dos_new(FALSE);
    (void)g_mime_stream_filter_add(GMIME_STREAM_FILTER(filtered), crlf);
    (void)g_mime_object_write_to_stream(GMIME_OBJECT(message), format, filtered);
    (void)g_mime_stream_flush(filtered);
    bool ok = buf_add(out, bytes->data, bytes->len);
    g_object_unref(crlf);
    g_object_unref(filtered);
    g_object_unref(stream);
    g_byte_array_free(bytes, TRUE);
    g_mime_format_options_free(format);
    g_object_unref(text);
    g_object_unref(html);
    g_object_unref(parts);
    g_object_unref(message);
    return ok || err_set(err, ERR_TOO_LARGE, "the mail is larger than %zu bytes", out->max);
}
