/* How many messages a second a relay gets: pure, time comes as an argument. Source: the rules of telling, 18. */
#ifndef DOCKET_RELAY_RATE_H
#define DOCKET_RELAY_RATE_H

#include <stdint.h>

/* Plain value; zero knows no limit. What a pause has left over is kept for a tenth of a second, so that messages may begin some at a time. */
struct relay_rate {
    int64_t interval_us; /* from one to the next; 0: no limit */
    int64_t next_at;     /* monotonic µs: when the next may begin */
};

/* The relay takes per_second (0: no limit) from so many senders, of whom we are one. */
void relay_rate_set(struct relay_rate *rate, int64_t per_second, int sharers);

/* How many may begin now, of at most max. */
int relay_rate_allows(const struct relay_rate *rate, int64_t now, int max);

/* How long until one may; 0: now. */
int64_t relay_rate_wait_us(const struct relay_rate *rate, int64_t now);

/* One begins, whether it might or not: what is urgent does not wait, and others wait for it, for a second at most. */
void relay_rate_take(struct relay_rate *rate, int64_t now);

#endif
