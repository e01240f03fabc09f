/* The signed link that goes with a message: for whom, for what, until when. Pure but for the nonce's randomness. */
#ifndef DOCKET_LINK_URL_H
#define DOCKET_LINK_URL_H

#include "desk.h"
#include "token.h"

enum { LINK_URL_BYTES = 512 + 3 + TOKEN_LINK_BYTES };

/* What the message is about. */
struct link_about {
    enum desk_audience audience;
    const char *kind;    /* of the outbox row */
    bool is_proposal;    /* a waiting message that proposes next steps */
    const char *address; /* to which it goes: the token is for it alone */
    int64_t ticket;
    int32_t version; /* of the ticket, of the outbox row */
    int64_t alert;   /* alerts.id, 0: none */
    int32_t alert_generation;
    int64_t now; /* µs, the database's */
};

/* Whether such a message has a link, and which: approval_asked, cannot_resolve and waiting with
 * a proposal to customers (30 days), alerts to staff
 * and ops (7 days).
 * in:  base  public_url, without a slash at its end; "" gives no links
 * out: ret   LINK_URL_BYTES */
bool link_url_format(const struct token_key *key, const char *base, const struct link_about *about,
                     char *ret);

/* https:// with a host, or http:// on the loopback (may_be_plain: anywhere); no user, query, fragment, blank or slash at the end. err: ERR_INVALID. */
bool link_base_check(const char *base, bool may_be_plain, struct err *err)
    __attribute__((warn_unused_result));

#endif
