/* What a notifier that was killed had in flight or had claimed comes back when it is started again under its name, instead of when its leases
 * end. A lock of the database's, held by its session, tells whether another notifier of that name lives.
 *
 * Two that run under one name (a configuration that was copied) do no step and no message twice, as each works on what it leased under a token
 * of its own; the second only takes nothing back. So it says that the name is taken, in log and metric, and works: were it to stand by, a host
 * that died and whose sessions the database has not missed yet would silence the one that replaces it. */
#ifndef DOCKET_PREDECESSOR_H
#define DOCKET_PREDECESSOR_H

#include <stdint.h>

struct metric;
struct metrics;
struct notifier;

/* A token for what this notifier leases: by its upper half it is known whose it is, the lower one is by chance. */
int64_t predecessor_token(const struct notifier *notifier);

/* The gauge that predecessor_tick sets: 1 while another one has the name. */
struct metric *predecessor_metric(struct metrics *metrics);

/* Asks for the name over the session that tells, until it has it; then releases what was claimed or started under it before this process. */
void predecessor_tick(struct notifier *notifier);

/* A new session: the name has to be asked for again. */
void predecessor_on_up(struct notifier *notifier);

#endif
