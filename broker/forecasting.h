/* ticket.forecast: which promises will be missed with the people there are. The tickets, recent handling times and people come from the
 * database, the simulation from a worker. Every few minutes the broker asks for itself: a gauge, and a warning to ops. */
#ifndef DOCKET_FORECASTING_H
#define DOCKET_FORECASTING_H

struct broker;
struct call;

/* The handler; takes the call. */
void forecasting(struct broker *broker, struct call *call);

/* Once a tick. */
void forecasting_tick(struct broker *broker);

#endif
