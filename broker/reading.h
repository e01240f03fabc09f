/* The ops that read: each asks a reader and answers what it says. */
#ifndef DOCKET_READING_H
#define DOCKET_READING_H

#include "err.h"

#include <stdbool.h>

struct broker;
struct call;
struct request;

/* The handlers; each takes the call. */
void reading_show(struct broker *broker, struct call *call);
void reading_list(struct broker *broker, struct call *call);
void reading_events(struct broker *broker, struct call *call);
void reading_customer_get(struct broker *broker, struct call *call);
void reading_customer_list(struct broker *broker, struct call *call);
void reading_process_get(struct broker *broker, struct call *call);
void reading_process_list(struct broker *broker, struct call *call);
void reading_dead_list(struct broker *broker, struct call *call);
void reading_peek(struct broker *broker, struct call *call);
void reading_no_ticket(struct call *call); /* {ticket: nil} */
void reading_ping(struct broker *broker, struct call *call);
void reading_stats(struct broker *broker, struct call *call);

#endif
