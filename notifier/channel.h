/* The ways to people. A channel is one file, channel_NAME.c, and one row in common/channels.h: what it makes of words,
 * how it starts a delivery, its limits and when it tries again. What is to be told, to whom, in which order, and
 * every row in the database are the outbox's (deliver.h); a channel knows an address, bytes and how it went. */
#ifndef DOCKET_CHANNEL_H
#define DOCKET_CHANNEL_H

#include "backoff.h"
#include "buf.h"
#include "channel_reply.h"
#include "channels.h"
#include "err.h"
#include "policy.h"
#include "render.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <czmq.h>

enum { CHANNEL_ADDRESS_BYTES = 512 };

struct curl_loop;
struct settings_notifier;

/* One message in words, for the channel to build into the bytes that are stored and sent. Texts are UTF-8;
 * what may be missing is "" or 0. Its words were chosen for its audience: a channel adds none of its own. */
struct letter {
    const char *id;      /* for life: Message-ID without brackets, webhook-id, stanza id, Idempotency-Key */
    const char *root_id; /* of the first message of the thread (ticket and address), "" for this one */
    const char *previous_id; /* of the last one before */
    const char *address;
    const char *recipient; /* the name */
    const char *kind;      /* "received", "alert", … */
    const char *tracking;
    const char *customer; /* its id */
    struct span title;    /* of the ticket */
    const char *subject;
    const char *text;
    const char *html;
    /* What the row says, in the type of who reads it: one of the two, the other is NULL. An alert is staff's alone. */
    const struct customer_words *to_customer;
    const struct staff_words *to_staff;
    bool is_guest; /* may not answer in the customer's name */
    int64_t delivery;
    int64_t ticket;
    int32_t version; /* of the event that it tells of */
    int priority;    /* of the alert, else of the ticket */
    int64_t date_at;
};

/* The outbox row's MessagePack map. */
static inline struct span letter_body(const struct letter *letter)
{
    return letter->to_customer != NULL ? letter->to_customer->body : letter->to_staff->body;
}

/* alerts.id; 0: it is about none, as all letters to customers. */
static inline int64_t letter_alert(const struct letter *letter)
{
    return letter->to_staff == NULL ? 0 : letter->to_staff->alert_id;
}

/* How an attempt ended. Plain value; reply is printable, at most CHANNEL_REPLY_BYTES_MAX, owned by the channel. */
struct outcome {
    enum send_result result;
    const char *reply;
    int64_t retry_after_us; /* the other side asked for at least that pause; 0: it said nothing */
    bool address_is_dead;   /* it said that the address will never work: suppressed from now on */
};
typedef void channel_end_fn(void *arg, const struct outcome *outcome);

/* One attempt. What it points to stays until its end. */
struct outgoing {
    int64_t delivery;
    const char *id; /* as letter.id */
    const char *address;
    bool is_page;      /* an alert of P1 or P2: they must have it, or their next channel is needed */
    int attempt;       /* from 1 */
    struct span bytes; /* as built, the same in every attempt */
};

/* What somebody said to us over a channel that hears. Valid in the call. */
struct channel_said {
    int channel;                      /* its index */
    char from[CHANNEL_ADDRESS_BYTES]; /* who, or the room */
    char nick[CHANNEL_ADDRESS_BYTES]; /* who, in a room */
    bool is_room;
    struct span text;
};
typedef void channel_said_fn(void *arg, const struct channel_said *said);

/* The one relay of all messages of a channel. Valid as long as the settings. */
struct channel_relay {
    const char *name;   /* notifiers of whom it is the same share its rate */
    int64_t per_second; /* messages that it gets; 0: no limit */
};

/* What a channel gets to work with; outlives it. */
struct channel_host {
    zloop_t *loop;
    struct curl_loop *curl;
    const struct settings_notifier *settings;
    channel_said_fn *said_fn; /* NULL: nobody listens */
    void *said_arg;
};

struct channel {
    size_t text_chars_max;    /* texts are cut to it; 0: no limit */
    int slots;                /* deliveries under way at once, in one notifier */
    int address_slots;        /* of them to one address */
    bool breaker_per_address; /* else one for the whole channel: its relay, its gateway */
    /* The host of an address, as docket_endpoint of the database names it: all its addresses share address_slots, and a breaker for
     * connections. NULL: each address stands alone. */
    void (*host_of)(const char *address, char ret[CHANNEL_ADDRESS_BYTES]);
    /* NULL: it has none, and each address gets as much as it takes. */
    void (*relay)(const struct settings_notifier *settings, struct channel_relay *ret);
    enum policy_limit limit; /* which limit of notify.yaml holds for one address */
    bool joins_pages;        /* pages of P1 over the limit become one; else they are never held back */
    bool to_customers; /* a customer may be told this way when his address of the channels before fails */
    const struct schedule *schedules[SCHEDULE_CLASSES]; /* when to try again, by what it is about */

    /* ret_room: what the channel holds while it runs; NULL: it is not configured, and never used.
     * err: ERR_INVALID, ERR_IO  settings that cannot work */
    bool (*open)(const struct channel_host *host, void **ret_room, struct err *err);
    void (*close)(void *room); /* attempts under way end without a call; not called for NULL */
    /* Whether it can be an address of this channel at all. err: ERR_INVALID */
    bool (*address_check)(const char *address, struct err *err);
    /* Appends the bytes to be stored for life. err: ERR_INVALID  what cannot be said this way */
    bool (*build)(void *room, const struct letter *letter, struct buf *out, struct err *err);
    /* Begins an attempt that is committed as started. Ends with exactly one call of end_fn, from the loop and never
     * from inside start, within smtp_timeout. */
    void (*start)(void *room, const struct outgoing *out, channel_end_fn *end_fn, void *arg);
};

extern const struct channel *const channel_table[CHANNELS];

/* One a row, each at the end of its file. */
#define CHANNEL_DECLARE(id, name, suffix, bytes) extern const struct channel channel_##name;
CHANNEL_LIST(CHANNEL_DECLARE)
#undef CHANNEL_DECLARE

/* The index of a name; -1 when there is no such channel. */
int channel_find(struct span name);

#endif
