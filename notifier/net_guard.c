/* Which addresses may be connected; see net_guard.h. */
#include "net_guard.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Special-purpose blocks (RFC 6890 and its registry); IPv4 below its mapped prefix. */
static const struct {
    const char *block;
    int bits;
} special[] = {
    {"0.0.0.0", 8},       {"10.0.0.0", 8},      {"100.64.0.0", 10},   {"127.0.0.0", 8},
    {"169.254.0.0", 16},  {"172.16.0.0", 12},   {"192.0.0.0", 24},    {"192.0.2.0", 24},
    {"192.31.196.0", 24}, {"192.52.193.0", 24}, {"192.88.99.0", 24},  {"192.168.0.0", 16},
    {"192.175.48.0", 24}, {"198.18.0.0", 15},   {"198.51.100.0", 24}, {"203.0.113.0", 24},
    {"224.0.0.0", 4},     {"240.0.0.0", 4},     {"::", 96},           {"64:ff9b:1::", 48},
    {"100::", 64},        {"2001::", 23},       {"2001:db8::", 32},   {"3fff::", 20},
    {"5f00::", 16},       {"fc00::", 7},        {"fe80::", 10},       {"fec0::", 10},
    {"ff00::", 8},
};

/* IPv6 prefixes behind which an IPv4 address stands, and where. */
static const struct {
    const char *block;
    int bits, at; /* byte of its first */
} carriers[] = {{"64:ff9b::", 96, 12}, {"2002::", 16, 2}};

static bool parse_address(const char *text, struct in6_addr *ret, bool *ret_is_v4)
{
    struct in_addr v4;

    *ret_is_v4 = inet_pton(AF_INET, text, &v4) == 1;
    if (!*ret_is_v4)
        return inet_pton(AF_INET6, text, ret) == 1;
    memcpy(ret->s6_addr, mapped, sizeof mapped);
    memcpy(ret->s6_addr + sizeof mapped, &v4, sizeof v4);
    return true;
}

static bool is_in(const struct in6_addr *address, const struct in6_addr *block, int bits)
{
    int whole = bits / 8, rest = bits % 8;

    if (memcmp(address->s6_addr, block->s6_addr, (size_t)whole) != 0)
        return false;
    return rest == 0 || (address->s6_addr[whole] ^ block->s6_addr[whole]) >> (8 - rest) == 0;
}

static bool is_in_text(const struct in6_addr *address, const char *block, int bits)
{
    struct in6_addr parsed;
    bool is_v4 = false;
    return parse_address(block, &parsed, &is_v4) && is_in(address, &parsed, bits + (is_v4 ? 96 : 0));
}

static bool parse_block(const char *text, struct net_block *ret)
{
    char host[INET6_ADDRSTRLEN + 8];
    const char *slash = strchr(text, '/');
    size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
    bool is_v4 = false;
    char *end = NULL;

    if (len >= sizeof host)
        return false;
    (void)snprintf(host, sizeof host, "%.*s", (int)len, text);
    if (!parse_address(host, &ret->address, &is_v4))
        return false;
    long most = is_v4 ? 32 : 128, bits = slash == NULL ? most : strtol(slash + 1, &end, 10);
    if ((slash != NULL && (end == slash + 1 || *end != '\0')) || bits < 0 || bits > most)
        return false;
    ret->bits = (int)bits + (is_v4 ? 96 : 0);
    return true;
}

bool net_guard_parse(const struct setting_list *list, struct net_guard *ret, struct err *err)
{
    struct net_guard guard = {.count = 0};

    if (list->count > NET_GUARD_MAX)
        return err_set(err, ERR_INVALID, "more than %d blocks", NET_GUARD_MAX);
    for (size_t i = 0; i < list->count; i++)
        if (!parse_block(list->items[i], &guard.allowed[guard.count++]))
            return err_set(err, ERR_INVALID, "\"%s\" is no block of addresses, want 10.1.0.0/16 or fd00::/8",
                           list->items[i]);
    *ret = guard;
    return true;
}

static bool is_special(const struct in6_addr *address)
{
    bool is_v4 = memcmp(address->s6_addr, mapped, sizeof mapped) == 0;

    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (is_in_text(address, special[i].block, special[i].bits))
            return true;
    for (size_t i = 0; !is_v4 && i < sizeof carriers / sizeof carriers[0]; i++) {
        struct in6_addr inner = {.s6_addr = {0}};
        if (!is_in_text(address, carriers[i].block, carriers[i].bits))
            continue;
        memcpy(inner.s6_addr, mapped, sizeof mapped);
        memcpy(inner.s6_addr + sizeof mapped, address->s6_addr + carriers[i].at, 4);
        return is_special(&inner);
    }
    return false;
}

bool net_guard_allows(const struct net_guard *guard, const struct sockaddr *address)
{
    struct in6_addr at;

    if (address->sa_family == AF_INET) {
        memcpy(at.s6_addr, mapped, sizeof mapped);
        memcpy(at.s6_addr + sizeof mapped, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        at = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    } else {
        return false;
    }
    for (size_t i = 0; i < guard->count; i++)
        if (is_in(&at, &guard->allowed[i].address, guard->allowed[i].bits))
            return true;
    return !is_special(&at);
}
