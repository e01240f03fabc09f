/* From a claimed delivery's row to the bytes that are stored and sent: facts, words, and the channel's form of them. */
#ifndef DOCKET_COMPOSE_H
#define DOCKET_COMPOSE_H

#include "buf.h"
#include "err.h"
#include "pg.h"

struct notifier;

enum { COMPOSE_BYTES_MAX = 8 << 20, COMPOSE_ID_BYTES = 160 };

/* Columns of delivery_claim.sql. */
enum claim_column {
    C_ID,
    C_TICKET,
    C_VERSION,
    C_AUDIENCE,
    C_ATTEMPTS,
    C_CREATED_AT,
    C_KIND,
    C_RECIPIENT,
    C_ADDRESS,
    C_MESSAGE_ID,
    C_RENDERED,
    C_NOW,
    C_REPEATED,
    C_CUSTOMER,
    C_TITLE,
    C_POSTED_AT,
    C_RECORD,
    C_EXTRA,
    C_STATE,
    C_PRIORITY,
    C_ASSIGNEE,
    C_QUEUE,
    C_BODY,
    C_TRIAGED,
    C_ALERT,
    C_ALERT_PRIORITY,
    C_ALERT_ID,
    C_ALERT_GENERATION,
    C_ROOT,
    C_PREVIOUS,
    C_TOLD_PRIORITY,
    C_MEMBERS,
    C_EARLIER,
    C_INHIBITED,
    C_GUEST,
    C_PROBLEM, /* for staff alone, its beginning */
    C_ALERT_CAUSE,
    C_MEMBER_BODIES,
    C_ASKED /* what is told in it of another row: the questions of its decision */
};

/* Appends the bytes of the message in this row, and writes its id for life.
 * ret_id: COMPOSE_ID_BYTES. err: ERR_INVALID  it cannot be said over this channel */
bool compose_row(struct notifier *notifier, int channel, const PGresult *rows, int row, char *ret_id,
                 struct buf *out, struct err *err) __attribute__((warn_unused_result));

#endif
