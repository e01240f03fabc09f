/* One visit of a link: what it is about as the database has it, and what may be done. Pure; links.c moves it along. */
#ifndef DOCKET_LINK_VISIT_H
#define DOCKET_LINK_VISIT_H

#include "escal_people.h"
#include "link_page.h"
#include "pg.h"
#include "reader.h"
#include "token.h"
#include "zones.h"

#include <libpq-fe.h>

enum { LINK_NAME_BYTES = 129, LINK_TEXT_BYTES_MAX = 40000, LINK_DO_BYTES = 24 };

/* What a button does: an op of the broker, and for `take` a second one. */
struct link_action {
    enum token_purpose purpose;
    const char *name; /* value of the form's "do" */
    const char *op, *then_op;
    bool has_text;
};

struct link_visit {
    struct token_link link;
    char token[TOKEN_LINK_BYTES];
    char locale[LOCALE_BYTES];
    const struct link_action *action; /* NULL: it only looks */
    struct buf said;                  /* the form's text */
    int tries;

    /* As found in the database; texts owned. */
    bool is_found;
    int64_t now;
    int64_t reminded_at; /* of a reminder that nobody has answered; 0: none */
    int64_t ticket;
    bool may_take; /* who it is for has acknowledged already, and nobody has the ticket */
    int32_t version;
    char who[LINK_NAME_BYTES]; /* as whom it acts; "": not known, so it may only look */
    char result_at[READER_INSTANT_BYTES];
    struct buf title, customer, text, proposal, by, assignee;
    struct link_view view; /* points into those */
};

void link_visit_init(struct link_visit *visit);
void link_visit_clear(struct link_visit *visit);

/* The row of a purpose and a button; NULL when there is none. */
const struct link_action *link_action_find(enum token_purpose purpose, struct span name);

/* Reads the rows of link_ticket.sql and link_alert.sql. prefix: of tracking numbers. Shown is the page as who it is for reads it, where that is
 * known (the contact of the link, the person of people), else in the language that visit->locale has. */
void link_visit_read_ticket(struct link_visit *visit, const PGresult *rows, const char *prefix,
                            struct zones *zones, char *tracking);
void link_visit_read_alert(struct link_visit *visit, const PGresult *rows, const char *prefix,
                           struct zones *zones, const struct escal_people *people, const struct reader *desk,
                           const struct templates *templates, char *tracking);

/* The body of the op for its action: as whom, which ticket or alert, only if it is as shown; the key is the link's nonce,
 * so that a link acts once. */
void link_visit_put_body(const struct link_visit *visit, const char *op, const char *tracking,
                         struct buf *out);

#endif
