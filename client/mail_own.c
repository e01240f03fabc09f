/* Which words of a mail are its writer's own: quoted mail below them, and the signature, are left out. Knows how mail programs
 * say so, in the languages they speak; what it does not know stays: words may be kept twice, but none may be lost. */
#include "mail.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    HEAD_LINES_MAX = 3,    /* of "On … wrote:", when it is broken */
    HEADERS_LINES_MAX = 12 /* of the headers that Outlook puts above what it does not quote */
};

static bool starts_with(struct span line, const char *text)
{
    size_t len = strlen(text);
    return line.len >= len && strncasecmp(line.p, text, len) == 0;
}

static bool is_one_of(struct span word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (word.len == strlen(words[i]) && strncasecmp(word.p, words[i], word.len) == 0)
            return true;
    return false;
}

/* The line at, and where the next one begins. */
static struct span next_line(struct span text, size_t *at)
{
    struct span line = mail_text_line(text, *at);

    *at += line.len + 1;
    return mail_text_trim(line);
}

/* ---- "-----Original Message-----" ---- */

/* What stands between the dashes. Forwarded mail is told in other words: that is what the writer wants read. */
static const char *const separators[] = {
    "original message",      "original appointment",    "ursprüngliche nachricht", "originalnachricht",
    "ursprünglicher termin", "message d'origine",       "message d’origine",       "message original",
    "mensaje original",      "mensagem original",       "messaggio originale",     "oorspronkelijk bericht",
    "originalmeddelande",    "ursprungligt meddelande", "oprindelig meddelelse",   "opprinnelig melding",
    "alkuperäinen viesti",   "wiadomość oryginalna",    "původní zpráva",          "исходное сообщение"};

static bool is_separator(struct span line)
{
    size_t dashes = 0;

    while (line.len != 0 && line.p[0] == '-')
        line = (struct span){line.p + 1, line.len - 1}, dashes++;
    while (line.len != 0 && line.p[line.len - 1] == '-')
        line.len--, dashes++;
    return dashes >= 4 && is_one_of(mail_text_trim(line), separators, sizeof separators / sizeof *separators);
}

/* ---- the headers of Outlook ---- */

static const char *const words_from[] = {"from", "von",       "de",  "da", "van",        "från",    "fra",
                                         "od",   "lähettäjä", "від", "от", "expéditeur", "afsender"};
static const char *const words_sent[] = {"sent",    "date",       "gesendet",  "datum",      "envoyé",
                                         "enviado", "enviado el", "fecha",     "enviada em", "data",
                                         "inviato", "verzonden",  "skickat",   "sendt",      "dato",
                                         "wysłano", "odesláno",   "lähetetty", "отправлено", "дата",
                                         "enviada"};
static const char *const words_subject[] = {"subject", "betreff",   "objet", "asunto", "oggetto",
                                            "assunto", "onderwerp", "ämne",  "emne",   "temat",
                                            "předmět", "aihe",      "тема"};

enum header_word { WORD_NONE, WORD_OTHER, WORD_FROM, WORD_SENT, WORD_SUBJECT };

/* Which header the line is, as Outlook writes them: "Sent: …", in plain text also "*Sent:* …". */
static enum header_word header_word(struct span line)
{
    const char *colon = line.len == 0 ? NULL : memchr(line.p, ':', line.len);
    struct span word = {line.p, colon == NULL ? 0 : (size_t)(colon - line.p)};

    while (word.len != 0 && word.p[0] == '*')
        word = (struct span){word.p + 1, word.len - 1};
    word = mail_text_trim(word);
    if (word.len == 0 || word.len > 30)
        return WORD_NONE;
    if (is_one_of(word, words_from, sizeof words_from / sizeof *words_from))
        return WORD_FROM;
    if (is_one_of(word, words_sent, sizeof words_sent / sizeof *words_sent))
        return WORD_SENT;
    return is_one_of(word, words_subject, sizeof words_subject / sizeof *words_subject) ? WORD_SUBJECT
                                                                                        : WORD_OTHER;
}

/* From, then when it was sent, then the subject, without an empty line between. (The headers of a SIP message that somebody shows
 * us have From and Date too, but not so.) */
static bool is_headers(struct span text, size_t at)
{
    bool is_sent = false;

    if (header_word(next_line(text, &at)) != WORD_FROM)
        return false;
    for (int i = 0; i < HEADERS_LINES_MAX && at < text.len; i++) {
        struct span line = next_line(text, &at);
        enum header_word word = header_word(line);
        if (line.len == 0 || (i == 0 && word == WORD_NONE))
            return false;
        if (word == WORD_SUBJECT)
            return is_sent;
        is_sent = is_sent || word == WORD_SENT;
    }
    return false;
}

/* The rule that Outlook draws above them. */
static bool is_ruled_headers(struct span text, size_t at)
{
    struct span line = next_line(text, &at);
    size_t drawn = 0;

    while (drawn < line.len && line.p[drawn] == '_')
        drawn++;
    if (line.len < 10 || drawn < line.len)
        return false;
    while (at < text.len) {
        size_t here = at;
        if (next_line(text, &at).len != 0)
            return is_headers(text, here);
    }
    return false;
}

/* ---- what a telephone signs ---- */

/* Its own words, not its owner's: as they are shipped, in full. One that somebody has changed stays. */
static const char *const devices[] = {"sent from my iphone",
                                      "sent from my ipad",
                                      "sent from my android device",
                                      "sent from my android phone",
                                      "sent from my galaxy",
                                      "sent from my samsung galaxy smartphone",
                                      "sent from my mobile",
                                      "sent from my mobile phone",
                                      "sent from my android device with k-9 mail. please excuse my brevity",
                                      "sent from outlook for ios",
                                      "sent from outlook for android",
                                      "sent from outlook for mac",
                                      "sent from mail for windows",
                                      "sent from mail for windows 10",
                                      "get outlook for ios",
                                      "get outlook for android",
                                      "sent from proton mail for ios",
                                      "sent from proton mail for android",
                                      "von meinem iphone gesendet",
                                      "von meinem ipad gesendet",
                                      "von meinem android-gerät gesendet",
                                      "von meinem galaxy gesendet",
                                      "von meinem samsung galaxy smartphone gesendet",
                                      "von meinem mobiltelefon gesendet",
                                      "gesendet von meinem iphone",
                                      "gesendet von outlook für ios",
                                      "gesendet von outlook für android",
                                      "gesendet von outlook für mac",
                                      "gesendet von mail für windows",
                                      "gesendet von mail für windows 10",
                                      "outlook für ios beziehen",
                                      "outlook für android beziehen",
                                      "holen sie sich outlook für ios",
                                      "holen sie sich outlook für android",
                                      "gesendet mit der gmx mail app",
                                      "gesendet mit der web.de mail app",
                                      "gesendet mit der telekom mail app",
                                      "diese nachricht wurde von meinem android-gerät mit k-9 mail gesendet",
                                      "envoyé de mon iphone",
                                      "envoyé de mon ipad",
                                      "enviado desde mi iphone",
                                      "enviado do meu iphone",
                                      "inviato da iphone",
                                      "inviato dal mio iphone",
                                      "verzonden vanaf mijn iphone",
                                      "skickat från min iphone",
                                      "sendt fra min iphone",
                                      "lähetetty iphonesta"};

/* The text without the address that a link has behind its words. */
static struct span without_address(struct span line)
{
    size_t at = line.len;

    if (line.len == 0 || line.p[line.len - 1] != '>')
        return line;
    while (at != 0 && line.p[at - 1] != '<' && line.p[at - 1] != ' ')
        at--;
    return at != 0 && line.p[at - 1] == '<' ? mail_text_trim((struct span){line.p, at - 1}) : line;
}

/* Without the last line when it is such one, and words are left. */
static struct span without_device(struct span own)
{
    size_t start = own.len;

    while (start != 0 && own.p[start - 1] != '\n')
        start--;
    struct span line = without_address((struct span){own.p + start, own.len - start});
    if (line.len != 0 && line.p[line.len - 1] == '.')
        line.len--;
    struct span left = mail_text_trim((struct span){own.p, start});
    return left.len != 0 && is_one_of(line, devices, sizeof devices / sizeof *devices) ? left : own;
}

/* ---- quoted lines ---- */

/* From where on all lines are quoted or empty: words between quotes are the writer's own, then nothing is cut. Read once, for the
 * length of a mail is its sender's to choose. */
static size_t quoted_from(struct span text)
{
    size_t from = 0;

    for (size_t at = 0; at < text.len;) {
        struct span line = next_line(text, &at);
        if (line.len != 0 && line.p[0] != '>')
            from = at;
    }
    return from;
}

/* A line that a mail program breaks "On …, Zoe wrote:" into has the time of day in front, and the rest does not. */
static bool has_time(struct span line)
{
    for (size_t i = 1; i + 2 < line.len; i++)
        if (line.p[i] == ':' && isdigit((unsigned char)line.p[i - 1]) &&
            isdigit((unsigned char)line.p[i + 1]) && isdigit((unsigned char)line.p[i + 2]))
            return true;
    return false;
}

/* Where the head that ends with the line at begins: it may have been broken into some lines. */
static size_t head_start(struct span text, size_t at)
{
    size_t start = at;

    for (int i = 0; i < HEAD_LINES_MAX && start > 0 && !has_time(mail_text_line(text, start)); i++) {
        size_t before = start - 1;
        while (before > 0 && text.p[before - 1] != '\n')
            before--;
        struct span line = mail_text_trim(mail_text_line(text, before));
        if (line.len == 0)
            return at;
        start = before;
    }
    return has_time(mail_text_line(text, start)) ? start : at;
}

struct span mail_text_own(struct span whole)
{
    const struct span text = mail_text_trim(whole);
    const size_t quoted = quoted_from(text);
    size_t end = text.len;

    for (size_t at = 0; at < text.len;) {
        struct span line = mail_text_line(text, at), words = mail_text_trim(line);
        size_t next = at + line.len + 1;
        /* "Zoe wrote:" in any language: a line that ends so, and nothing but quoted lines below it. */
        bool is_head = words.len != 0 && words.p[words.len - 1] == ':' && next >= quoted && quoted < text.len;
        bool is_quoted = words.len != 0 && words.p[0] == '>' && at >= quoted;
        /* With its blank (RFC 3676): a bare -- is what grep puts between the lines that it shows. */
        bool is_signature = line.len == 3 && starts_with(line, "-- ");
        if (is_signature || is_head || is_quoted || is_separator(words) || is_headers(text, at) ||
            is_ruled_headers(text, at)) {
            end = is_head ? head_start(text, at) : at;
            break;
        }
        at = next;
    }
    struct span own = without_device(mail_text_trim((struct span){text.p, end}));
    return own.len != 0 ? own : text;
}

/* ---- the first own line ---- */

static bool is_quoted_at(struct span text, size_t at)
{
    while (at < text.len) {
        struct span line = next_line(text, &at);
        if (line.len != 0)
            return line.p[0] == '>';
    }
    return false;
}

/* Behind "On …, Zoe wrote:" in some lines, when the text begins so and quoted lines follow; else 0. */
static size_t skip_head(struct span text)
{
    bool is_timed = false, is_end = false;
    size_t at = 0;

    for (int i = 0; i < HEAD_LINES_MAX && at < text.len && !is_end; i++) {
        struct span line = next_line(text, &at);
        if (line.len == 0)
            return 0;
        is_timed = is_timed || has_time(line);
        is_end = line.p[line.len - 1] == ':';
    }
    return is_timed && is_end && is_quoted_at(text, at) ? at : 0;
}

struct span mail_text_first_line(struct span whole)
{
    const struct span text = mail_text_trim(whole);

    for (size_t at = skip_head(text); at < text.len;) {
        struct span line = next_line(text, &at);
        if (line.len == 0 || line.p[0] == '>')
            continue;
        while (line.len != 0 && (line.p[line.len - 1] == '.' || line.p[line.len - 1] == '!'))
            line.len--;
        return mail_text_trim(line);
    }
    return span_of("");
}
