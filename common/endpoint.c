/* Endpoints of ZeroMQ; see endpoint.h. */
#include "endpoint.h"

#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENDPOINT_BYTES_MAX = 255, PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

static const char ipc_prefix[] = "ipc://", tcp_prefix[] = "tcp://";

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool port_is_right(const char *digits)
{
    size_t len = strlen(digits);
    if (len == 0 || len > PORT_DIGITS_MAX || strspn(digits, "0123456789") != len)
        return false;
    long port = strtol(digits, NULL, 10);
    return port > 0 && port <= PORT_MAX;
}

bool endpoint_check(const char *text, bool *ret_local, struct err *err)
{
    bool is_ipc = has_prefix(text, ipc_prefix) && text[strlen(ipc_prefix)] != '\0', is_tcp = false, local;

    if (has_prefix(text, tcp_prefix)) {
        const char *host = text + strlen(tcp_prefix), *colon = strrchr(host, ':');
        is_tcp = colon != NULL && colon != host && port_is_right(colon + 1);
    }
    if ((!is_ipc && !is_tcp) || strlen(text) > ENDPOINT_BYTES_MAX || strpbrk(text, " \t\r\n") != NULL)
        return err_set(err, ERR_INVALID,
                       "%.60s is not an endpoint, want tcp://HOST:PORT (1–65535) or ipc://PATH", text);
    local = is_ipc || http_bind_is_loopback(text + strlen(tcp_prefix));
    if (ret_local != NULL)
        *ret_local = local;
    return true;
}

bool url_is_loopback(const char *url)
{
    enum { HOST_BYTES = 300 };
    const char *from = strstr(url, "://");
    char host[HOST_BYTES];

    if (from == NULL)
        return false;
    size_t len = strcspn(from + 3, "/?#");
    int n = snprintf(host, sizeof host, "%.*s", (int)(len < HOST_BYTES ? len : HOST_BYTES), from + 3);
    if (n <= 0 || n >= HOST_BYTES - 3)
        return false;
    /* The port may be left out in a URL; the colons of an IPv6 address stand in brackets. */
    const char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');
    if (colon == NULL || (bracket != NULL && bracket > colon))
        (void)snprintf(host + n, sizeof host - (size_t)n, ":1");
    return http_bind_is_loopback(host);
}

void endpoint_check_list(const char *name, const struct setting_list *list, struct setting_faults *faults)
{
    struct err err;

    for (size_t i = 0; i < list->count; i++)
        if (!endpoint_check(list->items[i], NULL, &err))
            settings_fault(faults, name, "%s", err.msg);
}
