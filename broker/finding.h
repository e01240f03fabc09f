/* ticket.find: the ticket that was posted with a key. It writes, so that the answer is of what is committed. */
#ifndef DOCKET_FINDING_H
#define DOCKET_FINDING_H

struct broker;
struct call;

/* Takes the call. */
void finding_find(struct broker *broker, struct call *call);

#endif
