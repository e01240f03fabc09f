/* What needs no rule to be told (reliability, rule 8): the broker's own alerts to ops. */
#ifndef DOCKET_OPS_ALERTS_H
#define DOCKET_OPS_ALERTS_H

struct broker;

enum { OPS_ALERTS = 5 };

/* Unknown at the beginning of an epoch: an alert that was open before is then ended or held up. */
enum ops_state { OPS_UNKNOWN, OPS_IS_FINE, OPS_HOLDS };

void ops_alerts_begin(struct broker *broker);

/* Opens and resolves: a ticket undecided for too long, no worker, no process, most decisions failing. Every second. */
void ops_alerts_tick(struct broker *broker);

#endif
