/* process.whatif, process.simulate: a version of the process tried on tickets as they are, a page of them a request. The tickets come
 * from the database, what would become of them from a worker; nothing is written. */
#ifndef DOCKET_TRYING_H
#define DOCKET_TRYING_H

struct broker;
struct call;

/* The handlers; each takes the call. */
void trying_whatif(struct broker *broker, struct call *call);
void trying_simulate(struct broker *broker, struct call *call);

#endif
