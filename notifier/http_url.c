/* URLs of somebody else's server; see http_url.h. */
#include "http_url.h"
#include "channel.h"
#include "endpoint.h"
#include "webhook_sign.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { URL_BYTES_MAX = 480 };

bool http_url_check(const char *url, struct err *err)
{
    char host[256];
    bool is_https = strncmp(url, "https://", 8) == 0, is_http = strncmp(url, "http://", 7) == 0;

    if (strlen(url) > URL_BYTES_MAX)
        return err_set(err, ERR_INVALID, "the URL is longer than %d bytes", URL_BYTES_MAX);
    for (const char *p = url; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~' || strchr("@#<>\"\\{}|^`", *p) != NULL)
            return err_set(err, ERR_INVALID, "the URL has a character that is not allowed, at %d",
                           (int)(p - url) + 1);
    if ((!is_https && !is_http) || !webhook_host(url, host, sizeof host))
        return err_set(err, ERR_INVALID, "not a URL: want https://HOST/PATH");
    if (is_http && !url_is_loopback(url))
        return err_set(err, ERR_INVALID, "http:// is allowed on the loopback only: want https://");
    return true;
}

void http_url_host(const char *url, char *ret)
{
    const char *from = strstr(url, "://");
    bool is_http = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
    size_t len = is_http ? strcspn(from + 3, "/?#") : 0;

    (void)snprintf(ret, CHANNEL_ADDRESS_BYTES, "%.*s", len == 0 ? CHANNEL_ADDRESS_BYTES - 1 : (int)len,
                   len == 0 ? url : from + 3);
    for (char *p = ret; len != 0 && *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
}
