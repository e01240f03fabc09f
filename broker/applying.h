/* process.apply: files that the workers took too become the current version. */
#ifndef DOCKET_APPLYING_H
#define DOCKET_APPLYING_H

struct broker;
struct call;

/* Takes the call. */
void applying_apply(struct broker *broker, struct call *call);

#endif
