/* Deliveries: claimed, rendered, committed as started, carried, and their end written: each attempt leaves its trace. */
#ifndef DOCKET_DELIVER_H
#define DOCKET_DELIVER_H

struct notifier;

/* Claims as many as may be sent now and sends them. Nothing while a claim is under way. */
void deliver_run(struct notifier *notifier);

#endif
