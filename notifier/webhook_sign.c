/* Signatures of Standard Webhooks; see webhook_sign.h. */
#include "webhook_sign.h"
#include "mem.h"
#include "secret.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum {
    MAC_TEXT_BYTES = 48,
    HOST_BYTES = 256,
    KEYS_MAX = 2,
    KEY_BYTES_MIN = 24,
    FILE_BYTES_MAX = SECRET_BYTES_MAX
};

struct host_secrets {
    char host[HOST_BYTES];
    unsigned char keys[KEYS_MAX][WEBHOOK_SECRET_BYTES_MAX];
    size_t lens[KEYS_MAX];
    size_t count;
};

struct webhook_secrets {
    struct host_secrets items[WEBHOOK_SECRETS_MAX];
    size_t count;
};

bool webhook_host(const char *url, char *ret, size_t size)
{
    const char *from = strstr(url, "://");
    size_t len;

    if (from == NULL)
        return false;
    from += 3;
    if (*from == '[')
        len = strcspn(++from, "]");
    else
        len = strcspn(from, ":/?#");
    if (len == 0 || len >= size)
        return false;
    for (size_t i = 0; i < len; i++)
        ret[i] = (char)tolower((unsigned char)from[i]);
    ret[len] = '\0';
    return true;
}

/* The next word of a line; false at its end. */
static bool next_word(const char **at, char *ret, size_t size)
{
    while (**at == ' ' || **at == '\t' || **at == '\r')
        (*at)++;
    size_t len = strcspn(*at, " \t\r\n");
    if (len == 0 || **at == '#')
        return false;
    (void)snprintf(ret, size, "%.*s", (int)(len < size ? len : size - 1), *at);
    *at += len;
    return true;
}

static bool parse_key(const char *word, struct host_secrets *ret)
{
    static const char prefix[] = "whsec_";
    size_t len = 0;

    if (strncmp(word, prefix, sizeof prefix - 1) != 0 || ret->count == KEYS_MAX)
        return false;
    word += sizeof prefix - 1;
    if (sodium_base642bin(ret->keys[ret->count], WEBHOOK_SECRET_BYTES_MAX, word, strlen(word), NULL, &len,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        len < KEY_BYTES_MIN)
        return false;
    ret->lens[ret->count++] = len;
    return true;
}

static const struct host_secrets *find_name(const struct webhook_secrets *secrets, const char *host)
{
    for (size_t i = 0; i < secrets->count; i++)
        if (strcmp(secrets->items[i].host, host) == 0)
            return &secrets->items[i];
    return NULL;
}

static bool parse_line(const char *line, int number, struct webhook_secrets *secrets, struct err *err)
{
    struct host_secrets one = {.count = 0};
    char word[256];

    if (!next_word(&line, one.host, sizeof one.host))
        return true;
    for (char *p = one.host; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    while (next_word(&line, word, sizeof word))
        if (!parse_key(word, &one))
            return err_set(err, ERR_INVALID,
                           "line %d: want HOST whsec_BASE64 [whsec_BASE64], each of %d to %d bytes", number,
                           KEY_BYTES_MIN, WEBHOOK_SECRET_BYTES_MAX);
    if (one.count == 0)
        return err_set(err, ERR_INVALID, "line %d: %s has no secret", number, one.host);
    if (find_name(secrets, one.host) !=
        NULL) /* who changes a secret by a second line would wonder which one holds */
        return err_set(err, ERR_INVALID, "line %d: %s stands twice, want both secrets on one line", number,
                       one.host);
    if (secrets->count == WEBHOOK_SECRETS_MAX)
        return err_set(err, ERR_INVALID, "line %d: more than %d hosts", number, WEBHOOK_SECRETS_MAX);
    secrets->items[secrets->count++] = one;
    sodium_memzero(&one, sizeof one);
    return true;
}

bool webhook_secrets_parse(const char *text, struct webhook_secrets **ret, struct err *err)
{
    struct webhook_secrets *secrets = mem_new(1, sizeof *secrets);

    for (int number = 1; *text != '\0'; number++) {
        if (!parse_line(text, number, secrets, err)) {
            webhook_secrets_free(secrets);
            return false;
        }
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    *ret = secrets;
    return true;
}

bool webhook_secrets_read(const char *path, struct webhook_secrets **ret, struct err *err)
{
    char text[FILE_BYTES_MAX + 1];

    if (!secret_read("webhook_secrets_file", path, text, sizeof text, err))
        return false;
    bool ok = webhook_secrets_parse(text, ret, err);
    sodium_memzero(text, sizeof text);
    return ok || err_prefix(err, "webhook_secrets_file: %s: ", path);
}

void webhook_secrets_free(struct webhook_secrets *secrets)
{
    if (secrets == NULL)
        return;
    sodium_memzero(secrets, sizeof *secrets);
    free(secrets);
}

static const struct host_secrets *find_host(const struct webhook_secrets *secrets, const char *url)
{
    char host[HOST_BYTES];

    return webhook_host(url, host, sizeof host) ? find_name(secrets, host) : NULL;
}

bool webhook_secrets_has(const struct webhook_secrets *secrets, const char *url)
{
    return find_host(secrets, url) != NULL;
}

bool webhook_sign(const struct webhook_secrets *secrets, const char *url, const char *id, int64_t timestamp_s,
                  struct span body, char *ret)
{
    const struct host_secrets *host = find_host(secrets, url);
    char head[512];
    size_t len = 0;

    if (host == NULL)
        return false;
    (void)snprintf(head, sizeof head, "%s.%lld.", id, (long long)timestamp_s);
    for (size_t i = 0; i < host->count; i++) {
        unsigned char mac[crypto_auth_hmacsha256_BYTES];
        char text[MAC_TEXT_BYTES];
        crypto_auth_hmacsha256_state state;
        (void)crypto_auth_hmacsha256_init(&state, host->keys[i], host->lens[i]);
        (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, strlen(head));
        (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.p, body.len);
        (void)crypto_auth_hmacsha256_final(&state, mac);
        (void)sodium_bin2base64(text, sizeof text, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
        len += (size_t)snprintf(ret + len, WEBHOOK_SIGNATURE_BYTES - len, "%sv1,%s", i == 0 ? "" : " ", text);
    }
    return true;
}
