/* The channels that are open, each a lane of its own: what is under way, to whom, and whether its relay or endpoint
 * is left alone for now. One lane's trouble takes nothing from another's slots, and one address holds only its share.
 * Knows no row of the database. */
#ifndef DOCKET_LANES_H
#define DOCKET_LANES_H

#include "channel.h"

struct lanes;

/* Opens every channel that is configured. err: as channel.open, naming the channel. */
bool lanes_new(const struct channel_host *host, struct lanes **ret_lanes, struct err *err)
    __attribute__((warn_unused_result));
/* Attempts under way end without a call. Accepts NULL. */
void lanes_free(struct lanes *lanes);

bool lanes_is_open(const struct lanes *lanes, int channel);
void *lanes_room_of(const struct lanes *lanes, int channel); /* for channel.build */
int lanes_in_flight(const struct lanes *lanes);

/* How many attempts may begin now over this channel. */
int lanes_free_slots(const struct lanes *lanes, int channel, int64_t now);

/* The addresses of a channel that hold their share, or whose endpoint is left alone: calls visit once for each. */
typedef void lanes_visit_fn(void *arg, const char *address);
void lanes_visit_busy(const struct lanes *lanes, int channel, int64_t now, lanes_visit_fn *visit, void *arg);

/* Begins an attempt and counts it until end_fn, which is called after the lane has judged the outcome. */
void lanes_start(struct lanes *lanes, int channel, const struct outgoing *out, channel_end_fn *end_fn,
                 void *arg);

/* Channels whose breaker is open, and addresses. */
int lanes_broken(const struct lanes *lanes, int channel);

#endif
