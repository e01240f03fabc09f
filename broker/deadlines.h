/* Verdicts on promises, for reports: deadline.list, and deadline.excuse by which a lead says why a miss was not the desk's fault. */
#ifndef DOCKET_DEADLINES_H
#define DOCKET_DEADLINES_H

struct broker;
struct call;

/* The handlers; each takes the call. */
void deadlines_list(struct broker *broker, struct call *call);
void deadlines_excuse(struct broker *broker, struct call *call);

#endif
