/* Ends of attempts on their way into the database: gathered while the last batch is under way, kept and sent again when the
 * session breaks, so that a message that went out is not sent twice for want of a record. */
#ifndef DOCKET_ENDINGS_H
#define DOCKET_ENDINGS_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

struct notifier;

/* Whether the other side is an endpoint of its own that is disabled when it only fails, and how it was this time. */
enum { ENDPOINT_NONE, ENDPOINT_ANSWERED, ENDPOINT_FAILED };

struct ending {
    struct ending *next;
    int64_t delivery, token;
    int attempt;
    const char *result;  /* static */
    char *reply;         /* owned */
    int state;           /* deliveries.state */
    int64_t pause_us;    /* until the next attempt */
    const char *reason;  /* static, or NULL: as it was */
    bool next_channel;   /* of the same recipient starts now */
    int64_t suppress_us; /* the address does not work for so long; 0: it does */
    int64_t rest_us;     /* the address rests for so long */
    int endpoint;        /* ENDPOINT_… */
    bool alone;          /* was refused with others: written by itself, so that what it brought is its own */
    int tries;           /* of writing it alone */
};

/* Takes ending (from mem_new). */
void endings_add(struct notifier *notifier, struct ending *ending);

/* Writes what waits, unless a batch is under way. */
void endings_flush(struct notifier *notifier);

/* Whether all are written. */
bool endings_are_done(const struct notifier *notifier);
void endings_clear(struct notifier *notifier);

#endif
