/* The outbox: claims what is to be told and turns each row into deliveries, in one transaction each. */
#ifndef DOCKET_OUTBOX_H
#define DOCKET_OUTBOX_H

struct notifier;

/* Claims and expands until nothing is left; then there may be something to deliver. Nothing while one is under way. */
void outbox_run(struct notifier *notifier);

/* Takes the next of a backlog when its time has come: at once when the channels could carry more, else after a pause. */
void outbox_go_on(struct notifier *notifier);

#endif
