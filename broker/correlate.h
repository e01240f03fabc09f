/* A submit with a correlation: while a ticket of the customer with it is open, it becomes an event there.
 *
 * First the correlation's row is asked (correlate.sql). It names the open ticket: the submit is a `repeated` event of it, under the submit's own
 * key. Or it is kept for us: the submit is posted, and the row told which ticket it became. Or somebody is just posting it: asked again. */
#ifndef DOCKET_CORRELATE_H
#define DOCKET_CORRELATE_H

#include <stdint.h>

struct broker;
struct call;

/* Takes the call. post: posts it as a ticket of its own, and takes the call. */
void correlate_submit(struct broker *broker, struct call *call,
                      void (*post)(struct broker *broker, struct call *call, int64_t token));

/* The ticket has its id, and goes to the writer now: its correlation's row follows it there. */
void correlate_posted(struct broker *broker, const struct call *call, int64_t token, int64_t ticket);

#endif
