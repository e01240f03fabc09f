/* The signed link that goes with a message; see link_url.h. */
#include "link_url.h"
#include "date.h"
#include "endpoint.h"

#include <string.h>

#include <sodium.h>

struct link_kind {
    enum desk_audience audience;
    const char *kind;
    enum token_purpose purpose;
    int days;
};

static const struct link_kind kinds[] = {
    {AUDIENCE_CUSTOMER, "approval_asked", TOKEN_APPROVE, 30},
    {AUDIENCE_CUSTOMER, "cannot_resolve", TOKEN_AGREE, 30},
    {AUDIENCE_CUSTOMER, "waiting", TOKEN_AGREE, 30},
    {AUDIENCE_STAFF, "alert", TOKEN_ACKNOWLEDGE, 7},
    {AUDIENCE_OPS, "alert", TOKEN_ACKNOWLEDGE, 7},
};

static const struct link_kind *kind_find(const struct link_about *about)
{
    const char *kind = about->alert != 0 ? "alert" : about->kind;

    if (strcmp(kind, "waiting") == 0 && !about->is_proposal)
        return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].audience == about->audience && strcmp(kinds[i].kind, kind) == 0)
            return &kinds[i];
    return NULL;
}

bool link_url_format(const struct token_key *key, const char *base, const struct link_about *about, char *ret)
{
    const struct link_kind *kind = kind_find(about);
    bool is_alert = kind != NULL && kind->purpose == TOKEN_ACKNOWLEDGE;
    char token[TOKEN_LINK_BYTES];

    if (kind == NULL || base[0] == '\0' || key->count == 0 || (is_alert ? about->alert : about->ticket) == 0)
        return false;
    struct token_link link = {.purpose = kind->purpose,
                              .subject = is_alert ? about->alert : about->ticket,
                              .generation = is_alert ? about->alert_generation : about->version,
                              .expires_at = about->now + kind->days * DAY_US,
                              .who = token_who(about->address)};
    randombytes_buf(link.nonce, sizeof link.nonce);
    token_link_format(key, &link, token);
    int n = snprintf(ret, LINK_URL_BYTES, "%s/l/%s", base, token);
    return n > 0 && n < LINK_URL_BYTES;
}

bool link_base_check(const char *base, bool may_be_plain, struct err *err)
{
    bool is_https = strncmp(base, "https://", 8) == 0, is_http = strncmp(base, "http://", 7) == 0;
    const char *host = base + (is_https ? 8 : 7);

    for (const char *p = base; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~' || strchr("@?#<>\"'\\{}", *p) != NULL)
            return err_set(err, ERR_INVALID,
                           "want https://HOST or https://HOST/PATH in plain letters, without @ ? #");
    if ((!is_https && !is_http) || *host == '\0' || *host == '/' || *host == ':')
        return err_set(err, ERR_INVALID, "want https://HOST or https://HOST/PATH, got \"%s\"", base);
    if (base[strlen(base) - 1] == '/')
        return err_set(err, ERR_INVALID, "want no / at the end, got \"%s\"", base);
    if (is_http && !may_be_plain && !url_is_loopback(base))
        return err_set(err, ERR_INVALID,
                       "http:// is allowed on the loopback only, want https://: links carry a token");
    return true;
}
