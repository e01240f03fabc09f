/* Signed tokens; see token.h. */
#include "token.h"
#include "secret.h"

#include <ctype.h>
#include <string.h>

#include <sodium.h>

enum {
    MAC_BYTES = 12,
    MAIL_RAW_BYTES = 1 + 8 + 4 + MAC_BYTES,                  /* purpose, subject, who */
    LINK_BODY_BYTES = 1 + 8 + 4 + 8 + 4 + TOKEN_NONCE_BYTES, /* purpose, subject, generation, expiry, who */
    LINK_MAC_BYTES = 24,
    LINK_RAW_BYTES = LINK_BODY_BYTES + LINK_MAC_BYTES,
    FORM_MAIL = 0x4d, /* the two forms never verify as one another */
    FORM_LINK = 0x4c
};

/* Lower case: what mail servers fold to. No l, o, i, u that people misread. */
static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void put_number(unsigned char *to, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i-- > 0; value >>= 8)
        to[i] = (unsigned char)(value & 0xff);
}

static uint64_t get_number(const unsigned char *from, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | from[i];
    return value;
}

static void sign(const unsigned char *key, unsigned char form, const unsigned char *body, size_t len,
                 unsigned char ret[crypto_auth_hmacsha256_BYTES])
{
    crypto_auth_hmacsha256_state state;

    (void)crypto_auth_hmacsha256_init(&state, key, TOKEN_KEY_BYTES);
    (void)crypto_auth_hmacsha256_update(&state, &form, 1);
    (void)crypto_auth_hmacsha256_update(&state, body, len);
    (void)crypto_auth_hmacsha256_final(&state, ret);
}

static bool verify(const struct token_key *key, unsigned char form, const unsigned char *body, size_t len,
                   const unsigned char *mac, size_t mac_len)
{
    unsigned char right[crypto_auth_hmacsha256_BYTES];
    bool ok = false;

    for (size_t i = 0; i < key->count; i++) {
        sign(key->keys[i], form, body, len, right);
        ok = sodium_memcmp(right, mac, mac_len) == 0 || ok;
    }
    return ok;
}

/* A key a line; empty ones are skipped. */
static bool keys_parse(const char *path, const char *text, struct token_key *ret, struct err *err)
{
    for (const char *p = text + strspn(text, "\r\n"); *p != '\0'; p += strspn(p, "\r\n")) {
        size_t len = strcspn(p, "\r\n"), used = 0;
        if (ret->count == TOKEN_KEYS_MAX)
            return err_set(err, ERR_INVALID, "token_key_file: %s has more than %d keys", path,
                           TOKEN_KEYS_MAX);
        if (sodium_hex2bin(ret->keys[ret->count], TOKEN_KEY_BYTES, p, len, NULL, &used, NULL) != 0 ||
            used != TOKEN_KEY_BYTES)
            return err_set(err, ERR_INVALID, "token_key_file: %s: want lines of %d hex digits", path,
                           2 * TOKEN_KEY_BYTES);
        ret->count++;
        p += len;
    }
    return ret->count != 0 || err_set(err, ERR_INVALID, "token_key_file: %s has no key", path);
}

bool token_key_read(const char *path, struct token_key *ret, struct err *err)
{
    char text[SECRET_BYTES_MAX + 1];
    struct token_key key = {.count = 0};

    if (!secret_read("token_key_file", path, text, sizeof text, err))
        return false;
    bool ok = keys_parse(path, text, &key, err);
    if (ok)
        *ret = key;
    sodium_memzero(text, sizeof text);
    sodium_memzero(&key, sizeof key);
    return ok;
}

uint32_t token_who(const char *address)
{
    unsigned char hash[crypto_generichash_BYTES_MIN], folded[1024];
    size_t len = strlen(address);

    len = len < sizeof folded ? len : sizeof folded;
    for (size_t i = 0; i < len; i++)
        folded[i] = (unsigned char)tolower((unsigned char)address[i]);
    (void)crypto_generichash(hash, sizeof hash, folded, len, NULL, 0);
    return (uint32_t)get_number(hash, 4);
}

bool token_is_for(uint32_t who, const char *address)
{
    return token_who(address) == who;
}

void token_mail_format(const struct token_key *key, enum token_purpose purpose, int64_t subject,
                       const char *who, char *ret)
{
    unsigned char raw[MAIL_RAW_BYTES + 1], mac[crypto_auth_hmacsha256_BYTES]; /* one more to look ahead */

    raw[0] = (unsigned char)purpose;
    raw[MAIL_RAW_BYTES] = 0;
    put_number(raw + 1, (uint64_t)subject, 8);
    put_number(raw + 9, token_who(who), 4);
    sign(key->keys[0], FORM_MAIL, raw, MAIL_RAW_BYTES - MAC_BYTES, mac);
    memcpy(raw + MAIL_RAW_BYTES - MAC_BYTES, mac, MAC_BYTES);
    for (size_t i = 0; i < TOKEN_MAIL_BYTES - 1; i++) { /* 200 bits are 40 letters of 5 */
        size_t bit = i * 5;
        unsigned two = (unsigned)raw[bit / 8] << 8 | raw[bit / 8 + 1];
        ret[i] = letters[two >> (11 - bit % 8) & 31];
    }
    ret[TOKEN_MAIL_BYTES - 1] = '\0';
}

enum { ALERT_BITS = 40 };

int64_t token_alert_join(int64_t alert, int32_t generation)
{
    return (int64_t)generation << ALERT_BITS | alert;
}

void token_alert_split(int64_t subject, int64_t *ret_alert, int32_t *ret_generation)
{
    *ret_alert = subject & ((INT64_C(1) << ALERT_BITS) - 1);
    *ret_generation = (int32_t)(subject >> ALERT_BITS);
}

static bool mail_decode(struct span text, unsigned char raw[MAIL_RAW_BYTES])
{
    memset(raw, 0, MAIL_RAW_BYTES);
    if (text.len != TOKEN_MAIL_BYTES - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = strchr(letters, tolower((unsigned char)text.p[i]));
        if (at == NULL || *at == '\0')
            return false;
        size_t value = (size_t)(at - letters);
        for (size_t bit = 0; bit < 5; bit++)
            if (value >> (4 - bit) & 1)
                raw[(i * 5 + bit) / 8] |= (unsigned char)(0x80 >> ((i * 5 + bit) % 8));
    }
    return true;
}

bool token_mail_parse(const struct token_key *key, enum token_purpose purpose, struct span text,
                      int64_t *ret_subject, uint32_t *ret_who)
{
    unsigned char raw[MAIL_RAW_BYTES];

    if (!mail_decode(text, raw) || raw[0] != (unsigned char)purpose ||
        !verify(key, FORM_MAIL, raw, MAIL_RAW_BYTES - MAC_BYTES, raw + MAIL_RAW_BYTES - MAC_BYTES, MAC_BYTES))
        return false;
    *ret_subject = (int64_t)get_number(raw + 1, 8);
    *ret_who = (uint32_t)get_number(raw + 9, 4);
    return true;
}

void token_link_format(const struct token_key *key, const struct token_link *link, char *ret)
{
    unsigned char raw[LINK_RAW_BYTES], mac[crypto_auth_hmacsha256_BYTES];

    raw[0] = (unsigned char)link->purpose;
    put_number(raw + 1, (uint64_t)link->subject, 8);
    put_number(raw + 9, (uint32_t)link->generation, 4);
    put_number(raw + 13, (uint64_t)link->expires_at, 8);
    put_number(raw + 21, link->who, 4);
    memcpy(raw + 25, link->nonce, TOKEN_NONCE_BYTES);
    sign(key->keys[0], FORM_LINK, raw, LINK_BODY_BYTES, mac);
    memcpy(raw + LINK_BODY_BYTES, mac, LINK_MAC_BYTES);
    (void)sodium_bin2base64(ret, TOKEN_LINK_BYTES, raw, sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool token_link_parse(const struct token_key *key, struct span text, struct token_link *ret)
{
    unsigned char raw[LINK_RAW_BYTES];
    size_t len = 0;

    if (text.len >= TOKEN_LINK_BYTES ||
        sodium_base642bin(raw, sizeof raw, text.p, text.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        len != sizeof raw ||
        !verify(key, FORM_LINK, raw, LINK_BODY_BYTES, raw + LINK_BODY_BYTES, LINK_MAC_BYTES))
        return false;
    *ret = (struct token_link){.purpose = (enum token_purpose)raw[0],
                               .subject = (int64_t)get_number(raw + 1, 8),
                               .generation = (int32_t)get_number(raw + 9, 4),
                               .expires_at = (int64_t)get_number(raw + 13, 8),
                               .who = (uint32_t)get_number(raw + 21, 4)};
    memcpy(ret->nonce, raw + 25, TOKEN_NONCE_BYTES);
    return true;
}
