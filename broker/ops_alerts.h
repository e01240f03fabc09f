/* What needs no rule to be told: the broker's own alerts to ops. */
#ifndef DOCKET_OPS_ALERTS_H
#define DOCKET_OPS_ALERTS_H

struct broker;

/* What was found at the last look, and told. */
struct ops_alerts *ops_alerts_new(void);
void ops_alerts_free(struct ops_alerts *alerts); /* accepts NULL */

/* An epoch begins: all is looked at anew. */
void ops_alerts_begin(struct broker *broker);

/* Opens and resolves: a ticket undecided for too long, no worker, no process, most decisions failing. Every second. */
void ops_alerts_tick(struct broker *broker);

#endif
