/* A submit with a correlation: while a ticket of the customer with it is open, it becomes an event there.
 *
 * First the correlation's row is asked (correlate.sql). It names the open ticket: the submit is a `repeated` event of it, under the submit's own
 * key. Or it is kept for us: the submit is posted, and the row told which ticket it became in the same commit. Or somebody is just posting it: asked again. */
#ifndef DOCKET_CORRELATE_H
#define DOCKET_CORRELATE_H

#include <stdint.h>

struct broker;
struct call;

/* Takes the call. post: posts it as a ticket of its own, and takes the call. */
void correlate_submit(struct broker *broker, struct call *call,
                      void (*post)(struct broker *broker, struct call *call, int64_t token));

/* Sends, in the batch that posts the ticket and after it, what the correlation's row is told. It fails the posting when another submit was
 * given the row meanwhile (this broker stood still): the client is told to repeat, and finds the other ticket. */
void correlate_send_posted(struct broker *broker, const struct call *call, int64_t token, int64_t ticket);

#endif
