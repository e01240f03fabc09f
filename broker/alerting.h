/* The ops alert.*: what people do with an alert, and see of it. A change is one statement under the alert's own row; what is pending
 * of its pages is withdrawn in the same transaction, so that no page begins after the answer. */
#ifndef DOCKET_ALERTING_H
#define DOCKET_ALERTING_H

struct broker;
struct call;

/* The handlers; each takes the call. */
void alerting_ack(struct broker *broker, struct call *call);
void alerting_unack(struct broker *broker, struct call *call);
void alerting_resolve(struct broker *broker, struct call *call);
void alerting_list(struct broker *broker, struct call *call);
void alerting_show(struct broker *broker, struct call *call);

#endif
