/* How far the feed is behind, and which database session holds it there: looked at every second, for the metrics. */
#ifndef DOCKET_FEED_LAG_H
#define DOCKET_FEED_LAG_H

struct broker;

void feed_lag_tick(struct broker *broker);

#endif
