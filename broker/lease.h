/* The lease of an epoch, as pure steps: when to renew, when it is lost, and what to do about the epochs of
 * others. Sends nothing and reads no clock. Safety rests on the guard in each write, not on this
 * (reliability: "An epoch belongs to one database session"); the lease says when to stop trying.
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
void lease_refused(struct lease *lease); /* dead or lapsed in the database, or the session is gone: final */

/* What to do now. ret_next_us: monotonic time at which to ask again (with LEASE_GIVE_UP: now). */
enum lease_do lease_step(const struct lease *lease, int64_t now_us, int64_t *ret_next_us);

/* Whether this broker may hand out and answer. */
bool lease_holds(const struct lease *lease, int64_t now_us);

/* The epoch of another broker (or an earlier one of our own), as its row in brokers says it. */
struct lease_other {
    int64_t lease_until; /* µs UTC, database's clock */
    bool dead;
    bool ended;   /* its backend is known to be gone since it was marked dead */
    bool emptied; /* the last sweep since then found nothing of it any more */
    bool settled;
};

/* The steps to take over, in this order and no other; each is right to repeat. */
enum lease_take {
    LEASE_LEAVE, /* it lives, or nothing is left to do */
    LEASE_KILL,  /* mark it dead in the database (final) */
    LEASE_END,   /* pg_terminate_backend, waiting: a batch of it may still be waiting for its standby */
    LEASE_ADOPT, /* take over wakes with SKIP LOCKED, once more */
    LEASE_SETTLE /* nothing is left: mark it settled, which frees its slot */
};

/* in:  db_now_us  database's clock, not later than the true one (dbclock.h) */
enum lease_take lease_judge(const struct lease_other *other, int64_t db_now_us);

#endif
