/* What was told about a ticket: rows of outbox, deliveries and attempts to the list "messages" of
 * ticket.show. */
#ifndef DOCKET_READ_MESSAGES_H
#define DOCKET_READ_MESSAGES_H

#include "buf.h"

#include <libpq-fe.h>

/* Appends the list. rows: of read_messages.sql, in its order. */
void read_messages_put(struct buf *out, const PGresult *rows);

#endif
