/* Which addresses an outgoing HTTP connection may have: public ones, and those of an allow list. Checked when it is made, for
 * a name may mean one thing when it is looked at and another when it is used. Pure. */
#ifndef DOCKET_NET_GUARD_H
#define DOCKET_NET_GUARD_H

#include "err.h"
#include "settings.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { NET_GUARD_MAX = 64 };

struct net_block {
    struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
    int bits;                /* of 128 */
};

struct net_guard {
    struct net_block allowed[NET_GUARD_MAX];
    size_t count;
};

/* in: list  "10.1.0.0/16", "127.0.0.1", "fd00::/8". err: ERR_INVALID  names the one that is none */
bool net_guard_parse(const struct setting_list *list, struct net_guard *ret, struct err *err)
    __attribute__((warn_unused_result));

/* Whether a connection to address may be made. Refused beside the allow list: private, shared, loopback, link-local, multicast,
 * documentation, benchmarking, reserved, unspecified; and IPv6 forms that carry such an IPv4 address (mapped, translated, 6to4,
 * Teredo). */
bool net_guard_allows(const struct net_guard *guard, const struct sockaddr *address);

#endif
