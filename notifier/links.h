/* The public links: pages with a button for people who have no client (docs/operations.md, "Links"). A GET shows, only a
 * POST acts: then the broker is asked as the person to whom the link was sent. */
#ifndef DOCKET_LINKS_H
#define DOCKET_LINKS_H

#include "err.h"

struct notifier;
struct links;

/* Serves at public_http. out: ret_links  NULL, and nothing served, when public_url is empty.
 * err: ERR_INVALID, ERR_IO  the address or the key file cannot be used */
bool links_open(struct notifier *notifier, struct links **ret_links, struct err *err)
    __attribute__((warn_unused_result));
void links_close(struct links *links); /* accepts NULL; before the session and the broker_ask that it uses */

#endif
