/* Authentication-Results (RFC 8601), as far as one question goes: does our own server vouch for this domain? */
#include "mail.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { VALUE_BYTES_MAX = 4096, WORD_BYTES = 300 };

/* The value without comments and quotes, "; " and "=" without blanks around: words apart by one blank. */
static void flatten(struct span from, char *ret)
{
    size_t n = 0;
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < from.len && n < VALUE_BYTES_MAX - 1; i++) {
        char c = from.p[i];
        if (c == '\\' && (quoted || depth != 0)) {
            i++;
        } else if (c == '"' && depth == 0) {
            quoted = !quoted;
        } else if (quoted) {
            ret[n++] = isspace((unsigned char)c) || c == ';' || c == '=' ? '_' : c;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && depth > 0) {
            depth--;
        } else if (depth == 0) {
            bool blank = isspace((unsigned char)c);
            if (!blank || (n != 0 && ret[n - 1] != ' ' && ret[n - 1] != '='))
                ret[n++] = blank ? ' ' : c;
            if (c == '=' && n >= 2 && ret[n - 2] == ' ')
                ret[n-- - 2] = '=';
        }
    }
    ret[n] = '\0';
}

/* The next word up to a blank, or up to the end of this result. False at its end. */
static bool next_word(const char **at, char *ret)
{
    while (**at == ' ')
        (*at)++;
    size_t len = strcspn(*at, " ;");
    if (len == 0)
        return false;
    (void)snprintf(ret, WORD_BYTES, "%.*s", (int)(len < WORD_BYTES ? len : WORD_BYTES - 1), *at);
    *at += len;
    return true;
}

/* "header.d=example.com", "smtp.mailfrom=a@example.com": the domain, when the word is that property. */
static const char *domain_of(const char *word, const char *property)
{
    size_t len = strlen(property);

    if (strncasecmp(word, property, len) != 0 || word[len] != '=')
        return NULL;
    const char *value = word + len + 1, *at = strrchr(value, '@');
    return at == NULL ? value : at + 1;
}

/* The same, or domain below signer; a signer is more than a top-level domain. */
static bool is_aligned(const char *domain, const char *signer)
{
    size_t n = strlen(domain), m = strlen(signer);

    if (strcasecmp(domain, signer) == 0)
        return true;
    return n > m + 1 && strchr(signer, '.') != NULL && domain[n - m - 1] == '.' &&
           strcasecmp(domain + n - m, signer) == 0;
}

/* A method's property that names the domain it passed for; whether a domain above it will do. */
static const struct {
    const char *passed, *property;
    bool above;
} methods[] = {
    {"dmarc=pass", "header.from", false}, {"dkim=pass", "header.d", true},  {"dkim=pass", "header.i", true},
    {"spf=pass", "smtp.mailfrom", false}, {"spf=pass", "smtp.mail", false},
};

/* One result, "dkim=pass header.d=example.com": vouches it for domain? */
static bool result_vouches(const char *at, const char *domain)
{
    char passed[WORD_BYTES], word[WORD_BYTES];

    if (!next_word(&at, passed))
        return false;
    while (next_word(&at, word))
        for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
            const char *signer =
                strcasecmp(passed, methods[i].passed) == 0 ? domain_of(word, methods[i].property) : NULL;
            if (signer != NULL &&
                (methods[i].above ? is_aligned(domain, signer) : strcasecmp(domain, signer) == 0))
                return true;
        }
    return false;
}

bool mail_auth_vouches(struct span header, const char *authserv_id, const char *address)
{
    char value[VALUE_BYTES_MAX], server[WORD_BYTES];
    const char *at = value, *domain = strrchr(address, '@');

    if (authserv_id[0] == '\0' || domain == NULL || domain[1] == '\0')
        return false;
    flatten(header, value);
    if (!next_word(&at, server) || strcasecmp(server, authserv_id) != 0)
        return false;
    for (at = strchr(at, ';'); at != NULL; at = strchr(at, ';'))
        if (result_vouches(++at, domain + 1))
            return true;
    return false;
}
