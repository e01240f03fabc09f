/* What a notifier that was killed had in flight comes back when it is started again under its name, instead of when its leases end. A lock of
 * the database's, held by its session, tells whether another notifier of that name lives. */
#ifndef DOCKET_PREDECESSOR_H
#define DOCKET_PREDECESSOR_H

struct notifier;

/* Asks for the name over the session that tells, until it has it; then releases what was started under it before this process. */
void predecessor_tick(struct notifier *notifier);

/* A new session: the name has to be asked for again. */
void predecessor_on_up(struct notifier *notifier);

#endif
