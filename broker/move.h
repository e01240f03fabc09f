/* customer.put with open_tickets: the customer's open tickets move to the package of the record. Each is an event of its ticket. */
#ifndef DOCKET_MOVE_H
#define DOCKET_MOVE_H

#include <stdbool.h>

struct broker;
struct call;

/* The record is committed; moves the tickets, then answers. Takes the call. */
void move_open_tickets(struct broker *broker, struct call *call, bool duplicate);

/* Looks now and then for moves that a broker which is gone left behind, or that could not be ended, and goes on with them. */
void move_tick(struct broker *broker);

#endif
