/* From facts to words: subject, text and HTML of one message. Pure: no database, no clock. Internal notes are
 * not among the facts. */
#ifndef DOCKET_RENDER_H
#define DOCKET_RENDER_H

#include "buf.h"
#include "desk.h"
#include "process_people.h"
#include "templates.h"
#include "zone.h"

#include <stdint.h>

/* What both sides may read of a message; a frozen snapshot. Spans with p == NULL: not there. */
struct facts {
    const char *kind;                    /* of the outbox row */
    const char *tracking;                /* "" : not about a ticket */
    const char *recipient;               /* what who reads it is called, or "" */
    const struct process_people *people; /* who staff are; NULL: they are called by their short names */
    const char *tracking_prefix;
    const char *link;        /* signed, to answer without a client; NULL: none */
    bool by_mail;            /* an answer to this message by mail is read */
    int attachments;         /* of the mail that posted the ticket: they are not kept */
    const struct zone *zone; /* of who reads it; NULL: UTC */
    struct span title;
    struct span customer;
    struct span assignee;
    int state;    /* enum desk_state */
    int priority; /* 0: none yet */
    int64_t posted_at;
    struct span record;      /* the customer's, for the locale */
    const char *locale;      /* the reader's own; NULL: the customer's */
    const char *desk_locale; /* for a text that is not there in the reader's; NULL, "": not told */
};

/* Words for customers and words for staff are different types, made where the row's audience is read (compose.c) and
 * nowhere else: what is staff's cannot be given to render_to_customer, nor the other way (tests/unit/refused). */
struct customer_words {
    struct span body;          /* the outbox row's */
    struct span earlier;       /* list of bodies, oldest first: updates that this one goes out for as well */
    struct span triaged;       /* body of the triaged row that goes with the receipt */
    struct span asked;         /* body of the asked row of the same decision that goes with either */
    struct span members;       /* of a bundle: JSON list of {id, title, kind, priority} */
    struct span member_bodies; /* of the first of them: list of bodies, or nil */
    struct span member_links;  /* and of their signed links, or nil */
};

struct staff_words {
    struct span body;
    struct span members; /* also with alert, its text, and its cause */
    struct span member_bodies;
    struct span member_links;
    struct span alert;       /* text of the alert */
    struct span alert_cause; /* as stored */
    int alert_priority;      /* 0: none */
    int64_t alert_id;        /* 0: about none; and which time it was opened */
    int32_t alert_generation;
    bool is_for_ops;     /* else for the desk */
    const char *code;    /* proves having seen the page of an alert; NULL: none */
    int64_t inhibited;   /* alerts of other tickets that this one stands for */
    struct span problem; /* what the customer wrote */
    struct span extra;   /* of the ticket: its contact */
};

struct message {
    struct buf subject, text, html; /* of the caller: message_init, message_clear */
    bool is_builtin;                /* the template failed and the plain text stands in for it */
    char why[256];                  /* then: what failed */
};
void message_init(struct message *message);
void message_clear(struct message *message);

/* Always give a message: what a template cannot say, the built-in plain text says.
 * in:  suffix          of the channel's own templates; where it has none those of txt
 *      text_chars_max  the text is cut after so many code points; 0: never */
void render_to_customer(const struct templates *templates, const struct facts *facts,
                        const struct customer_words *words, const char *suffix, size_t text_chars_max,
                        struct message *ret);
void render_to_staff(const struct templates *templates, const struct facts *facts,
                     const struct staff_words *words, const char *suffix, size_t text_chars_max,
                     struct message *ret);

#endif
