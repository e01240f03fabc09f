/* Forms of addresses; see contact.h. */
#include "contact.h"

#include "address.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* As a text of its own, for the checks of address.h. */
static bool is_address(struct span text, bool (*check)(const char *text, struct err *err))
{
    char address[ADDRESS_BYTES_MAX + 1];
    struct err ignored;

    if (text.len > ADDRESS_BYTES_MAX)
        return false;
    (void)snprintf(address, sizeof address, "%.*s", (int)text.len, text.p);
    return check(address, &ignored);
}

static bool is_mailbox(struct span text)
{
    return is_address(text, address_check);
}

static bool is_jid(struct span text)
{
    return is_address(text, address_check_xmpp);
}

/* However people write numbers: blanks and signs between, an extension behind. Letters only behind the first digit: what begins with
 * them is a name, or another kind of address. */
static bool is_phone(struct span text)
{
    size_t digits = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        digits += is_digit(c);
        if (!is_digit(c) && c != '\0' && strchr(" +-()./,;*#", c) == NULL && !(is_letter(c) && digits > 0))
            return false;
    }
    return digits >= 2;
}

static bool is_url(struct span text)
{
    static const char *const schemes[] = {"https://", "http://"};
    size_t scheme = 0;

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (text.len > strlen(schemes[i]) && memcmp(text.p, schemes[i], strlen(schemes[i])) == 0)
            scheme = strlen(schemes[i]);
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~')
            return false;
    return scheme != 0;
}

/* A tag of RFC 5646: a language of two or three letters, then parts of up to eight letters and digits. */
static bool is_locale(struct span text)
{
    size_t part = 0, parts = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && (is_letter(text.p[i]) || (is_digit(text.p[i]) && parts > 0))) {
            part++;
            continue;
        }
        if ((i < text.len && text.p[i] != '-') || part > (parts == 0 ? 3 : 8) || part < (parts == 0 ? 2 : 1))
            return false;
        parts++;
        part = 0;
    }
    return true;
}

const char *contact_fault(const char *key, struct span text)
{
    static const struct {
        const char *key;
        bool (*is)(struct span text);
        const char *fault;
    } forms[] = {
        {"email", is_mailbox, "not a mail address: want name@host, in ASCII"},
        {"xmpp", is_jid, "not an address of XMPP: want name@host, in ASCII and without a resource"},
        {"phone", is_phone,
         "not a telephone number: want digits, as +43 1 5551234, 0800 1234 or 4711 ext. 12"},
        {"sms", is_phone, "not a telephone number: want digits, as +43 1 5551234"},
        {"webhook", is_url, "not a URL: want https://HOST/PATH"},
        {"locale", is_locale, "not a language: want a tag as en or de-AT"},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(forms[i].key, key) == 0)
            return forms[i].is(text) ? NULL : forms[i].fault;
    return NULL;
}
