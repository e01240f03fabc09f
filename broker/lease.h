/* The lease of an epoch, as pure steps: when to renew, when it is lost. Sends nothing and reads no clock. Safety rests on the guard in each write, not on this
 * (epoch.h: an epoch belongs to one session with the database); the lease says when to stop trying.
 *
 * A renewal sets lease_until = the database's now + length. That now is not earlier than the moment at which
 * the renewal was sent, so what was granted holds at least until sent + length on our monotonic clock: no
 * comparison of two machines' clocks is needed. */
#ifndef DOCKET_LEASE_H
#define DOCKET_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/* All µs. Instants of our own lease are monotonic. */
struct lease {
    int64_t length_us; /* as written in the database */
    int64_t every_us;  /* renew this long after the last renewal was sent */
    int64_t sent_us;   /* when the renewal under way, or the last one, was sent */
    int64_t holds_until_us;
    bool held;      /* granted, and neither refused nor lapsed */
    bool under_way; /* a renewal was sent and is not answered */
};

enum lease_do {
    LEASE_WAIT,   /* nothing until *ret_next_us */
    LEASE_RENEW,  /* send a renewal and call lease_sent */
    LEASE_GIVE_UP /* lapsed or refused: stop handing out and answering, take a new session and a new epoch */
};

void lease_init(struct lease *lease, int64_t length_us, int64_t every_us);
void lease_sent(struct lease *lease, int64_t now_us);
void lease_granted(struct lease *lease); /* the registration or renewal that was sent last is committed */
void lease_failed(struct lease *lease);  /* what was sent did not come to be: it is due again at once */
void lease_refused(struct lease *lease); /* dead or lapsed in the database, or the session is gone: final */

/* What to do now. ret_next_us: monotonic time at which to ask again (with LEASE_GIVE_UP: now). */
enum lease_do lease_step(const struct lease *lease, int64_t now_us, int64_t *ret_next_us);

/* Whether this broker may hand out and answer. */
bool lease_holds(const struct lease *lease, int64_t now_us);

#endif
