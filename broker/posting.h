/* Posting: a ticket.submit from the checked request to the committed ticket, its answer and its wake. */
#ifndef DOCKET_POSTING_H
#define DOCKET_POSTING_H

#include "writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct broker;
struct call;
struct request;

/* ticket.submit; the new ticket is linked to the call's related one, if it has one. Takes the call. */
void posting_submit(struct broker *broker, struct call *call);

/* Sends the statement of a batch's postings. arg: the broker. */
void posting_send(void *arg, struct unit **units, size_t count, bool repeat);

/* The oldest id that was given to a posting not ended yet; 0: none. */
int64_t posting_oldest(const struct broker *broker);

/* Frees what the room keeps. */
struct postings *postings_new(void);
void postings_free(struct postings *postings);

#endif
