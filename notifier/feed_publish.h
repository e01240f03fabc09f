/* The feed: every event, once it is settled, to whoever listens (docs/protocol.md, "The feed"). */
#ifndef DOCKET_FEED_PUBLISH_H
#define DOCKET_FEED_PUBLISH_H

#include "err.h"

struct notifier;
struct publisher;

/* Binds the PUB socket. err: ERR_IO. */
bool publisher_new(struct notifier *notifier, struct publisher **ret_publisher, struct err *err)
    __attribute__((warn_unused_result));
void publisher_free(struct publisher *publisher); /* accepts NULL */

/* Its session with the database came up: it goes on from what is settled then. */
void publisher_on_up(struct publisher *publisher);

/* Several times a second, and when a poke came. */
void publisher_tick(struct publisher *publisher);

#endif
