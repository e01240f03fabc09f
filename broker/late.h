/* A customer's words on a ticket that was closed too long ago to be opened again: they become a new ticket, related to that one. */
#ifndef DOCKET_LATE_H
#define DOCKET_LATE_H

struct broker;
struct call;

/* Takes the call of the comment; the answer is that of ticket.submit. */
void late_post(struct broker *broker, struct call *call);

#endif
