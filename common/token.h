/* Signed tokens: what a link, a reply address or a return path may do, and proof that we wrote it.
 *
 * Two forms under one key, by HMAC-SHA256 (libsodium). The mail form is short, of letters and digits that any mail
 * server may fold to one case: it goes behind the "+" of an address. The link form carries an expiry and a nonce of 128
 * bits: it goes into a URL. Each is for one purpose only. Whether a nonce was used before is the database's to say. */
#ifndef DOCKET_TOKEN_H
#define DOCKET_TOKEN_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stdint.h>

enum token_purpose {
    TOKEN_REPLY = 1,   /* subject: the ticket; an answer by mail to it, by the one it was sent to */
    TOKEN_BOUNCE,      /* subject: deliveries.id; the return path of that delivery */
    TOKEN_APPROVE,     /* subject: the ticket; approve or reject its resolution */
    TOKEN_AGREE,       /* subject: the ticket; agree to or decline its next steps */
    TOKEN_ACKNOWLEDGE, /* subject: alerts.id; generation: the alert's */
    TOKEN_RESULT       /* subject: deliveries.id; what became of a call */
};

enum {
    TOKEN_KEY_BYTES = 32,
    TOKEN_KEYS_MAX = 2,
    TOKEN_NONCE_BYTES = 16,
    TOKEN_MAIL_BYTES = 40 + 1, /* letters and NUL */
    TOKEN_LINK_BYTES = 96      /* at most, with NUL */
};

/* The first key signs, all verify: put a new one before the old to change it. */
struct token_key {
    unsigned char keys[TOKEN_KEYS_MAX][TOKEN_KEY_BYTES];
    size_t count;
};

/* Reads a file of mode 0600: one or two lines of 64 hex digits. err: ERR_IO, ERR_INVALID. */
bool token_key_read(const char *path, struct token_key *ret, struct err *err)
    __attribute__((warn_unused_result));

/* who: the address it is sent to; only a part of its hash (case folded) stands in the token. ret: TOKEN_MAIL_BYTES. */
void token_mail_format(const struct token_key *key, enum token_purpose purpose, int64_t subject,
                       const char *who, char *ret);

/* Whether text, in any case, is a token of that purpose under one of the keys. ret_who is for token_is_for. */
bool token_mail_parse(const struct token_key *key, enum token_purpose purpose, struct span text,
                      int64_t *ret_subject, uint32_t *ret_who) __attribute__((warn_unused_result));

/* Whether the token was made for this address. */
bool token_is_for(uint32_t who, const char *address);

struct token_link {
    enum token_purpose purpose;
    int64_t subject;
    int32_t generation; /* of the alert; of the ticket the version; 0 where there is none */
    int64_t expires_at; /* µs */
    uint32_t who;       /* token_who of the address it was sent to */
    unsigned char nonce[TOKEN_NONCE_BYTES];
};
uint32_t token_who(const char *address);

/* Writes base64url without padding; the nonce is the caller's (random). ret: TOKEN_LINK_BYTES. */
void token_link_format(const struct token_key *key, const struct token_link *link, char *ret);

/* The signature alone; whether it expired is for the caller, who knows the time. */
bool token_link_parse(const struct token_key *key, struct span text, struct token_link *ret)
    __attribute__((warn_unused_result));

/* The subject of a mail token that acknowledges: an alert and which time it was opened, so that an answer to an old page does
 * not silence a new one. */
int64_t token_alert_join(int64_t alert, int32_t generation);
/* out: ret_generation  0: the token is of a time when it was not said */
void token_alert_split(int64_t subject, int64_t *ret_alert, int32_t *ret_generation);

#endif
