/* The clients' endpoint: a ROUTER on the loop. Frames in, checked calls to the op table; their answers go out through calls.h.
 *
 * Whatever the bytes, it answers if it can tell whom. Each turn reads a bounded number of messages, so that a client that floods does not
 * keep the others waiting, and what reads or takes long waits until its connection's turn (fair.h). Knows no op and no SQL. */
#ifndef DOCKET_CLIENTS_H
#define DOCKET_CLIENTS_H

#include "err.h"

#include <stdbool.h>

struct broker;
struct calls;
struct clients;

/* Binds the endpoint of the settings and starts on the broker's loop; the broker must outlive it. on_read: requests were read, and handled as
 * far as they could be; once a turn. err: ERR_IO  the endpoint cannot be bound. */
bool clients_new(struct broker *broker, void (*on_read)(void *broker), struct clients **ret_clients,
                 struct err *err) __attribute__((warn_unused_result));

/* Handles what has its turn; to be called again when some have ended. What answers at once frees its turn at once, therefore no more than so many in one
 * call; true: there may be more, which are to be served once the loop has looked at its sockets. */
bool clients_serve(struct clients *clients);

/* Once all calls have ended but those that wait for their turn, which are refused. Accepts NULL. */
void clients_free(struct clients *clients);

struct calls *clients_calls(const struct clients *clients); /* its own */

#endif
