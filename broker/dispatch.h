/* Dispatch: from the queue to the workers, within their credits; and back when a work failed or was lost. */
#ifndef DOCKET_DISPATCH_H
#define DOCKET_DISPATCH_H

#include "wire.h"

struct broker;
struct wake;

/* Hands out what may be handed out now; wakes without content are read first. Once a turn. */
void dispatch_run(struct broker *broker);

/* Wakes whose time has come go from the timers to the queue. Returns µs until the next one, -1: none. */
int64_t dispatch_due(struct broker *broker);

/* What workers.h calls. */
void dispatch_on_decision(void *arg, struct wake *wake, struct wire_doc *doc, const struct wire_val *body,
                          const char *worker);
void dispatch_on_fail(void *arg, struct wake *wake, const char *code, const char *message, const char *worker,
                      bool alone);
void dispatch_on_lost(void *arg, struct wake *wake);

#endif
