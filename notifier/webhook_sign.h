/* Signatures of Standard Webhooks (v1: HMAC-SHA256 over "id.timestamp.body"), and the file of secrets. Pure but for reading it. */
#ifndef DOCKET_WEBHOOK_SIGN_H
#define DOCKET_WEBHOOK_SIGN_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stdint.h>

enum { WEBHOOK_SECRETS_MAX = 200, WEBHOOK_SECRET_BYTES_MAX = 64, WEBHOOK_SIGNATURE_BYTES = 2 * 48 + 2 };

struct webhook_secrets;

/* Reads a file of mode 0600 with a line for each host: "HOST whsec_BASE64 [whsec_BASE64]", the second one during a change of
 * secrets; # begins a comment. Secrets are 24 to 64 bytes. err: ERR_IO, ERR_INVALID with the line. */
bool webhook_secrets_read(const char *path, struct webhook_secrets **ret, struct err *err)
    __attribute__((warn_unused_result));
bool webhook_secrets_parse(const char *text, struct webhook_secrets **ret, struct err *err)
    __attribute__((warn_unused_result));
void webhook_secrets_free(struct webhook_secrets *secrets); /* accepts NULL */

/* Whether there is a secret for the host of this URL ("https://HOST…"; the port does not matter). */
bool webhook_secrets_has(const struct webhook_secrets *secrets, const char *url);

/* "v1,BASE64", with two secrets "v1,… v1,…". ret: WEBHOOK_SIGNATURE_BYTES. False without a secret for the host. */
bool webhook_sign(const struct webhook_secrets *secrets, const char *url, const char *id, int64_t timestamp_s,
                  struct span body, char *ret) __attribute__((warn_unused_result));

/* The host of a URL without brackets and port, in lower case. ret: size bytes. */
bool webhook_host(const char *url, char *ret, size_t size);

#endif
