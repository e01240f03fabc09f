/* Who is to be told: from an outbox row to recipients. Pure.
 *
 * Customers, staff and ops are different functions with different inputs, so that no text for one can take
 * the way of another. */
#ifndef DOCKET_EXPAND_H
#define DOCKET_EXPAND_H

#include "buf.h"
#include "channel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECIPIENTS_MAX = 200 }; /* of one message; further ones are counted */
#define RECIPIENT_SPLIT "\x1f"

struct recipient {
    const char *channel; /* static */
    char *name;          /* for people; owned */
    char *address;       /* owned, checked */
    char *
        others; /* his other ways if this one fails: channel, address, …, split by RECIPIENT_SPLIT; owned, or NULL */
    int64_t not_before; /* waits for their hours; 0: at once */
    bool is_guest;      /* invited to a meeting, and no contact: may not answer in the customer's name */
};

/* Zeroed by the caller. reason says why nobody is told, when count is 0. */
struct recipients {
    struct recipient *items; /* owned */
    size_t count, room;
    size_t left_out;    /* addresses, or people, beyond the limit: they are not told */
    const char *reason; /* static */
};
void recipients_clear(struct recipients *list);

/* Customer's side: the ticket's own contact, else those of the customer's contacts that want this kind.
 * in:  open      channels that are in use
 *      kind      "received", …
 *      priority  of the ticket; 0 before triage
 *      extra     tickets.extra (MessagePack), or none
 *      record    customers.record (MessagePack), or none */
void expand_customer(const bool open[CHANNELS], const char *kind, int priority, struct span extra,
                     struct span record, struct recipients *ret);

/* Those invited to a meeting, or no longer, who are not told already, by mail.
 * in:  body  of the outbox row */
void expand_guests(const bool open[CHANNELS], struct span body, struct recipients *ret);

/* Our side: people by their ways, the first of each and the others behind it. pages: of escal_targets.h. */
struct pages;
void expand_pages(const struct pages *pages, struct recipients *ret);

/* One address of the settings; "" is nobody. */
void expand_address(const char *address, const char *name, struct recipients *ret);

#endif
