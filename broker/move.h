/* customer.put with open_tickets: the customer's open tickets move to the package of the record. Each is an event of its ticket. */
#ifndef DOCKET_MOVE_H
#define DOCKET_MOVE_H

#include <stdbool.h>

struct broker;
struct call;

/* The record is committed; moves the tickets, then answers. Takes the call. */
void move_open_tickets(struct broker *broker, struct call *call, bool duplicate);

#endif
