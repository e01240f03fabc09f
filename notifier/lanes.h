/* The channels that are open, each a lane of its own: what is under way, to whom, and whether its relay or endpoint
 * is left alone for now. One lane's trouble takes nothing from another's slots, and one address holds only its share; so do all
 * addresses of one host, where addresses have one (channel.host_of). Knows no row of the database. */
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

/* How many of them its relay may get now, of at most max; and how long until it may get one (0: now). What is urgent does not ask. */
int lanes_relay_allows(struct lanes *lanes, int channel, int64_t now, int max);
int64_t lanes_relay_wait_us(struct lanes *lanes, int channel, int64_t now);

/* The relay whose rate this channel shares with other notifiers; NULL: it has none, or no limit. How many share it, this one included. */
const char *lanes_relay_shared(const struct lanes *lanes, int channel);
void lanes_relay_sharers(struct lanes *lanes, int channel, int count);

/* Addresses and hosts of a channel to which fewer attempts than a share may begin now: calls visit once for each, with how many. */
typedef void lanes_visit_fn(void *arg, const char *name, int free);
void lanes_visit_limited(const struct lanes *lanes, int channel, int64_t now, lanes_visit_fn *visit,
                         void *arg);

/* Begins an attempt and counts it until end_fn, which is called after the lane has judged the outcome. */
void lanes_start(struct lanes *lanes, int channel, const struct outgoing *out, channel_end_fn *end_fn,
                 void *arg);

/* Channels whose breaker is open, addresses, and hosts. */
int lanes_broken(const struct lanes *lanes, int channel);

#endif
