/* Deliveries: claimed, rendered, committed as started, carried, and their end written: each attempt leaves its trace. */
#ifndef DOCKET_DELIVER_H
#define DOCKET_DELIVER_H

struct notifier;

/* Claims as many as may be sent now, channel by channel, and sends them. Nothing for a channel whose claim is under way. */
void deliver_run(struct notifier *notifier);

/* Looks when something that waited has come due; cheap when nothing has. */
void deliver_tick(struct notifier *notifier);

/* Forgets those under way; after the lanes are gone. */
void deliver_close(struct notifier *notifier);

#endif
