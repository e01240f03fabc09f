/* ticket.explain: what the decisions of a ticket said, and each of its clocks window by window, which only a worker can tell. */
#ifndef DOCKET_READ_EXPLAIN_H
#define DOCKET_READ_EXPLAIN_H

struct broker;
struct call;

/* The handler; takes the call. */
void read_explain(struct broker *broker, struct call *call);

#endif
