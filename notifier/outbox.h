/* The outbox: claims what is to be told and turns each row into deliveries, in one transaction each. */
#ifndef DOCKET_OUTBOX_H
#define DOCKET_OUTBOX_H

struct notifier;

/* Claims and expands until nothing is left; then deliver_run. Nothing while one is under way. */
void outbox_run(struct notifier *notifier);

#endif
